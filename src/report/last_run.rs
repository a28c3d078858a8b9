//! How long ago the last run may be before cron is in doubt.

use std::time::Duration;

use crate::words;

pub(super) fn no_tick_for(age: Duration) -> Option<String> {
    is_overdue(age).then(|| format!("no tick for {}: is cron running?", words::span(age)))
}

pub(super) fn is_overdue(age: Duration) -> bool {
    age > NO_TICK
}

/// Two runs of cron that did not come, and the deadline of one that hangs.
const NO_TICK: Duration = Duration::from_secs(360);
