//! What a run may print and log: what tests/messages lists, and the manual with it. `*` stands for anything.

use std::process::Output;

#[path = "../messages/faults.rs"]
mod faults;
#[expect(dead_code, reason = "tests/messages holds the details against the source")]
#[path = "../messages/log_lines.rs"]
mod log_lines;

#[expect(dead_code, reason = "when they come and what to do is for readers")]
struct Row(&'static str, &'static str, &'static str);

/// Of Rust's own, and only where the kernel refused memory and the run then ended by SIGABRT: nothing of ours can
/// be said without any. cron mails these as they are; the next run goes on, by the same laws as ever.
pub(crate) const WITHOUT_MEMORY: &[&str] = &[
    "memory allocation of * bytes failed",
    "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
    // Before our first line.
    "",
    "thread '*' (*) panicked at *library/std/src/*",
    "failed to * alternative stack*: *",
    "fatal runtime error: initialization or cleanup bug, aborting",
    // Of a thread that was begun, and had no room for its second stack.
    "fatal runtime error: failed to initiate panic, error 5, aborting",
];

/// The first line that is not known.
pub(crate) fn unknown<'a>(printed: &'a str, besides: &[&str]) -> Option<&'a str> {
    let is_ours = |line: &str| {
        let fault = line.strip_prefix("unhang: ");
        fault.is_some_and(|fault| faults::FAULTS.iter().any(|row| matches(row.0, fault)))
    };
    printed.lines().find(|line| !is_ours(line) && !besides.iter().any(|pattern| matches(pattern, line)))
}

pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            (0..=text.len()).any(|at| text.is_char_boundary(at) && matches(rest, &text[at..]))
        }),
    }
}

/// The first line that is none of these.
pub(crate) fn unknown_but<'a>(printed: &'a str, says: &[&str]) -> Option<&'a str> {
    printed.lines().find(|line| !says.iter().any(|pattern| matches(pattern, line)))
}

/// Of the log, without its time.
pub(crate) fn is_log_line(line: &str) -> bool {
    line.split_once(" - ").is_some_and(|(_, text)| log_lines::LINES.iter().any(|row| matches(row.0, text)))
}

/// What the harness of the scenes asks of theirs.
pub(crate) fn all_stand_in_the_tables(output: &Output, log: &[String]) {
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(unknown(&printed, &[]), None);
    assert!(log.iter().all(|line| is_log_line(&format!(" - {line}"))), "{log:?}");
}
