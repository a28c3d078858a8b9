//! What is restarted, and by which method: the unit, or what a method's own key names. A method declares its keys in
//! `restart`; here they are read.

use std::time::Duration;

use super::layers::{Reading, Refused};
use super::settings::{Setting, Table, Value, Wrong};
use super::{names, params};
use crate::plan::{
    KeyConflict, KeySpec, MethodSpec, NOTHING, ParamValue, Params, Restarter, SCOPE, Steps, UNIT,
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
pub(super) fn restarter(
    reading: &mut Reading<'_>,
    name: Result<&str, Refused>,
    own: &Table,
    deadline: Option<Duration>,
) -> Result<Restarter, Refused> {
    // Nearly all keys are said by nobody, and are looked for once.
    let (mut given, mut said, mut refused) = (Params::default(), Vec::new(), None);
    for key in METHODS.iter().flat_map(|method| method.spec.keys()) {
        match reading.find(key.name, |value| params::read(key, value)) {
            Ok(None) => continue,
            Ok(Some(read)) => {
                given.0.insert(key.name, read.value);
            }
            Err(proof) => refused = Some(proof),
        }
        said.extend(reading.said(key.name).map(|setting| (key.name, setting)));
    }
    check_together(reading, &said)?;
    if let Some(refused) = refused {
        return Err(refused);
    }
    let names_a_method = |key: &str| METHODS.iter().any(|method| method.spec.main_key.name == key);
    if !given.0.keys().any(|key| names_a_method(key)) {
        let unit = names::unit_named(name?).map_err(|wrong| reading.refuse(own.fault(UNIT.name, wrong)))?;
        given.0.insert(UNIT.name, ParamValue::Text(unit));
    }
    let method = chosen(&given);
    let takes = |name: &str| method.keys().any(|key| key.name == name);
    if let Some(scope) = setting_of(&said, SCOPE.name)
        && scope.value.text() == Some("user")
        && scope.key.first().is_some_and(|table| table != "defaults")
        && !takes(SCOPE.name)
    {
        let wrong = Wrong::cure("has no meaning beside what systemd does not run", "leave it out");
        return Err(reading.refuse(scope.fault(wrong)));
    }
    given.0.retain(|name, _| takes(name));
    for key in method.keys() {
        if let (false, Some(default)) = (given.0.contains_key(key.name), params::default(key)) {
            given.0.insert(key.name, default);
        }
    }
    match (method.validate)(&given, deadline.unwrap_or(Duration::MAX)) {
        None => Ok(Restarter { method, given }),
        Some(KeyConflict { key, what, cure }) => {
            let wrong = Wrong::cure(what, cure);
            let fault = reading
                .said(key)
                .map_or_else(|| own.fault(key, wrong.clone()), |said| said.fault(wrong.clone()));
            Err(reading.refuse(fault))
        }
    }
}

/// The method whose main key was said. An empty list is no command: nothing restarts the service.
fn chosen(given: &Params) -> &'static MethodSpec {
    let is_said = |spec: &&'static MethodSpec| {
        given.0.get(spec.main_key.name).is_some_and(|value| *value != ParamValue::List(Vec::new()))
    };
    METHODS.iter().map(|method| &method.spec).find(is_said).unwrap_or(NOTHING)
}

/// No two methods, and no key beside a method that does not take it.
fn check_together(reading: &mut Reading<'_>, all_said: &[(&str, &Setting)]) -> Result<(), Refused> {
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
        said.retain(|(_, setting)| setting.value != Value::List(Vec::new()));
    }
    if let [(_, told), (second, other), ..] = said.as_slice() {
        let what = format!("cannot stand together with {} ({})", second.main_key.name, other.origin);
        return Err(reading.refuse(told.fault(Wrong::cure(what, "leave one of them out"))));
    }
    for spec in METHODS.iter().map(|method| &method.spec) {
        // Without any method, the unit is that which is called after the service.
        let main_key = spec.main_key.name;
        let stray = spec.other_keys.iter().find_map(|key| setting_of(all_said, key.name));
        if let (Some(told), None, true) = (stray, setting_of(all_said, main_key), main_key != UNIT.name) {
            let what = format!("has no meaning without {main_key}");
            return Err(reading.refuse(told.fault(Wrong::cure(what, "leave it out"))));
        }
    }
    Ok(())
}

fn setting_of<'a>(said: &[(&str, &'a Setting)], key: &str) -> Option<&'a Setting> {
    said.iter().find(|(name, _)| *name == key).map(|(_, setting)| *setting)
}

/// `restart = {}` says nothing yet.
fn says_something(setting: &Setting) -> bool {
    setting.value != Value::EmptyTable
}
