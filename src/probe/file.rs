//! `file = "/var/backups/shop/db_*.sql.gz"`: is a file there, young enough and large enough? With `*` in its name the
//! newest of those that match: backups whose names hold their date. The content is nobody's business here.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use crate::os::newest_file::{self, NewestFile};
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, ValueType};
use crate::words;

use super::answer::ProbeContext;
use super::fault::quote_error;
use super::kind::{ProbeKind, ProbeResult};
use super::with_timeout;

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(FILE, &[AGE_WARN, AGE_FAIL, SIZE_WARN, SIZE_FAIL])
        .warns_by_default()
        .validate(find_conflict),
    ask: probe_file,
};

const FILE: KeySpec =
    KeySpec::new("file", ValueType::Path).help("A file, or the newest that a pattern with * and ? finds");
const AGE_WARN: KeySpec = KeySpec::new("age.warn", ValueType::Span).help("Older than this it warns");
const AGE_FAIL: KeySpec = KeySpec::new("age.fail", ValueType::Span).help("Older than this it fails");
const SIZE_WARN: KeySpec = KeySpec::new("size.warn", ValueType::Size).help("Smaller than this it warns");
const SIZE_FAIL: KeySpec = KeySpec::new("size.fail", ValueType::Size).help("Smaller than this it fails");

/// Of one folder, whatever their names; a mail queue holds more.
const MOST_NAMES: usize = 20_000;

fn find_conflict(given: &Params) -> Option<KeyConflict> {
    let wrong = |key: &KeySpec, what: String, cure| Some(KeyConflict { key: key.name, what, cure });
    let (folder, name) = split_path(given.text(&FILE));
    if folder.contains('*') {
        return wrong(&FILE, "takes * in the last part of the path only".to_owned(), "nothing was probed");
    }
    if name.is_empty() {
        return wrong(&FILE, "must name a file, not a folder".to_owned(), "nothing was probed");
    }
    let ages = given.span(&AGE_WARN).zip(given.span(&AGE_FAIL));
    if let Some((warn, fail)) = ages.filter(|(warn, fail)| fail <= warn) {
        let (warn, fail) = (words::format_duration(warn), words::format_duration(fail));
        let what = format!("must be longer than age.warn, which is {warn}, got {fail}");
        return wrong(&AGE_FAIL, what, "warn first, fail later");
    }
    let sizes = given.number(&SIZE_WARN).zip(given.number(&SIZE_FAIL));
    if let Some((warn, fail)) = sizes.filter(|(warn, fail)| fail >= warn) {
        let what = format!(
            "must be smaller than size.warn, which is {}, got {}",
            format_size(warn),
            format_size(fail)
        );
        return wrong(&SIZE_FAIL, what, "warn first, fail later");
    }
    None
}

fn probe_file(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    let asked = given.text(&FILE).to_owned();
    let looked = with_timeout::run_with_timeout(ground.limit, move || find_file(&asked));
    let path = given.text(&FILE);
    match looked {
        Ok(Ok(Some((name, seen)))) => judge_file(&seen, &name, given, ground.now),
        Ok(Ok(None)) => ProbeResult::failing(quote_error(&format!("no file matches {path}"))),
        Ok(Err(error)) if is_missing(&error) => {
            ProbeResult::failing(quote_error(&format!("there is no {path}")))
        }
        Ok(Err(error)) => with_timeout::not_finished(path, &error),
        Err(doubt) => ProbeResult::from_doubt(doubt),
    }
}

/// The file, under the name that it is told by.
fn find_file(path: &str) -> io::Result<Option<(String, NewestFile)>> {
    let (folder, name) = split_path(path);
    if !name.contains('*') {
        return Ok(Some((path.to_owned(), newest_file::newest_matching(Path::new(path))?)));
    }
    let wanted = |found: &[u8]| name_matches(name.as_bytes(), found);
    let found =
        newest_file::newest_in_folder(Path::new(OsStr::from_bytes(folder.as_bytes())), wanted, MOST_NAMES)?;
    Ok(found.map(|(name, seen)| (name.to_string_lossy().into_owned(), seen)))
}

/// Also where what should be a folder is none.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn judge_file(seen: &NewestFile, name: &str, given: &Params, now: Duration) -> ProbeResult {
    if !seen.is_regular {
        return ProbeResult::failing(quote_error(&format!("not a regular file: {name}")));
    }
    // A stamp in the future is of a clock that was wrong.
    let age = now.saturating_sub(seen.modified);
    let older = |key: &KeySpec| given.span(key).filter(|limit| age > *limit);
    let smaller = |key: &KeySpec| given.number(key).filter(|limit| seen.size < *limit);
    let bound = |key: &KeySpec, limit: &str| format!(" ({} {limit})", key.name);
    let of_age = |key: &KeySpec| older(key).map(|limit| bound(key, &words::format_duration(limit)));
    let of_size = |key: &KeySpec| smaller(key).map(|limit| bound(key, &format_size(limit)));
    let (age_fail, size_fail) = (of_age(&AGE_FAIL), of_size(&SIZE_FAIL));
    let fails = age_fail.is_some() || size_fail.is_some();
    let (age_passed, size_passed) =
        (age_fail.or_else(|| of_age(&AGE_WARN)), size_fail.or_else(|| of_size(&SIZE_WARN)));
    let is_near = age_passed.is_some() || size_passed.is_some();
    // The figures first: a long name is cut at its end.
    let words = quote_error(&format!(
        "{} old{}, {}{}: {name}",
        words::format_duration(Duration::from_secs(age.as_secs())),
        age_passed.unwrap_or_default(),
        format_size(seen.size),
        size_passed.unwrap_or_default(),
    ));
    match (fails, is_near) {
        (true, _) => ProbeResult::failing(words),
        (false, true) => ProbeResult::warning(words),
        (false, false) => ProbeResult::ok(words),
    }
}

/// The folder, and the name in it.
fn split_path(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => ("", path),
    }
}

/// `*` stands for any bytes, but not for the dot that hides a file, as in a shell. Nothing else is special.
fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.starts_with(b".") && !pattern.starts_with(b".") {
        return false;
    }
    let mut pieces = pattern.split(|byte| *byte == b'*');
    let Some(mut rest) = name.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    // The first place for each leaves the most room for those behind it.
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        let found = rest.windows(piece.len()).position(|some| some == piece);
        let Some(behind) = found.and_then(|at| rest.get(at + piece.len()..)) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

/// `812 bytes`, `1.2G`: powers of 1024, as `size.warn` has them; never more than there is.
fn format_size(bytes: u64) -> String {
    let units = [("T", 1_u64 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)];
    let Some((name, unit)) = units.into_iter().find(|(_, unit)| bytes >= *unit) else {
        return format!("{bytes} bytes");
    };
    match bytes % unit / (unit / 10) {
        // The tenth of 1024 is 102, so that the last of them is the eleventh.
        0 => format!("{}{name}", bytes / unit),
        tenths => format!("{}.{}{name}", bytes / unit, tenths.min(9)),
    }
}

#[cfg(test)]
mod tests;
