//! `check --json`.

use std::time::Duration;

use serde_json::{Value, json};
use unhang_core::{ActiveState, Observation, PhaseTimes, ProbeRole, StoredCause, UnitFacts};

use crate::plan::Service;
use crate::words;

use super::check::{
    CheckedProbe, CheckedService, RunCoverage, answer_text, found_text, level_of_service, level_word,
    next_run_line, restart_line, slowest_probe, total_time, worst_level,
};

/// Of the JSON objects.
const SCHEMA: u32 = 1;

/// `{"schema":1,"status":"ok","services":[...]}`
pub(crate) fn check_json(checked: &[CheckedService<'_>]) -> Value {
    let services: Vec<Value> = checked.iter().map(check_object).collect();
    json!({ "schema": SCHEMA, "status": level_word(worst_level(checked)).to_lowercase(), "services": services })
}

fn check_object(checked: &CheckedService<'_>) -> Value {
    // Of the service's own url, or of the slowest probe.
    let own = checked.probes.first().filter(|one| one.probe.name.is_none());
    let slowest = || checked.probes.iter().max_by_key(|one| one.answer.times.total());
    let main = own.or_else(slowest).map(|one| &one.answer);
    // 0 would be a time.
    let times = main.map(|answer| answer.times).filter(|times| total_time(times).is_some());
    let spent = |part: fn(&PhaseTimes) -> Duration| times.as_ref().map(|times| part(times).as_secs_f64());
    let (observation, cause, code) = match &checked.seen {
        Observation::Healthy => ("healthy", None, None),
        Observation::Unhealthy(cause) => ("unhealthy", Some(StoredCause::from(cause)), Some(cause.code())),
        Observation::Unknown(doubt) => ("unknown", Some(StoredCause::from(doubt)), Some(doubt.code())),
    };
    let prospect = checked.prospect.as_ref();
    json!({
        "service": checked.label,
        "status": level_word(level_of_service(checked)).to_lowercase(),
        "observation": observation,
        "http": main.and_then(|answer| answer.status),
        "cause": cause.map(|cause| cause.to_string()),
        "code": code,
        "explanation": found_text(checked),
        "seconds": {
            "resolve": spent(|times| times.resolve),
            "connect": spent(|times| times.connect),
            "tls": spent(|times| times.tls),
            "first_byte": spent(|times| times.wait),
            "rest": spent(|times| times.read),
            "total": slowest_probe(&checked.probes).map(|took| took.as_secs_f64()),
        },
        "timeout_seconds": checked.probes.iter().map(|one| one.probe.timeout).max().unwrap_or_default().as_secs_f64(),
        "warnings": checked.warnings.iter().map(words::stored_warning_text).collect::<Vec<_>>(),
        "probes": checked.probes.iter().map(probe_json).collect::<Vec<_>>(),
        "last_tick_seconds_ago": last_run_json(checked).map(|age| age.as_secs()),
        "unit": prospect.map(|prospect| unit_json(&prospect.unit, prospect.service)),
        "restart_held_by": prospect.and_then(|prospect| prospect.hold.as_ref()).map(|hold| hold.reason().code()),
        "restart": prospect.map(restart_line),
        "next_tick": prospect.and_then(|prospect| {
            let verdict = &prospect.next_tick.as_ref()?.verdict;
            Some(json!({
                "verdict": verdict.kind().code(),
                "reason": verdict.reason().code(),
                "explanation": next_run_line(prospect),
            }))
        }),
        "unreadable": prospect.and_then(|prospect| prospect.unreadable.as_ref()),
    })
}

fn probe_json(one: &CheckedProbe<'_>) -> Value {
    let (observation, code) = match &one.answer.observation {
        Observation::Healthy => ("healthy", None),
        Observation::Unhealthy(cause) => ("unhealthy", Some(cause.code())),
        Observation::Unknown(doubt) => ("unknown", Some(doubt.code())),
    };
    json!({
        "name": one.probe.name,
        "kind": one.probe.kind_name(),
        "optional": one.probe.weight == ProbeRole::Optional,
        "observation": observation,
        "code": code,
        "explanation": answer_text(one),
        "warning": one.answer.near,
        "seconds": total_time(&one.answer.times).map(|took| took.as_secs_f64()),
    })
}

const fn last_run_json(checked: &CheckedService<'_>) -> Option<Duration> {
    match checked.watched {
        RunCoverage::LastRun { last_tick } => Some(last_tick),
        RunCoverage::NotSinceBoot | RunCoverage::StateUnreadable(_) | RunCoverage::NoRunSeen => None,
    }
}

fn unit_json(unit: &UnitFacts, service: &Service) -> Value {
    let (active, seconds, incarnation) = match unit {
        UnitFacts::Known(life) => (Some(active_word(life.active)), life.age, life.incarnation.as_deref()),
        UnitFacts::NotQueried
        | UnitFacts::QueryFailed(_)
        | UnitFacts::ProbeOnly
        | UnitFacts::Command { .. } => (None, None, None),
    };
    json!({
        "restarts_by": service.restarter.label(),
        "active": active,
        "active_seconds": seconds.map(|age| age.as_secs()),
        "incarnation": incarnation,
        "explanation": words::unit_text(unit, service),
    })
}

const fn active_word(active: ActiveState) -> &'static str {
    match active {
        ActiveState::Active => "active",
        ActiveState::Inactive => "inactive",
        ActiveState::Failed => "failed",
        ActiveState::Changing => "busy",
        ActiveState::Frozen => "frozen",
    }
}
