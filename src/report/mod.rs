//! What people read on the terminal: unhang's own faults on stderr, answers on stdout.
//! A reader that is gone, or a full disk behind the redirection, must not end a run: `println!` and
//! `eprintln!` would.

mod check;
mod check_json;
mod hold_now;
mod last_run;
mod picture;
mod progress;
mod screen;
mod settings;
mod status;
mod status_json;
mod stderr;
mod why;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde_json::Value;
use unhang_core::{Decision, Moment, Observation};

use crate::plan::Service;
use crate::{os, words};
pub(crate) use check::{
    CheckedAnswer, CheckedProbe, CheckedService, Forecast, Permission, RunCoverage, check_fault_lines,
    check_lines, worst_level,
};
pub(crate) use check_json::check_json;
pub(crate) use last_run::is_overdue;
pub use picture::ServiceStatus;
pub(crate) use progress::ProgressLine;
pub use screen::{ColorMode, Detail, Terminal};
pub use settings::{config_json as settings_json, config_lines as settings};
pub use status::status_table;
pub use status_json::status_json;
pub(crate) use stderr::Stderr;
pub use why::why_lines;

/// One fault of ours, on stderr: `unhang: OBJECT: what: cause; consequence or cure`.
pub(crate) fn print_fault(text: impl Display) {
    let line = format!("unhang: {}\n", words::escaped(&text.to_string()));
    os::stderr::write_stderr(line.as_bytes());
}

/// The same, for a person who waits for it, and for nobody's mail.
pub(crate) fn fault_at_terminal(text: impl Display) {
    if io::stderr().is_terminal() {
        print_fault(text);
    }
}

pub(crate) fn print_line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// One object for programs, in a line.
pub(crate) fn print_json(json: &Value) {
    print_line(words::escape_json(&json.to_string()));
}

/// A script for a shell, as it is.
pub(crate) fn print_bytes(text: &[u8]) {
    let _ = io::stdout().write_all(text);
}

/// `--dry-run`: what a run would have made of this service.
pub(crate) fn print_dry_run(service: &Service, decision: &Decision, seen: &Observation, now: &Moment) {
    let mut details = Vec::new();
    if let Observation::Unhealthy(cause) = seen {
        details.push(words::answer_text(cause));
        details.extend(words::cause_text(cause, service.timeout_of(cause)));
        details.push(format!("streak {}/{}", decision.next.counts.streak, service.policy.max_failures));
    }
    details.extend(words::decision_text(decision, service, now));
    let details = if details.is_empty() { String::new() } else { format!(": {}", details.join("; ")) };
    print_line(words::escaped(&format!(
        "{}: {}{details}",
        service.key,
        words::verdict_text(&decision.verdict)
    )));
}
