//! Values by the table of keys: how a plain kind is read, written out, and shown. What one key alone takes is read by a
//! function of its own (`words`, `question`, `units`).

use std::borrow::Cow;
use std::iter;
use std::time::Duration;

use unhang_core::{Mode, WhenExited};

use super::settings::{Origin, Problem, Setting, SettingValue};
use super::values;
use crate::keys::{KeyRow, TablesAllowed, Takes};
use crate::plan::{ParamValue, ValueType};
use crate::toml_text::{format_size, quote_duration, quote_list, quote_toml};

/// A type that the table of keys is enough to read.
pub(super) trait Plain: Default {
    fn read(takes: Takes, value: &SettingValue) -> Result<Self, Problem>;
}

impl Plain for u32 {
    fn read(takes: Takes, value: &SettingValue) -> Result<Self, Problem> {
        if takes == Takes::Percent {
            return values::parse_percent(value);
        }
        if let Takes::Size { from, to } = takes {
            return bounded_size(value, from, to);
        }
        let (from, to) = if let Takes::Number { from, to } = takes { (from, to) } else { (1, Self::MAX) };
        if to == Self::MAX { values::parse_count(value) } else { values::parse_number(value, from, to) }
    }
}

fn bounded_size(value: &SettingValue, from: u32, to: u32) -> Result<u32, Problem> {
    let size = values::parse_size(value).and_then(|size| u32::try_from(size).ok());
    let wrong = || {
        let (from, to) = (format_size(from.into()), format_size(to.into()));
        format!("must be a size of {from} to {to}, such as \"256K\", got {value}").into()
    };
    size.filter(|size| (from..=to).contains(size)).ok_or_else(wrong)
}

impl Plain for usize {
    fn read(takes: Takes, value: &SettingValue) -> Result<Self, Problem> {
        Self::try_from(u32::read(takes, value)?).map_err(|_| "does not fit this machine".into())
    }
}

impl Plain for Duration {
    fn read(takes: Takes, value: &SettingValue) -> Result<Self, Problem> {
        if takes == (Takes::Time { from: 1 }) {
            values::parse_positive_duration(value)
        } else {
            values::parse_duration(value)
        }
    }
}

impl Plain for bool {
    fn read(_: Takes, value: &SettingValue) -> Result<Self, Problem> {
        values::parse_boolean_text(value)
    }
}

impl Plain for Mode {
    fn read(_: Takes, value: &SettingValue) -> Result<Self, Problem> {
        values::parse_mode(value)
    }
}

impl Plain for WhenExited {
    fn read(_: Takes, value: &SettingValue) -> Result<Self, Problem> {
        values::when_exited(value)
    }
}

/// A text of a flag, a variable or the table, as a file would have it. One that does not fit stays a text, and is
/// refused in the words of its key.
pub(super) fn written_value(takes: Takes, text: Cow<'static, str>) -> SettingValue {
    match (takes, &*text) {
        (Takes::Number { .. }, digits) => {
            digits.parse().map_or(SettingValue::Text(text), SettingValue::Integer)
        }
        (Takes::Truth, "true" | "yes" | "on" | "1") => SettingValue::Boolean(true),
        (Takes::Truth, "false" | "no" | "off" | "0") => SettingValue::Boolean(false),
        (Takes::List { .. }, "[]") => SettingValue::List(Vec::new()),
        (Takes::Names, "{}") => SettingValue::EmptyTable,
        _ => SettingValue::Text(text),
    }
}

/// What the table says where nobody says anything. `None`: nothing, or it is made from NAME.
pub(super) fn default_value(row: &KeyRow) -> Option<SettingValue> {
    let written = written_value(row.takes, row.default?.into());
    (!row.is_of_name).then_some(written)
}

/// The same, as if somebody had said it.
pub(super) fn default_setting(row: &KeyRow) -> Option<Setting> {
    let table = if row.stands == TablesAllowed::Host { "host" } else { "defaults" };
    let key = iter::once(table).chain(row.name.split('.')).map(Cow::Borrowed).collect();
    Some(Setting { key, value: default_value(row)?, origin: Origin::Default })
}

/// As TOML, in the one spelling that `config show` has for it. `None`: it cannot be told from the table.
pub(super) fn format_key_value(takes: Takes, value: &SettingValue) -> Option<String> {
    match takes {
        Takes::Number { .. } | Takes::Truth => Some(value.to_string()),
        Takes::Time { .. } => values::parse_duration(value).ok().map(quote_duration),
        Takes::OneOf(_) | Takes::Percent | Takes::Path { .. } | Takes::Size { .. } => {
            value.as_text().map(quote_toml)
        }
        Takes::Statuses
        | Takes::Text { .. }
        | Takes::List { .. }
        | Takes::Names
        | Takes::Figure
        | Takes::Values => None,
    }
}

/// A value of a kind of probe as TOML.
pub(super) fn format_param(value_type: ValueType, value: &ParamValue) -> String {
    match (value_type, value) {
        (_, ParamValue::List(list)) => quote_list(list),
        (_, ParamValue::Span(span)) => quote_duration(*span),
        (_, ParamValue::Text(text)) => quote_toml(text),
        (ValueType::Share, ParamValue::Number(number)) => quote_toml(&format!("{number}%")),
        (ValueType::Hundredths, ParamValue::Number(number)) => {
            quote_toml(&format!("{}.{:02}", number / 100, number % 100))
        }
        (ValueType::Size, ParamValue::Number(number)) => quote_toml(&format_size(*number)),
        (_, ParamValue::Number(number)) => number.to_string(),
    }
}
