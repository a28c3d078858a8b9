//! `[service.NAME.probe.PROBE]`: what is asked of a service besides its own url. A kind of probe declares what it
//! takes; here that is read.

use std::collections::BTreeMap;

use unhang_core::ProbeRole;

use super::host::{HostReader, check_deadline_fits_two_probes};
use super::http_options::{self, HttpOptions};
use super::layers::{AlreadyReported, LayeredReader};
use super::settings::{ConfigFault, Problem, SettingTable};
use super::{names, params, target, values};
use crate::keys;
use crate::plan::{self, KeyConflict, KindSpec, Params, Probe, ProbeTarget};
use crate::probe::KINDS;

/// Of one service; each takes its time in every run.
const MAX_PROBES: usize = 20;

/// It names a key of the state file, and part of a line.
const MAX_PROBE_NAME_CHARS: usize = 64;

/// All of one service.
pub(super) fn read_probes(
    tables: &BTreeMap<String, SettingTable>,
    defaults: &SettingTable,
    host: Option<&HostReader<'_>>,
    faults: &mut Vec<ConfigFault>,
) -> Result<Vec<Probe>, AlreadyReported> {
    let mut probes = Vec::new();
    for (name, own) in tables {
        let mut reading = LayeredReader::new(vec![defaults, own]);
        let probe = read_probe(name, own, &mut reading, host);
        faults.extend(reading.into_faults(own));
        probes.push(probe);
    }
    if let Some(one_too_many) = tables.values().nth(MAX_PROBES) {
        let fault = one_too_many.table_fault(format!("a service has at most {MAX_PROBES} probes"));
        probes.push(Err(AlreadyReported::report(fault, faults)));
    }
    probes.into_iter().collect()
}

fn read_probe(
    name: &str,
    own: &SettingTable,
    reading: &mut LayeredReader<'_>,
    host: Option<&HostReader<'_>>,
) -> Result<Probe, AlreadyReported> {
    let named = check_probe_name(name).map_err(|wrong| reading.report(own.table_fault(wrong)));
    let optional = reading.read_optional(keys::OPTIONAL.row.name, values::parse_boolean_text);
    let timeout = reading.read_key(&keys::TIMEOUT);
    let mut can_fail = true;
    let (asks, by_default) = match find_kind(own).map_err(|wrong| reading.report(own.table_fault(wrong))) {
        Ok(None) => (
            read_probe_url(own, reading).map(|question| ProbeTarget::Http(Box::new(question))),
            ProbeRole::Required,
        ),
        Ok(Some(spec)) => {
            let given = read_params(spec, own, reading);
            can_fail = spec
                .fail_key
                .is_none_or(|key| given.as_ref().map_or(true, |given| given.0.contains_key(key)));
            let by_default = if can_fail { spec.weight } else { ProbeRole::Optional };
            (given.map(|given| ProbeTarget::Kind { kind: spec.main_key.name, given }), by_default)
        }
        Err(refused) => {
            reading.accept_all_keys(own);
            (Err(refused), ProbeRole::Required)
        }
    };
    if let Some(fault) = check_deadline_fits_two_probes(reading, host) {
        return Err(reading.report(fault));
    }
    let weight = match optional?.map(|said| said.value) {
        None => by_default,
        Some(true) => ProbeRole::Optional,
        Some(false) => ProbeRole::Required,
    };
    if let (ProbeRole::Required, false, Some(said)) = (weight, can_fail, reading.explicit_setting("optional"))
    {
        let wrong = Problem::with_cure(
            "cannot be false without fail: nothing of it could fail",
            "say from where on it fails",
        );
        return Err(reading.report(said.fault(wrong)));
    }
    named?;
    Ok(Probe { name: Some(name.to_owned()), weight, timeout, asks: asks? })
}

fn check_probe_name(name: &str) -> Result<(), Problem> {
    if name.len() <= MAX_PROBE_NAME_CHARS && names::check_service_name(name).is_ok() {
        return Ok(());
    }
    let what = format!(
        "the name of a probe must be 1 to {MAX_PROBE_NAME_CHARS} of A-Z a-z 0-9 _ . @ -, not beginning with . or -"
    );
    Err(Problem::with_cure(what, "rename it"))
}

/// By the one key that says what is asked about; `None`: a URL.
fn find_kind(own: &SettingTable) -> Result<Option<&'static KindSpec>, Problem> {
    let specs = KINDS.iter().map(|kind| &kind.spec);
    let mut found: Vec<Option<&'static KindSpec>> =
        specs.filter(|spec| own.get(spec.main_key.name).is_some()).map(Some).collect();
    if own.get("url").is_some() {
        found.push(None);
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.spec.main_key.name).collect();
            let cure = format!("write one of url, {}", kinds.join(", "));
            Err(Problem::with_cure("does not say what to ask", cure))
        }
        several => {
            let named = several.iter().map(|spec| spec.map_or("url", |spec| spec.main_key.name));
            let what = format!("asks more than one thing: {}", named.collect::<Vec<_>>().join(", "));
            Err(Problem::with_cure(what, "write a table for each"))
        }
    }
}

fn read_probe_url(
    own: &SettingTable,
    reading: &mut LayeredReader<'_>,
) -> Result<plan::HttpRequest, AlreadyReported> {
    let target = reading.read_optional("url", target::parse_url);
    let asking = HttpOptions::read_http_options(reading)?;
    let Some(target) = target? else { return Err(reading.report(own.key_fault("url", "is missing"))) };
    let question = asking.into_request(target.value, reading)?;
    if !question.may_need_tls() {
        http_options::keys_without_effect(own).for_each(|fault| {
            reading.report(fault);
        });
    }
    Ok(question)
}

fn read_params(
    spec: &'static KindSpec,
    own: &SettingTable,
    reading: &mut LayeredReader<'_>,
) -> Result<Params, AlreadyReported> {
    let (mut given, mut refused) = (Params::default(), None);
    for key in spec.keys() {
        match reading.read_optional(key.name, |value| params::parse_param(key, value)) {
            Ok(Some(said)) => {
                given.0.insert(key.name, said.value);
            }
            Ok(None) => {
                given.0.extend(params::default_param(key).map(|value| (key.name, value)));
            }
            Err(wrong) => refused = Some(wrong),
        }
    }
    if let Some(refused) = refused {
        return Err(refused);
    }
    match (spec.validate)(&given) {
        None => Ok(given),
        Some(KeyConflict { key, what, cure }) => {
            let wrong = Problem::with_cure(what, cure);
            let fault = match reading.explicit_setting(key) {
                Some(setting) => setting.fault(wrong),
                None => own.key_fault(key, wrong),
            };
            Err(reading.report(fault))
        }
    }
}
