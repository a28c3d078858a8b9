//! What a run knows of one service before it decides, and what it decides.

use alloc::string::String;
use core::time::Duration;

use crate::{
    Counts, FailingRequirement, Moment, Observation, Outcome, PauseState, Policy, Reason, State, UnitFacts,
    Verdict,
};

/// What a tick knows of one service.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// When the tick began.
    pub now: &'a Moment,
    pub host: &'a HostFacts,
    pub policy: &'a Policy,
    /// As the last run left it: what people were told of it is none of the facts.
    pub before: &'a Counts,
    pub seen: &'a Observation,
    pub unit: &'a UnitFacts,
    pub pause: &'a PauseState,
    pub upstream: Option<&'a FailingRequirement>,
    /// It began to fail with many others, and this is how long the restarts of all, most in vain, hold the
    /// next one.
    pub common_cause: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    /// systemd is shutting it down.
    pub stopping: bool,
    /// How long the host still counts as booting.
    pub starting: Option<Duration>,
    /// What is left of the tick's deadline.
    pub time_left: Duration,
    /// What of its memory, processors or disks is too busy, by the operator's own bounds.
    pub pressure: Option<String>,
}

impl HostFacts {
    /// For a tick that found every service healthy, and so asked nothing of the host.
    #[must_use]
    pub const fn not_queried() -> Self {
        Self { stopping: false, starting: None, time_left: Duration::MAX, pressure: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// The verdict's own, but for what healed right before its restart.
    pub reason: Reason,
    pub next: State,
    /// This failure was counted.
    pub counted: bool,
    /// What came of a restart whose tick could not see its end.
    pub earlier: Option<Outcome>,
}
