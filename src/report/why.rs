//! `why`: what happened to one service, what is counted, what holds it, and when it can be restarted.

use unhang_core::{FlappingAction, Moment, Step, StepKind};

use crate::plan::Shows;
use crate::words;

use super::hold_now::{HoldNow, hold_now};
use super::last_run::{is_overdue, stuck_for};
use super::picture::{ServiceStatus, answer_text, next_restart_text, outcome_code};

/// Four lines: what happened, what is counted, what holds it, the earliest restart.
pub fn why_lines(picture: &ServiceStatus<'_>, now: &Moment) -> Vec<String> {
    let ServiceStatus { service, state, outlook, last_tick, .. } = picture;
    let since = state.counts.since.as_ref().map(|at| format!(" since {}", words::format_past(at, now)));
    let said = state.account.said.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
    let answer =
        state.account.cause.as_ref().map(|cause| format!("; last answer {}{said}", answer_text(cause)));
    let warned: Vec<String> = state.account.warnings.iter().map(words::stored_warning_text).collect();
    let warns =
        if warned.is_empty() { String::new() } else { format!("; warning: {}", warned.join("; warning: ")) };
    let tick = match last_tick {
        None => "no run yet; does cron start unhang?".to_owned(),
        Some(age) if picture.is_stuck => stuck_for(*age),
        Some(age) if is_overdue(*age) => {
            format!("no run for {}; does cron still start unhang?", words::format_duration(*age))
        }
        Some(age) => format!("last run {} ago", words::format_duration(*age)),
    };
    if let (true, Some(what)) = (picture.has_no_data(), &picture.unreadable) {
        return vec![format!("{}: not known: state file unreadable {what}", service.key)];
    }
    if picture.has_no_data() {
        let locks = picture.locks.display();
        return vec![format!("{}: no run yet (looked in {locks}); does cron start unhang?", service.key)];
    }
    let together = state.account.together.as_ref().map(|with| format!("; it failed together {with}"));
    let failing = state.counts.since.is_some();
    let distress =
        state.account.distress.as_ref().filter(|_| failing).map(|words| format!("; this host: {words}"));
    let happened = format!(
        "{}: {} ({}){}: {}{}{}{}{warns}; {tick}",
        service.key,
        state.account.verdict.code(),
        state.account.reason.code(),
        since.unwrap_or_default(),
        words::reason_text(state.account.reason),
        answer.unwrap_or_default(),
        together.unwrap_or_default(),
        distress.unwrap_or_default(),
    );
    let of = service.policy.max_failures;
    let streak = of.saturating_sub(outlook.failures);
    let counted = format!(
        "counted: {streak} of {of} failures in a row; {} since the last healthy answer{}",
        state.counts.failures,
        if state.counts.flapping { flapping_text(picture) } else { String::new() }
    );
    let budget = &service.policy.budget;
    let last = state.counts.last_restart().map(|restart| {
        let outcome = outcome_code(restart.outcome).replace('_', " ");
        let at = words::format_past(&restart.at, now);
        match restart.act {
            StepKind::Restart => format!(", the last at {at}: {outcome}"),
            act @ (StepKind::Reload | StepKind::Kill | StepKind::Command | StepKind::Wake) => {
                format!(", the last, a {}, at {at}: {outcome}", words::step_name(act))
            }
        }
    });
    let spent = format!(
        "{} of {} restarts within {}{}",
        outlook.spent,
        budget.restarts,
        words::format_duration(budget.window),
        last.unwrap_or_default()
    );
    let held = match hold_now(picture) {
        HoldNow::Paused(paused) => format!("held by: {}; {spent}", words::pause_text(paused, now)),
        HoldNow::Bound(bound) => {
            format!("held by: {} ({}); {spent}", bound.reason().code(), words::reason_text(bound.reason()))
        }
        HoldNow::Configured(reason) => {
            format!("held by: {} ({}); {spent}", reason.code(), words::reason_text(reason))
        }
        HoldNow::LastRun(reason) => {
            let because = state.account.because.as_deref().unwrap_or(words::reason_text(reason));
            format!("held by: {} ({because}); {spent}", reason.code())
        }
        HoldNow::Over(reason) => {
            format!("held by: nothing any more ({} at the last run); {spent}", reason.code())
        }
        HoldNow::Nothing => format!("held by: nothing; {spent}"),
    };
    vec![
        happened,
        counted,
        held,
        format!("next restart: {}{}", next_restart_text(picture, now), next_step_text(picture)),
    ]
}

fn flapping_text(picture: &ServiceStatus<'_>) -> String {
    let (failures, flapping) =
        (picture.state.counts.recent.count_failures(), &picture.service.policy.flapping);
    let cure = match flapping.then {
        FlappingAction::ReportOnly => " (flapping.restart = true would restart it)",
        FlappingAction::Restart => "",
    };
    format!("; flapping: {failures} of the last {} runs failed{cure}", flapping.of)
}

/// What cannot be reloaded is passed over, which is not known here.
fn next_step_text(picture: &ServiceStatus<'_>) -> String {
    let used = usize::try_from(picture.state.counts.rungs).unwrap_or(usize::MAX);
    match picture.service.policy.escalate.get(used) {
        None => String::new(),
        Some(_) if picture.service.restarter.shows() == Shows::Nothing => String::new(),
        Some(Step::Command(words)) => {
            format!("; next step of escalate: {}", words.first().map_or("", String::as_str))
        }
        Some(rung @ (Step::Reload | Step::Restart | Step::Kill | Step::Wake)) => {
            format!("; next step of escalate: {}", words::step_name(rung.kind()))
        }
    }
}
