//! Rows 4 to 10: whose hands are on the service.

use alloc::string::String;
use core::time::Duration;

use crate::{
    Active, Case, Condition, Counts, FailingRequirement, Life, Load, Observation, Pause, Paused, PausedBy,
    Reason, Unit, Was, WhenExited,
};

/// Whose hands are on the service, or why a restart of it would do harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandsOff {
    NotFound,
    Masked,
    NotStartable,
    /// Its unit file forbids that anybody stops it.
    NotStoppable,
    /// systemd has restarted it in so many failed runs in a row.
    CrashLoop {
        runs: u32,
    },
    /// A job is queued or running; or a restart command of ours still runs.
    UnitBusy,
    Frozen,
    Stopped,
    /// It ended by itself, and well, and the operator wants that to be left alone.
    Exited,
    /// It ended well, and nobody can tell whether somebody stopped it; or it has done its work.
    Ended,
    NeverStarted,
    /// A condition in its unit file was not met.
    StartConditionUnmet,
    /// It fell, and is disabled.
    Disabled,
    /// This other unit is active, and a restart would stop it.
    Conflict(String),
    HostStopping,
    HostStarting {
        left: Duration,
    },
    Paused(Paused),
    Upstream(Upstream),
}

/// What it needs is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// The unit was stopped by somebody, and a restart would start it.
    Stopped(String),
    Failing(FailingRequirement),
}

impl HandsOff {
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::NotFound => Reason::NotFound,
            Self::Masked => Reason::Masked,
            Self::NotStartable | Self::NotStoppable => Reason::NotStartable,
            Self::CrashLoop { .. } => Reason::CrashLoop,
            Self::UnitBusy => Reason::UnitBusy,
            Self::Frozen => Reason::Frozen,
            Self::Stopped => Reason::Stopped,
            Self::Exited | Self::Ended => Reason::Exited,
            Self::NeverStarted => Reason::NeverStarted,
            Self::StartConditionUnmet => Reason::Condition,
            Self::Disabled => Reason::Disabled,
            Self::Conflict(_) => Reason::Conflict,
            Self::HostStopping => Reason::HostStopping,
            Self::HostStarting { .. } => Reason::HostStarting,
            Self::Paused(_) => Reason::Paused,
            Self::Upstream(_) => Reason::Upstream,
        }
    }

    /// When it ends by itself, if that is known.
    #[must_use]
    pub const fn time_left(&self) -> Option<Duration> {
        match self {
            Self::Paused(paused) => paused.left,
            Self::HostStarting { left } => Some(*left),
            Self::NotFound
            | Self::Masked
            | Self::NotStartable
            | Self::NotStoppable
            | Self::CrashLoop { .. }
            | Self::UnitBusy
            | Self::Frozen
            | Self::Stopped
            | Self::Exited
            | Self::Ended
            | Self::NeverStarted
            | Self::StartConditionUnmet
            | Self::Disabled
            | Self::Conflict(_)
            | Self::HostStopping
            | Self::Upstream(_) => None,
        }
    }
}

/// Rows 4 to 10.
pub(crate) fn hands_off(case: &Case<'_>, next: &Counts) -> Option<HandsOff> {
    let life = match case.unit {
        Unit::Seen(life) => Some(life),
        Unit::Command { running: true } => return Some(HandsOff::UnitBusy),
        Unit::Command { running: false } | Unit::ProbeOnly | Unit::NotAsked | Unit::Unanswered(_) => None,
    };
    life.and_then(|life| of_the_unit(case, next, life))
        .or_else(|| case.host.stopping.then_some(HandsOff::HostStopping))
        .or_else(|| case.host.starting.map(|left| HandsOff::HostStarting { left }))
        .or_else(|| paused(case).map(HandsOff::Paused))
        .or_else(|| Some(HandsOff::Upstream(upstream(case, life)?)))
}

fn paused(case: &Case<'_>) -> Option<Paused> {
    match (case.pause, case.seen) {
        (Pause::Lasting(paused), _) => Some(paused.clone()),
        (_, Observation::Unhealthy(why)) if why.is_maintenance() => {
            Some(Paused { by: PausedBy::Service, left: None })
        }
        (Pause::None | Pause::Over { .. }, _) => None,
    }
}

fn upstream(case: &Case<'_>, life: Option<&Life>) -> Option<Upstream> {
    let failing = case.upstream.map(|requirement| Upstream::Failing(requirement.clone()));
    failing.or_else(|| Some(Upstream::Stopped(life?.stopped_upstream()?.unit.clone())))
}

/// Rows 4 to 8.
fn of_the_unit(case: &Case<'_>, next: &Counts, life: &Life) -> Option<HandsOff> {
    match life.load {
        Load::NotFound => return Some(HandsOff::NotFound),
        Load::Masked => return Some(HandsOff::Masked),
        Load::NotStartable => return Some(HandsOff::NotStartable),
        Load::NotStoppable => return Some(HandsOff::NotStoppable),
        Load::Loaded => {}
    }
    if next.lives >= case.policy.max_failures.max(2) {
        return Some(HandsOff::CrashLoop { runs: next.lives });
    }
    match life.active {
        Active::Busy => return Some(HandsOff::UnitBusy),
        Active::Frozen => return Some(HandsOff::Frozen),
        Active::Active | Active::Inactive | Active::Failed => {}
    }
    let was_down = next.intent.as_ref().is_some_and(|intent| intent.was == Was::Down);
    if !was_down {
        match life.condition() {
            // The stop half of our own restart looks the same, where the start half had to fail.
            Condition::Stopped if next.intent.is_some() && life.failed_requirement().is_some() => {}
            Condition::Stopped if life.tells_a_stop() => return Some(HandsOff::Stopped),
            Condition::Stopped | Condition::Ended => return Some(HandsOff::Ended),
            Condition::Exited if case.policy.when_exited == WhenExited::Hold => {
                return Some(HandsOff::Exited);
            }
            Condition::ConditionUnmet => return Some(HandsOff::StartConditionUnmet),
            // It was to start at boot, and what it needs failed: down, not left out.
            Condition::NeverStarted if life.failed_requirement().is_none() => {
                return Some(HandsOff::NeverStarted);
            }
            Condition::NeverStarted
            | Condition::Exited
            | Condition::Active
            | Condition::Busy
            | Condition::Failed => {}
        }
    }
    // What our own restart took down is ours to bring back.
    let ours = next.intent.is_some()
        || next.last_restart().is_some_and(|restart| restart.incarnation == life.incarnation);
    if life.disabled && matches!(life.condition(), Condition::Failed | Condition::Exited) && !ours {
        return Some(HandsOff::Disabled);
    }
    life.active_conflict().map(|other| HandsOff::Conflict(other.unit.clone()))
}
