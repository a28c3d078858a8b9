//! Names: which keys, units and commands name a service, and which files they would share. Asks systemd
//! nothing.

use super::settings::{Problem, SettingValue};
use super::values;
use crate::plan::{MAX_UNIT_NAME_BYTES, UnitNameFault, parse_unit_name};

/// The table's key names files, log lines and arguments.
pub(super) fn check_service_name(key: &str) -> Result<(), Problem> {
    let good = !key.is_empty()
        && key.len() <= MAX_NAME_BYTES
        && !key.starts_with(['.', '-'])
        && key.bytes().all(is_name_byte);
    if good {
        return Ok(());
    }
    let what =
        format!("NAME must be 1 to {MAX_NAME_BYTES} of A-Z a-z 0-9 _ . @ -, not beginning with . or -");
    Err(Problem::with_cure(what, "rename it (what log lines call it, name = \"...\", may be any text)"))
}

/// The key of a plan that is made from flags alone.
pub(super) fn name_from_unit(unit: &str) -> String {
    let stem = unit.strip_suffix(".service").unwrap_or(unit);
    let fit = |(at, c): (usize, char)| {
        let allowed = u8::try_from(c).is_ok_and(is_name_byte) && !(at == 0 && ".-".contains(c));
        if allowed { c } else { '_' }
    };
    let key: String = stem.chars().take(MAX_NAME_BYTES).enumerate().map(fit).collect();
    if key.is_empty() { "service".to_owned() } else { key }
}

/// The unit that a value names, by the one rule for all keys that name one.
pub(super) fn parse_unit(value: &SettingValue) -> Result<String, Problem> {
    parse_unit_text(values::quote_text(value)?)
}

pub(super) fn parse_unit_text(text: &str) -> Result<String, Problem> {
    parse_unit_name(text).map_err(|fault| {
        let got = SettingValue::Text(text.to_owned().into());
        match fault {
            UnitNameFault::Pattern => Problem::with_cure(
                format!("must name one unit, got the pattern {got}"),
                "write a table for each unit",
            ),
            UnitNameFault::Template { instance } => Problem::with_cure(
                format!("must not be a template, got {got}"),
                format!("write an instance: {instance}"),
            ),
            UnitNameFault::Malformed => format!(
                "must be the name of a unit: A-Z a-z 0-9 : _ . \\ @ -, not beginning with -, at most {MAX_UNIT_NAME_BYTES}, got {got}"
            )
            .into(),
        }
    })
}

/// Leaves room for the longest ending of a file name: `.json.corrupt-20260207T1702`.
const MAX_NAME_BYTES: usize = 200;

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.@-".contains(&byte)
}
