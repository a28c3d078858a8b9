//! What systemd said of a unit, and what that means. The rules were measured on systemd 252 and 257;
//! each names what it rests on.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::Doubt;

/// systemd's InvocationID: one life of the unit.
pub type InvocationId = String;

/// What is known of the thing that would be restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitFacts {
    /// Nobody asked, since the service answered.
    NotQueried,
    /// Asked in vain.
    QueryFailed(Doubt),
    /// Restarted by a command: its life cannot be seen, only whether our last command still runs.
    Command {
        running: bool,
    },
    /// Nothing restarts it: it is only probed.
    ProbeOnly,
    Known(UnitSnapshot),
}

/// One unit as `systemctl show` tells it. Stamps are CLOCK_MONOTONIC; zero is "never".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSnapshot {
    pub load: LoadState,
    pub active: ActiveState,
    pub result: UnitResult,
    pub incarnation: Option<InvocationId>,
    /// systemd's own restarts of it; a restart by hand or by us sets it to zero.
    pub own_restarts: u32,
    /// UnitFileState=disabled.
    pub disabled: bool,
    /// A start was tried, and a condition of the unit file was not met.
    pub condition_unmet: bool,
    pub inactive_exit: Duration,
    pub active_enter: Duration,
    pub active_exit: Duration,
    /// `None` for a unit without a main process: targets, mounts, sockets.
    pub main_exit: Option<Duration>,
    pub reload: ReloadSupport,
    pub after_exit: AfterExit,
    /// RuntimeMaxSec= is set, so that a time-out may be systemd's own doing.
    pub runtime_limited: bool,
    /// Since it became active; only while it is.
    pub age: Option<Duration>,
    pub neighbours: Vec<RelatedUnit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadState {
    Loaded,
    Masked,
    NotFound,
    /// CanStart=no; bad-setting, error, merged, stub.
    NotStartable,
    /// CanStop=no: RefuseManualStop=, which systemd holds against a restart too.
    NotStoppable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadSupport {
    Supported,
    /// Its unit file does not say how: neither ExecReload= nor Type=notify-reload.
    Unsupported,
}

/// What follows when its main process ends by itself, and well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterExit {
    /// Nothing starts it again: Restart=no, on-failure, and all that are neither of the following.
    StaysDown,
    /// systemd keeps it up: it starts it again (Restart=always, on-success), or calls it active without its main
    /// process (RemainAfterExit=, systemd.service(5)). Only a stop leaves it inactive.
    StaysUp,
    /// It has done its work: Type=oneshot without RemainAfterExit=.
    IsDone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActiveState {
    Active,
    Inactive,
    Failed,
    /// A job is queued; or activating, deactivating, reloading, maintenance, and whatever systemd may add.
    Changing,
    /// By `systemctl freeze`: silent on purpose.
    Frozen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitResult {
    Success,
    ExitCode,
    Signal,
    CoreDump,
    Timeout,
    /// watchdog, oom-kill, start-limit-hit, protocol, resources: never the mark of a person's stop.
    Other,
}

/// Another unit that a restart of this one would touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedUnit {
    pub unit: String,
    pub relation: Relation,
    pub condition: UnitCondition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Wants=: a restart of ours would start it.
    Wanted,
    /// Requires=, Requisite=, BindsTo=: likewise, and without it ours cannot run.
    Required,
    /// Conflicts=, ConflictedBy=: a restart of ours would stop it.
    Conflicting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitCondition {
    Active,
    Changing,
    /// By a stop job: a person, or a unit that it depends on.
    Stopped,
    /// It ended by itself, and well, and nothing starts it again.
    EndedWell,
    /// It ended well, and that is how it rests, or nobody can tell whether somebody stopped it.
    Ended,
    NeverStarted,
    /// A condition of its unit file was not met.
    StartConditionUnmet,
    /// It ended badly, and nobody meant it.
    Failed,
}

impl UnitSnapshot {
    /// Of what systemd does not run: as it says of itself, in stamps that mean the same.
    #[must_use]
    pub const fn from_condition(
        condition: UnitCondition,
        incarnation: Option<InvocationId>,
        age: Option<Duration>,
    ) -> Self {
        let (active, active_enter, active_exit, main_exit) = match condition {
            UnitCondition::Active => (ActiveState::Active, 1, 0, 0),
            UnitCondition::Changing => (ActiveState::Changing, 1, 0, 0),
            UnitCondition::Stopped => (ActiveState::Inactive, 1, 2, 3),
            UnitCondition::EndedWell | UnitCondition::Ended => (ActiveState::Inactive, 1, 3, 2),
            UnitCondition::Failed => (ActiveState::Failed, 1, 3, 2),
            UnitCondition::NeverStarted | UnitCondition::StartConditionUnmet => {
                (ActiveState::Inactive, 0, 0, 0)
            }
        };
        let after_exit =
            if matches!(condition, UnitCondition::Ended) { AfterExit::IsDone } else { AfterExit::StaysDown };
        Self {
            load: LoadState::Loaded,
            active,
            result: UnitResult::Success,
            incarnation,
            own_restarts: 0,
            disabled: false,
            condition_unmet: matches!(condition, UnitCondition::StartConditionUnmet),
            inactive_exit: Duration::from_secs(active_enter),
            active_enter: Duration::from_secs(active_enter),
            active_exit: Duration::from_secs(active_exit),
            main_exit: Some(Duration::from_secs(main_exit)),
            reload: ReloadSupport::Unsupported,
            after_exit,
            runtime_limited: false,
            age,
            neighbours: Vec::new(),
        }
    }

    /// A stop job makes systemd leave `active` before the main process ends; a crash is the other way
    /// round. So a hung service that a person stops, which mostly ends `failed` by time-out, can be
    /// told from one that fell.
    #[must_use]
    pub fn condition(&self) -> UnitCondition {
        match self.active {
            ActiveState::Active | ActiveState::Frozen => UnitCondition::Active,
            ActiveState::Changing => UnitCondition::Changing,
            ActiveState::Inactive => self.inactive_condition(),
            ActiveState::Failed if self.was_stopped_by_job() && self.has_stop_result() => {
                UnitCondition::Stopped
            }
            ActiveState::Failed => UnitCondition::Failed,
        }
    }

    /// An inactive unit ended well, was stopped, or nobody started it.
    fn inactive_condition(&self) -> UnitCondition {
        if self.condition_unmet {
            return UnitCondition::StartConditionUnmet;
        }
        let stamps = [self.active_enter, self.active_exit, self.main_exit.unwrap_or_default()];
        if stamps.iter().all(Duration::is_zero) {
            return UnitCondition::NeverStarted;
        }
        match self.main_exit {
            Some(exit) if !exit.is_zero() && exit <= self.active_exit => self.exited_condition(),
            // A service that forks and hides its main process leaves no stamp either way; what is
            // inactive is then rather left alone than started against somebody's will.
            Some(_) | None => UnitCondition::Stopped,
        }
    }

    /// False where a fall and a stop leave the same trace: systemd never knew the main process of the unit
    /// (Type=forking without PIDFile=), and ended it when its last process was gone. With Restart=always or
    /// on-success systemd would have started it again after a fall.
    #[must_use]
    pub fn tells_a_stop(&self) -> bool {
        let hides_main_process = self.main_exit.is_some_and(|exit| exit.is_zero());
        let ended_well = self.active == ActiveState::Inactive && self.result == UnitResult::Success;
        !(ended_well && hides_main_process && self.after_exit == AfterExit::StaysDown)
    }

    /// gunicorn and uvicorn end with 0 on SIGTERM, from wherever it comes.
    const fn exited_condition(&self) -> UnitCondition {
        match (self.after_exit, self.result) {
            (AfterExit::IsDone, _) => UnitCondition::Ended,
            (AfterExit::StaysDown, UnitResult::Success) => UnitCondition::EndedWell,
            // Its last life ended badly and it is inactive all the same: stopped while it waited for its restart.
            (AfterExit::StaysDown | AfterExit::StaysUp, _) => UnitCondition::Stopped,
        }
    }

    fn was_stopped_by_job(&self) -> bool {
        // A life that never became active keeps the stamps of the one before: it failed to start.
        let was_active = !self.active_enter.is_zero() && self.active_enter >= self.inactive_exit;
        let ended_after = self.main_exit.is_some_and(|exit| self.active_exit < exit);
        was_active && self.active_enter <= self.active_exit && ended_after
    }

    fn has_stop_result(&self) -> bool {
        match self.result {
            UnitResult::Success | UnitResult::ExitCode | UnitResult::Signal | UnitResult::CoreDump => true,
            UnitResult::Timeout => !self.runtime_limited,
            UnitResult::Other => false,
        }
    }

    pub(crate) fn find_active_conflict(&self) -> Option<&RelatedUnit> {
        self.find_related(|other| {
            other.relation == Relation::Conflicting && other.condition == UnitCondition::Active
        })
    }

    /// A restart would start it, against the will of whoever stopped it.
    pub(crate) fn find_stopped_dependency(&self) -> Option<&RelatedUnit> {
        self.find_related(|other| {
            other.relation != Relation::Conflicting && other.condition == UnitCondition::Stopped
        })
    }

    pub(crate) fn find_failed_requirement(&self) -> Option<&RelatedUnit> {
        self.find_related(|other| {
            other.relation == Relation::Required && other.condition == UnitCondition::Failed
        })
    }

    fn find_related(&self, is: impl Fn(&RelatedUnit) -> bool) -> Option<&RelatedUnit> {
        self.neighbours.iter().find(|other| is(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_life_is_its_condition() {
        for condition in [
            UnitCondition::Active,
            UnitCondition::Changing,
            UnitCondition::Stopped,
            UnitCondition::EndedWell,
            UnitCondition::Ended,
            UnitCondition::NeverStarted,
            UnitCondition::StartConditionUnmet,
            UnitCondition::Failed,
        ] {
            assert_eq!(UnitSnapshot::from_condition(condition, None, None).condition(), condition);
        }
    }
}
