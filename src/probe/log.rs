//! `log = "/var/log/shop/app.log"`, or `log = "journal:shop.service"`: what was logged since the run before, held
//! against the operator's patterns. A line is matched once; what was there before the first run is not looked at.

mod file;
mod journal;
mod lines;

use std::path::PathBuf;
use std::time::Instant;

use unhang_core::Doubt;

use crate::fnv::fnv1a_hash;
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, Program, ValueType, parse_unit_name};
use crate::words;

use super::answer::ProbeContext;
use super::fault::quote_error;
use super::kind::{ProbeKind, ProbeResult};
use super::with_timeout;
use lines::{LinePatterns, LineScan, Matches};

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(LOG, &[FAIL, WARN, LACKS])
        .fails_only_by(&FAIL)
        .validate(find_conflict)
        .starts(|given| given.text(&LOG).starts_with(JOURNAL).then_some(Program::Fixed("journalctl"))),
    ask: probe_log,
};

const LOG: KeySpec = KeySpec::new("log", ValueType::Text(wrong_with))
    .help("A file or journal:UNIT: each new line is looked at once");
const FAIL: KeySpec =
    KeySpec::new("fail", ValueType::Pattern).help("A pattern: a new line that matches fails");
const WARN: KeySpec =
    KeySpec::new("warn", ValueType::Pattern).help("A pattern: a new line that matches warns");
/// Lines that are left out before both.
const LACKS: KeySpec =
    KeySpec::new("lacks", ValueType::Pattern).help("A pattern: lines that match are left out before both");

const JOURNAL: &str = "journal:";

/// What was logged since.
#[derive(Debug, PartialEq, Eq)]
struct News {
    /// Whole lines.
    text: Vec<u8>,
    /// Older than those, and not read.
    skipped: Skipped,
    /// Where the next run goes on.
    place: String,
    /// There was no run before.
    is_first: bool,
    readers: Readers,
}

/// Of the log, if its folders let them. What unhang tells, anybody of the host may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    Everybody,
    Chosen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Skipped {
    Nothing,
    Bytes(u64),
    /// More than could be kept.
    Some,
}

/// It could not be read.
#[derive(Debug, PartialEq, Eq)]
struct Missed {
    doubt: Doubt,
    /// Where the next run goes on all the same.
    place: Option<String>,
}

impl From<Doubt> for Missed {
    fn from(doubt: Doubt) -> Self {
        Self { doubt, place: None }
    }
}

impl Missed {
    fn because(why: impl Into<String>) -> Self {
        Doubt::Other(why.into()).into()
    }
}

fn wrong_with(text: &str) -> Option<&'static str> {
    let good = match text.strip_prefix(JOURNAL) {
        Some(unit) => parse_unit_name(unit).is_ok(),
        None => text.starts_with('/'),
    };
    (!good).then_some("must be the absolute path of a file, or a unit such as \"journal:shop.service\"")
}

fn find_conflict(given: &Params) -> Option<KeyConflict> {
    let nothing = given.list(&FAIL).is_empty() && given.list(&WARN).is_empty();
    nothing.then(|| KeyConflict {
        key: LOG.name,
        what: "has no fail and no warn beside it".to_owned(),
        cure: "say which lines fail the service, or warn",
    })
}

fn probe_log(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    let until = Instant::now() + ground.limit;
    let patterns = [&FAIL, &WARN, &LACKS].map(|key| given.list(key));
    let patterns = match LinePatterns::of(patterns) {
        Ok(patterns) => patterns,
        Err(why) => return ProbeResult::unknown(why),
    };
    let subject = given.text(&LOG);
    let mark = format!("{:016x} ", fnv1a_hash(subject.as_bytes()));
    let before = ground.memory.and_then(|memory| memory.strip_prefix(&mark));
    let remembered = |place: &str| format!("{mark}{place}");
    let news = match subject.strip_prefix(JOURNAL) {
        Some(unit) => {
            let whole = parse_unit_name(unit);
            journal::read_news(whole.as_deref().unwrap_or(unit), before, ground.limit)
        }
        None => news_of_file(subject, before, ground),
    };
    let News { text, skipped, place, is_first, readers } = match news {
        Ok(news) => news,
        Err(Missed { doubt, place: None }) => return ProbeResult::from_doubt(doubt),
        Err(Missed { doubt, place: Some(place) }) => {
            return ProbeResult::from_doubt(doubt).with_cursor(remembered(&place));
        }
    };
    let left = until.saturating_duration_since(Instant::now());
    // Not for the file system's sake: there are patterns that one line alone keeps busy.
    let found =
        match with_timeout::run_with_timeout(left, move || lines::match_lines(&text, &patterns, until)) {
            Ok(Some(_)) if is_first => ProbeResult::ok("first run: reading starts here"),
            Ok(Some(seen)) => judge_lines(&seen, skipped, readers),
            Ok(None) | Err(_) => {
                let limit = words::format_duration(ground.limit);
                ProbeResult::unknown(format!("its new lines could not all be matched within {limit}"))
            }
        };
    found.with_cursor(remembered(&place))
}

fn news_of_file(path: &str, before: Option<&str>, ground: &ProbeContext<'_>) -> Result<News, Missed> {
    let (path, before) = (PathBuf::from(path), before.map(str::to_owned));
    let own_log = ground.own_log.map(PathBuf::from);
    with_timeout::run_with_timeout(ground.limit, move || {
        file::read_new_lines(&path, before.as_deref(), own_log.as_deref())
    })?
}

fn judge_lines(seen: &LineScan, skipped: Skipped, readers: Readers) -> ProbeResult {
    let skipped = match skipped {
        Skipped::Nothing => String::new(),
        Skipped::Bytes(bytes) => format!("; the {} KiB before them were not read", bytes.div_ceil(1024)),
        Skipped::Some => "; what came before them was not read".to_owned(),
    };
    match (matches_text(&seen.failing, readers), matches_text(&seen.warning, readers)) {
        (Some(failing), _) => ProbeResult::failing(failing + &skipped),
        (None, Some(warning)) => ProbeResult::warning(warning + &skipped),
        (None, None) => ProbeResult::ok(match seen.lines {
            0 => format!("no new line{skipped}"),
            1 => format!("1 new line, and it does not match{skipped}"),
            n => format!("{n} new lines, and none matches{skipped}"),
        }),
    }
}

/// `3 lines match "Traceback": Traceback (most recent call last)`, with the first of them where it is no secret.
fn matches_text(matches: &Matches, readers: Readers) -> Option<String> {
    let (pattern, line) = matches.first.as_ref()?;
    let cut = |text: &str, most| quote_error(&text).chars().take(most).collect::<String>();
    let pattern = cut(pattern, 40);
    let line = match readers {
        Readers::Everybody => [": ", &cut(line, 100)].concat(),
        Readers::Chosen => String::new(),
    };
    Some(match (matches.count, matches.of_several) {
        (1, _) => format!("1 line matches \"{pattern}\"{line}"),
        (n, false) => format!("{n} lines match \"{pattern}\"{line}"),
        (n, true) => format!("{n} lines match, the first \"{pattern}\"{line}"),
    })
}

#[cfg(test)]
mod tests;
