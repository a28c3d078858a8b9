//! Which processes are wanted, and which are there.
#![expect(clippy::disallowed_methods, reason = "a test sets its own stage")]

use std::path::PathBuf;
use std::process::{Child, Command};

use super::*;
use crate::plan::ParamValue;
use proptest::prelude::*;

fn given(process: &str, least: u64, most: Option<u64>) -> Params {
    let mut given = Params::default();
    given.0.insert("process", ParamValue::Text(process.to_owned()));
    given.0.insert("count.min", ParamValue::Number(least));
    given.0.extend(most.map(|most| ("count.max", ParamValue::Number(most))));
    given
}

const GROUND: ProbeContext<'_> = ProbeContext {
    now: Duration::ZERO,
    limit: Duration::from_secs(5),
    unit: None,
    own_log: None,
    memory: None,
};

/// A program of its own that sleeps.
fn started() -> (tempfile::TempDir, PathBuf, Child) {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().canonicalize().unwrap().join("app");
    assert!(Command::new("cp").arg("/bin/sleep").arg(&program).status().unwrap().success());
    let child = Command::new(&program).arg("60").spawn().unwrap();
    (dir, program, child)
}

#[test]
fn as_many_as_are_wanted() {
    let of = |found, is_part, least, most| {
        judge_count(
            ProcessesOf { found, is_part },
            "/usr/bin/mongod",
            &given("exe:/usr/bin/mongod", least, most),
        )
    };
    for (found, least, most, expected) in [
        (0, 1, None, ProbeResult::failing("0 processes of /usr/bin/mongod, at least 1 wanted")),
        (1, 1, None, ProbeResult::ok("1 process of /usr/bin/mongod")),
        (2, 3, None, ProbeResult::failing("2 processes of /usr/bin/mongod, at least 3 wanted")),
        (3, 3, Some(3), ProbeResult::ok("3 processes of /usr/bin/mongod")),
        (4, 3, Some(3), ProbeResult::failing("4 processes of /usr/bin/mongod, at most 3 wanted")),
        (0, 0, Some(0), ProbeResult::ok("0 processes of /usr/bin/mongod")),
    ] {
        assert_eq!(of(found, false, least, most), expected);
    }
    let not_known = |found: &str| {
        ProbeResult::unknown(format!(
            "{found} of /usr/bin/mongod seen, but this user may not see them all: {}",
            rights_cure()
        ))
    };
    assert_eq!(of(0, true, 1, None), not_known("0 processes"));
    assert_eq!(of(1, true, 1, Some(1)), not_known("1 process"));
    assert_eq!(of(1, true, 1, None), of(1, false, 1, None), "enough is enough");
    assert_eq!(of(2, true, 1, Some(1)), of(2, false, 1, Some(1)), "and too many too many");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (process, least, most, expected) in [
        ("unit", 1, None, None),
        ("unit", 0, Some(0), None),
        ("unit", 2, Some(2), None),
        ("unit", 0, None, Some("count.min")),
        ("exe:/x", 3, Some(2), Some("count.max")),
        ("pid_file:/x", 1, None, None),
        ("pid_file:/x", 2, None, Some("count.min")),
        ("pid_file:/x", 1, Some(1), Some("count.max")),
    ] {
        let clash = find_conflict(&given(process, least, most)).map(|clash| clash.key);
        assert_eq!(clash, expected, "{process} {least} {most:?}");
    }
    for bad in ["", "Unit", "unit:", "exe:", "exe:mongod", "exe:/", "pid_file:x", "mongod", "/usr/bin/mongod"]
    {
        assert!(wrong_with(bad).is_some(), "{bad}");
    }
    for good in ["unit", "exe:/usr/bin/mongod", "pid_file:/run/a:b.pid"] {
        assert_eq!(wrong_with(good), None, "{good}");
    }
}

#[test]
fn a_program_is_counted_by_its_file() {
    let (_dir, program, mut child) = started();
    let asked = given(&format!("exe:{}", program.display()), 1, None);
    let found = probe_process(&asked, &GROUND);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(found, ProbeResult::ok(format!("1 process of {}", program.display())));
    // A sandbox may hide even from root what others execute.
    let none = format!("0 processes of {}", program.display());
    let gone = if processes::processes_of_program(&program).unwrap().is_part {
        ProbeResult::unknown(format!("{none} seen, but this user may not see them all: {}", rights_cure()))
    } else {
        ProbeResult::failing(format!("{none}, at least 1 wanted"))
    };
    assert_eq!(probe_process(&asked, &GROUND), gone);
}

#[test]
fn a_pid_file_names_a_process() {
    let (dir, _, mut child) = started();
    let file = dir.path().join("app.pid");
    let ask = || probe_process(&given(&format!("pid_file:{}", file.display()), 1, None), &GROUND);
    let shown = file.display().to_string();
    assert_eq!(ask(), ProbeResult::failing(format!("there is no {shown}")));
    std::fs::write(&file, "no number").unwrap();
    assert_eq!(ask(), ProbeResult::unknown(format!("{shown} does not begin with the number of a process")));
    std::fs::write(&file, [b'1'; 5000]).unwrap();
    assert!(format!("{:?}", ask()).contains("Unknown("), "too long");
    std::fs::write(&file, format!("{}\n", child.id())).unwrap();
    let said = format!("{:?}", ask());
    assert!(said.contains("Ok(") && said.contains(&format!("process {} of", child.id())), "{said}");
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
    assert!(format!("{:?}", ask()).contains("or the clock was set since"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ask(), ProbeResult::failing(format!("process {} of {shown} is gone", child.id())));
}

#[test]
fn a_service_without_a_unit_has_no_processes_of_it() {
    let found = probe_process(&given("unit", 1, None), &GROUND);
    assert_eq!(found, ProbeResult::unknown("the service has no unit: write exe:/PATH or pid_file:/PATH"));
}

#[test]
fn systemd_says_where_the_processes_of_an_alias_are() {
    for (text, expected) in [
        (
            "ControlGroup=/system.slice/a.service\nActiveState=active\n",
            UnitProcesses::At("/system.slice/a.service"),
        ),
        ("ControlGroup=\nActiveState=inactive\n", UnitProcesses::Nowhere),
        ("ControlGroup=\nActiveState=failed\n", UnitProcesses::Nowhere),
        ("ControlGroup=\nActiveState=active\n", UnitProcesses::Nowhere),
        ("ActiveState=inactive\n", UnitProcesses::Nowhere),
        ("ActiveState=active\n", UnitProcesses::NotSaid),
        ("ControlGroup=\nActiveState=activating\n", UnitProcesses::Nowhere),
        ("ControlGroup=/../x\nActiveState=active\n", UnitProcesses::NotSaid),
        ("ControlGroup=\n", UnitProcesses::NotSaid),
        ("", UnitProcesses::NotSaid),
        ("ControlGroup=\nActiveState=inactive", UnitProcesses::NotSaid),
    ] {
        assert_eq!(find_unit_processes(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_of_systemd_makes_processes(text in "(\\PC|\n|=|ControlGroup=|ActiveState=){0,60}") {
        if let UnitProcesses::At(path) = find_unit_processes(&text) {
            prop_assert!(path.starts_with('/'));
        }
    }
}
