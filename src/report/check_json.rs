//! `check --json`.

use std::time::Duration;

use serde_json::{Value, json};
use unhang_core::{Active, Observation, StoredCause, Times, Unit, Weight};

use crate::plan::Service;
use crate::words;

use super::check::{
    Checked, CheckedProbe, Watched, found, found_by, level, level_of, longest, measured, next_tick, restart,
    word,
};

/// Of the JSON objects.
const SCHEMA: u32 = 1;

/// `{"schema":1,"status":"ok","services":[...]}`
pub(crate) fn check_json(checked: &[Checked<'_>]) -> Value {
    let services: Vec<Value> = checked.iter().map(object).collect();
    json!({ "schema": SCHEMA, "status": word(level(checked)).to_lowercase(), "services": services })
}

fn object(checked: &Checked<'_>) -> Value {
    // Of the service's own url, or of the slowest probe.
    let own = checked.probes.first().filter(|one| one.probe.name.is_none());
    let slowest = || checked.probes.iter().max_by_key(|one| one.answer.times.total());
    let main = own.or_else(slowest).map(|one| &one.answer);
    // 0 would be a time.
    let times = main.map(|answer| answer.times).filter(|times| measured(times).is_some());
    let spent = |part: fn(&Times) -> Duration| times.as_ref().map(|times| part(times).as_secs_f64());
    let (observation, cause, code) = match &checked.seen {
        Observation::Healthy => ("healthy", None, None),
        Observation::Unhealthy(cause) => ("unhealthy", Some(StoredCause::from(cause)), Some(cause.code())),
        Observation::Unknown(doubt) => ("unknown", Some(StoredCause::from(doubt)), Some(doubt.code())),
    };
    let prospect = checked.prospect.as_ref();
    json!({
        "service": checked.label,
        "status": word(level_of(checked)).to_lowercase(),
        "observation": observation,
        "http": main.and_then(|answer| answer.status),
        "cause": cause.map(|cause| cause.to_string()),
        "code": code,
        "explanation": found(checked),
        "seconds": {
            "resolve": spent(|times| times.resolve),
            "connect": spent(|times| times.connect),
            "tls": spent(|times| times.tls),
            "first_byte": spent(|times| times.wait),
            "rest": spent(|times| times.read),
            "total": longest(&checked.probes).map(|took| took.as_secs_f64()),
        },
        "timeout_seconds": checked.probes.iter().map(|one| one.probe.timeout).max().unwrap_or_default().as_secs_f64(),
        "warnings": checked.warnings.iter().map(words::warned).collect::<Vec<_>>(),
        "probes": checked.probes.iter().map(probe_object).collect::<Vec<_>>(),
        "last_tick_seconds_ago": last_tick(checked).map(|age| age.as_secs()),
        "unit": prospect.map(|prospect| unit(&prospect.unit, prospect.service)),
        "restart_held_by": prospect.and_then(|prospect| prospect.hold.as_ref()).map(|hold| hold.reason().code()),
        "restart": prospect.map(restart),
        "next_tick": prospect.and_then(|prospect| {
            let verdict = &prospect.next_tick.as_ref()?.verdict;
            Some(json!({
                "verdict": verdict.kind().code(),
                "reason": verdict.reason().code(),
                "explanation": next_tick(prospect),
            }))
        }),
        "unreadable": prospect.and_then(|prospect| prospect.unreadable.as_ref()),
    })
}

fn probe_object(one: &CheckedProbe<'_>) -> Value {
    let (observation, code) = match &one.answer.observation {
        Observation::Healthy => ("healthy", None),
        Observation::Unhealthy(cause) => ("unhealthy", Some(cause.code())),
        Observation::Unknown(doubt) => ("unknown", Some(doubt.code())),
    };
    json!({
        "name": one.probe.name,
        "kind": one.probe.kind(),
        "optional": one.probe.weight == Weight::Warns,
        "observation": observation,
        "code": code,
        "explanation": found_by(one),
        "warning": one.answer.near,
        "seconds": measured(&one.answer.times).map(|took| took.as_secs_f64()),
    })
}

const fn last_tick(checked: &Checked<'_>) -> Option<Duration> {
    match checked.watched {
        Watched::By { last_tick } => Some(last_tick),
        Watched::NotSinceBoot | Watched::NotWith(_) | Watched::Never => None,
    }
}

fn unit(unit: &Unit, service: &Service) -> Value {
    let (active, seconds, incarnation) = match unit {
        Unit::Seen(life) => (Some(active(life.active)), life.age, life.incarnation.as_deref()),
        Unit::NotAsked | Unit::Unanswered(_) | Unit::ProbeOnly | Unit::Command { .. } => (None, None, None),
    };
    json!({
        "restarts_by": service.restarter.words(),
        "active": active,
        "active_seconds": seconds.map(|age| age.as_secs()),
        "incarnation": incarnation,
        "explanation": words::unit(unit, service),
    })
}

const fn active(active: Active) -> &'static str {
    match active {
        Active::Active => "active",
        Active::Inactive => "inactive",
        Active::Failed => "failed",
        Active::Busy => "busy",
        Active::Frozen => "frozen",
    }
}
