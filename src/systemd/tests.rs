//! What systemctl says about a restart, and what becomes of it.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::*;

fn ran(status: i32, said: &str) -> Ran {
    let end = End::Exited(ExitStatus::from_raw(status << 8));
    Ran { end, stdout: Vec::new(), stderr: said.as_bytes().to_vec() }
}

#[rustfmt::skip]
#[test]
fn what_systemctl_says_of_a_restart() {
    let destructive = "Failed to restart a.service: Transaction for a.service/restart is destructive (a.service has 'stop' job queued).";
    let canceled = "Job for a.service canceled.";
    let failed = "\nJob for a.service failed because a timeout was exceeded.\nSee \"systemctl status a.service\"";
    assert_eq!(asked(&ran(0, "")), Asked::Done);
    assert_eq!(asked(&ran(0, canceled)), Asked::Done, "said of another one, then");
    assert_eq!(asked(&ran(4, destructive)), Asked::Refused(destructive.trim_end_matches('.').to_owned()));
    assert_eq!(asked(&ran(1, canceled)), Asked::Refused("Job for a.service canceled".to_owned()));
    assert_eq!(asked(&ran(1, failed)), Asked::Failed("Job for a.service failed because a timeout was exceeded".to_owned()));
    assert_eq!(asked(&ran(5, "\n  \n")), Asked::Failed("exit status: 5".to_owned()));
    assert_eq!(asked(&Ran { end: End::TimedOut, ..ran(0, canceled) }), Asked::Running);
}

#[test]
fn only_a_call_that_failed_for_want_of_leave_is_forbidden() {
    let said = "Some hint\nFailed to restart a.service: Access denied.\n";
    let Some(Asked::Forbidden(told)) = forbidden(&ran(1, said), "a.service") else { panic!() };
    assert!(
        told.contains("may not restart a.service (Failed to restart a.service: Access denied): "),
        "{told}"
    );
    for mark in NO_LEAVE {
        assert!(matches!(forbidden(&ran(4, mark), "a.service"), Some(Asked::Forbidden(_))), "{mark}");
    }
    assert_eq!(forbidden(&ran(0, said), "a.service"), None, "it took place");
    assert_eq!(forbidden(&Ran { end: End::TimedOut, ..ran(1, said) }, "a.service"), None);
    assert_eq!(forbidden(&ran(1, "Unit a.service not found."), "a.service"), None);
}

#[test]
fn that_there_is_no_systemd_is_an_answer() {
    let looked = |unit| looked(None, Duration::ZERO, &unit);
    assert!(looked(Doubt::NoSystemd(String::new())).is_answer());
    assert!(!looked(Doubt::UnitUnknown(String::new())).is_answer());
}

#[test]
fn a_systemctl_that_is_not_there_is_told_from_one_that_cannot_be_started() {
    let told = |kind: io::ErrorKind| words_of_spawn(&kind.into());
    assert_eq!(told(io::ErrorKind::NotFound), "no systemctl in PATH");
    assert_eq!(told(io::ErrorKind::PermissionDenied), "systemctl cannot be started: permission denied");
}

#[test]
fn what_a_real_systemd_shows_of_a_unit_has_room() {
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/host/recorded");
    for file in std::fs::read_dir(recorded).unwrap() {
        let shown = std::fs::read(file.unwrap().path()).unwrap();
        assert!(shown.len() * 3 < PER_UNIT, "and of a large one, too");
    }
}
