//! How long ago the last run may be before cron is in doubt.

use std::time::Duration;

use crate::words;

pub(super) fn overdue_text(age: Duration) -> Option<String> {
    is_overdue(age)
        .then(|| format!("no run for {}; does cron still start unhang?", words::format_duration(age)))
}

/// The line about a run that began `age` ago and still has its lock. No other run acts on that service meanwhile.
pub(super) fn stuck_for(age: Duration) -> String {
    format!(
        "a run of {} ago still holds its lock: look for it (ps -ef) and end it",
        words::format_duration(age)
    )
}

pub(crate) fn is_overdue(age: Duration) -> bool {
    age > OVERDUE_AFTER
}

/// Two runs of cron that did not come, and the deadline of one that hangs.
const OVERDUE_AFTER: Duration = Duration::from_secs(360);
