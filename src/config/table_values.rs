//! Values by the table of keys: how a plain kind is read, written out, and shown. What one key alone takes is read by a
//! function of its own (`words`, `question`, `units`).

use std::borrow::Cow;
use std::iter;
use std::time::Duration;

use unhang_core::{Mode, WhenExited};

use super::settings::{Origin, Setting, Value, Wrong};
use super::values;
use crate::keys::{Row, Stands, Takes};
use crate::plan::{ParamValue, ValueType};
use crate::toml_text::{format_size, quote, quote_duration, quote_list};

/// A type that the table of keys is enough to read.
pub(super) trait Plain: Default {
    fn read(takes: Takes, value: &Value) -> Result<Self, Wrong>;
}

impl Plain for u32 {
    fn read(takes: Takes, value: &Value) -> Result<Self, Wrong> {
        if takes == Takes::Percent {
            return values::percent(value);
        }
        if let Takes::Size { from, to } = takes {
            return bounded_size(value, from, to);
        }
        let (from, to) = if let Takes::Number { from, to } = takes { (from, to) } else { (1, Self::MAX) };
        if to == Self::MAX { values::count(value) } else { values::number(value, from, to) }
    }
}

fn bounded_size(value: &Value, from: u32, to: u32) -> Result<u32, Wrong> {
    let size = values::size(value).and_then(|size| u32::try_from(size).ok());
    let wrong = || {
        let (from, to) = (format_size(from.into()), format_size(to.into()));
        format!("must be a size of {from} to {to}, such as \"256K\", got {value}").into()
    };
    size.filter(|size| (from..=to).contains(size)).ok_or_else(wrong)
}

impl Plain for usize {
    fn read(takes: Takes, value: &Value) -> Result<Self, Wrong> {
        Self::try_from(u32::read(takes, value)?).map_err(|_| "does not fit this machine".into())
    }
}

impl Plain for Duration {
    fn read(takes: Takes, value: &Value) -> Result<Self, Wrong> {
        if takes == (Takes::Time { from: 1 }) { values::span_above_zero(value) } else { values::span(value) }
    }
}

impl Plain for bool {
    fn read(_: Takes, value: &Value) -> Result<Self, Wrong> {
        values::truth(value)
    }
}

impl Plain for Mode {
    fn read(_: Takes, value: &Value) -> Result<Self, Wrong> {
        values::mode(value)
    }
}

impl Plain for WhenExited {
    fn read(_: Takes, value: &Value) -> Result<Self, Wrong> {
        values::when_exited(value)
    }
}

/// A text of a flag, a variable or the table, as a file would have it. One that does not fit stays a text, and is
/// refused in the words of its key.
pub(super) fn written(takes: Takes, text: Cow<'static, str>) -> Value {
    match (takes, &*text) {
        (Takes::Number { .. }, digits) => digits.parse().map_or(Value::Text(text), Value::Whole),
        (Takes::Truth, "true" | "yes" | "on" | "1") => Value::Truth(true),
        (Takes::Truth, "false" | "no" | "off" | "0") => Value::Truth(false),
        (Takes::List { .. }, "[]") => Value::List(Vec::new()),
        (Takes::Names, "{}") => Value::EmptyTable,
        _ => Value::Text(text),
    }
}

/// What the table says where nobody says anything. `None`: nothing, or it is made from NAME.
pub(super) fn default(row: &Row) -> Option<Value> {
    let written = written(row.takes, row.default?.into());
    (!row.is_of_name).then_some(written)
}

/// The same, as if somebody had said it.
pub(super) fn default_setting(row: &Row) -> Option<Setting> {
    let table = if row.stands == Stands::Host { "host" } else { "defaults" };
    let key = iter::once(table).chain(row.name.split('.')).map(Cow::Borrowed).collect();
    Some(Setting { key, value: default(row)?, origin: Origin::Default })
}

/// As TOML, in the one spelling that `config show` has for it. `None`: it cannot be told from the table.
pub(super) fn shown(takes: Takes, value: &Value) -> Option<String> {
    match takes {
        Takes::Number { .. } | Takes::Truth => Some(value.to_string()),
        Takes::Time { .. } => values::span(value).ok().map(quote_duration),
        Takes::OneOf(_) | Takes::Percent | Takes::Path { .. } | Takes::Size { .. } => value.text().map(quote),
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
        (_, ParamValue::Text(text)) => quote(text),
        (ValueType::Share, ParamValue::Number(number)) => quote(&format!("{number}%")),
        (ValueType::Hundredths, ParamValue::Number(number)) => {
            quote(&format!("{}.{:02}", number / 100, number % 100))
        }
        (ValueType::Size, ParamValue::Number(number)) => quote(&format_size(*number)),
        (_, ParamValue::Number(number)) => number.to_string(),
    }
}
