//! Flags and the environment as one more table of settings: the strongest layer, or a plan of one.

use super::document;
use super::layers::AlreadyReported;
use super::settings::{ConfigFault, KeyPart, Origin, Problem, Setting, SettingTable, SettingValue};
use super::{names, table_values};
use crate::cli::{PlanFlags, Typed};
use crate::keys::{KeyRow, Takes};

pub(super) fn flag_table(flags: &PlanFlags, faults: &mut Vec<ConfigFault>) -> SettingTable {
    let mut table = SettingTable::new(&[], Origin::Default);
    for typed in &flags.0 {
        match flag_setting(typed) {
            Ok(setting) => table.settings.push(setting),
            Err(fault) => faults.push(fault),
        }
    }
    table
}

/// The key of a plan of one service, which needs no file. `None`: the flags go over the files' services.
pub(super) fn name_of_single_service(
    typed: &SettingTable,
    faults: &mut Vec<ConfigFault>,
) -> Result<Option<String>, AlreadyReported> {
    let (url, unit, command) = (typed.get("url"), typed.get("unit"), typed.get("restart"));
    let wrong = match (url, unit, command, typed.get("name")) {
        (None, None, None, None) => return Ok(None),
        (Some(_), Some(unit), None, _) => return Ok(Some(name_from_unit(unit))),
        (Some(_), None, Some(command), name) => match name.and_then(name_from_flag) {
            Some(key) => return Ok(Some(key)),
            None => command.fault(Problem::with_cure(
                "needs a --name of A-Z a-z 0-9 _ . @ -",
                "count, lock and log are kept under it",
            )),
        },
        (_, Some(unit), Some(command), _) => {
            let what = format!("cannot be combined with {}", command.origin);
            unit.fault(Problem::with_cure(what, "leave one of them out"))
        }
        (Some(url), None, None, _) => url.fault(Problem::with_cure(
            "cannot be the URL of every service",
            "add --unit or --restart-command for a plan of one without a file, or write url in [service.NAME]",
        )),
        (None, Some(setting), None, _) | (None, None, Some(setting), _) => setting.fault(Problem::with_cure(
            "cannot restart every service",
            "add --url for a plan of one without a file, or write it in [service.NAME]",
        )),
        (None, None, None, Some(name)) => name.fault(Problem::with_cure(
            "cannot be the name of every service",
            "add --url and --unit for a plan of one without a file, or write name in [service.NAME]",
        )),
    };
    Err(AlreadyReported::report(wrong, faults))
}

fn name_from_unit(unit: &Setting) -> String {
    names::name_from_unit(unit.value.as_text().unwrap_or_default())
}

fn name_from_flag(name: &Setting) -> Option<String> {
    name.value.as_text().filter(|name| names::check_service_name(name).is_ok()).map(str::to_owned)
}

fn flag_setting(typed: &Typed) -> Result<Setting, ConfigFault> {
    let origin = match typed.variable {
        Some(variable) => Origin::Environment(variable),
        None => Origin::Flag(format!("--{}", typed.flag)),
    };
    let Some((row, _)) = KeyRow::all_flags().find(|(_, flag)| flag.name == typed.flag) else {
        return Err(origin.fault("unknown key"));
    };
    if row.takes == Takes::Names {
        return header_flag(&typed.text, origin);
    }
    let value = if let Takes::List { .. } = row.takes {
        split_command(&typed.text).map_err(|wrong| origin.fault(wrong))?
    } else {
        table_values::written_value(row.takes, typed.text.clone().into())
    };
    Ok(Setting { key: row.name.split('.').map(KeyPart::from).collect(), value, origin })
}

/// Its value may be a secret, and is not shown.
fn header_flag(text: &str, origin: Origin) -> Result<Setting, ConfigFault> {
    let Some((name, value)) = text.split_once(':') else {
        return Err(origin.fault("must be 'NAME: VALUE'"));
    };
    let key = vec!["headers".into(), name.trim().to_owned().into()];
    Ok(Setting { key, value: SettingValue::Text(value.trim().to_owned().into()), origin })
}

/// What is no list stays a text, and is refused in the words of its key; the same for the kinds below.
fn split_command(text: &str) -> Result<SettingValue, Problem> {
    if text.trim_start().starts_with('[') {
        return Ok(
            document::parse_list(text.trim()).unwrap_or_else(|| SettingValue::Text(text.to_owned().into()))
        );
    }
    if text.contains(['"', '\'', '\\']) {
        let cure = "write a list, '[\"cmd\", \"an argument\"]'";
        return Err(Problem::with_cure("quotes and backslashes are not interpreted (no shell)", cure));
    }
    if text.trim().is_empty() {
        // A variable that was not set, rather than `restart = []`.
        return Ok(SettingValue::Text(text.to_owned().into()));
    }
    Ok(SettingValue::List(
        text.split_whitespace().map(|word| SettingValue::Text(word.to_owned().into())).collect(),
    ))
}
