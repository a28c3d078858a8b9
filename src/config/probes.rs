//! `[service.NAME.probe.PROBE]`: what is asked of a service besides its own url. A kind of probe declares what it
//! takes; here that is read.

use std::collections::BTreeMap;

use unhang_core::Weight;

use super::host::{Host, fits_twice};
use super::http_options::{self, Asking};
use super::layers::{Reading, Refused};
use super::settings::{Fault, Table, Wrong};
use super::{names, params, target, values};
use crate::keys;
use crate::plan::{self, Asks, KeyConflict, KindSpec, Params, Probe};
use crate::probe::KINDS;

/// Of one service; each takes its time in every run.
const MOST: usize = 20;

/// It names a key of the state file, and part of a line.
const LONGEST_NAME: usize = 64;

/// All of one service.
pub(super) fn probes(
    tables: &BTreeMap<String, Table>,
    defaults: &Table,
    host: Option<&Host<'_>>,
    faults: &mut Vec<Fault>,
) -> Result<Vec<Probe>, Refused> {
    let mut probes = Vec::new();
    for (name, own) in tables {
        let mut reading = Reading::new(vec![defaults, own]);
        let probe = probe(name, own, &mut reading, host);
        faults.extend(reading.faults(own));
        probes.push(probe);
    }
    if let Some(one_too_many) = tables.values().nth(MOST) {
        let fault = one_too_many.itself(format!("a service has at most {MOST} probes"));
        probes.push(Err(Refused::with(fault, faults)));
    }
    probes.into_iter().collect()
}

fn probe(
    name: &str,
    own: &Table,
    reading: &mut Reading<'_>,
    host: Option<&Host<'_>>,
) -> Result<Probe, Refused> {
    let named = check_name(name).map_err(|wrong| reading.refuse(own.itself(wrong)));
    let optional = reading.find(keys::OPTIONAL.row.name, values::truth);
    let timeout = reading.get(&keys::TIMEOUT);
    let mut can_fail = true;
    let (asks, by_default) = match kind(own).map_err(|wrong| reading.refuse(own.itself(wrong))) {
        Ok(None) => (url(own, reading).map(|question| Asks::Url(Box::new(question))), Weight::Counts),
        Ok(Some(spec)) => {
            let given = given(spec, own, reading);
            can_fail = spec
                .fail_key
                .is_none_or(|key| given.as_ref().map_or(true, |given| given.0.contains_key(key)));
            let by_default = if can_fail { spec.weight } else { Weight::Warns };
            (given.map(|given| Asks::Kind { kind: spec.main_key.name, given }), by_default)
        }
        Err(refused) => {
            reading.take_all(own);
            (Err(refused), Weight::Counts)
        }
    };
    if let Some(fault) = fits_twice(reading, host) {
        return Err(reading.refuse(fault));
    }
    let weight = match optional?.map(|said| said.value) {
        None => by_default,
        Some(true) => Weight::Warns,
        Some(false) => Weight::Counts,
    };
    if let (Weight::Counts, false, Some(said)) = (weight, can_fail, reading.said("optional")) {
        let wrong = Wrong::cure(
            "cannot be false without fail: nothing of it could fail",
            "say from where on it fails",
        );
        return Err(reading.refuse(said.fault(wrong)));
    }
    named?;
    Ok(Probe { name: Some(name.to_owned()), weight, timeout, asks: asks? })
}

fn check_name(name: &str) -> Result<(), Wrong> {
    if name.len() <= LONGEST_NAME && names::check_key(name).is_ok() {
        return Ok(());
    }
    let what = format!(
        "the name of a probe must be 1 to {LONGEST_NAME} of A-Z a-z 0-9 _ . @ -, not beginning with . or -"
    );
    Err(Wrong::cure(what, "rename it"))
}

/// By the one key that says what is asked about; `None`: a URL.
fn kind(own: &Table) -> Result<Option<&'static KindSpec>, Wrong> {
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
            Err(Wrong::cure("does not say what to ask", cure))
        }
        several => {
            let named = several.iter().map(|spec| spec.map_or("url", |spec| spec.main_key.name));
            let what = format!("asks more than one thing: {}", named.collect::<Vec<_>>().join(", "));
            Err(Wrong::cure(what, "write a table for each"))
        }
    }
}

fn url(own: &Table, reading: &mut Reading<'_>) -> Result<plan::Question, Refused> {
    let target = reading.find("url", target::parse_url);
    let asking = Asking::read(reading)?;
    let Some(target) = target? else { return Err(reading.refuse(own.fault("url", "is missing"))) };
    let question = asking.at(target.value, reading)?;
    if !question.may_need_tls() {
        http_options::without_meaning(own).for_each(|fault| {
            reading.refuse(fault);
        });
    }
    Ok(question)
}

fn given(spec: &'static KindSpec, own: &Table, reading: &mut Reading<'_>) -> Result<Params, Refused> {
    let (mut given, mut refused) = (Params::default(), None);
    for key in spec.keys() {
        match reading.find(key.name, |value| params::read(key, value)) {
            Ok(Some(said)) => {
                given.0.insert(key.name, said.value);
            }
            Ok(None) => {
                given.0.extend(params::default(key).map(|value| (key.name, value)));
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
            let wrong = Wrong::cure(what, cure);
            let fault = match reading.said(key) {
                Some(setting) => setting.fault(wrong),
                None => own.fault(key, wrong),
            };
            Err(reading.refuse(fault))
        }
    }
}
