//! One cause for many: services that began to fail at the same time.

use alloc::vec::Vec;
use core::time::Duration;

use crate::{Counts, Moment, Observation, Outcome};

/// Two runs of a 2-minute cron, with room for one that started late.
const COMMON_CAUSE_WINDOW: Duration = Duration::from_secs(150);

/// Fewer than this may be chance.
const MIN_SERVICES_TOGETHER: usize = 3;

/// Which of all services of a plan, in their order, began to fail together: at least three, and at least half
/// of the plan. Empty: none.
#[must_use]
pub fn failed_together(now: &Moment, services: &[(&Counts, &Observation)]) -> Vec<usize> {
    let began = |(at, (before, seen)): (usize, &(&Counts, &Observation))| {
        let ago =
            before.since.as_ref().map_or(Duration::ZERO, |since| now.elapsed_since(&since.clamped_to(now)));
        matches!(seen, Observation::Unhealthy(_)).then_some((ago, at))
    };
    let failing: Vec<(Duration, usize)> = services.iter().enumerate().filter_map(began).collect();
    let cluster = |first: &(Duration, usize)| -> Vec<usize> {
        let within = |(ago, _): &&(Duration, usize)| {
            *ago >= first.0 && ago.saturating_sub(first.0) <= COMMON_CAUSE_WINDOW
        };
        failing.iter().filter(within).map(|(_, at)| *at).collect()
    };
    // Of two that are as large, the one that began first.
    let first = failing.iter().max_by_key(|first| (cluster(first).len(), first.0));
    let largest = first.map(cluster).unwrap_or_default();
    if largest.len() < MIN_SERVICES_TOGETHER || largest.len() < services.len().div_ceil(2) {
        return Vec::new();
    }
    largest
}

/// When those restarts of all together leave room for another that may not help; `None`: they do now.
#[must_use]
pub fn shared_budget_wait(
    now: &Moment,
    states: &[&Counts],
    most: usize,
    window: Duration,
) -> Option<Duration> {
    let mut left: Vec<Duration> = states
        .iter()
        .flat_map(|state| &state.restarts)
        .filter(|restart| restart.outcome != Outcome::Healed)
        .filter_map(|restart| window.checked_sub(now.elapsed_since(&restart.at.clamped_to(now))))
        .filter(|left| !left.is_zero())
        .collect();
    left.sort_unstable();
    left.len().checked_sub(most).and_then(|at| left.get(at)).copied()
}
