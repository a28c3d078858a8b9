//! What holds a restart now, told without asking anything: by what the last run found, by the pauses and bounds of
//! now, and by the configuration as it is now.

use unhang_core::{ActivePause, HeldUntil, Mode, Reason, VerdictKind, Withheld};

use crate::plan::Shows;

use super::picture::ServiceStatus;

/// What would hold a restart that were due now; the first that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HoldNow<'a> {
    Paused(&'a ActivePause),
    /// The last run found it so, and nothing says that it has ended.
    LastRun(Reason),
    /// Budget or backoff.
    Bound(&'a Withheld),
    /// The configuration says so, whatever the last run found.
    Configured(Reason),
    /// It held in the last run, and has ended since.
    Over(Reason),
    Nothing,
}

pub(super) fn hold_now<'a>(picture: &'a ServiceStatus<'_>) -> HoldNow<'a> {
    let account = &picture.state.account;
    if let Some(paused) = &picture.paused {
        return HoldNow::Paused(paused);
    }
    let held = matches!(account.verdict, VerdictKind::Held | VerdictKind::Unknown).then_some(account.reason);
    let lasting = held.filter(|reason| !has_ended(*reason, picture));
    // What comes before budget and backoff in the decision, too.
    let is_first = |reason: &Reason| {
        matches!(reason.held_until(), Some(HeldUntil::HandsAreOff | HeldUntil::IncidentIsOver))
    };
    if let Some(reason) = lasting.filter(is_first) {
        return HoldNow::LastRun(reason);
    }
    if let Some(bound) = &picture.outlook.bound {
        return HoldNow::Bound(bound);
    }
    match (lasting, configured_hold(picture), held) {
        (Some(reason), _, _) => HoldNow::LastRun(reason),
        (None, Some(reason), _) => HoldNow::Configured(reason),
        (None, None, Some(reason)) => HoldNow::Over(reason),
        (None, None, None) => HoldNow::Nothing,
    }
}

fn configured_hold(picture: &ServiceStatus<'_>) -> Option<Reason> {
    if picture.service.restarter.shows() == Shows::Nothing {
        return Some(Reason::ProbeOnly);
    }
    (picture.service.policy.mode == Mode::Observe).then_some(Reason::Observe)
}

/// False where nobody knows without asking.
fn has_ended(reason: Reason, picture: &ServiceStatus<'_>) -> bool {
    let says_maintenance =
        picture.state.account.cause.as_ref().is_some_and(|cause| cause.code == "maintenance");
    let is_of_the_configuration = matches!(reason, Reason::Observe | Reason::ProbeOnly);
    reason == Reason::Paused && !says_maintenance
        || is_of_the_configuration && configured_hold(picture) != Some(reason)
        || matches!(reason, Reason::Budget | Reason::Backoff) && picture.outlook.bound.is_none()
        || reason == Reason::EscalationExhausted && !picture.outlook.escalation_exhausted
}
