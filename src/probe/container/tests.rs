//! What docker, podman and docker compose say, recorded where that could be done.

use super::*;
use crate::managers::containers::tests::{read, read_of_compose, snapshot_of};
use crate::plan::ParamValue;
use proptest::prelude::*;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::slice::from_ref;

/// podman 4.3.1, `container inspect shop-db` of a container with a health check that was made and not started. Recorded,
/// and cut to what stands around the state.
const PODMAN_CREATED: &str = r#"[
     {
          "Id": "dfbae8e98a032eafb9211155bf092187e5956673da145019199d133cc17626a5",
          "Created": "2026-11-22T13:31:19.575144372Z",
          "Path": "/bin/sleep",
          "Args": [
               "300"
          ],
          "State": {
               "OciVersion": "1.0.2-dev",
               "Status": "created",
               "Running": false,
               "Paused": false,
               "Restarting": false,
               "OOMKilled": false,
               "Dead": false,
               "Pid": 0,
               "ExitCode": 0,
               "Error": "",
               "StartedAt": "0001-01-01T00:00:00Z",
               "FinishedAt": "0001-01-01T00:00:00Z",
               "Health": {
                    "Status": "",
                    "FailingStreak": 0,
                    "Log": null
               },
               "CheckpointedAt": "0001-01-01T00:00:00Z",
               "RestoredAt": "0001-01-01T00:00:00Z"
          },
          "Name": "shop-db",
          "RestartCount": 0,
          "Driver": "vfs"
     }
]
"#;

/// Such an answer with another state, as it looks when it runs.
fn podman(status: &str, health: &str, code: i32) -> String {
    let state = format!(r#""Status": "{status}""#);
    let running = format!(r#""Running": {}"#, status == "running");
    PODMAN_CREATED
        .replace(r#""Status": "created""#, &state)
        .replace(r#""Running": false"#, &running)
        .replace(r#""Status": "","#, &format!(r#""Status": "{health}","#))
        .replace(r#""ExitCode": 0"#, &format!(r#""ExitCode": {code}"#))
}

/// As the engine's API has it (moby 28, api/types/container: State, Health): Health is left out without a check.
fn docker(state: &str) -> String {
    format!(
        r#"[{{"Id":"5c255a9d5a21352991aebc372a3e483f4b83567db7f8723ad1039ef112fe35ca","Created":"2026-02-07T16:00:00.1Z","Path":"docker-entrypoint.sh","Args":["postgres"],"State":{{{state}}},"Image":"sha256:1","Name":"/shop-db","RestartCount":0,"Config":{{"Env":["POSTGRES_PASSWORD=secret"]}}}}]"#
    )
}

const RUNS: &str = r#""Status":"running","Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":42,"ExitCode":0,"Error":"""#;

fn health(status: &str) -> String {
    format!(
        r#"{RUNS},"Health":{{"Status":"{status}","FailingStreak":0,"Log":[{{"ExitCode":0,"Output":"secret"}}]}}"#
    )
}

fn ended(status: &str, code: i32, memory: bool) -> String {
    format!(
        r#""Status":"{status}","Running":false,"Paused":false,"Restarting":false,"OOMKilled":{memory},"Dead":false,"Pid":0,"ExitCode":{code},"Error":"""#
    )
}

/// What the probe says of one answer of docker or podman.
fn found(text: &str) -> ProbeResult {
    match read(text, "shop-db") {
        Ok(containers) => judge::judge_containers(&containers, ContainerRuntime::Docker),
        Err(unanswered) => not_asked(unanswered, ContainerRuntime::Docker, Duration::from_secs(5)),
    }
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "what was expected is made in place")]
fn inspected(text: &str, expected: ProbeResult) {
    assert_eq!(found(text), expected, "{text}");
}

#[test]
fn a_container_that_runs_is_well_unless_its_health_check_says_otherwise() {
    inspected(&docker(RUNS), ProbeResult::ok("running"));
    inspected(&docker(&health("none")), ProbeResult::ok("running"));
    inspected(&docker(&health("healthy")), ProbeResult::ok("running (healthy)"));
    inspected(&docker(&health("starting")), ProbeResult::warning("running (health: starting)"));
    inspected(&docker(&health("unhealthy")), ProbeResult::failing("running (unhealthy)"));
    let odd = "running, and its health is \"\\u{1b}x\"";
    inspected(&docker(&health(r"\u001bx")), ProbeResult::unknown(odd));
    inspected(&podman("running", "", 0), ProbeResult::ok("running"));
    inspected(&podman("running", "healthy", 0), ProbeResult::ok("running (healthy)"));
    inspected(&podman("running", "starting", 0), ProbeResult::warning("running (health: starting)"));
    inspected(&podman("running", "unhealthy", 0), ProbeResult::failing("running (unhealthy)"));
    let older = podman("running", "unhealthy", 0).replace("\"Health\"", "\"Healthcheck\"");
    inspected(&older, ProbeResult::failing("running (unhealthy)"));
}

#[test]
fn one_that_does_not_run_fails_in_its_own_word() {
    inspected(PODMAN_CREATED, ProbeResult::failing("created"));
    inspected(&docker(&ended("exited", 0, false)), ProbeResult::failing("exited (0)"));
    inspected(&docker(&ended("exited", 137, false)), ProbeResult::failing("exited (137)"));
    inspected(&docker(&ended("exited", 137, true)), ProbeResult::failing("exited (137, out of memory)"));
    inspected(&docker(&ended("dead", 1, false)), ProbeResult::failing("dead (1)"));
    for word in ["created", "removing"] {
        inspected(&docker(&ended(word, 0, false)), ProbeResult::failing(word));
    }
    // To docker these run, too.
    let runs = |word: &str| docker(&RUNS.replace("\"running\"", &format!("\"{word}\"")));
    inspected(&runs("paused"), ProbeResult::failing("paused"));
    inspected(&runs("restarting"), ProbeResult::failing("restarting"));
    for word in ["stopped", "stopping", "initialized", "configured"] {
        inspected(&podman(word, "", 0), ProbeResult::failing(word));
    }
}

/// What a probe and a restart make of one answer: the probe tells whether the service is served, the restart whether
/// somebody wants it down. Where both would fail a service that a person has paused or stopped, nothing is restarted.
#[rustfmt::skip]
#[test]
fn each_state_means_one_thing_to_a_probe_and_one_to_a_restart() {
    use unhang_core::{ActiveState, UnitCondition::{self, Changing, Ended, Failed, NeverStarted, Stopped}};
    let (up, down) = ("true", "false");
    for (status, running, code, policy, probe, active, condition) in [
        ("running",     up,   0,   "no",             "Well: running",            ActiveState::Active,   UnitCondition::Active),
        ("paused",      up,   0,   "no",             "Failing: paused",          ActiveState::Frozen,   UnitCondition::Active),
        ("restarting",  up,   1,   "always",         "Failing: restarting",      ActiveState::Changing,     Changing),
        ("removing",    down, 0,   "no",             "Failing: removing",        ActiveState::Changing,     Changing),
        ("stopping",    down, 0,   "no",             "Failing: stopping",        ActiveState::Changing,     Changing),
        ("created",     down, 0,   "no",             "Failing: created",         ActiveState::Inactive, NeverStarted),
        ("initialized", down, 0,   "no",             "Failing: initialized",     ActiveState::Inactive, NeverStarted),
        ("configured",  down, 0,   "no",             "Failing: configured",      ActiveState::Inactive, NeverStarted),
        ("exited",      down, 0,   "no",             "Failing: exited (0)",      ActiveState::Inactive, Ended),
        ("exited",      down, 1,   "no",             "Failing: exited (1)",      ActiveState::Failed,   Failed),
        ("exited",      down, 143, "no",             "Failing: exited (143)",    ActiveState::Inactive, Stopped),
        ("exited",      down, 1,   "unless-stopped", "Failing: exited (1)",      ActiveState::Inactive, Stopped),
        ("stopped",     down, 143, "no",             "Failing: stopped",         ActiveState::Inactive, Stopped),
        ("dead",        down, 1,   "no",             "Failing: dead (1)",        ActiveState::Failed,   Failed),
    ] {
        let text = format!(
            r#"[{{"Id":"5c255a9d5a21","Name":"/shop-db","RestartCount":0,"State":{{"Status":"{status}","Running":{running},"ExitCode":{code},"StartedAt":"2026-02-07T16:58:20.1Z"}},"HostConfig":{{"RestartPolicy":{{"Name":"{policy}"}}}}}}]"#
        );
        let found = if let Some(well) = probe.strip_prefix("Well: ") {
            ProbeResult::ok(well)
        } else {
            ProbeResult::failing(probe.trim_start_matches("Failing: "))
        };
        inspected(&text, found);
        let snapshot = snapshot_of(&text).unwrap();
        let seen = if snapshot.active == ActiveState::Frozen { UnitCondition::Active } else { snapshot.condition() };
        assert_eq!((snapshot.active, seen), (active, condition), "{text}");
    }
    // What neither knows is evidence to neither.
    let odd = r#"[{"Id":"5c255a9d5a21","Name":"/shop-db","State":{"Status":"melting","StartedAt":"2026-02-07T16:58:20.1Z"}}]"#;
    inspected(odd, ProbeResult::unknown("its state is \"melting\""));
    assert_eq!(snapshot_of(odd), None);
}

#[test]
fn an_answer_that_is_not_understood_is_not_known() {
    for text in [
        "",
        "[]",
        "null",
        "{}",
        "[1]",
        "[null]",
        "[{}]",
        "[[]]",
        "nonsense",
        "[{\"Name\":7}]",
        &docker(RUNS)[..200],
        &format!("{}x", docker(RUNS)),
        &docker(RUNS).replace("[{\"Id\"", "[{\"Name\":\"/shop-db\",\"State\":{}},{\"Id\""),
    ] {
        inspected(text, ProbeResult::unknown("the answer is not understood"));
    }
    inspected(&docker(""), ProbeResult::unknown("its state is \"\""));
    inspected(&docker(&ended("unknown", 0, false)), ProbeResult::unknown("its state is \"unknown\""));
    let contradicts = RUNS.replace("\"Running\":true", "\"Running\":false");
    inspected(&docker(&contradicts), ProbeResult::unknown("its state contradicts itself"));
    let no_status = docker(&health("healthy").replace("\"Status\":\"healthy\",", ""));
    inspected(&no_status, ProbeResult::unknown("running, and its health is not said"));
}

/// docker inspects by the beginning of an id, too, where nobody has the name.
#[test]
fn another_container_is_not_taken_for_it() {
    let other = docker(RUNS).replace("/shop-db", "/shop");
    inspected(&other, ProbeResult::failing("no such container"));
}

/// Recorded: podman 4.3.1 and docker 28.2.2 (without a daemon, and without compose). The rest is of their sources.
#[test]
fn what_could_not_be_asked_is_told_from_what_is_not_there() {
    let cannot =
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
    let denied = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock";
    let compose = ContainerRuntime::Compose { project: "/opt/shop" };
    let said = |unanswered, runtime| not_asked(unanswered, runtime, Duration::from_secs(5));
    for (runtime, code, complaint, expected) in [
        (ContainerRuntime::Docker, 1, cannot, format!("docker: {cannot}")),
        (ContainerRuntime::Docker, 1, denied, format!("docker: {denied}")),
        (compose, 1, cannot, format!("docker compose: {cannot}")),
        (ContainerRuntime::Podman, 3, "", "podman: exit status 3".into()),
        (ContainerRuntime::Podman, 125, "\u{1b}[31mred", r"podman: \u{1b}[31mred".into()),
    ] {
        let status = ExitStatus::from_raw(code << 8);
        let failed = Unanswered::Failed { status, complaint: complaint.to_owned() };
        assert_eq!(said(failed, runtime), ProbeResult::unknown(expected));
    }
    assert_eq!(
        said(Unanswered::NoAnswer, ContainerRuntime::Docker),
        ProbeResult::unknown("docker did not answer within 5 s")
    );
    assert_eq!(
        said(Unanswered::InAnotherFolder("/srv/shop".to_owned()), compose),
        ProbeResult::unknown("compose was called in /srv/shop: write that folder as project")
    );
    let killed = Unanswered::Failed { status: ExitStatus::from_raw(9), complaint: String::new() };
    assert_eq!(said(killed, ContainerRuntime::Docker), ProbeResult::unknown("docker was killed by a signal"));
    let missing = Unanswered::NotStarted(std::io::Error::from_raw_os_error(2));
    assert_eq!(
        said(missing, ContainerRuntime::Podman),
        ProbeResult::unknown("podman cannot be started: No such file or directory")
    );
}

/// One container of a service of compose, as `container inspect` has it.
fn one(name: &str, status: &str, health: &str, code: i32, one_off: &str) -> String {
    let check =
        if health.is_empty() { String::new() } else { format!(r#","Health":{{"Status":"{health}"}}"#) };
    format!(
        r#"{{"Id":"f02a4efaabb67416","Name":"/{name}","State":{{"Status":"{status}","ExitCode":{code}{check}}},"Config":{{"Labels":{{"com.docker.compose.oneoff":"{one_off}"}}}}}}"#
    )
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "what was expected is made in place")]
fn listed(containers: &[String], expected: ProbeResult) {
    let text = format!("[{}]", containers.join(","));
    let all = if containers.is_empty() { Vec::new() } else { read_of_compose(&text).unwrap() };
    assert_eq!(
        judge::judge_containers(&all, ContainerRuntime::Compose { project: "/opt/shop" }),
        expected,
        "{text}"
    );
}

#[test]
fn a_service_of_compose_is_as_its_containers_are() {
    let one = |status, health, code| [one("example-foo-1", status, health, code, "False")];
    listed(&one("running", "", 0), ProbeResult::ok("running"));
    listed(&one("running", "healthy", 0), ProbeResult::ok("running (healthy)"));
    listed(&one("running", "starting", 0), ProbeResult::warning("running (health: starting)"));
    listed(&one("running", "unhealthy", 0), ProbeResult::failing("running (unhealthy)"));
    listed(&one("exited", "", 137), ProbeResult::failing("exited (137)"));
    listed(&one("paused", "", 0), ProbeResult::failing("paused"));
    listed(&[], ProbeResult::failing("no container of the service"));
}

#[test]
fn of_a_scaled_service_all_must_be_well() {
    let first = one("example-foo-1", "running", "healthy", 0, "False");
    let with = |second: &[String]| [from_ref(&first), second, from_ref(&first)].concat();
    let second = |status, health, code| one("example-foo-2", status, health, code, "False");
    listed(&with(&[second("running", "", 0)]), ProbeResult::ok("3 containers run"));
    listed(
        &with(&[second("running", "starting", 0)]),
        ProbeResult::warning("example-foo-2: running (health: starting)"),
    );
    listed(&with(&[second("exited", "", 1)]), ProbeResult::failing("example-foo-2: exited (1)"));
    listed(&with(&[second("odd", "", 0)]), ProbeResult::unknown("example-foo-2: its state is \"odd\""));
    let both = [second("odd", "", 0), second("running", "unhealthy", 0)];
    listed(&with(&both), ProbeResult::failing("example-foo-2: running (unhealthy)"));
}

/// `docker compose run foo ./manage.py migrate`, which has ended.
#[test]
fn a_one_off_container_says_nothing_of_the_service() {
    let one_off = one("example-foo-run-0123456789ab", "exited", "", 1, "True");
    let own = one("example-foo-1", "running", "", 0, "False");
    listed(&[own, one_off.clone()], ProbeResult::ok("running"));
    listed(&[one_off], ProbeResult::failing("no container of the service"));
}

proptest! {
    #[test]
    fn whatever_is_said_nothing_breaks_and_nothing_is_well(text in "\\PC{0,200}") {
        prop_assert!(!found(&text).is_well());
    }

    #[test]
    fn a_part_of_an_answer_is_not_well(cut in 0_usize..2000) {
        let text = docker(&health("healthy"));
        let part = text.chars().take(cut.min(text.chars().count() - 1)).collect::<String>();
        prop_assert!(!found(&part).is_well(), "{}", part);
    }

    /// Words that the runtimes may have one day.
    #[test]
    fn only_known_words_are_well(status in "[a-z]{0,12}", check in "[a-z]{1,12}") {
        prop_assume!(status != "running" && check != "healthy" && check != "none");
        let texts = [docker(&ended(&status, 0, false)), docker(&health(&check)), podman(&status, "healthy", 0)];
        for text in texts {
            let found = found(&text);
            prop_assert!(!found.is_well(), "{}", text);
        }
    }
}

fn given(name: &str, values: &[(&'static str, &str)]) -> Params {
    let mut given = Params::default();
    let values = [("container", name), ("runtime", "docker")].into_iter().chain(values.iter().copied());
    given.0.extend(values.map(|(key, value)| (key, ParamValue::Text(value.to_owned()))));
    given
}

#[test]
fn a_project_belongs_to_compose_and_must_be_there() {
    let clash =
        |values: &[(&'static str, &str)]| find_conflict(&given("foo", values)).map(|clash| clash.what);
    assert_eq!(clash(&[]), None);
    assert_eq!(clash(&[("runtime", "compose"), ("project", "/opt/shop")]), None);
    assert_eq!(clash(&[("runtime", "compose")]).unwrap(), "must be given with runtime = \"compose\"");
    assert!(clash(&[("project", "/opt/shop")]).is_some());
    let dir = tempfile::tempdir().unwrap();
    let none = dir.path().join("none").display().to_string();
    let ground = ProbeContext { limit: Duration::from_secs(5), ..ProbeContext::default() };
    let found = probe_container(&given("foo", &[("runtime", "compose"), ("project", &none)]), &ground);
    assert_eq!(found, ProbeResult::unknown(format!("No such file or directory: {none}")));
}
