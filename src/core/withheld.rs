//! Rows 14 and 15: what withholds a restart that is due. Unlike rows 4 to 10, none of it is a reason to count
//! anew.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::{
    Cause, Counts, Facts, HealthRecord, Mode, Moment, NextStep, Observation, Outcome, Policy, Reason,
    Redirect, Restart, StepKind, StoredCause, TlsError, UnitFacts, next_step,
};

/// A restart begins only with this much of the tick's deadline left.
pub const MIN_TIME_FOR_RESTART: Duration = Duration::from_secs(30);

/// A tick never starts to the second: without this, a wait of 2 m lasts 4 under a 2-minute cron.
const BACKOFF_SLACK: Duration = Duration::from_secs(10);

/// Why a restart that is due is not done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withheld {
    /// Nothing restarts it.
    ProbeOnly,
    /// Each step of the operator's list was used once in this incident.
    EscalationExhausted,
    Budget {
        left: Duration,
    },
    Backoff {
        left: Duration,
    },
    /// Too little is left of the run's deadline.
    Deadline,
    /// With the pressure that is too high.
    HostPressure(String),
    /// It began to fail with many others, and restarts of some have not helped.
    CommonCause {
        left: Duration,
    },
    /// Asked so, it has never been healthy, and a restart has not changed that.
    NeverHealthy,
    /// Asked so, it has never been healthy, and it answers: it is the question that is wrong, and nothing hangs.
    NeverHealthyButAnswers,
    /// It answers the same as before our last restart: 3xx or 4xx, which no restart changes.
    SameAnswer(u16),
    Observe,
}

impl Withheld {
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::ProbeOnly => Reason::ProbeOnly,
            Self::EscalationExhausted => Reason::EscalationExhausted,
            Self::Budget { .. } => Reason::Budget,
            Self::Backoff { .. } => Reason::Backoff,
            Self::Deadline => Reason::Deadline,
            Self::HostPressure(_) => Reason::HostPressure,
            Self::CommonCause { .. } => Reason::CommonCause,
            Self::NeverHealthy | Self::NeverHealthyButAnswers => Reason::NeverHealthy,
            Self::SameAnswer(_) => Reason::SameAnswer,
            Self::Observe => Reason::Observe,
        }
    }

    /// When it ends by itself, if it does.
    #[must_use]
    pub const fn time_left(&self) -> Option<Duration> {
        match self {
            Self::Budget { left } | Self::Backoff { left } | Self::CommonCause { left } => Some(*left),
            Self::ProbeOnly
            | Self::EscalationExhausted
            | Self::Deadline
            | Self::HostPressure(_)
            | Self::NeverHealthy
            | Self::NeverHealthyButAnswers
            | Self::SameAnswer(_)
            | Self::Observe => None,
        }
    }
}

/// What may be done now, or what withholds it: first match wins.
pub(crate) fn step_or_hold(case: &Facts<'_>, next: &Counts) -> Result<StepKind, Withheld> {
    if *case.unit == UnitFacts::ProbeOnly {
        return Err(Withheld::ProbeOnly);
    }
    let Some(NextStep { rung, .. }) = next_step(case.policy, next, case.unit) else {
        return Err(Withheld::EscalationExhausted);
    };
    if let Some(bound) = budget_or_backoff(next, case.policy, case.now) {
        return Err(bound);
    }
    if case.host.time_left < MIN_TIME_FOR_RESTART {
        return Err(Withheld::Deadline);
    }
    if let Some(pressure) = &case.host.pressure {
        return Err(Withheld::HostPressure(pressure.clone()));
    }
    if let Some(left) = case.common_cause {
        return Err(Withheld::CommonCause { left });
    }
    if next.evidence == HealthRecord::NotEvenAfterRestart {
        return Err(Withheld::NeverHealthy);
    }
    // To wake it is to ask it.
    if next.evidence == HealthRecord::NeverHealthy && has_answered(case.seen) && rung.kind() != StepKind::Wake
    {
        return Err(Withheld::NeverHealthyButAnswers);
    }
    if let Some(status) = answer_unchanged_by_restart(case, next) {
        return Err(Withheld::SameAnswer(status));
    }
    if case.policy.mode == Mode::Observe { Err(Withheld::Observe) } else { Ok(rung.kind()) }
}

/// True for an answer that is complete, understood, and not what was wanted. 5xx is none of these: a server says so of
/// itself, or a proxy of one that hangs behind it. Neither is what a body says, or that it took long.
fn has_answered(seen: &Observation) -> bool {
    let Observation::Unhealthy(cause) = seen else { return false };
    match cause.without_probe_name() {
        Cause::Status(status) | Cause::ToHttps(status) => *status < 500,
        Cause::Redirect(_) | Cause::NotHttp(_) | Cause::TooLarge => true,
        Cause::Tls(fault) => match fault {
            TlsError::Expired
            | TlsError::NotYetValid
            | TlsError::UnknownIssuer
            | TlsError::SelfSigned
            | TlsError::WrongName(_)
            | TlsError::NotTls => true,
            TlsError::Handshake(_) => false,
        },
        Cause::NoSocket
        | Cause::Refused
        | Cause::Reset
        | Cause::Closed(_)
        | Cause::TimedOut(_)
        | Cause::Maintenance(_)
        | Cause::Probe(_)
        | Cause::Named(..) => false,
    }
}

/// 3xx and 4xx are said on purpose: a life that says the same as the one that we ended for it.
fn answer_unchanged_by_restart(case: &Facts<'_>, next: &Counts) -> Option<u16> {
    let Observation::Unhealthy(answer) = case.seen else { return None };
    let (Cause::Status(status) | Cause::ToHttps(status) | Cause::Redirect(Redirect { status, .. })) =
        answer.without_probe_name()
    else {
        return None;
    };
    let in_vain =
        |last: &&Restart| last.outcome == Outcome::NotHealed && last.act.starts_incarnation() == Some(true);
    let last = next.last_restart().filter(in_vain)?;
    let of_this_life = last.incarnation.is_none() || last.incarnation == next.incarnation;
    let same = last.cause == Some(StoredCause::from(answer));
    ((300..500).contains(status) && same && of_this_life).then_some(*status)
}

/// Budget and backoff: whichever ends later is when the next restart can be.
pub(crate) fn budget_or_backoff(state: &Counts, policy: &Policy, now: &Moment) -> Option<Withheld> {
    match (budget_left(state, policy, now), backoff_left(state, policy, now)) {
        (Some(left), Some(other)) if other > left => Some(Withheld::Backoff { left: other }),
        (Some(left), _) => Some(Withheld::Budget { left }),
        (None, Some(left)) => Some(Withheld::Backoff { left }),
        (None, None) => None,
    }
}

fn backoff_left(state: &Counts, policy: &Policy, now: &Moment) -> Option<Duration> {
    let backoff = state.backoff.as_ref()?;
    let elapsed = now.elapsed_since(&backoff.from);
    let left = policy.backoff.wait_for_step(backoff.step).checked_sub(elapsed)?;
    (left > BACKOFF_SLACK).then_some(left)
}

/// Without slack: the budget is a promise.
fn budget_left(state: &Counts, policy: &Policy, now: &Moment) -> Option<Duration> {
    let mut left: Vec<Duration> = state
        .restarts
        .iter()
        .filter_map(|restart| policy.budget.window.checked_sub(now.elapsed_since(&restart.at)))
        .filter(|left| !left.is_zero())
        .collect();
    left.sort_unstable();
    // The restart whose end of the window makes room again.
    left.len().checked_sub(policy.budget.restarts).and_then(|at| left.get(at)).copied()
}
