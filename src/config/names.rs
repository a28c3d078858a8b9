//! Names: which keys, units and commands name a service, and which files they would share. Asks systemd
//! nothing.

use super::settings::{Value, Wrong};
use super::values;
use crate::plan::{MAX_UNIT_NAME_BYTES, UnitNameFault, parse_unit_name};

/// The table's key names files, log lines and arguments.
pub(super) fn check_key(key: &str) -> Result<(), Wrong> {
    let good = !key.is_empty()
        && key.len() <= LONGEST_KEY
        && !key.starts_with(['.', '-'])
        && key.bytes().all(of_key);
    if good {
        return Ok(());
    }
    let what = format!("NAME must be 1 to {LONGEST_KEY} of A-Z a-z 0-9 _ . @ -, not beginning with . or -");
    Err(Wrong::cure(what, "rename it (what log lines call it, name = \"...\", may be any text)"))
}

/// The key of a plan that is made from flags alone.
pub(super) fn key_from(unit: &str) -> String {
    let stem = unit.strip_suffix(".service").unwrap_or(unit);
    let fit = |(at, c): (usize, char)| {
        let allowed = u8::try_from(c).is_ok_and(of_key) && !(at == 0 && ".-".contains(c));
        if allowed { c } else { '_' }
    };
    let key: String = stem.chars().take(LONGEST_KEY).enumerate().map(fit).collect();
    if key.is_empty() { "service".to_owned() } else { key }
}

/// The unit that a value names, by the one rule for all keys that name one.
pub(super) fn unit(value: &Value) -> Result<String, Wrong> {
    unit_named(values::text(value)?)
}

pub(super) fn unit_named(text: &str) -> Result<String, Wrong> {
    parse_unit_name(text).map_err(|fault| {
        let got = Value::Text(text.to_owned().into());
        match fault {
            UnitNameFault::Pattern => Wrong::cure(
                format!("must name one unit, got the pattern {got}"),
                "write a table for each unit",
            ),
            UnitNameFault::Template { instance } => Wrong::cure(
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
const LONGEST_KEY: usize = 200;

fn of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.@-".contains(&byte)
}
