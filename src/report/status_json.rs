//! `status --json` and `why --json`.

use serde_json::{Value, json};
use unhang_core::Moment;

use crate::words;

use super::picture::{ServiceStatus, explanation_text, next_restart_text, outcome_code};

/// Of the JSON objects; a program may rely on what a number has once meant.
const SCHEMA: u32 = 1;

/// `{"schema":1,"services":[...]}`
#[must_use]
pub fn status_json(pictures: &[ServiceStatus<'_>], now: &Moment) -> Value {
    let services: Vec<Value> = pictures.iter().map(|picture| status_object(picture, now)).collect();
    json!({ "schema": SCHEMA, "services": services })
}

fn status_object(picture: &ServiceStatus<'_>, now: &Moment) -> Value {
    let ServiceStatus { service, state, outlook, last_tick, unreadable, .. } = picture;
    let stamp = |at: &Option<Moment>| at.as_ref().map(words::format_rfc3339);
    let restarts: Vec<Value> = state
        .counts
        .restarts
        .iter()
        .map(|restart| {
            let (act, outcome) = (restart.act.code(), outcome_code(restart.outcome));
            json!({ "at": words::format_rfc3339(&restart.at), "act": act, "outcome": outcome })
        })
        .collect();
    let cause = state.account.cause.as_ref();
    let bound = outlook.bound.as_ref().map(|bound| {
        json!({ "reason": bound.reason().code(), "seconds_left": bound.time_left().unwrap_or_default().as_secs() })
    });
    json!({
        "service": service.key,
        "name": service.name,
        "restarts_by": service.restarter.label(),
        "verdict": if picture.has_no_data() { None } else { Some(state.account.verdict.code()) },
        "reason": if picture.has_no_data() { None } else { Some(state.account.reason.code()) },
        "explanation": explanation_text(picture),
        "cause": cause.map(ToString::to_string),
        "code": cause.map(|cause| &cause.code),
        "http": cause.map(|cause| cause.http).filter(|status| *status > 0),
        "probe": cause.and_then(|cause| cause.probe.as_ref()),
        "said": state.account.said,
        "warnings": state.account.warnings.iter().map(words::stored_warning_text).collect::<Vec<_>>(),
        "others": state.account.others.iter().map(words::stored_warning_text).collect::<Vec<_>>(),
        "since": stamp(&state.counts.since),
        "streak": service.policy.max_failures.saturating_sub(outlook.failures),
        "max_failures": service.policy.max_failures,
        "failures": state.counts.failures,
        "restarts": restarts,
        "budget": {
            "spent": outlook.spent,
            "restarts": service.policy.budget.restarts,
            "window_seconds": service.policy.budget.window.as_secs(),
        },
        "held_until": bound,
        "failures_to_restart": outlook.failures,
        "earliest_restart": next_restart_text(picture, now),
        "last_tick_seconds_ago": last_tick.map(|age| age.as_secs()),
        "paused": picture.paused.as_ref().map(|paused| json!({
            "explanation": words::pause_source_text(&paused.by),
            "seconds_left": paused.left.map(|left| left.as_secs()),
        })),
        "flapping": state.counts.flapping,
        "together": state.account.together,
        "host": state.account.distress.as_ref().filter(|_| state.counts.since.is_some()),
        "unreadable": unreadable,
    })
}
