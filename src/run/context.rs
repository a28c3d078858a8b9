//! What all services of a run share: its plan, its start, its deadline, and the sinks of its events.

use std::time::{Duration, Instant};

use unhang_core::{HostFacts, Moment, Verdict};

use crate::exit::Exit;
use crate::log::{Echo, LogFile};
use crate::os::clock;
use crate::plan::Plan;
use crate::report::Stderr;
use crate::sink::Sink;

/// Kept of the deadline for a look, a second probe and a restart. With few descriptors or no threads many
/// hung services are probed one after another; the rest is then not judged, and all that was seen is counted.
const TIME_AFTER_PROBING: Duration = Duration::from_secs(36);

/// What all services of one tick share.
#[derive(Debug)]
pub(crate) struct RunContext<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) echo: Echo,
    pub(crate) sinks: [&'static dyn Sink; 2],
    pub(crate) now: Moment,
    pub(crate) began: Instant,
}

impl<'a> RunContext<'a> {
    pub(crate) fn new(plan: &'a Plan, echo: Echo) -> Self {
        Self { plan, echo, sinks: all_sinks(echo), now: clock::now(), began: Instant::now() }
    }

    pub(crate) fn time_left(&self) -> Duration {
        self.plan.host.deadline.saturating_sub(self.began.elapsed())
    }

    /// When probing ends.
    pub(crate) fn probing_deadline(&self) -> Instant {
        self.began + self.plan.host.deadline.saturating_sub(TIME_AFTER_PROBING)
    }

    pub(crate) fn host_facts(&self, stopping: bool, pressure: Option<String>) -> HostFacts {
        let age = clock::pid1_age().unwrap_or(self.now.since_boot);
        let starting = self.plan.host.boot_grace.checked_sub(age).filter(|left| !left.is_zero());
        HostFacts { stopping, starting, time_left: self.time_left(), pressure }
    }
}

/// Whoever wants to see the log lines waits for them.
pub(crate) fn shows_progress(tick: &RunContext<'_>) -> bool {
    tick.echo == Echo::Stderr
}

pub(crate) const fn exit_for_verdict(verdict: &Verdict) -> Exit {
    match verdict {
        Verdict::Healthy | Verdict::Recovering { .. } | Verdict::Recovered { .. } => Exit::Healthy,
        Verdict::Failing(_) | Verdict::Held(_) | Verdict::Restart(_) | Verdict::Unknown(_) => Exit::Unhealthy,
    }
}

/// Every sink, a line each.
const fn all_sinks(echo: Echo) -> [&'static dyn Sink; 2] {
    match echo {
        Echo::Silent => [&LogFile { echo: Echo::Silent }, &Stderr],
        Echo::Stderr => [&LogFile { echo: Echo::Stderr }, &Stderr],
    }
}
