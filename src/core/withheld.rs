//! Rows 14 and 15: what withholds a restart that is due. Unlike rows 4 to 10, none of it is a reason to count
//! anew.

use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::time::Duration;

use crate::{
    Act, Case, Cause, Evidence, Hold, Mode, Moment, NextRung, Observation, Outcome, Policy, Restart, State,
    Unit, next_rung,
};

/// A restart begins only with this much of the tick's deadline left.
pub const TIME_TO_RESTART: Duration = Duration::from_secs(30);

/// A tick never starts to the second: without this, a wait of 2 m lasts 4 under a 2-minute cron.
const SLACK: Duration = Duration::from_secs(10);

/// What may be done now, or what withholds it: first match wins.
pub(crate) fn due(case: &Case<'_>, next: &State) -> Result<Act, Hold> {
    if *case.unit == Unit::ProbeOnly {
        return Err(Hold::ProbeOnly);
    }
    let Some(NextRung { rung, .. }) = next_rung(case.policy, next, case.unit) else {
        return Err(Hold::NoRungLeft);
    };
    if let Some(bound) = bound(next, case.policy, case.now) {
        return Err(bound);
    }
    if case.host.time_left < TIME_TO_RESTART {
        return Err(Hold::Deadline);
    }
    if let Some(pressure) = &case.host.pressure {
        return Err(Hold::HostPressure(pressure.clone()));
    }
    if let Some(left) = case.common_cause {
        return Err(Hold::CommonCause { left });
    }
    if next.evidence == Evidence::NotByRestart {
        return Err(Hold::NeverHealthy);
    }
    if let Some(status) = same_answer(case, next) {
        return Err(Hold::SameAnswer(status));
    }
    if case.policy.mode == Mode::Observe { Err(Hold::Observe) } else { Ok(rung.act()) }
}

/// 3xx and 4xx are said on purpose: a life that says the same as the one that we ended for it.
fn same_answer(case: &Case<'_>, next: &State) -> Option<u16> {
    let Observation::Unhealthy(answer) = case.seen else { return None };
    let (Cause::Status(status) | Cause::ToHttps(status)) = answer.itself() else { return None };
    let in_vain =
        |last: &&Restart| last.outcome == Outcome::NotHealed && last.act.begins_a_life() == Some(true);
    let last = next.last_restart().filter(in_vain)?;
    let of_this_life = last.incarnation.is_none() || last.incarnation == next.incarnation;
    let same = last.cause.as_deref() == Some(answer.to_string().as_str());
    ((300..500).contains(status) && same && of_this_life).then_some(*status)
}

/// Budget and backoff: whichever ends later is when the next restart can be.
pub(crate) fn bound(state: &State, policy: &Policy, now: &Moment) -> Option<Hold> {
    match (budget_left(state, policy, now), backoff_left(state, policy, now)) {
        (Some(left), Some(other)) if other > left => Some(Hold::Backoff { left: other }),
        (Some(left), _) => Some(Hold::Budget { left }),
        (None, Some(left)) => Some(Hold::Backoff { left }),
        (None, None) => None,
    }
}

fn backoff_left(state: &State, policy: &Policy, now: &Moment) -> Option<Duration> {
    let backoff = state.backoff.as_ref()?;
    let elapsed = now.since(&backoff.from);
    let left = policy.backoff.wait(backoff.step).checked_sub(elapsed)?;
    (left > SLACK).then_some(left)
}

/// Without slack: the budget is a promise.
fn budget_left(state: &State, policy: &Policy, now: &Moment) -> Option<Duration> {
    let mut left: Vec<Duration> = state
        .restarts
        .iter()
        .filter_map(|restart| policy.budget.window.checked_sub(now.since(&restart.at)))
        .filter(|left| !left.is_zero())
        .collect();
    left.sort_unstable();
    // The restart whose end of the window makes room again.
    left.len().checked_sub(policy.budget.restarts).and_then(|at| left.get(at)).copied()
}
