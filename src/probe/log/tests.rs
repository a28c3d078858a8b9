//! The verdicts, through a real file.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::{any, proptest};

use super::*;
use crate::plan::ParamValue;

/// A log, and what its probe remembers from run to run.
pub(super) struct Stage {
    dir: tempfile::TempDir,
    given: Params,
    memory: Option<String>,
    own_log: Option<PathBuf>,
}

impl Stage {
    pub(super) fn new(patterns: &[(&'static str, &[&str])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut given = Params::default();
        let path = dir.path().join("app.log").display().to_string();
        given.0.insert("log", ParamValue::Text(path));
        for (key, patterns) in patterns {
            given.0.insert(key, ParamValue::List(patterns.iter().map(|one| (*one).to_owned()).collect()));
        }
        Self { dir, given, memory: None, own_log: None }
    }

    pub(super) fn failing_on_error() -> Self {
        Self::new(&[("fail", &["ERROR"])])
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path("app.log")
    }

    pub(super) fn says(&self, text: impl AsRef<[u8]>) -> &Self {
        append(&self.log(), text);
        self
    }

    pub(super) fn ask(&self) -> ProbeResult {
        let ground = ProbeContext {
            limit: Duration::from_secs(20),
            memory: self.memory.as_deref(),
            own_log: self.own_log.as_deref(),
            ..ProbeContext::default()
        };
        probe_log(&self.given, &ground)
    }

    /// A run: what it was told to remember, the next one knows.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a sentence for each run")]
    pub(super) fn run(&mut self, expected: ProbeResult) {
        let (found, memory) = self.ask().in_parts();
        assert_eq!(found, expected);
        if let Some(memory) = &memory {
            assert!(memory.is_ascii() && memory.len() <= 200, "{memory}");
        }
        self.memory = memory.or(self.memory.take());
    }

    #[track_caller]
    pub(super) fn begin(&mut self) {
        self.run(ProbeResult::ok("first run: reading starts here"));
    }
}

pub(super) fn append(path: &Path, text: impl AsRef<[u8]>) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_ref()).unwrap();
}

#[test]
fn lines_that_match_fail_or_warn_and_are_told_once() {
    let mut stage =
        Stage::new(&[("fail", &["Traceback", "^FATAL:"]), ("warn", &["WARN"]), ("lacks", &["GET /health"])]);
    stage.says("Traceback of yesterday\n");
    stage.begin();
    stage.run(ProbeResult::ok("no new line"));
    stage.says("fine\n");
    stage.run(ProbeResult::ok("1 new line, and it does not match"));
    stage.says("WARN slow\nok\n");
    stage.run(ProbeResult::warning("1 line matches \"WARN\": WARN slow"));
    stage.says("ok\nWARN slow\nTraceback (most recent call last)\n  x\nFATAL: 1\n");
    let first = "2 lines match, the first \"Traceback\": Traceback (most recent call last)";
    stage.run(ProbeResult::failing(first));
    stage.run(ProbeResult::ok("no new line"));
    stage.says("GET /health WARN Traceback\nok\nnot FATAL: 2\n");
    stage.run(ProbeResult::ok("2 new lines, and none matches"));
}

#[test]
fn with_one_pattern_its_lines_are_counted() {
    let mut stage = Stage::failing_on_error();
    stage.begin_with("");
    stage.says("ERROR a\nERROR b\nERROR c\n");
    stage.run(ProbeResult::failing("3 lines match \"ERROR\": ERROR a"));
}

#[test]
fn both_looks_of_a_run_see_the_same_lines() {
    let mut stage = Stage::failing_on_error();
    stage.begin_with("");
    stage.says("ERROR a\n");
    let looks = [stage.ask(), stage.ask()];
    assert_eq!(looks[0], looks[1]);
    assert_eq!(looks[0].clone().in_parts().0, ProbeResult::failing("1 line matches \"ERROR\": ERROR a"));
}

#[test]
fn a_line_that_not_everybody_may_read_is_counted_and_not_shown() {
    let mut stage = Stage::failing_on_error();
    stage.begin_with("");
    let leave = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    leave(&stage.log(), 0o640);
    stage.says("ERROR password=1\nERROR\n");
    stage.run(ProbeResult::failing("2 lines match \"ERROR\""));
    stage.says("ERROR password=2\n");
    fs::rename(stage.log(), stage.path("app.log.1")).unwrap();
    stage.says("ok\n");
    leave(&stage.log(), 0o644);
    stage.run(ProbeResult::failing("1 line matches \"ERROR\""));
    // Nobody else gets to it.
    leave(stage.log().parent().unwrap(), 0o700);
    stage.says("ERROR password=3\n");
    stage.run(ProbeResult::failing("1 line matches \"ERROR\""));
}

#[test]
fn another_log_begins_anew() {
    let mut stage = Stage::failing_on_error();
    stage.begin_with("");
    stage.says("ERROR a\n");
    append(&stage.path("other.log"), "ERROR b\n");
    let other = stage.path("other.log").display().to_string();
    stage.given.0.insert("log", ParamValue::Text(other));
    stage.begin();
}

#[test]
fn what_unhang_logs_of_the_service_is_no_evidence() {
    let mut stage = Stage::failing_on_error();
    stage.says("app restart failed ERROR\n");
    fs::hard_link(stage.log(), stage.path("by-another-name")).unwrap();
    stage.own_log = Some(stage.path("by-another-name"));
    let why = format!("{} is what unhang itself logs of this service", stage.log().display());
    stage.run(ProbeResult::unknown(why));
}

#[test]
fn what_a_line_holds_neither_drives_a_terminal_nor_fills_a_page() {
    let mut stage = Stage::failing_on_error();
    stage.begin_with("");
    stage.says(format!("\u{1b}[2JERROR{}\n", "x".repeat(9000)));
    let shown: String = format!(r"\u{{1b}}[2JERROR{}", "x".repeat(200)).chars().take(100).collect();
    stage.run(ProbeResult::failing(format!("1 line matches \"ERROR\": {shown}")));
}

#[test]
fn a_line_is_matched_in_its_first_8_kib() {
    let mut stage = Stage::failing_on_error();
    stage.begin_with("");
    stage.says(format!("{}ERROR\n", "x".repeat(lines::MAX_LINE_BYTES)));
    stage.run(ProbeResult::ok("1 new line, and it does not match"));
    stage.says(format!("{}ERROR\r\n", "x".repeat(lines::MAX_LINE_BYTES - 5)));
    let shown = "x".repeat(100);
    stage.run(ProbeResult::failing(format!("1 line matches \"ERROR\": {shown}")));
}

#[test]
fn time_over_is_no_evidence_and_the_next_run_goes_on_behind() {
    let patterns = LinePatterns::of([&["x".to_owned()], &[], &[]]).unwrap();
    assert_eq!(lines::match_lines(b"x\n", &patterns, Instant::now()), None);
    let later = Instant::now() + Duration::from_secs(9);
    assert_eq!(lines::match_lines(b"", &patterns, later), Some(LineScan::default()));
}

#[test]
fn a_pattern_is_needed_and_a_log_is_a_path_or_a_unit() {
    assert_eq!(find_conflict(&Params::default()).unwrap().what, "has no fail and no warn beside it");
    assert!(find_conflict(&Stage::failing_on_error().given).is_none());
    for good in ["/var/log/a b.log", "journal:shop.service", "journal:shop", "journal:a@b\\x2d1:_.timer"] {
        assert_eq!(wrong_with(good), None, "{good}");
    }
    for bad in
        ["app.log", "", "journal:", "journal:*.service", "journal:-a.b", "journal:a.b c", "journal:.service"]
    {
        assert!(wrong_with(bad).is_some(), "{bad}");
    }
}

impl Stage {
    #[track_caller]
    fn begin_with(&mut self, text: &str) {
        self.says(text);
        self.begin();
    }
}

proptest! {
    #[test]
    fn whatever_is_logged_is_told_in_few_words(text in proptest::collection::vec(any::<u8>(), 0..400), pattern in "[a-z.]{1,3}") {
        let patterns = LinePatterns::of([std::slice::from_ref(&pattern), &[], &[]]).unwrap();
        let seen = lines::match_lines(&text, &patterns, Instant::now() + Duration::from_secs(9)).unwrap();
        let words = matches_text(&seen.failing, Readers::Everybody).unwrap_or_default();
        assert!(words.chars().count() <= 200 && !words.chars().any(crate::toml_text::drives_a_terminal), "{words}");
        let whole = text.split(|byte| *byte == b'\n').count() - 1;
        assert!(seen.lines <= whole as u64);
    }

    #[test]
    fn whatever_is_remembered_nothing_of_the_past_fails(memory in "\\PC{0,60}") {
        let mut stage = Stage::failing_on_error();
        stage.says("ERROR\nok\n");
        stage.memory = Some(memory);
        stage.begin();
    }
}
