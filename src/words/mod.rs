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
pub(crate) use escape::{escape_json, shell_word};
pub(crate) use holds::{
    MAX_STATE_TEXT_CHARS, decision_text, hold_text, next_command, not_counted_text, not_found_text,
    not_stoppable, pause_source_text, pause_text, reason_text, stored_explanation, verdict_text,
};
pub use observations::{
    MAX_WARNING_CHARS, answer_text, cause_text, doubt_text, probes_healthy, stored_warning_text, warning_text,
};
pub(crate) use times::{
    format_clock, format_day_and_clock, format_duration, format_millis, format_past, format_rfc3339,
    local_time,
};
pub(crate) use units::{count_restarts, doing_without_effect, step_in_progress, step_name, unit_text};

/// `by anna, "deploy"`
pub(crate) fn by_text(who: &str, why: Option<&str>) -> String {
    let why = why.map(|why| format!(", \"{why}\"")).unwrap_or_default();
    format!("by {who}{why}")
}

/// Without Rust's `(os error 28)`.
pub(crate) fn io_error_text(error: &io::Error) -> String {
    let words = error.to_string();
    match words.rfind(" (os error ") {
        Some(end) => words.get(..end).unwrap_or_default().to_owned(),
        None => words,
    }
}

/// Where rights are missing, with what helps.
pub(crate) fn io_error_or_cure(error: &io::Error, cure: &str) -> String {
    let rights = error.kind() == io::ErrorKind::PermissionDenied;
    if rights { format!("{} ({cure})", io_error_text(error)) } else { io_error_text(error) }
}

#[cfg(test)]
mod tests;
