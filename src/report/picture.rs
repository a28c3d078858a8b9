//! What is remembered of one service, and the words for it that `status`, `why` and their JSON share.

use std::path::Path;
use std::time::Duration;

use unhang_core::{
    ActivePause, HealthRecord, HeldUntil, Mode, Moment, Outcome, Outlook, Reason, State, StoredCause,
    VerdictKind, Withheld,
};

use crate::plan::{Service, Shows};
use crate::words;

use super::hold_now::{HoldNow, hold_now};

/// What is known of a service without asking it.
#[derive(Debug)]
pub struct ServiceStatus<'a> {
    pub service: &'a Service,
    pub state: State,
    pub outlook: Outlook,
    /// How long ago the last tick was; `None`: there was none.
    pub last_tick: Option<Duration>,
    /// The last tick is long ago, and still holds its lock: it was stopped, or waits for what does not answer.
    pub is_stuck: bool,
    /// Where the ticks' locks are looked for.
    pub locks: &'a Path,
    /// The state could not be read.
    pub unreadable: Option<String>,
    /// Now, whatever the last run found.
    pub paused: Option<ActivePause>,
}

impl ServiceStatus<'_> {
    /// No run has looked at it, or what it found cannot be read: nothing is known, least of all that it
    /// is healthy.
    pub(super) fn has_no_data(&self) -> bool {
        self.unreadable.is_some() || (self.last_tick.is_none() && self.state == State::default())
    }
}

/// `failing`, but `held (stopped)`: the reason where the verdict alone says too little.
pub(super) fn state_text(picture: &ServiceStatus<'_>) -> String {
    let (verdict, reason) = (picture.state.account.verdict, picture.state.account.reason);
    match verdict {
        _ if picture.has_no_data() && picture.unreadable.is_some() => "not known".to_owned(),
        _ if picture.has_no_data() => "not seen yet".to_owned(),
        VerdictKind::Healthy | VerdictKind::Recovered => VerdictKind::Healthy.code().to_owned(),
        VerdictKind::Recovering => verdict.code().to_owned(),
        VerdictKind::Failing if reason == Reason::Counting => verdict.code().to_owned(),
        VerdictKind::Restart => "failing (restart)".to_owned(),
        VerdictKind::Failing | VerdictKind::Held | VerdictKind::Unknown => {
            format!("{} ({})", verdict.code(), reason.code())
        }
    }
}

/// `HTTP 502`; `HTTP 000 (timeout_waiting)`; `redis: refused`, `api: HTTP 502`.
pub(super) fn answer_text(cause: &StoredCause) -> String {
    let name = cause.probe.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    format!("{name}{}", answer_itself(cause))
}

/// Without the name of the probe.
pub(super) fn answer_itself(cause: &StoredCause) -> String {
    let StoredCause { probe, code, http } = cause;
    match (http, code.as_str()) {
        (0, code) if probe.is_some() => code.to_owned(),
        (0, code) => format!("HTTP 000 ({code})"),
        (status, "status") => format!("HTTP {status}"),
        (status, code) => format!("HTTP {status} ({code})"),
    }
}

pub(super) fn explanation_text<'a>(picture: &'a ServiceStatus<'_>) -> &'a str {
    match picture.unreadable {
        Some(_) => "what the last run found cannot be read",
        None if picture.has_no_data() => NO_RUN_TEXT,
        None => picture
            .state
            .account
            .because
            .as_deref()
            .unwrap_or(words::reason_text(picture.state.account.reason)),
    }
}

pub(super) const NO_RUN_TEXT: &str = "no run has looked at it";

/// When the next restart can be if the service fails from here on.
pub(super) fn next_restart_text(picture: &ServiceStatus<'_>, now: &Moment) -> String {
    let ServiceStatus { service, state, outlook, .. } = picture;
    let counted = match (outlook.failures, service.policy.max_failures) {
        (0, _) => "at the next failed run".to_owned(),
        (1, _) => "after 1 more counted failure".to_owned(),
        (n, of) if n < of => format!("after {n} more counted failures"),
        (n, _) => format!("after {n} counted failures in a row"),
    };
    let key = &service.key;
    let bound = outlook.bound.as_ref().map(|bound| not_before_text(bound, now));
    let hold = hold_now(picture);
    match hold {
        _ if service.restarter.shows() == Shows::Nothing => "never: nothing restarts it".to_owned(),
        _ if service.policy.mode == Mode::Observe => "never: mode is observe".to_owned(),
        HoldNow::Paused(paused) => {
            let outlasts = |bound: &Withheld| paused.left.is_none_or(|left| bound.time_left() > Some(left));
            let bound = bound.filter(|_| outlook.bound.as_ref().is_some_and(outlasts));
            with_other_bound(format!("when the pause has ended, {counted}"), bound)
        }
        _ if outlook.escalation_exhausted => {
            format!("after it was healthy once more, or after unhang reset {key}")
        }
        _ if state.account.verdict == VerdictKind::Unknown => "not until a probe works again".to_owned(),
        HoldNow::LastRun(reason) => match reason.held_until() {
            // What was never restarted is held for what it answers, and not for what is remembered.
            Some(HeldUntil::HealthyOnce) if state.counts.evidence == HealthRecord::NeverHealthy => {
                "after it was healthy once, or when it does not answer at all".to_owned()
            }
            Some(HeldUntil::HealthyOnce) => format!("after it was healthy once, or after unhang reset {key}"),
            Some(HeldUntil::AnswersOtherwise) => {
                format!("after another answer, or after unhang reset {key}")
            }
            Some(HeldUntil::HandsAreOff | HeldUntil::SituationChanges) => {
                with_other_bound(format!("when that has ended, {counted}"), bound)
            }
            // Nothing is due, so that more is to be waited for than that the hold ends.
            Some(
                HeldUntil::TimeHasPassed
                | HeldUntil::IncidentIsOver
                | HeldUntil::NextRun
                | HeldUntil::ConfigurationChanges,
            ) if outlook.failures > 0 => format!("when that has ended, {counted}"),
            Some(
                HeldUntil::TimeHasPassed
                | HeldUntil::IncidentIsOver
                | HeldUntil::NextRun
                | HeldUntil::ConfigurationChanges,
            )
            | None => counted,
        },
        HoldNow::Bound(bound) => format!("{}, {counted}", not_before_text(bound, now)),
        HoldNow::Configured(_) | HoldNow::Over(_) | HoldNow::Nothing => counted,
    }
}

/// `bound`: what else must have passed by then.
fn with_other_bound(when: String, bound: Option<String>) -> String {
    match bound {
        Some(bound) => format!("{when}, {bound}"),
        None => when,
    }
}

fn not_before_text(bound: &Withheld, now: &Moment) -> String {
    let left = bound.time_left().unwrap_or_default();
    let then = Moment { wall: now.wall.saturating_add(left), ..now.clone() };
    format!("not before {}", words::format_day_and_clock(&then, now))
}

pub(super) const fn outcome_code(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Healed => "healed",
        Outcome::NotHealed => "not_healed",
        Outcome::Unknown => "unknown",
        Outcome::Refused => "refused",
    }
}
