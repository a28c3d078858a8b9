//! What lines say, by the operator's patterns. Pure.

use std::borrow::Cow;
use std::time::Instant;

use regex_lite::Regex;

use crate::probe::fault::quote_error;

/// Of each line, in bytes; what stands behind it is not matched.
pub(super) const MAX_LINE_BYTES: usize = 8 * 1024;

#[derive(Debug)]
pub(super) struct LinePatterns {
    fail: Vec<Regex>,
    warn: Vec<Regex>,
    lacks: Vec<Regex>,
}

impl LinePatterns {
    pub(super) fn of([fail, warn, lacks]: [&[String]; 3]) -> Result<Self, String> {
        let all = |patterns: &[String]| {
            let one = |pattern: &String| Regex::new(pattern).map_err(|error| quote_error(&error));
            patterns.iter().map(one).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self { fail: all(fail)?, warn: all(warn)?, lacks: all(lacks)? })
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LineScan {
    /// But for those that are left out.
    pub(super) lines: u64,
    pub(super) failing: Matches,
    pub(super) warning: Matches,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Matches {
    pub(super) count: u64,
    /// A pattern, and the line.
    pub(super) first: Option<(String, String)>,
    /// There is more than one pattern that could have matched.
    pub(super) of_several: bool,
}

/// `None`: time was over before the last line.
pub(super) fn match_lines(text: &[u8], patterns: &LinePatterns, until: Instant) -> Option<LineScan> {
    let mut seen = LineScan::default();
    let Some(text) = text.strip_suffix(b"\n") else { return Some(seen) };
    for line in text.split(|byte| *byte == b'\n') {
        if Instant::now() >= until {
            return None;
        }
        let line = String::from_utf8_lossy(without_hole(line));
        let line = without_colours(&line);
        if patterns.lacks.iter().any(|pattern| pattern.is_match(&line)) {
            continue;
        }
        seen.lines = seen.lines.saturating_add(1);
        seen.failing.note_line(&line, &patterns.fail);
        seen.warning.note_line(&line, &patterns.warn);
    }
    Some(seen)
}

/// A writer that does not append leaves a hole of zeros where its file was truncated.
fn without_hole(line: &[u8]) -> &[u8] {
    let begins = line.iter().position(|byte| *byte != 0).unwrap_or(line.len());
    let line = line.get(begins..).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.get(..MAX_LINE_BYTES).unwrap_or(line)
}

/// A program that colours its lines for a terminal does so for a file, too: `ESC [ 31 m` and the like (ECMA-48, 8.3.117)
/// are no part of what a line says.
fn without_colours(line: &str) -> Cow<'_, str> {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default();
    if first.len() == line.len() {
        return Cow::Borrowed(line);
    }
    let mut plain = first.to_owned();
    for part in parts {
        let behind = part
            .strip_prefix('[')
            .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || [';', ':'].contains(&c)));
        match behind.and_then(|rest| rest.strip_prefix(['m', 'K'])) {
            Some(behind) => plain.push_str(behind),
            None => plain.extend(["\u{1b}", part]),
        }
    }
    Cow::Owned(plain)
}

impl Matches {
    fn note_line(&mut self, line: &str, patterns: &[Regex]) {
        if let Some(pattern) = patterns.iter().find(|pattern| pattern.is_match(line)) {
            self.count = self.count.saturating_add(1);
            self.of_several = patterns.len() > 1;
            self.first.get_or_insert_with(|| (pattern.as_str().to_owned(), line.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_no_part_of_a_line() {
        for (line, plain) in [
            ("ERROR db away", "ERROR db away"),
            ("\u{1b}[31mERROR\u{1b}[0m db away", "ERROR db away"),
            ("\u{1b}[1;31;48:5:9mERROR\u{1b}[m\u{1b}[K db", "ERROR db"),
            ("\u{1b}[38;5;196mERROR", "ERROR"),
            ("\u{1b}[2Jx", "\u{1b}[2Jx"),
            ("\u{1b}]0;title\u{7}x", "\u{1b}]0;title\u{7}x"),
            ("x\u{1b}", "x\u{1b}"),
            ("x\u{1b}[31", "x\u{1b}[31"),
            ("", ""),
        ] {
            assert_eq!(without_colours(line), plain, "{line:?}");
        }
        let patterns = LinePatterns::of([&["^ERROR".to_owned()], &[], &[]]).unwrap();
        let until = Instant::now() + std::time::Duration::from_secs(9);
        let seen = match_lines(b"\x1b[31mERROR\x1b[0m x\nfine\n", &patterns, until).unwrap();
        assert_eq!((seen.lines, seen.failing.count), (2, 1));
        assert_eq!(seen.failing.first, Some(("^ERROR".to_owned(), "ERROR x".to_owned())));
    }
}
