//! What is new in the journal of a unit, by journalctl(1): lines of unhang itself are none.
//!
//! What was learnt from systemd 252: `--after-cursor` leaves one entry too many out where the entry of the cursor is
//! not the unit's; `--show-cursor` of a unit without entries shows none, and fails; and no journal at all is no
//! failure. So it is asked from the cursor on, whose own entry is dropped; a first run takes the newest entry of
//! whomever; and where there is nothing new, it is asked whether there is a journal.
#![expect(clippy::disallowed_methods, reason = "this probe starts journalctl")]

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use unhang_core::Doubt;

use crate::os::process::{self, ProcessEnd, ProcessOutput};
use crate::probe::fault::{classify_scarcity, quote_error};
use crate::words;

use super::{Missed, News, Readers, Skipped};

/// Of what journalctl says, the end is kept: an entry takes some 400 bytes besides its text.
const ROOM: usize = 4 * 1024 * 1024;

/// Those of group systemd-journal, adm or wheel, says systemd-journald.service(8).
const READERS: Readers = Readers::Chosen;

/// A cursor of systemd 252 has some 130; with the mark of the log it must fit in what may be remembered.
const LONGEST_CURSOR: usize = 180;

pub(super) fn read_news(unit: &str, before: Option<&str>, limit: Duration) -> Result<News, Missed> {
    let began = Instant::now();
    let left = || limit.saturating_sub(began.elapsed());
    let Some(cursor) = before.filter(|cursor| is_cursor(cursor)) else {
        let place = newest_cursor(limit)?;
        return Ok(News {
            text: Vec::new(),
            skipped: Skipped::Nothing,
            place,
            is_first: true,
            readers: READERS,
        });
    };
    let (of_unit, from) = (format!("--unit={unit}"), format!("--cursor={cursor}"));
    let ran = run_journalctl(&[&of_unit, &from, "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_COMM"], limit)?;
    let entries = Entries::of(&ran.stdout, ran.stdout.len() >= ROOM, cursor);
    if ran.end == ProcessEnd::TimedOut {
        // What it has said is let go: else it would never come to the end of it.
        return Err(Missed { place: entries.ok().and_then(|entries| entries.last), ..not_ended(limit) });
    }
    let Entries { text, last, is_cut } = entries.map_err(Missed::because)?;
    let place = match last {
        Some(last) => last,
        None => newest_cursor(left()).map(|_| cursor.to_owned())?,
    };
    let skipped = if is_cut { Skipped::Some } else { Skipped::Nothing };
    Ok(News { text, skipped, place, is_first: false, readers: READERS })
}

/// The cursor of the newest entry, of whatever unit.
fn newest_cursor(limit: Duration) -> Result<String, Missed> {
    let ran = run_journalctl(&["--lines=1", "--output-fields=_COMM"], limit)?;
    if ran.end == ProcessEnd::TimedOut {
        return Err(not_ended(limit));
    }
    let entries = Entries::of(&ran.stdout, false, "").map_err(Missed::because)?;
    entries.last.ok_or_else(|| Missed::because("the journal has no entry"))
}

fn not_ended(limit: Duration) -> Missed {
    Missed::because(format!("journalctl has not ended within {}", words::format_duration(limit)))
}

fn run_journalctl(arguments: &[&str], limit: Duration) -> Result<ProcessOutput, Missed> {
    let mut command = Command::new("journalctl");
    command.args(arguments).args(["--output=json", "--all", "--no-pager"]);
    command.env_clear().env("LC_ALL", "C");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    let ran = process::run_keep_tail(command, limit, ROOM).map_err(|error| {
        let words =
            || Doubt::Other(format!("journalctl cannot be started: {}", words::io_error_text(&error)));
        classify_scarcity(&error).unwrap_or_else(words)
    })?;
    let said = String::from_utf8_lossy(&ran.stderr);
    match ran.end {
        ProcessEnd::Exited(status) if !status.success() => Err(Missed::because(refusal_text(&said))),
        // It shows one's own entries then, as if there were no others.
        _ if said.contains(OWN_ONLY) => Err(Missed::because(NO_LEAVE)),
        ProcessEnd::Exited(_) | ProcessEnd::TimedOut => Ok(ran),
    }
}

const OWN_ONLY: &str = "not seeing messages from";
const NO_LEAVE: &str = "the user that unhang runs as may not read the journal (group systemd-journal)";

fn refusal_text(said: &str) -> String {
    match said.lines().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) if line.contains("insufficient permissions") => NO_LEAVE.to_owned(),
        Some(line) => format!("journalctl: {}", quote_error(&line)),
        None => "journalctl failed, and did not say why".to_owned(),
    }
}

/// What `--output=json` says: an object a line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entries {
    /// A line for each line of a message.
    text: Vec<u8>,
    /// The cursor of the last one.
    last: Option<String>,
    is_cut: bool,
}

impl Entries {
    /// `is_cut`: its beginning is missing. The entry of `seen` itself is known already.
    fn of(said: &[u8], is_cut: bool, seen: &str) -> Result<Self, String> {
        let mut entries = Self { is_cut, ..Self::default() };
        let whole =
            said.iter().rposition(|byte| *byte == b'\n').and_then(|end| said.get(..end)).unwrap_or_default();
        let lines = whole.split(|byte| *byte == b'\n').skip(usize::from(is_cut));
        for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
            let not_understood =
                || format!("the answer of journalctl is not understood: {}", beginning_text(line));
            let entry: Value = serde_json::from_slice(line).map_err(|_| not_understood())?;
            let cursor = entry.get("__CURSOR").and_then(Value::as_str).filter(|cursor| is_cursor(cursor));
            let cursor = cursor.ok_or_else(not_understood)?;
            entries.last = Some(cursor.to_owned());
            if cursor != seen && !is_own(&entry) {
                entries.add_message(entry.get("MESSAGE")).ok_or_else(not_understood)?;
            }
        }
        Ok(entries)
    }

    /// A text, or its bytes where it is none; or a list of them. `None`: something else.
    fn add_message(&mut self, message: Option<&Value>) -> Option<()> {
        match message {
            None => {}
            Some(Value::String(text)) => self.add_lines(text.as_bytes()),
            Some(Value::Array(parts)) if parts.iter().all(Value::is_u64) => {
                let byte = |part: &Value| part.as_u64().and_then(|byte| u8::try_from(byte).ok());
                self.add_lines(&parts.iter().map(byte).collect::<Option<Vec<u8>>>()?);
            }
            Some(Value::Array(several)) if several.iter().all(|one| one.is_string() || one.is_array()) => {
                several.iter().try_for_each(|one| self.add_message(Some(one)))?;
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Array(_)) => {
                return None;
            }
        }
        Some(())
    }

    fn add_lines(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.text.push(b'\n');
    }
}

fn beginning_text(line: &[u8]) -> String {
    quote_error(&String::from_utf8_lossy(line)).chars().take(40).collect()
}

/// A watchdog that reads its own words never comes to an end.
fn is_own(entry: &Value) -> bool {
    let says = |field: &str| entry.get(field).and_then(Value::as_str) == Some("unhang");
    says("SYSLOG_IDENTIFIER") || says("_COMM")
}

/// As sd_journal_get_cursor(3) makes them: it goes to journalctl as one word, and to the state.
fn is_cursor(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"=;-".contains(&byte);
    (1..=LONGEST_CURSOR).contains(&text.len()) && text.bytes().all(known)
}

#[cfg(test)]
mod tests;
