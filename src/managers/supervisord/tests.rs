//! What supervisorctl 4.2.5 said of real programs in each state (Debian 12), and what else may come.

use super::*;
use proptest::prelude::*;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use unhang_core::ActiveState;

fn of(text: &str) -> UnitFacts {
    let program = text.split([' ', '\n']).next().unwrap().trim_end_matches(':');
    parse_status(text, program, |pid| Some(u64::from(pid) + 1))
}

fn life(text: &str) -> UnitSnapshot {
    let unit = of(text);
    let UnitFacts::Known(life) = unit else { panic!("{unit:?}") };
    life
}

#[test]
fn each_state_is_what_it_is_on_supervisord_org() {
    for (line, active, condition) in [
        (
            "web                              RUNNING   pid 26440, uptime 0:00:04",
            ActiveState::Active,
            UnitCondition::Active,
        ),
        (
            "never                            STOPPED   Not started",
            ActiveState::Inactive,
            UnitCondition::NeverStarted,
        ),
        (
            "stop                             STOPPED   Nov 22 01:42 PM",
            ActiveState::Inactive,
            UnitCondition::Stopped,
        ),
        (
            "once                             EXITED    Nov 22 01:41 PM",
            ActiveState::Inactive,
            UnitCondition::EndedWell,
        ),
        (
            "loop                             BACKOFF   Exited too quickly (process log may have details)",
            ActiveState::Changing,
            UnitCondition::Changing,
        ),
        (
            "bad                              FATAL     Exited too quickly (process log may have details)",
            ActiveState::Failed,
            UnitCondition::Failed,
        ),
        (
            "gone                             FATAL     can't find command '/no/such'",
            ActiveState::Failed,
            UnitCondition::Failed,
        ),
        ("shop:g1                          STARTING  ", ActiveState::Changing, UnitCondition::Changing),
        ("shop:g1                          STOPPING  ", ActiveState::Changing, UnitCondition::Changing),
    ] {
        let life = life(line);
        assert_eq!(
            (life.active, life.condition(), life.load),
            (active, condition, LoadState::Loaded),
            "{line}"
        );
    }
    for line in
        ["nosuch: ERROR (no such process)", "web:x: ERROR (no such process)", "shop: ERROR (no such group)"]
    {
        let unit = parse_status(line, line.rsplit_once(": ").unwrap().0, |_| None);
        assert!(
            matches!(unit, UnitFacts::Known(UnitSnapshot { load: LoadState::NotFound, .. })),
            "{line}: {unit:?}"
        );
    }
}

#[test]
fn a_life_is_a_process_and_ages() {
    let life = life("web   RUNNING   pid 4711, uptime 2 days, 3:04:05");
    assert_eq!(life.incarnation.as_deref(), Some("4711 4712"));
    assert_eq!(life.age, Some(Duration::from_secs(2 * 86_400 + 3 * 3_600 + 4 * 60 + 5)));
    // It has ended meanwhile.
    let gone = parse_status("web   RUNNING   pid 4711, uptime 0:00:05", "web", |_| None);
    assert!(matches!(gone, UnitFacts::QueryFailed(_)), "{gone:?}");
}

#[test]
fn another_program_of_a_longer_name_is_another() {
    let text = "web-old   RUNNING   pid 1, uptime 0:00:05\nweb   STOPPED   Nov 22 01:42 PM";
    assert!(
        matches!(parse_status(text, "web", |_| Some(1)), UnitFacts::Known(life) if life.condition() == UnitCondition::Stopped)
    );
    assert!(matches!(
        parse_status("web-old   RUNNING   pid 1, uptime 0:00:05", "web", |_| Some(1)),
        UnitFacts::QueryFailed(_)
    ));
}

#[test]
fn a_program_that_is_called_like_its_group_is_printed_without_it() {
    let text = "web   STOPPED   Not started\nshop:web   STOPPED   Nov 22 01:42 PM\n";
    for (name, expected) in [("web:web", UnitCondition::NeverStarted), ("shop:web", UnitCondition::Stopped)] {
        assert!(
            matches!(parse_status(text, name, |_| Some(1)), UnitFacts::Known(life) if life.condition() == expected),
            "{name}"
        );
    }
}

#[test]
fn who_cannot_be_asked_leaves_the_program_unknown() {
    for text in [
        "",
        "unix:///var/run/supervisor.sock no such file",
        "http://localhost:9001 refused connection",
        "Server requires authentication",
        "error: <class 'xmlrpc.client.Fault'>, <Fault 6: 'SHUTDOWN_STATE'>: file: /usr/lib/python3.11/xmlrpc/client.py line: 668",
        "web   UNKNOWN   ",
        "web   MELTING   pid 1, uptime 0:00:05",
        "web   RUNNING   pid x, uptime 0:00:05",
        "web   RUNNING   pid 1, uptime soon",
    ] {
        let unit = parse_status(text, "web", |_| Some(1));
        assert!(matches!(unit, UnitFacts::QueryFailed(_)), "{text}: {unit:?}");
    }
}

#[test]
fn what_a_restart_says_of_itself() {
    let ran = |code: i32, said: &str| ProcessOutput {
        end: ProcessEnd::Exited(ExitStatus::from_raw(code << 8)),
        stdout: said.as_bytes().to_vec(),
        stderr: Vec::new(),
    };
    for (code, said, expected) in [
        (0, "web: stopped\nweb: started\n", RestartResponse::Accepted),
        (0, "never: ERROR (not running)\nnever: started\n", RestartResponse::Accepted),
        (
            7,
            "bad: ERROR (not running)\nbad: ERROR (spawn error)\n",
            RestartResponse::Failed("bad: ERROR (spawn error)".to_owned()),
        ),
        (
            1,
            "nosuch: ERROR (no such process)\nnosuch: ERROR (no such process)\n",
            RestartResponse::Failed("nosuch: ERROR (no such process)".to_owned()),
        ),
        (
            4,
            "unix:///tmp/s.sock no such file\n",
            RestartResponse::NotStarted("unix:///tmp/s.sock no such file".to_owned()),
        ),
        (2, "", RestartResponse::Failed("exit status: 2".to_owned())),
    ] {
        assert_eq!(parse_response(&ran(code, said)), expected, "{said}");
    }
    assert_eq!(
        parse_response(&ProcessOutput { end: ProcessEnd::TimedOut, ..ran(0, "web: stopped\n") }),
        RestartResponse::StillRunning
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_what_is_active_says_running(text in "(web)? {0,3}[A-Z]{0,9} {0,3}.{0,60}") {
        if let UnitFacts::Known(life) = parse_status(&text, "web", |pid| Some(u64::from(pid))) && life.active == ActiveState::Active {
            prop_assert!(text.contains("RUNNING"), "{text}");
        }
    }
}
