//! The decision's facts in an operator's words; used by `log` and `report`. Reads no clock and opens no file, but
//! for the time zone of this host, which chrono finds by TZ and /etc/localtime: the same moment reads differently
//! elsewhere.

mod escape;
mod holds;
mod observations;
mod times;
mod units;

use std::io;

pub use escape::escaped;
pub(crate) use escape::{escaped_json, shell_word};
pub(crate) use holds::{
    TOLD, because, hold, next_program, not_counted, not_found, not_stoppable, pause, paused, reason, verdict,
    why,
};
pub use observations::{WARNED, answer, cause, doubt, probes_healthy, warned, warning};
pub(crate) use times::{clock, day_and_clock, local, millis, past, rfc3339, span};
pub(crate) use units::{act, doing, in_vain, restarts, unit};

/// `by anna, "deploy"`
pub(crate) fn by(who: &str, why: Option<&str>) -> String {
    let why = why.map(|why| format!(", \"{why}\"")).unwrap_or_default();
    format!("by {who}{why}")
}

/// Without Rust's `(os error 28)`.
pub(crate) fn io(error: &io::Error) -> String {
    let words = error.to_string();
    match words.rfind(" (os error ") {
        Some(end) => words.get(..end).unwrap_or_default().to_owned(),
        None => words,
    }
}

/// Where rights are missing, with what helps.
pub(crate) fn io_or_cure(error: &io::Error, cure: &str) -> String {
    let rights = error.kind() == io::ErrorKind::PermissionDenied;
    if rights { format!("{} ({cure})", io(error)) } else { io(error) }
}

#[cfg(test)]
mod tests;
