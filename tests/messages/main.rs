//! Every message that an operator can meet, in tables, and the proof that the tables tell the truth: what
//! stands in the source stands in them, and the other way round. A new message without a row fails here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that fails says where"
)]

use std::ops::Range;

mod answers;
mod faults;
mod found;
mod log_lines;
mod manual;
mod source;

use answers::{ANSWERS, HELP, NO_MESSAGES};
use faults::FAULTS;
use found::FOUND;
use log_lines::{DETAILS, LINES};
use source::Literal;

/// The pattern, when it comes, and what to do next.
pub(crate) struct Row(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str);

const TABLES: [&[Row]; 5] = [FAULTS, LINES, DETAILS, FOUND, ANSWERS];

/// Parts of several messages, by themselves no message; every other text has one row of its own.
#[rustfmt::skip]
const SHARED: &[&str] = &[
    "nothing was probed", "nothing was paused", "such as", "must be a time with its unit, such as \"5s\", \"2m\", \"1h30m\", got", "must be longer than 0s, got", "must be at most *, got", "which is", "must be a text in quotes",
    "unknown key", "no service", "no such file", "two lines in it are enough: [service.NAME] and url = \"http://localhost:8000/health/",
    "leave one of them out", "leave it out", 
    "must not be empty", "must be an absolute path", "unknown health word", "services healthy", "rename it", "restarts *, which * (*) already does", "remove one", "something changed just before the restart", "warn first, fail later",
    "chown root * && chmod go-w", "cannot be read", "not allowed in [defaults]", "a restart would fail", "supervisorctl status", "put the file into a folder that only root may write, such as /etc/unhang", "writable by others (mode *), who could run commands as root", "owned by user *, who could run commands as root",
    "the signs are . healthy, x fails, ? cannot be told, s stopped by somebody, r restarted by somebody",
    ];

/// Faults that say neither what follows nor what helps, with the reason. None, so far.
const WITHOUT_CURE: &[(&str, &str)] = &[];

/// What stands between the parts of a message, and is written in `report::fault` and the like.
fn is_joint(c: char) -> bool {
    " *:;,.()\"".contains(c)
}

fn rows() -> impl Iterator<Item = &'static Row> {
    TABLES.into_iter().flatten()
}

fn prose() -> Vec<Literal> {
    let is_help =
        |literal: &Literal| literal.is_help || HELP.iter().any(|help| literal.place.starts_with(help));
    let is_none = |literal: &Literal| NO_MESSAGES.iter().any(|(start, _)| literal.pattern.starts_with(start));
    let all = source::literals().into_iter();
    all.filter(|literal| literal.is_prose() && !is_help(literal) && !is_none(literal)).collect()
}

/// Where `part` stands in `whole`, from one joint to the next: a half of a part is another part.
fn places(part: &str, whole: &str) -> Vec<Range<usize>> {
    let is_whole = |at: &usize| {
        let before = whole[..*at].trim_end_matches([' ', '"', '(']);
        let after = whole[*at + part.len()..].trim_start_matches([' ', '"', ')']);
        (before.is_empty() || before.ends_with([':', ';', ',', '*', '.']))
            && (after.is_empty() || after.starts_with([':', ';', ',', '*', '.', '(']))
    };
    whole.match_indices(part).map(|(at, _)| at).filter(is_whole).map(|at| at..at + part.len()).collect()
}

fn part(literal: &Literal) -> &str {
    literal.pattern.trim_matches(is_joint)
}

/// `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            (0..=text.len()).any(|at| text.is_char_boundary(at) && matches(rest, &text[at..]))
        }),
    }
}

#[test]
fn every_text_of_the_source_has_its_row() {
    let mut wrong = Vec::new();
    for literal in prose() {
        let part = part(&literal);
        let found: Vec<&str> =
            rows().map(|row| row.0).filter(|pattern| !places(part, pattern).is_empty()).collect();
        let alone = found.iter().filter(|pattern| pattern.trim_matches(is_joint) == part).count();
        if found.is_empty() || found.len() > 1 && alone != 1 && !SHARED.contains(&part) {
            wrong.push(format!("{}: {part:?}: in {found:#?}", literal.place));
        }
    }
    assert!(wrong.is_empty(), "not in exactly one row of tests/messages:\n{}", wrong.join("\n"));
}

#[test]
fn what_is_wrong_stands_with_its_cure() {
    let cures = source::cures();
    assert!(cures.len() > 10, "Problem::with_cure is called otherwise now");
    for (what, cure) in cures {
        let told = format!("{}; {}", what.pattern, cure.pattern);
        let rows = FAULTS.iter().filter(|row| row.0.contains(&told)).count();
        assert_eq!(rows, 1, "{}: not in one row: {told}", what.place);
    }
}

#[test]
fn every_row_stands_in_the_source() {
    let literals = source::literals();
    for Row(pattern, ..) in rows() {
        let mut covered = vec![false; pattern.len()];
        for part in literals.iter().map(part).filter(|part| part.chars().any(char::is_alphabetic)) {
            for place in places(part, pattern) {
                covered[place].fill(true);
            }
        }
        let rest: String =
            pattern.char_indices().filter(|(at, c)| !covered[*at] && !is_joint(*c)).map(|(_, c)| c).collect();
        assert_eq!(rest, "", "of a row that stands nowhere: {pattern}");
    }
    for shared in SHARED {
        assert!(rows().filter(|row| !places(shared, row.0).is_empty()).count() > 1, "not shared: {shared}");
    }
    for (start, _) in NO_MESSAGES {
        assert!(literals.iter().any(|literal| literal.pattern.starts_with(start)), "gone: {start}");
    }
}

#[test]
fn no_fault_is_told_by_two_rows() {
    for Row(pattern, ..) in FAULTS {
        let sample = pattern.replace('*', "x");
        let told: Vec<&str> =
            FAULTS.iter().map(|row| row.0).filter(|pattern| matches(pattern, &sample)).collect();
        assert_eq!(told, [*pattern]);
    }
}

#[test]
fn every_fault_keeps_the_rules() {
    for Row(pattern, when, next) in FAULTS {
        let (object, what) = pattern.split_once(": ").unwrap_or_else(|| panic!("no object: {pattern}"));
        assert!(!object.is_empty() && !object.contains(';'), "no object: {pattern}");
        // NAME is the operator's own word.
        let begins = what.trim_start_matches("* ").trim_start_matches("NAME ").chars().next().unwrap();
        assert!(begins.is_lowercase() || begins == '*', "must begin in lower case: {pattern}");
        assert!(!pattern.ends_with(['.', '!', ' ', ';']), "must end without a stop: {pattern}");
        assert!(pattern.chars().count() <= 200 && !pattern.contains('\n'), "too long: {pattern}");
        let excused = WITHOUT_CURE.iter().any(|(known, _)| known == pattern);
        assert_eq!(!pattern.contains("; "), excused, "what follows, or what helps? {pattern}");
        assert!(when.ends_with('.') && next.ends_with('.'), "when and what to do are sentences: {pattern}");
    }
}

#[test]
fn every_text_keeps_to_the_words() {
    for literal in prose() {
        let (place, text) = (&literal.place, &literal.pattern);
        assert!(!literal.shows_rust, "{place}: shows Rust, not words: {text}");
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for unknown in
            ["Option", "String", "Vec", "None", "Some", "Err", "u32", "u64", "usize", "Duration", "Path"]
        {
            assert!(!words.contains(&unknown), "{place}: a word of Rust: {text}");
        }
        assert!(!text.contains("e.g.") && !text.contains('!'), "{place}: {text}");
        // What they answer says tick, by the design of their columns.
        let is_answer = place.starts_with("src/report/");
        assert!(
            is_answer || !words.iter().any(|word| word.eq_ignore_ascii_case("tick")),
            "{place}: run, not tick: {text}"
        );
    }
}

#[test]
fn every_line_of_the_log_begins_with_its_mark() {
    for Row(pattern, when, next) in LINES {
        let marked = ["⚠️ *", "🔄 ", "✅ *", "❌ *", "⏸️ *", "▶️ *", "⏳ *", "❓ *"]
            .iter()
            .any(|mark| pattern.starts_with(mark));
        assert!(marked && !when.is_empty() && !next.is_empty(), "{pattern}");
    }
    for Row(pattern, when, next) in DETAILS {
        assert!(!when.is_empty() && !next.is_empty(), "{pattern}");
    }
}
