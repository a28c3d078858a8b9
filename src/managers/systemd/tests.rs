//! What systemctl says about a restart, and what a property of a unit means, one at a time.
#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method alone is not general enough in its lifetimes"
)]

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use unhang_core::{ActiveState, LoadState, Relation, ReloadSupport, UnitCondition, UnitResult};

use super::*;

fn ran(status: i32, said: &str) -> ProcessOutput {
    let end = ProcessEnd::Exited(ExitStatus::from_raw(status << 8));
    ProcessOutput { end, stdout: Vec::new(), stderr: said.as_bytes().to_vec() }
}

#[rustfmt::skip]
#[test]
fn what_systemctl_says_of_a_restart() {
    let destructive = "Failed to restart a.service: Transaction for a.service/restart is destructive (a.service has 'stop' job queued).";
    let canceled = "Job for a.service canceled.";
    let failed = "\nJob for a.service failed because a timeout was exceeded.\nSee \"systemctl status a.service\"";
    assert_eq!(parse_response(&ran(0, "")), RestartResponse::Accepted);
    assert_eq!(parse_response(&ran(0, canceled)), RestartResponse::Accepted, "said of another one, then");
    assert_eq!(parse_response(&ran(4, destructive)), RestartResponse::Refused(destructive.trim_end_matches('.').to_owned()));
    assert_eq!(parse_response(&ran(1, canceled)), RestartResponse::Refused("Job for a.service canceled".to_owned()));
    assert_eq!(parse_response(&ran(1, failed)), RestartResponse::Failed("Job for a.service failed because a timeout was exceeded".to_owned()));
    assert_eq!(parse_response(&ran(5, "\n  \n")), RestartResponse::Failed("exit status: 5".to_owned()));
    assert_eq!(parse_response(&ProcessOutput { end: ProcessEnd::TimedOut, ..ran(0, canceled) }), RestartResponse::StillRunning);
}

#[test]
fn only_a_call_that_failed_for_want_of_leave_is_forbidden() {
    let said = "Some hint\nFailed to restart a.service: Access denied.\n";
    let Some(RestartResponse::NotPermitted(told)) = permission_refusal(&ran(1, said), "restart", "a.service")
    else {
        panic!()
    };
    assert!(
        told.contains("may not restart a.service (Failed to restart a.service: Access denied): "),
        "{told}"
    );
    for mark in PERMISSION_ERRORS {
        assert!(
            matches!(
                permission_refusal(&ran(4, mark), "restart", "a.service"),
                Some(RestartResponse::NotPermitted(_))
            ),
            "{mark}"
        );
    }
    assert_eq!(permission_refusal(&ran(0, said), "restart", "a.service"), None, "it took place");
    assert_eq!(
        permission_refusal(
            &ProcessOutput { end: ProcessEnd::TimedOut, ..ran(1, said) },
            "restart",
            "a.service"
        ),
        None
    );
    assert_eq!(permission_refusal(&ran(1, "Unit a.service not found."), "restart", "a.service"), None);
}

#[test]
fn that_there_is_no_systemd_is_an_answer() {
    let status = |unit| parse_unit_status(None, Duration::ZERO, &unit);
    assert!(status(Doubt::NoSystemd(String::new())).is_known());
    assert!(!status(Doubt::UnitUnknown(String::new())).is_known());
}

#[test]
fn a_systemctl_that_is_not_there_is_told_from_one_that_cannot_be_started() {
    let told = |kind: io::ErrorKind| describe_start_error(&kind.into());
    assert_eq!(told(io::ErrorKind::NotFound), "no systemctl in PATH");
    assert_eq!(told(io::ErrorKind::PermissionDenied), "systemctl cannot be started: permission denied");
}

#[test]
fn what_a_real_systemd_shows_of_a_unit_has_room() {
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/host/recorded");
    for file in std::fs::read_dir(recorded).unwrap() {
        let shown = std::fs::read(file.unwrap().path()).unwrap();
        assert!(shown.len() * 3 < MAX_SHOW_BYTES_PER_UNIT, "and of a large one, too");
    }
}

/// A unit that runs, with these properties in place of its own; one without a value is left out.
fn unit<T>(properties: &str, ask: impl FnOnce(&PropertyBlock<'_>) -> T) -> T {
    const RUNNING: &str = "Id=a.service\nNames=a.service old.service\nLoadState=loaded\nActiveState=active\n\
        Job=\nType=simple\nInactiveExitTimestampMonotonic=1000000\nActiveEnterTimestampMonotonic=1000000\n\
        ActiveExitTimestampMonotonic=0\nExecMainExitTimestampMonotonic=0\n";
    let name = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
    let changed: Vec<String> = properties.split(',').map(name).collect();
    let mut lines: Vec<&str> = RUNNING.lines().filter(|line| !changed.contains(&name(line))).collect();
    lines.extend(properties.split(',').filter(|line| line.contains('=')));
    let text = lines.join("\n");
    ask(&properties::parse_blocks(&text)[0])
}

fn life(properties: &str) -> UnitSnapshot {
    unit(properties, |block| block.parse_snapshot(Duration::from_secs(60)).unwrap())
}

#[test]
fn a_unit_answers_for_its_names_and_no_other() {
    let is = |properties: &str, name: &str| unit(properties, |block| block.has_name(name));
    assert!(is("", "a.service") && is("", "old.service") && !is("", "b.service"));
    assert!(is("Names", "a.service") && !is("Names", "old.service"));
    assert!(is("Id", "old.service"));
}

#[test]
fn what_keeps_a_unit_from_being_judged_or_started() {
    assert_eq!(life("").active, ActiveState::Active);
    assert_eq!(life("FreezerState=running").active, ActiveState::Active);
    assert_eq!(life("FreezerState=frozen").active, ActiveState::Frozen);
    assert_eq!(life("FreezerState=thawing").active, ActiveState::Frozen);
    assert_eq!(life("FreezerState=frozen,Job=77").active, ActiveState::Changing);
    assert_eq!(life("ActiveState=failed,Job=77").active, ActiveState::Changing);
    assert_eq!(life("CanStart=no").load, LoadState::NotStartable);
    assert_eq!(life("CanStop=no").load, LoadState::NotStoppable);
    assert_eq!(life("CanStart=no\nCanStop=no").load, LoadState::NotStartable);
    assert_eq!(life("CanStop=yes").load, LoadState::Loaded);
    assert_eq!((life("CanStart=yes").load, life("CanStart").load), (LoadState::Loaded, LoadState::Loaded));
    assert_eq!((life("FreezerState=frozen").age, life("ActiveState=failed").age), (life("").age, None));
    assert_eq!(life("ActiveEnterTimestampMonotonic=0").age, None);
}

#[test]
fn what_a_unit_says_of_its_life() {
    for (result, meant) in [
        ("success", UnitResult::Success),
        ("exit-code", UnitResult::ExitCode),
        ("signal", UnitResult::Signal),
        ("core-dump", UnitResult::CoreDump),
        ("timeout", UnitResult::Timeout),
        ("oom-kill", UnitResult::Other),
    ] {
        assert_eq!(life(&format!("Result={result}")).result, meant);
    }
    let limited = |limit: &str| life(limit).runtime_limited;
    assert!(!limited("") && !limited("RuntimeMaxUSec=infinity") && limited("RuntimeMaxUSec=1h"));
    let unmet = |stamp: &str, result: &str| {
        life(&format!("ConditionTimestampMonotonic={stamp},ConditionResult={result}")).condition_unmet
    };
    assert!(unmet("5", "no") && !unmet("0", "no") && !unmet("5", "yes"), "no, too, before it was tried");
    assert!(life("UnitFileState=disabled").disabled && !life("UnitFileState=static").disabled);
    assert_eq!((life("NRestarts=3").own_restarts, life("NRestarts=many").own_restarts), (3, 0));
    assert_eq!(life("InvocationID=").incarnation, None);
    assert_eq!(life("CanReload=no").reload, ReloadSupport::Unsupported);
    assert_eq!(
        (life("CanReload=yes").reload, life("CanReload").reload),
        (ReloadSupport::Supported, ReloadSupport::Supported)
    );
    assert_eq!(life("ExecMainExitTimestampMonotonic").main_exit, None, "a unit without a main process");
}

#[test]
fn only_a_service_that_runs_tells_that_somebody_stopped_it() {
    const STOPPED: &str =
        "ActiveState=inactive,ActiveExitTimestampMonotonic=2000000,ExecMainExitTimestampMonotonic";
    let condition = |properties: &str| {
        unit(properties, |block| block.parse_related("db.service", Relation::Required).unwrap().condition)
    };
    let stopped = |more: &str| condition(&format!("{STOPPED}=3000000{more}"));
    assert_eq!(condition(""), UnitCondition::Active);
    assert_eq!(stopped(""), UnitCondition::Stopped);
    assert_eq!(stopped(",Type=oneshot"), UnitCondition::Ended, "it has done its work");
    assert_eq!(stopped(",Type=oneshot,RemainAfterExit=yes"), UnitCondition::Stopped);
    assert_eq!(stopped(",LoadState=not-found"), UnitCondition::Ended);
    assert_eq!(condition(STOPPED), UnitCondition::Ended, "a mount that expired");
    assert_eq!(condition("ActiveState=failed,Result=exit-code"), UnitCondition::Failed);
    let named = unit("", |block| block.parse_related("db.service", Relation::Wanted).unwrap());
    assert_eq!((named.unit.as_str(), named.relation), ("db.service", Relation::Wanted));
    assert_eq!(unit("ActiveState", |block| block.parse_related("db.service", Relation::Wanted)), None);
}

#[test]
fn what_is_left_inactive_by_itself_and_what_by_a_stop() {
    const EXITED: &str = "ActiveState=inactive,Result=success,ActiveExitTimestampMonotonic=3000000,\
        ExecMainExitTimestampMonotonic=2000000";
    let condition = |properties: &str| life(&format!("{EXITED}{properties}")).condition();
    for (properties, expected) in [
        ("", UnitCondition::EndedWell),
        (",Restart=on-failure", UnitCondition::EndedWell),
        (",Restart=always", UnitCondition::Stopped),
        (",Restart=on-success", UnitCondition::Stopped),
        // Its main process ended long ago, and the unit was up until somebody stopped it.
        (",RemainAfterExit=yes", UnitCondition::Stopped),
        (",Type=oneshot,RemainAfterExit=yes", UnitCondition::Stopped),
        (",Type=oneshot", UnitCondition::Ended),
    ] {
        assert_eq!(condition(properties), expected, "{properties}");
    }
}

#[test]
fn how_long_systemd_waits_for_stop_and_start() {
    let limits = |properties: &str| unit(properties, |block| (block.restart_limit(), block.stop_limit()));
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(limits("TimeoutStopUSec=1min 30s,TimeoutStartUSec=30s"), (seconds(120), seconds(90)));
    assert_eq!(limits("TimeoutStopUSec=30s,TimeoutStartUSec=infinity"), (None, seconds(30)));
    assert_eq!(limits("TimeoutStopUSec=infinity,TimeoutStartUSec=30s"), (None, None));
    assert_eq!(limits(""), (None, None));
}

#[test]
fn what_is_under_way_and_what_passes() {
    let pending = |properties: &str| unit(properties, |block| block.is_active_or_pending());
    for properties in ["", "ActiveState=activating", "ActiveState=reloading", "ActiveState=inactive,Job=5"] {
        assert!(pending(properties), "{properties}");
    }
    for properties in
        ["ActiveState=inactive", "ActiveState=failed", "ActiveState=deactivating", "ActiveState"]
    {
        assert!(!pending(properties), "{properties}");
    }
    let passing = |properties: &str| unit(properties, |block| block.is_passing_oneshot());
    assert!(passing("Type=oneshot") && passing("Type=oneshot,RemainAfterExit=no"));
    assert!(!passing("Type=oneshot,RemainAfterExit=yes") && !passing("RemainAfterExit=no"));
}
