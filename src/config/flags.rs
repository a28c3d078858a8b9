//! Flags and the environment as one more table of settings: the strongest layer, or a plan of one.

use super::document;
use super::layers::Refused;
use super::settings::{Fault, Origin, Part, Setting, Table, Value, Wrong};
use super::{names, table_values};
use crate::cli::{PlanFlags, Typed};
use crate::keys::{Row, Takes};

pub(super) fn table(flags: &PlanFlags, faults: &mut Vec<Fault>) -> Table {
    let mut table = Table::new(&[], Origin::Default);
    for typed in &flags.0 {
        match setting(typed) {
            Ok(setting) => table.settings.push(setting),
            Err(fault) => faults.push(fault),
        }
    }
    table
}

/// The key of a plan of one service, which needs no file. `None`: the flags go over the files' services.
pub(super) fn key_of_one(typed: &Table, faults: &mut Vec<Fault>) -> Result<Option<String>, Refused> {
    let (url, unit, command) = (typed.get("url"), typed.get("unit"), typed.get("restart"));
    let wrong = match (url, unit, command, typed.get("name")) {
        (None, None, None, None) => return Ok(None),
        (Some(_), Some(unit), None, _) => return Ok(Some(key_of_unit(unit))),
        (Some(_), None, Some(command), name) => match name.and_then(key_of_command) {
            Some(key) => return Ok(Some(key)),
            None => command.fault(Wrong::cure(
                "needs a --name of A-Z a-z 0-9 _ . @ -",
                "count, lock and log are kept under it",
            )),
        },
        (_, Some(unit), Some(command), _) => {
            let what = format!("cannot be combined with {}", command.origin);
            unit.fault(Wrong::cure(what, "leave one of them out"))
        }
        (Some(url), None, None, _) => url.fault(Wrong::cure(
            "cannot be the URL of every service",
            "add --unit or --restart-command for a plan of one without a file, or write url in [service.NAME]",
        )),
        (None, Some(setting), None, _) | (None, None, Some(setting), _) => setting.fault(Wrong::cure(
            "cannot restart every service",
            "add --url for a plan of one without a file, or write it in [service.NAME]",
        )),
        (None, None, None, Some(name)) => name.fault(Wrong::cure(
            "cannot be the name of every service",
            "add --url and --unit for a plan of one without a file, or write name in [service.NAME]",
        )),
    };
    Err(Refused::with(wrong, faults))
}

fn key_of_unit(unit: &Setting) -> String {
    names::key_from(unit.value.text().unwrap_or_default())
}

fn key_of_command(name: &Setting) -> Option<String> {
    name.value.text().filter(|name| names::check_key(name).is_ok()).map(str::to_owned)
}

fn setting(typed: &Typed) -> Result<Setting, Fault> {
    let origin = match typed.variable {
        Some(variable) => Origin::Environment(variable),
        None => Origin::Flag(format!("--{}", typed.flag)),
    };
    let Some((row, _)) = Row::flags().find(|(_, flag)| flag.name == typed.flag) else {
        return Err(origin.fault("unknown key"));
    };
    if row.takes == Takes::Names {
        return header(&typed.text, origin);
    }
    let value = if let Takes::List { .. } = row.takes {
        command(&typed.text).map_err(|wrong| origin.fault(wrong))?
    } else {
        table_values::written(row.takes, typed.text.clone().into())
    };
    Ok(Setting { key: row.name.split('.').map(Part::from).collect(), value, origin })
}

/// Its value may be a secret, and is not shown.
fn header(text: &str, origin: Origin) -> Result<Setting, Fault> {
    let Some((name, value)) = text.split_once(':') else {
        return Err(origin.fault("must be 'NAME: VALUE'"));
    };
    let key = vec!["headers".into(), name.trim().to_owned().into()];
    Ok(Setting { key, value: Value::Text(value.trim().to_owned().into()), origin })
}

/// What is no list stays a text, and is refused in the words of its key; the same for the kinds below.
fn command(text: &str) -> Result<Value, Wrong> {
    if text.trim_start().starts_with('[') {
        return Ok(document::list(text.trim()).unwrap_or_else(|| Value::Text(text.to_owned().into())));
    }
    if text.contains(['"', '\'', '\\']) {
        let cure = "write a list, '[\"cmd\", \"an argument\"]'";
        return Err(Wrong::cure("holds a quote or a backslash, which no shell will read", cure));
    }
    if text.trim().is_empty() {
        // A variable that was not set, rather than `restart = []`.
        return Ok(Value::Text(text.to_owned().into()));
    }
    Ok(Value::List(text.split_whitespace().map(|word| Value::Text(word.to_owned().into())).collect()))
}
