//! What lies between a service and its next restart, for those who ask.

use core::time::Duration;

use crate::decide::decide;
use crate::withheld::budget_or_backoff;
use crate::{
    Account, Counts, Decision, Facts, FailureWindow, HealthRecord, HeldUntil, Moment, Policy, Reason, State,
    UnitFacts, UnitSnapshot, VerdictKind, Withheld,
};

/// If it goes on failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Counted failures that are still missing.
    pub failures: u32,
    /// Budget or backoff, with the time it lasts.
    pub bound: Option<Withheld>,
    /// Restarts that count against the budget now.
    pub spent: usize,
    /// Of the policy's list of means, all are used up.
    pub escalation_exhausted: bool,
}

#[must_use]
pub fn restart_outlook(state: &Counts, policy: &Policy, now: &Moment) -> Outlook {
    let state = state.not_after(now);
    let over = state.failed_at.as_ref().is_none_or(|at| policy.is_stale(now.elapsed_since(at)));
    let streak = if over { 0 } else { state.streak };
    let all = u32::try_from(policy.escalate.len()).unwrap_or(u32::MAX);
    Outlook {
        failures: policy.max_failures.saturating_sub(streak),
        bound: budget_or_backoff(&state, policy, now),
        escalation_exhausted: all > 0 && state.rungs >= all,
        spent: state
            .restarts
            .iter()
            .filter(|restart| now.elapsed_since(&restart.at) < policy.budget.window)
            .count(),
    }
}

/// What the next tick decides if nothing changes. It keeps its distance from the one before, which
/// somebody who asks in between does not.
#[must_use]
pub fn forecast_next_run(case: &Facts<'_>, account: &Account) -> Decision {
    let before = case.before.not_after(case.now);
    let gap = before.failed_at.as_ref().map(|at| case.now.elapsed_since(at));
    let wait = gap.map_or(Duration::ZERO, |gap| case.policy.min_gap.saturating_sub(gap));
    let unit = match case.unit {
        UnitFacts::Known(life) => UnitFacts::Known(UnitSnapshot {
            age: life.age.map(|age| age.saturating_add(wait)),
            ..life.clone()
        }),
        UnitFacts::NotQueried
        | UnitFacts::QueryFailed(_)
        | UnitFacts::ProbeOnly
        | UnitFacts::Command { .. } => case.unit.clone(),
    };
    decide(&Facts { now: &case.now.plus(wait), before: &before, unit: &unit, ..*case }, account)
}

/// What a person clears by hand: the count, the backoff and the budget. A restart whose end is not known
/// stays, since the state of the unit is explained by it.
#[must_use]
pub fn reset_state(state: &State) -> State {
    let State { counts, account } = state;
    let awaited = counts.awaits_outcome();
    let kept = counts.restarts.len().saturating_sub(usize::from(awaited));
    // What held it by what is cleared holds it no more.
    let is_cleared = account.reason.held_until().is_some_and(HeldUntil::ends_with_reset);
    let (verdict, reason) =
        if is_cleared { (VerdictKind::Failing, Reason::Counting) } else { (account.verdict, account.reason) };
    let not_proven = counts.evidence == HealthRecord::NotEvenAfterRestart;
    let counts = Counts {
        streak: 0,
        lives: 0,
        rungs: 0,
        recent: FailureWindow::default(),
        flapping: false,
        evidence: if not_proven { HealthRecord::NeverHealthy } else { counts.evidence },
        failed_at: None,
        backoff: None,
        restarts: counts.restarts.iter().skip(kept).cloned().collect(),
        ..counts.clone()
    };
    State { counts, account: Account { verdict, reason, ..account.clone() } }
}
