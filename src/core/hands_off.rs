//! Rows 4 to 10: whose hands are on the service.

use alloc::string::String;
use core::time::Duration;

use crate::{
    ActivePause, ActiveState, Counts, Facts, FailingRequirement, LoadState, Observation, PauseSource,
    PauseState, Reason, UnitBefore, UnitCondition, UnitFacts, UnitSnapshot, WhenExited,
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
    Paused(ActivePause),
    Upstream(UpstreamHold),
}

/// What it needs is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamHold {
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
pub(crate) fn hands_off_hold(case: &Facts<'_>, next: &Counts) -> Option<HandsOff> {
    let life = match case.unit {
        UnitFacts::Known(life) => Some(life),
        UnitFacts::Command { running: true } => return Some(HandsOff::UnitBusy),
        UnitFacts::Command { running: false }
        | UnitFacts::ProbeOnly
        | UnitFacts::NotQueried
        | UnitFacts::QueryFailed(_) => None,
    };
    life.and_then(|life| unit_hold(case, next, life))
        .or_else(|| case.host.stopping.then_some(HandsOff::HostStopping))
        .or_else(|| case.host.starting.map(|left| HandsOff::HostStarting { left }))
        .or_else(|| pause_hold(case).map(HandsOff::Paused))
        .or_else(|| Some(HandsOff::Upstream(upstream_hold(case, life)?)))
}

fn pause_hold(case: &Facts<'_>) -> Option<ActivePause> {
    match (case.pause, case.seen) {
        (PauseState::Active(paused), _) => Some(paused.clone()),
        (_, Observation::Unhealthy(why)) if why.is_maintenance() => {
            Some(ActivePause { by: PauseSource::MaintenanceAnswer, left: None })
        }
        (PauseState::None | PauseState::Ended { .. }, _) => None,
    }
}

fn upstream_hold(case: &Facts<'_>, life: Option<&UnitSnapshot>) -> Option<UpstreamHold> {
    let failing = case.upstream.map(|requirement| UpstreamHold::Failing(requirement.clone()));
    failing.or_else(|| Some(UpstreamHold::Stopped(life?.find_stopped_dependency()?.unit.clone())))
}

/// Rows 4 to 8.
fn unit_hold(case: &Facts<'_>, next: &Counts, life: &UnitSnapshot) -> Option<HandsOff> {
    match life.load {
        LoadState::NotFound => return Some(HandsOff::NotFound),
        LoadState::Masked => return Some(HandsOff::Masked),
        LoadState::NotStartable => return Some(HandsOff::NotStartable),
        LoadState::NotStoppable => return Some(HandsOff::NotStoppable),
        LoadState::Loaded => {}
    }
    if next.lives >= case.policy.max_failures.max(2) {
        return Some(HandsOff::CrashLoop { runs: next.lives });
    }
    match life.active {
        ActiveState::Changing => return Some(HandsOff::UnitBusy),
        ActiveState::Frozen => return Some(HandsOff::Frozen),
        ActiveState::Active | ActiveState::Inactive | ActiveState::Failed => {}
    }
    let was_down = next.intent.as_ref().is_some_and(|intent| intent.was == UnitBefore::Down);
    if !was_down {
        match life.condition() {
            // The stop half of our own restart looks the same, where the start half had to fail.
            UnitCondition::Stopped if next.intent.is_some() && life.find_failed_requirement().is_some() => {}
            UnitCondition::Stopped if life.tells_a_stop() => return Some(HandsOff::Stopped),
            UnitCondition::Stopped | UnitCondition::Ended => return Some(HandsOff::Ended),
            UnitCondition::EndedWell if case.policy.when_exited == WhenExited::Hold => {
                return Some(HandsOff::Exited);
            }
            UnitCondition::StartConditionUnmet => return Some(HandsOff::StartConditionUnmet),
            // It was to start at boot, and what it needs failed: down, not left out.
            UnitCondition::NeverStarted if life.find_failed_requirement().is_none() => {
                return Some(HandsOff::NeverStarted);
            }
            UnitCondition::NeverStarted
            | UnitCondition::EndedWell
            | UnitCondition::Active
            | UnitCondition::Changing
            | UnitCondition::Failed => {}
        }
    }
    // What our own restart took down is ours to bring back.
    let ours = next.intent.is_some()
        || next.last_restart().is_some_and(|restart| restart.incarnation == life.incarnation);
    if life.disabled && matches!(life.condition(), UnitCondition::Failed | UnitCondition::EndedWell) && !ours
    {
        return Some(HandsOff::Disabled);
    }
    life.find_active_conflict().map(|other| HandsOff::Conflict(other.unit.clone()))
}
