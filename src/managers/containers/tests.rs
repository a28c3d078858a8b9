//! What docker and podman say of containers and of a restart, recorded where that could be done, and what is made of it.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use proptest::prelude::*;
use unhang_core::{ActiveState, UnitCondition, UnitSnapshot};

use super::*;

const COMPOSE: ContainerRef<'static> =
    ContainerRef { runtime: ContainerRuntime::Compose { project: "/opt/shop" }, name: "web" };

/// What `inspect` makes of an answer of docker to a question about one container.
pub(crate) fn read(text: &str, name: &str) -> Result<Vec<Inspected>, Unanswered> {
    read_inspected(
        Ok(text.to_owned()),
        ContainerRef { runtime: ContainerRuntime::Docker, name },
        &[name.to_owned()],
    )
}

/// What it makes of an answer about all containers of a service.
pub(crate) fn read_of_compose(text: &str) -> Result<Vec<Inspected>, Unanswered> {
    let containers = serde_json::from_str::<Vec<serde_json::Value>>(text).map_or(0, |all| all.len());
    read_inspected(Ok(text.to_owned()), COMPOSE, &vec![String::new(); containers])
}

/// How a restart understands an answer.
pub(crate) fn snapshot_of(text: &str) -> Option<UnitSnapshot> {
    snapshot::worst_snapshot(&read_of_compose(text).ok()?, WALL, &|_| false)
}

/// 2026-02-07 17:00:00 UTC
const WALL: Duration = Duration::from_secs(1_770_483_600);

fn told(state: &str, policy: &str) -> String {
    format!(
        r#"[{{"Id":"abc","Name":"/shop","RestartCount":0,"State":{{{state},"StartedAt":"2026-02-07T16:58:20.123456789Z"}},"HostConfig":{{"RestartPolicy":{{"Name":"{policy}"}}}}}}]"#
    )
}

fn seen(state: &str, policy: &str) -> UnitSnapshot {
    snapshot_of(&told(state, policy)).unwrap()
}

#[test]
fn a_container_that_somebody_stopped_is_told_from_one_that_fell() {
    for (state, policy, active, condition) in [
        (r#""Status":"running""#, "no", ActiveState::Active, UnitCondition::Active),
        (r#""Status":"paused""#, "no", ActiveState::Frozen, UnitCondition::Active),
        (r#""Status":"restarting","ExitCode":1"#, "always", ActiveState::Changing, UnitCondition::Changing),
        (r#""Status":"created""#, "no", ActiveState::Inactive, UnitCondition::NeverStarted),
        (r#""Status":"exited","ExitCode":0"#, "no", ActiveState::Inactive, UnitCondition::Ended),
        (r#""Status":"exited","ExitCode":1"#, "no", ActiveState::Failed, UnitCondition::Failed),
        (
            r#""Status":"exited","ExitCode":1"#,
            "unless-stopped",
            ActiveState::Inactive,
            UnitCondition::Stopped,
        ),
        (r#""Status":"exited","ExitCode":1"#, "always", ActiveState::Inactive, UnitCondition::Stopped),
        (r#""Status":"exited","ExitCode":137"#, "no", ActiveState::Inactive, UnitCondition::Stopped),
        (
            r#""Status":"exited","ExitCode":137,"OOMKilled":true"#,
            "no",
            ActiveState::Failed,
            UnitCondition::Failed,
        ),
        (r#""Status":"exited","ExitCode":143"#, "on-failure", ActiveState::Inactive, UnitCondition::Stopped),
        (r#""Status":"exited","ExitCode":1"#, "on-failure", ActiveState::Inactive, UnitCondition::Stopped),
        (r#""Status":"exited","ExitCode":130"#, "no", ActiveState::Inactive, UnitCondition::Stopped),
        (r#""Status":"dead","ExitCode":255"#, "no", ActiveState::Failed, UnitCondition::Failed),
    ] {
        let life = seen(state, policy);
        let found = if life.active == ActiveState::Frozen { UnitCondition::Active } else { life.condition() };
        assert_eq!((life.active, found), (active, condition), "{state} {policy}");
    }
    let running = seen(r#""Status":"running""#, "no");
    assert_eq!(running.age, Some(Duration::from_secs(100)));
    assert_eq!(running.incarnation.as_deref(), Some("abc 2026-02-07T16:58:20.123456789Z"));
}

#[test]
fn a_container_that_could_not_be_started_was_not_stopped() {
    let port = "\"Error\":\"driver failed programming external connectivity: port is already allocated\"";
    for (state, policy) in [
        (r#""Status":"exited","ExitCode":128"#, "always"),
        (r#""Status":"exited","ExitCode":127"#, "unless-stopped"),
        (r#""Status":"exited","ExitCode":0"#, "no"),
        (r#""Status":"created","ExitCode":128"#, "no"),
    ] {
        assert_eq!(
            seen(&format!("{state},{port}"), policy).condition(),
            UnitCondition::Failed,
            "{state} {policy}"
        );
    }
    let none = "\"Status\":\"exited\",\"ExitCode\":128,\"Error\":\"\"";
    assert_eq!(seen(none, "always").condition(), UnitCondition::Stopped);
}

#[test]
fn a_container_that_nobody_stopped_by_its_events_fell() {
    for (state, policy, condition) in [
        (r#""Status":"exited","ExitCode":137"#, "no", UnitCondition::Failed),
        (r#""Status":"exited","ExitCode":143"#, "on-failure", UnitCondition::Failed),
        (r#""Status":"exited","ExitCode":137,"OOMKilled":true"#, "always", UnitCondition::Failed),
        (r#""Status":"exited","ExitCode":0"#, "no", UnitCondition::EndedWell),
        (r#""Status":"exited","ExitCode":0"#, "always", UnitCondition::EndedWell),
    ] {
        let containers = read_of_compose(&told(state, policy)).unwrap();
        let life = snapshot::worst_snapshot(&containers, WALL, &|_| true).unwrap();
        assert_eq!(life.condition(), condition, "{state} {policy}");
    }
    // What is not down is asked about no further.
    let running = read_of_compose(&told(r#""Status":"running""#, "no")).unwrap();
    snapshot::worst_snapshot(&running, WALL, &|_| panic!("asked")).unwrap();
}

#[test]
fn what_is_not_understood_is_not_guessed_at() {
    for text in [
        "",
        "[]",
        "{}",
        "null",
        &told(r#""Status":"melting""#, "no"),
        &told(r#""Running":true"#, "no"),
        &told(r#""Status":"exited""#, "no"),
    ] {
        assert_eq!(snapshot_of(text), None, "{text}");
    }
}

#[test]
fn what_docker_compose_run_left_behind_is_none_of_the_service() {
    let (up, down) = (told(r#""Status":"running""#, "no"), told(r#""Status":"exited","ExitCode":1"#, "no"));
    let label = r#","Config":{"Labels":{"com.docker.compose.oneoff":"True"}}}]"#;
    let left = down.replace("}]", label);
    assert_eq!(snapshot_of(&both(&up, &left)).unwrap().condition(), UnitCondition::Active);
    assert_eq!(read_of_compose(&left).unwrap(), []);
}

#[test]
fn a_container_that_has_used_up_its_retries_fell() {
    let policy = r#"{"Name":"on-failure","MaximumRetryCount":3}"#;
    let text =
        told(r#""Status":"exited","ExitCode":1"#, "on-failure").replace(r#"{"Name":"on-failure"}"#, policy);
    assert_eq!(snapshot_of(&text).unwrap().condition(), UnitCondition::Stopped);
    let spent = text.replace(r#""RestartCount":0"#, r#""RestartCount":3"#);
    assert_eq!(snapshot_of(&spent).unwrap().condition(), UnitCondition::Failed);
    // 0 is without end.
    let endless = spent.replace(r#""MaximumRetryCount":3"#, r#""MaximumRetryCount":0"#);
    assert_eq!(snapshot_of(&endless).unwrap().condition(), UnitCondition::Stopped);
}

#[test]
fn several_containers_are_as_the_worst_of_them() {
    let up = r#""Status":"running""#;
    let fell = r#""Status":"exited","ExitCode":1"#;
    let ended = r#""Status":"exited","ExitCode":0"#;
    let stopped = r#""Status":"exited","ExitCode":143"#;
    let busy = r#""Status":"restarting""#;
    let paused = r#""Status":"paused""#;
    for (one, other, active, condition) in [
        (up, up, ActiveState::Active, UnitCondition::Active),
        (up, fell, ActiveState::Failed, UnitCondition::Failed),
        (fell, ended, ActiveState::Inactive, UnitCondition::Ended),
        (ended, stopped, ActiveState::Inactive, UnitCondition::Stopped),
        (fell, stopped, ActiveState::Inactive, UnitCondition::Stopped),
        (stopped, busy, ActiveState::Changing, UnitCondition::Changing),
        (busy, paused, ActiveState::Frozen, UnitCondition::Active),
    ] {
        for (one, other) in [(one, other), (other, one)] {
            let life = snapshot_of(&both(&told(one, "no"), &told(other, "no"))).unwrap();
            let found =
                if life.active == ActiveState::Frozen { UnitCondition::Active } else { life.condition() };
            assert_eq!((life.active, found), (active, condition), "{one} {other}");
            let runs = active == ActiveState::Active || active == ActiveState::Frozen;
            assert_eq!(life.age.is_some(), runs, "{one} {other}");
        }
    }
}

#[test]
fn what_nobody_may_have_started_decides_over_what_ended_by_itself() {
    let ended = told(r#""Status":"exited","ExitCode":0"#, "no");
    let never = told(r#""Status":"created""#, "no");
    for text in [both(&ended, &never), both(&never, &ended)] {
        let containers = read_of_compose(&text).unwrap();
        let life = snapshot::worst_snapshot(&containers, WALL, &|_| true).unwrap();
        assert_eq!(life.condition(), UnitCondition::NeverStarted, "{text}");
    }
}

#[test]
fn several_containers_are_as_young_as_the_youngest_and_one_anew_is_another_life() {
    let old = told(r#""Status":"running""#, "no");
    let young = old.replace("16:58:20", "16:59:50").replace(r#""RestartCount":0"#, r#""RestartCount":7"#);
    let of = |one: &str, other: &str| snapshot_of(&both(one, other)).unwrap();
    let life = of(&old, &young);
    assert_eq!((life.age, life.own_restarts), (Some(Duration::from_secs(10)), 7));
    assert_ne!(life.incarnation, of(&old, &old).incarnation);
}

#[test]
fn the_incarnation_of_many_containers_is_short_and_still_another_with_each_of_them() {
    let one = |n: usize, started: &str| {
        told(r#""Status":"running""#, "no").replace("abc", &format!("{n:064x}")).replace("16:58:20", started)
    };
    let of = |started: &str| {
        let mut all: Vec<String> = (0..40).map(|n| one(n, "16:58:20")).collect();
        all.push(one(40, started));
        let inside: Vec<&str> = all.iter().map(|text| text.trim_matches(['[', ']'])).collect();
        snapshot_of(&format!("[{}]", inside.join(","))).unwrap().incarnation.unwrap()
    };
    let life = of("16:58:20");
    assert!(life.len() < 100 && life.starts_with("41 containers "), "{life}");
    assert_eq!(life, of("16:58:20"));
    assert_ne!(life, of("16:59:50"));
}

/// One answer of two.
fn both(one: &str, other: &str) -> String {
    let inside = |text: &str| text.trim_matches(['[', ']']).to_owned();
    format!("[{},{}]", inside(one), inside(other))
}

#[test]
fn a_restart_that_was_not_asked_for_is_told_from_one_that_failed() {
    let ran = |code: i32, said: &str| ProcessOutput {
        end: ProcessEnd::Exited(ExitStatus::from_raw(code << 8)),
        stdout: Vec::new(),
        stderr: said.as_bytes().to_vec(),
    };
    let away =
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
    for away in [
        away,
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct",
        "Error: unable to connect to Podman socket: dial unix /run/podman/podman.sock: connection refused",
        "Cannot connect to Podman. Please verify your connection to the Linux system",
    ] {
        assert_eq!(parse_response(&ran(1, away)), RestartResponse::NotStarted(away.to_owned()));
    }
    // Whoever makes the image chooses these words; the restart was asked for, and has failed.
    for quoted in [
        format!(
            "Error response from daemon: failed to create task: exec: \"{away}\": executable file not found"
        ),
        format!("Error: unable to start container \"x\": crun: executable file `{away}` not found"),
        "Error response from daemon: unable to connect to Podman".to_owned(),
    ] {
        let expected = RestartResponse::Failed(shorten_line(&quoted));
        assert_eq!(parse_response(&ran(1, &quoted)), expected);
    }
    assert_eq!(parse_response(&ran(1, "boom\nmore")), RestartResponse::Failed("boom".to_owned()));
    assert_eq!(parse_response(&ran(0, "")), RestartResponse::Accepted);
}

#[test]
fn a_container_that_is_not_there_is_told_from_one_that_cannot_be_asked_about() {
    let target = |runtime| ContainerRef { runtime, name: "nosuch" };
    let ask = |runtime, complaint: &str| {
        let failed =
            Unanswered::Failed { status: ExitStatus::from_raw(1 << 8), complaint: complaint.to_owned() };
        read_inspected(Err(failed), target(runtime), &["nosuch".to_owned()])
    };
    // Recorded: podman 4.3.1 and docker 20.10, 28.2.2. The rest is of their sources.
    for complaint in [
        "Error: inspecting object: no such container nosuch\n",
        "Error: no such container \"nosuch\"\n",
        "Error: no container with name or ID \"nosuch\" found: no such container",
        "Error response from daemon: No such container: nosuch\n",
        "WARNING: a warning\nError: No such container: nosuch\n",
    ] {
        assert_eq!(ask(ContainerRuntime::Docker, complaint).unwrap(), [], "{complaint}");
        // Its id was listed a moment ago.
        assert!(ask(COMPOSE.runtime, complaint).is_err(), "{complaint}");
    }
    for complaint in ["", "Error: No such container: nosuch2", "Cannot connect to the Docker daemon"] {
        assert!(ask(ContainerRuntime::Podman, complaint).is_err(), "{complaint}");
    }
}

#[test]
fn another_container_is_not_taken_for_it() {
    let running = told(r#""Status":"running""#, "no").replace("abc", "5c255a9d5a21352991aebc37");
    for (name, is_it) in [
        ("shop", true),
        ("5c255a9d5a21352991aebc37", true),
        ("5c255a9d5a21", true),
        ("5c2", false),
        ("sh", false),
    ] {
        assert_eq!(read(&running, name).unwrap().len(), usize::from(is_it), "{name}");
    }
    assert!(read(&both(&running, &running), "shop").is_err(), "one was asked about");
}

#[test]
fn the_containers_of_compose_are_those_with_its_labels() {
    let found = |text: &str| of_project(text, "/opt/shop").ok();
    assert_eq!(found(""), Some(vec![]));
    assert_eq!(
        found("1 /opt/shop\n2 /opt/shop/\n3 /opt/other\n"),
        Some(vec!["1".to_owned(), "2".to_owned()])
    );
    // Called by another path to the same folder: no evidence that the service is gone.
    assert_eq!(found("1 /srv/shop"), None);
    assert_eq!(of_project("1 /opt/shop", "/opt/shop/").unwrap(), ["1"]);
}

#[test]
fn a_complaint_is_its_first_line() {
    assert_eq!(first_line("\n boom \nmore"), Some("boom"));
    assert_eq!(first_line("\n"), None);
}

#[test]
fn a_name_is_no_option_and_no_path() {
    for good in ["shop-db", "7", "a.b_c", "5c255a9d5a21"] {
        assert!(is_container_name(good), "{good}");
    }
    let long = "a".repeat(256);
    for bad in ["", "-a", "--help", ".a", "_a", "/shop", "a b", "a/b", "a\n", "ä", "a$", &long] {
        assert!(!is_container_name(bad), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(text in "\\PC{0,200}", complaint in "\\PC{0,80}") {
        prop_assert!(read(&text, "shop").is_err() && snapshot_of(&text).is_none());
        let _ = (says_not_found(&complaint, "shop"), first_line(&complaint));
    }
}
