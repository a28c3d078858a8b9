//! What is restarted, and by which method: the unit, or what a method's own key names. A method declares its keys in
//! `restart`; here they are read.

use std::time::Duration;

use super::layers::{AlreadyReported, LayeredReader};
use super::settings::{Problem, Setting, SettingTable, SettingValue};
use super::{names, params};
use crate::plan::{
    KeyConflict, KeySpec, MethodSpec, NOTHING, ParamValue, Params, RestartMethod, SCOPE, Steps, UNIT,
};
use crate::restart::METHODS;

/// Why `[defaults]` may not hold the keys of a method.
pub(super) const OF_ONE_SERVICE: &str = "what is restarted belongs to one service";

/// The keys that only the restart methods know: those of a unit and of a command have flags, and so a row in the table
/// of keys.
pub(super) fn own_keys() -> impl Iterator<Item = &'static KeySpec> {
    METHODS.iter().flat_map(|method| method.spec.keys()).filter(|key| !key.help.is_empty())
}

/// `name`: unless it was refused; then the unit that is called after it need not be, too. `deadline`: that of the
/// host, unless it was refused.
pub(super) fn read_restart_method(
    reading: &mut LayeredReader<'_>,
    name: Result<&str, AlreadyReported>,
    own: &SettingTable,
    deadline: Option<Duration>,
) -> Result<RestartMethod, AlreadyReported> {
    // Nearly all keys are said by nobody, and are looked for once.
    let (mut given, mut said, mut refused) = (Params::default(), Vec::new(), None);
    for key in METHODS.iter().flat_map(|method| method.spec.keys()) {
        match reading.read_optional(key.name, |value| params::parse_param(key, value)) {
            Ok(None) => continue,
            Ok(Some(read)) => {
                given.0.insert(key.name, read.value);
            }
            Err(proof) => refused = Some(proof),
        }
        said.extend(reading.explicit_setting(key.name).map(|setting| (key.name, setting)));
    }
    check_together(reading, &said)?;
    if let Some(refused) = refused {
        return Err(refused);
    }
    let names_a_method = |key: &str| METHODS.iter().any(|method| method.spec.main_key.name == key);
    if !given.0.keys().any(|key| names_a_method(key)) {
        let unit =
            names::parse_unit_text(name?).map_err(|wrong| reading.report(own.key_fault(UNIT.name, wrong)))?;
        given.0.insert(UNIT.name, ParamValue::Text(unit));
    }
    let method = chosen_method(&given);
    let takes = |name: &str| method.keys().any(|key| key.name == name);
    if let Some(scope) = setting_of(&said, SCOPE.name)
        && scope.value.as_text() == Some("user")
        && scope.key.first().is_some_and(|table| table != "defaults")
        && !takes(SCOPE.name)
    {
        let wrong = Problem::with_cure("only for systemd units", "leave it out");
        return Err(reading.report(scope.fault(wrong)));
    }
    given.0.retain(|name, _| takes(name));
    for key in method.keys() {
        if let (false, Some(default)) = (given.0.contains_key(key.name), params::default_param(key)) {
            given.0.insert(key.name, default);
        }
    }
    match (method.validate)(&given, deadline.unwrap_or(Duration::MAX)) {
        None => Ok(RestartMethod { method, given }),
        Some(KeyConflict { key, what, cure }) => {
            let wrong = Problem::with_cure(what, cure);
            let fault = reading
                .explicit_setting(key)
                .map_or_else(|| own.key_fault(key, wrong.clone()), |said| said.fault(wrong.clone()));
            Err(reading.report(fault))
        }
    }
}

/// The method whose main key was said. An empty list is no command: nothing restarts the service.
fn chosen_method(given: &Params) -> &'static MethodSpec {
    let is_said = |spec: &&'static MethodSpec| {
        given.0.get(spec.main_key.name).is_some_and(|value| *value != ParamValue::List(Vec::new()))
    };
    METHODS.iter().map(|method| &method.spec).find(is_said).unwrap_or(NOTHING)
}

/// No two methods, and no key beside a method that does not take it.
fn check_together(
    reading: &mut LayeredReader<'_>,
    all_said: &[(&str, &Setting)],
) -> Result<(), AlreadyReported> {
    if all_said.is_empty() {
        return Ok(());
    }
    let mut said: Vec<(&MethodSpec, &Setting)> = METHODS
        .iter()
        .filter_map(|method| Some((&method.spec, setting_of(all_said, method.spec.main_key.name)?)))
        .filter(|(_, setting)| says_something(setting))
        .collect();
    // restart = [] says no more than a method that restarts nothing.
    if said.iter().any(|(spec, _)| matches!(spec.steps, Steps::None(_))) {
        said.retain(|(_, setting)| setting.value != SettingValue::List(Vec::new()));
    }
    if let [(_, told), (second, other), ..] = said.as_slice() {
        let what = format!("cannot stand together with {} ({})", second.main_key.name, other.origin);
        return Err(reading.report(told.fault(Problem::with_cure(what, "leave one of them out"))));
    }
    for spec in METHODS.iter().map(|method| &method.spec) {
        // Without any method, the unit is that which is called after the service.
        let main_key = spec.main_key.name;
        let stray = spec.other_keys.iter().find_map(|key| setting_of(all_said, key.name));
        if let (Some(told), None, true) = (stray, setting_of(all_said, main_key), main_key != UNIT.name) {
            let what = format!("only together with {main_key}");
            return Err(reading.report(told.fault(Problem::with_cure(what, "leave it out"))));
        }
    }
    Ok(())
}

fn setting_of<'a>(said: &[(&str, &'a Setting)], key: &str) -> Option<&'a Setting> {
    said.iter().find(|(name, _)| *name == key).map(|(_, setting)| *setting)
}

/// `restart = {}` says nothing yet.
fn says_something(setting: &Setting) -> bool {
    setting.value != SettingValue::EmptyTable
}
