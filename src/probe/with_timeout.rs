//! Looks at files, each with a time limit: the kernel may never let go of a file of a dead network file system.

use std::io;
use std::time::Duration;

use unhang_core::Doubt;

use crate::os::time_limit::{self, NoResult};
use crate::words;

use super::fault::{classify_scarcity, quote_error};
use super::kind::ProbeResult;

/// A doubt: it did not return in time, or could not be begun.
pub(super) fn run_with_timeout<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Doubt> {
    time_limit::call_within(limit, call).map_err(|why| match why {
        NoResult::NotInTime => Doubt::Other(time_limit::NO_ANSWER.to_owned()),
        NoResult::NoThread => Doubt::NoThread,
        NoResult::Panicked(panic) => {
            Doubt::Other(format!("internal error in the probe: {panic}; please report it"))
        }
    })
}

/// It returned, and had not seen what it was to look at.
pub(super) fn not_finished(what: &str, error: &io::Error) -> ProbeResult {
    match classify_scarcity(error) {
        Some(doubt) => ProbeResult::from_doubt(doubt),
        None => ProbeResult::unknown(quote_error(&format!("{}: {what}", words::io_error_text(error)))),
    }
}
