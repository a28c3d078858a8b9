//! Values of the keys that kinds of probe and restart methods declare: how each type is read, and what holds where
//! nobody says anything.

use super::settings::{Value, Wrong};
use super::{names, target, values};
use crate::plan::{KeySpec, ParamValue, ValueType};

/// As an operator would have written it.
pub(super) fn default(key: &KeySpec) -> Option<ParamValue> {
    let text = key.default?;
    let is_count = matches!(key.value_type, ValueType::Count | ValueType::Number { .. });
    read(key, &if is_count { Value::Whole(text.parse().ok()?) } else { Value::Text(text.into()) }).ok()
}

pub(super) fn read(key: &KeySpec, value: &Value) -> Result<ParamValue, Wrong> {
    let number =
        |number: Option<u64>, wrong: String| number.map(ParamValue::Number).ok_or_else(|| wrong.into());
    match key.value_type {
        ValueType::Text(wrong_with) => {
            let text = values::text(value)?;
            match wrong_with(text).or_else(|| text.chars().any(char::is_control).then_some(NO_CONTROL)) {
                None => Ok(ParamValue::Text(text.to_owned())),
                Some(wrong) => Err(format!("{wrong}, got {value}").into()),
            }
        }
        ValueType::Unit => names::unit(value).map(ParamValue::Text),
        ValueType::Path => {
            let text = values::text(value)?;
            let good = text.starts_with('/') && !text.chars().any(char::is_control);
            let wrong = || format!("must be an absolute path, such as \"/var/lib/shop\", got {value}");
            if good { Ok(ParamValue::Text(text.to_owned())) } else { Err(wrong().into()) }
        }
        ValueType::File(sample) => {
            values::absolute_path(value, sample)?;
            Ok(ParamValue::Text(values::text(value)?.to_owned()))
        }
        ValueType::Folder(sample) => {
            let text = values::text(value)?;
            let good = text.starts_with('/') && !text.chars().any(char::is_control);
            let wrong =
                || format!("must be the absolute path of a folder, such as \"{sample}\", got {value}");
            if good { Ok(ParamValue::Text(text.to_owned())) } else { Err(wrong().into()) }
        }
        ValueType::Pattern => values::patterns(value).map(ParamValue::List),
        ValueType::Span => values::span_above_zero(value).map(ParamValue::Span),
        ValueType::Share => values::percent(value).map(|percent| ParamValue::Number(percent.into())),
        ValueType::Size => {
            number(values::size(value), format!("must be a size such as \"500M\" or \"2G\", got {value}"))
        }
        ValueType::Hundredths => {
            number(values::hundredths(value), format!("must be a number such as \"1.5\", got {value}"))
        }
        ValueType::Count => {
            number(values::integer(value), format!("must be a whole number, 0 or more, got {value}"))
        }
        ValueType::Number { from, to } => {
            values::number(value, from, to).map(|number| ParamValue::Number(number.into()))
        }
        ValueType::CommandOrNone => values::command(value).map(ParamValue::List),
        ValueType::Command => match values::command(value)? {
            command if command.is_empty() => {
                Err("must name a program, such as [\"pg_isready\", \"-q\"]".into())
            }
            command => Ok(ParamValue::List(command)),
        },
        ValueType::Address => {
            let text = values::text(value)?;
            target::parse_tcp_url(text).map_err(|_| {
                Wrong::from(format!("must be HOST:PORT, such as \"127.0.0.1:6379\", got {value}"))
            })?;
            Ok(ParamValue::Text(text.to_owned()))
        }
        ValueType::OneOf(known) => match value.text().filter(|text| known.contains(text)) {
            Some(text) => Ok(ParamValue::Text(text.to_owned())),
            None => Err(values::not_one_of(value, known)),
        },
    }
}

const NO_CONTROL: &str = "must not hold line breaks or other control characters";
