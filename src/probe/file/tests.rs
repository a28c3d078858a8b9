//! Real files, and figures that no disk here has.

use super::*;
use crate::plan::ParamValue;
use proptest::prelude::*;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::time::SystemTime;
use unhang_core::Doubt;

const HOUR: Duration = Duration::from_secs(3_600);
const NOW: Duration = Duration::from_secs(1_800_000_000);

fn given(path: &str, values: &[(&'static str, ParamValue)]) -> Params {
    let mut given = Params::default();
    given.0.insert("file", ParamValue::Text(path.to_owned()));
    given.0.extend(values.iter().cloned());
    given
}

fn hours(hours: u32) -> ParamValue {
    ParamValue::Span(HOUR * hours)
}

fn asked(path: &str) -> ProbeResult {
    let ground = ProbeContext { now: NOW, limit: Duration::from_secs(5), ..ProbeContext::default() };
    probe_file(&given(path, &[("age.warn", hours(26)), ("age.fail", hours(50))]), &ground)
}

fn written(path: &Path, age: Duration) {
    std::fs::write(path, "x".repeat(2_048)).unwrap();
    let then = SystemTime::UNIX_EPOCH + NOW - age;
    File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
}

#[test]
fn a_file_is_judged_by_its_age_and_its_size() {
    let all = [
        ("age.warn", hours(26)),
        ("age.fail", hours(50)),
        ("size.warn", ParamValue::Number(10 << 20)),
        ("size.fail", ParamValue::Number(1 << 20)),
    ];
    let given = given("/b/db", &all);
    for (age, size, expected) in [
        (3 * HOUR, 12 << 20, ProbeResult::ok("3 h old, 12M: db")),
        (26 * HOUR, 10 << 20, ProbeResult::ok("26 h old, 10M: db")),
        (27 * HOUR, 12 << 20, ProbeResult::warning("27 h old (age.warn 26 h), 12M: db")),
        (51 * HOUR, 12 << 20, ProbeResult::failing("2 d 3 h old (age.fail 2 d 2 h), 12M: db")),
        (HOUR, 1_258_292, ProbeResult::warning("1 h old, 1.2M (size.warn 10M): db")),
        (HOUR, 812, ProbeResult::failing("1 h old, 812 bytes (size.fail 1M): db")),
        (27 * HOUR, 0, ProbeResult::failing("27 h old (age.warn 26 h), 0 bytes (size.fail 1M): db")),
        (51 * HOUR, 2 << 20, ProbeResult::failing("2 d 3 h old (age.fail 2 d 2 h), 2M (size.warn 10M): db")),
    ] {
        let seen = NewestFile { is_regular: true, size, modified: NOW.saturating_sub(age) };
        assert_eq!(judge_file(&seen, "db", &given, NOW), expected, "{age:?} {size}");
    }
}

#[test]
fn a_stamp_in_the_future_is_age_zero_and_no_keys_ask_for_the_file_alone() {
    let seen = NewestFile { is_regular: true, size: 1, modified: NOW + HOUR };
    let of =
        |values: &[(&'static str, ParamValue)], seen| judge_file(&seen, "db", &given("/b/db", values), NOW);
    assert_eq!(of(&[("age.fail", hours(1))], seen), ProbeResult::ok("0 s old, 1 bytes: db"));
    let old = NewestFile { modified: Duration::ZERO, ..seen };
    assert!(of(&[], old).is_well());
    let folder = NewestFile { is_regular: false, ..seen };
    assert_eq!(of(&[], folder), ProbeResult::failing("not a regular file: db"));
}

#[test]
fn the_newest_of_those_that_match_counts() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let pattern = at("db_*.gz").display().to_string();
    assert_eq!(asked(&pattern), ProbeResult::failing(format!("no file matches {pattern}")));
    written(&at("db_1.gz"), 51 * HOUR);
    assert_eq!(asked(&pattern), ProbeResult::failing("2 d 3 h old (age.fail 2 d 2 h), 2K: db_1.gz"));
    written(&at("db_2.gz"), 27 * HOUR);
    written(&at("db_3.gz.part"), HOUR);
    written(&at("xdb_3.gz"), HOUR);
    assert_eq!(asked(&pattern), ProbeResult::warning("27 h old (age.warn 26 h), 2K: db_2.gz"));
    written(&at("db_0.gz"), HOUR);
    assert_eq!(asked(&pattern), ProbeResult::ok("1 h old, 2K: db_0.gz"));
    let one = at("db_2.gz").display().to_string();
    assert_eq!(asked(&one), ProbeResult::warning(format!("27 h old (age.warn 26 h), 2K: {one}")));
}

#[test]
fn what_is_not_there_fails_and_what_cannot_be_looked_at_is_not_known() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    written(&dir.path().join("file"), HOUR);
    for missing in ["none", "none/db_*", "file/db", "file/db_*"] {
        assert_eq!(asked(&at(missing)), ProbeResult::failing(format!("there is no {}", at(missing))));
    }
    let folder = dir.path().display().to_string();
    assert_eq!(asked(&folder), ProbeResult::failing(format!("not a regular file: {folder}")));
    std::os::unix::fs::symlink("loop", dir.path().join("loop")).unwrap();
    let words = format!("Too many levels of symbolic links: {}", at("loop"));
    assert_eq!(asked(&at("loop")), ProbeResult::unknown(words));
    let too_long = format!("/{}", "x".repeat(300));
    assert!(asked(&too_long).is_not_known());
}

/// Root may look into every folder, so that a thread gives up its rights.
#[test]
fn a_folder_that_may_not_be_read_says_nothing_about_the_files_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    written(&closed.join("db_1"), HOUR);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    for name in ["db_1", "db_*"] {
        let path = closed.join(name).display().to_string();
        let looked = std::thread::scope(|scope| {
            let look = || {
                let rights = rustix::thread::capabilities(None).unwrap();
                let none = rustix::thread::CapabilitySets {
                    effective: rustix::thread::CapabilitySet::empty(),
                    ..rights
                };
                rustix::thread::set_capabilities(None, none).unwrap();
                find_file(&path)
            };
            scope.spawn(look).join().unwrap()
        });
        let error = looked.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(!is_missing(&error));
        let expected = ProbeResult::unknown(format!("Permission denied: {path}"));
        assert_eq!(with_timeout::not_finished(&path, &error), expected);
    }
    let none_free = io::Error::from(rustix::io::Errno::MFILE);
    assert_eq!(
        with_timeout::not_finished("/b/db", &none_free),
        ProbeResult::from_doubt(Doubt::NoDescriptors)
    );
}

#[test]
fn a_star_stands_for_anything_in_the_name_and_nothing_else_does() {
    for (pattern, name, expected) in [
        ("db_*.gz", "db_.gz", true),
        ("db_*.gz", "db_2026.gz", true),
        ("db_*.gz", "db.gz", false),
        ("db_*.gz", "db_2026.gz.part", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("*ab*ab", "abab", true),
        ("*ab*ab", "ab", false),
        ("a*b*c", "a_b_b_c", true),
        ("**", "x", true),
        ("*", ".hidden", false),
        (".*", ".hidden", true),
        ("[a]?", "[a]?", true),
        ("[a]?", "ab", false),
        ("db", "db", true),
        ("db", "dbx", false),
    ] {
        assert_eq!(name_matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
    }
}

proptest! {
    #[test]
    fn a_star_matches_as_a_pattern_would(pattern in "[ab*.]{0,8}", name in "[ab.]{0,10}") {
        let expected = format!("^{}$", pattern.replace('.', r"\.").replace('*', ".*"));
        let hidden = name.starts_with('.') && !pattern.starts_with('.');
        let expected = !hidden && regex_lite::Regex::new(&expected).unwrap().is_match(&name);
        prop_assert_eq!(name_matches(pattern.as_bytes(), name.as_bytes()), expected);
    }

    #[test]
    fn words_are_short_and_no_figure_breaks_them(size: u64, age: u64, name in "\\PC{0,400}") {
        let seen = NewestFile { is_regular: true, size, modified: NOW.saturating_sub(Duration::from_secs(age)) };
        let found = judge_file(&seen, &name, &given("/b/*", &[("age.warn", hours(1))]), NOW);
        prop_assert_eq!(found.is_well(), age <= 3_600, "{:?}", found);
        let _ = format_size(size);
    }
}

#[test]
fn sizes_read_as_they_are_written() {
    for (bytes, expected) in [
        (0, "0 bytes"),
        (1_023, "1023 bytes"),
        (1_024, "1K"),
        (1_536, "1.5K"),
        ((1 << 20) - 1, "1023.9K"),
        (500 << 20, "500M"),
        (1_288_490_189, "1.2G"),
        (u64::MAX, "16777215.9T"),
    ] {
        assert_eq!(format_size(bytes), expected);
    }
}

#[test]
fn bounds_that_cannot_both_be_meant_are_refused() {
    let clash = |path: &str, values: &[(&'static str, ParamValue)]| {
        find_conflict(&given(path, values)).map(|clash| format!("{} {}", clash.key, clash.what))
    };
    let size = ParamValue::Number;
    assert_eq!(clash("/b/db_*", &[("age.warn", hours(26)), ("age.fail", hours(27))]), None);
    assert_eq!(clash("/b/db_*", &[("size.warn", size(2)), ("size.fail", size(1))]), None);
    assert_eq!(clash("/b/db_*", &[("age.fail", hours(1)), ("size.warn", size(1))]), None);
    let refused = |path, values: &[_], words: &str| assert_eq!(clash(path, values).as_deref(), Some(words));
    refused(
        "/b/db",
        &[("age.warn", hours(26)), ("age.fail", hours(26))],
        "age.fail must be longer than age.warn, which is 26 h, got 26 h",
    );
    refused(
        "/b/db",
        &[("size.warn", size(1 << 20)), ("size.fail", size(2 << 20))],
        "size.fail must be smaller than size.warn, which is 1M, got 2M",
    );
    refused("/b*/db", &[], "file takes * in the last part of the path only");
    refused("/b/", &[], "file must name a file, not a folder");
}
