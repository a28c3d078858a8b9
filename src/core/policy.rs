//! What the operator asked for, as `config` has checked it.

use alloc::vec::Vec;
use core::time::Duration;

use crate::Step;

/// What the operator asked for. `config` bounds every span to a year and every number to 1 or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The streak that leads to a restart.
    pub max_failures: u32,
    /// Healthy answers in a row that close an incident.
    pub min_successes: u32,
    /// After the unit started, failures are not counted for this long.
    pub grace: Duration,
    /// Nearer than this to the last counted failure, a failure is not counted.
    pub min_gap: Duration,
    /// After a longer gap than this and a quarter of it, a streak starts at one: see `is_stale`.
    pub stale_after: Duration,
    pub budget: BudgetRule,
    pub backoff: BackoffRule,
    pub mode: Mode,
    /// A hold that lasts longer is told again, and hourly from then on.
    pub held_too_long: Duration,
    pub flapping: FlappingRule,
    pub when_exited: WhenExited,
    /// Each once an incident; empty: `means`, as often as budget and backoff allow.
    pub escalate: Vec<Step>,
    /// A restart, for most.
    pub means: Step,
}

/// So many failures of the last `of` runs, in two outages or more, are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlappingRule {
    pub failures: u32,
    /// The window of runs that is looked at, `MAX_WINDOW_RUNS` at the most.
    pub of: u32,
    pub then: FlappingAction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlappingAction {
    ReportOnly,
    /// It is due, as after `max_failures` in a row.
    Restart,
}

/// At most `restarts` in any sliding `window`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRule {
    pub restarts: usize,
    pub window: Duration,
}

/// Before another restart wait `first`, then twice that, and so on up to `max`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackoffRule {
    pub first: Duration,
    pub max: Duration,
}

/// What a service is whose main process ended by itself, and well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenExited {
    /// Down: nobody stopped it.
    #[default]
    Restart,
    Hold,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Act,
    /// Everything but the restart.
    Observe,
}

impl Policy {
    /// True when a failure as long ago as `gap` no longer adds up with one of now. A quarter of `stale_after` is slack:
    /// runs never start to the millisecond, and a schedule of exactly `stale_after` must not depend on that. With a
    /// quarter, the limit also falls on no other usual schedule: 10 minutes end at 12.5, between 10 and 15.
    #[must_use]
    pub fn is_stale(&self, gap: Duration) -> bool {
        gap > self.stale_after.saturating_add(self.stale_after / 4)
    }
}

impl BackoffRule {
    /// The step whose wait is `max`, whatever the first wait is: also twice nothing is nothing.
    pub const MAX_BACKOFF_STEP: u32 = u32::MAX;

    /// The wait after `step` restarts in a row; none after none.
    #[must_use]
    pub fn wait_for_step(&self, step: u32) -> Duration {
        match step.checked_sub(1) {
            None => Duration::ZERO,
            Some(_) if step == Self::MAX_BACKOFF_STEP => self.max,
            Some(doublings) => self.first.saturating_mul(2_u32.saturating_pow(doublings)).min(self.max),
        }
    }
}
