//! Values of the keys that kinds of probe and restart methods declare: how each type is read, and what holds where
//! nobody says anything.

use super::settings::{Problem, SettingValue};
use super::{names, target, values};
use crate::plan::{KeySpec, ParamValue, ValueType};

/// As an operator would have written it.
pub(super) fn default_param(key: &KeySpec) -> Option<ParamValue> {
    let text = key.default?;
    let is_count = matches!(key.value_type, ValueType::Count | ValueType::Number { .. });
    parse_param(
        key,
        &if is_count { SettingValue::Integer(text.parse().ok()?) } else { SettingValue::Text(text.into()) },
    )
    .ok()
}

pub(super) fn parse_param(key: &KeySpec, value: &SettingValue) -> Result<ParamValue, Problem> {
    let number =
        |number: Option<u64>, wrong: String| number.map(ParamValue::Number).ok_or_else(|| wrong.into());
    match key.value_type {
        ValueType::Text(wrong_with) => {
            let text = values::quote_text(value)?;
            match wrong_with(text).or_else(|| text.chars().any(char::is_control).then_some(NO_CONTROL_TEXT)) {
                None => Ok(ParamValue::Text(text.to_owned())),
                Some(wrong) => Err(format!("{wrong}, got {value}").into()),
            }
        }
        ValueType::Unit => names::parse_unit(value).map(ParamValue::Text),
        ValueType::Path => {
            let text = values::quote_text(value)?;
            let good = text.starts_with('/') && !text.chars().any(char::is_control);
            let wrong = || format!("must be an absolute path, such as \"/var/lib/shop\", got {value}");
            if good { Ok(ParamValue::Text(text.to_owned())) } else { Err(wrong().into()) }
        }
        ValueType::File(sample) => {
            values::parse_absolute_path(value, sample)?;
            Ok(ParamValue::Text(values::quote_text(value)?.to_owned()))
        }
        ValueType::Folder(sample) => {
            let text = values::quote_text(value)?;
            let good = text.starts_with('/') && !text.chars().any(char::is_control);
            let wrong =
                || format!("must be the absolute path of a folder, such as \"{sample}\", got {value}");
            if good { Ok(ParamValue::Text(text.to_owned())) } else { Err(wrong().into()) }
        }
        ValueType::Pattern => values::parse_patterns(value).map(ParamValue::List),
        ValueType::Span => values::parse_positive_duration(value).map(ParamValue::Span),
        ValueType::Share => values::parse_percent(value).map(|percent| ParamValue::Number(percent.into())),
        ValueType::Size => number(
            values::parse_size(value),
            format!("must be a size such as \"500M\" or \"2G\", got {value}"),
        ),
        ValueType::Hundredths => {
            number(values::parse_decimal(value), format!("must be a number such as \"1.5\", got {value}"))
        }
        ValueType::Count => {
            number(values::parse_integer(value), format!("must be a whole number, 0 or more, got {value}"))
        }
        ValueType::Number { from, to } => {
            values::parse_number(value, from, to).map(|number| ParamValue::Number(number.into()))
        }
        ValueType::CommandOrNone => values::parse_command(value).map(ParamValue::List),
        ValueType::Command => match values::parse_command(value)? {
            command if command.is_empty() => {
                Err("must name a program, such as [\"pg_isready\", \"-q\"]".into())
            }
            command => Ok(ParamValue::List(command)),
        },
        ValueType::Address => {
            let text = values::quote_text(value)?;
            target::parse_tcp_url(text).map_err(|_| {
                Problem::from(format!("must be HOST:PORT, such as \"127.0.0.1:6379\", got {value}"))
            })?;
            Ok(ParamValue::Text(text.to_owned()))
        }
        ValueType::OneOf(known) => match value.as_text().filter(|text| known.contains(text)) {
            Some(text) => Ok(ParamValue::Text(text.to_owned())),
            None => Err(values::not_one_of(value, known)),
        },
    }
}

const NO_CONTROL_TEXT: &str = "must not hold line breaks or other control characters";
