//! What docker, podman and docker compose say, recorded where that could be done.

use super::*;
use crate::managers::containers;
use crate::plan::ParamValue;
use proptest::prelude::*;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

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

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "what was expected is made in place")]
fn inspected(text: &str, expected: Found) {
    assert_eq!(said::by_inspect(text, "shop-db"), expected, "{text}");
}

#[test]
fn a_container_that_runs_is_well_unless_its_health_check_says_otherwise() {
    inspected(&docker(RUNS), Found::well("running"));
    inspected(&docker(&health("none")), Found::well("running"));
    inspected(&docker(&health("healthy")), Found::well("running (healthy)"));
    inspected(&docker(&health("starting")), Found::near("running (health: starting)"));
    inspected(&docker(&health("unhealthy")), Found::failing("running (unhealthy)"));
    let odd = "running, and its health is \"\\u{1b}x\"";
    inspected(&docker(&health(r"\u001bx")), Found::not_known(odd));
    inspected(&podman("running", "", 0), Found::well("running"));
    inspected(&podman("running", "healthy", 0), Found::well("running (healthy)"));
    inspected(&podman("running", "starting", 0), Found::near("running (health: starting)"));
    inspected(&podman("running", "unhealthy", 0), Found::failing("running (unhealthy)"));
    let older = podman("running", "unhealthy", 0).replace("\"Health\"", "\"Healthcheck\"");
    inspected(&older, Found::failing("running (unhealthy)"));
}

#[test]
fn one_that_does_not_run_fails_in_its_own_word() {
    inspected(PODMAN_CREATED, Found::failing("created"));
    inspected(&docker(&ended("exited", 0, false)), Found::failing("exited (0)"));
    inspected(&docker(&ended("exited", 137, false)), Found::failing("exited (137)"));
    inspected(&docker(&ended("exited", 137, true)), Found::failing("exited (137, out of memory)"));
    inspected(&docker(&ended("dead", 1, false)), Found::failing("dead (1)"));
    for word in ["created", "removing"] {
        inspected(&docker(&ended(word, 0, false)), Found::failing(word));
    }
    // To docker these run, too.
    let runs = |word: &str| docker(&RUNS.replace("\"running\"", &format!("\"{word}\"")));
    inspected(&runs("paused"), Found::failing("paused"));
    inspected(&runs("restarting"), Found::failing("restarting"));
    for word in ["stopped", "stopping", "initialized", "configured"] {
        inspected(&podman(word, "", 0), Found::failing(word));
    }
}

/// What a probe and a restart make of one answer: the probe tells whether the service is served, the restart whether
/// somebody wants it down. Where both would fail a service that a person has paused or stopped, nothing is restarted.
#[rustfmt::skip]
#[test]
fn each_state_means_one_thing_to_a_probe_and_one_to_a_restart() {
    use unhang_core::{Active, Condition::{self, Busy, Exited, Failed, NeverStarted, Stopped}};
    let (up, down) = ("true", "false");
    for (status, running, code, policy, probe, active, condition) in [
        ("running",     up,   0,   "no",             "Well: running",            Active::Active,   Condition::Active),
        ("paused",      up,   0,   "no",             "Failing: paused",          Active::Frozen,   Condition::Active),
        ("restarting",  up,   1,   "always",         "Failing: restarting",      Active::Busy,     Busy),
        ("removing",    down, 0,   "no",             "Failing: removing",        Active::Busy,     Busy),
        ("stopping",    down, 0,   "no",             "Failing: stopping",        Active::Busy,     Busy),
        ("created",     down, 0,   "no",             "Failing: created",         Active::Inactive, NeverStarted),
        ("initialized", down, 0,   "no",             "Failing: initialized",     Active::Inactive, NeverStarted),
        ("configured",  down, 0,   "no",             "Failing: configured",      Active::Inactive, NeverStarted),
        ("exited",      down, 0,   "no",             "Failing: exited (0)",      Active::Inactive, Exited),
        ("exited",      down, 1,   "no",             "Failing: exited (1)",      Active::Failed,   Failed),
        ("exited",      down, 143, "no",             "Failing: exited (143)",    Active::Inactive, Stopped),
        ("exited",      down, 1,   "unless-stopped", "Failing: exited (1)",      Active::Inactive, Stopped),
        ("stopped",     down, 143, "no",             "Failing: stopped",         Active::Inactive, Stopped),
        ("dead",        down, 1,   "no",             "Failing: dead (1)",        Active::Failed,   Failed),
    ] {
        let text = format!(
            r#"[{{"Id":"5c255a9d5a21","Name":"/shop-db","RestartCount":0,"State":{{"Status":"{status}","Running":{running},"ExitCode":{code},"StartedAt":"2026-02-07T16:58:20.1Z"}},"HostConfig":{{"RestartPolicy":{{"Name":"{policy}"}}}}}}]"#
        );
        let found = if let Some(well) = probe.strip_prefix("Well: ") {
            Found::well(well)
        } else {
            Found::failing(probe.trim_start_matches("Failing: "))
        };
        inspected(&text, found);
        let snapshot = containers::snapshot_of(&text, Duration::from_secs(1_770_483_600)).unwrap();
        let seen = if snapshot.active == Active::Frozen { Condition::Active } else { snapshot.condition() };
        assert_eq!((snapshot.active, seen), (active, condition), "{text}");
    }
    // What neither knows is evidence to neither.
    let odd = r#"[{"Id":"5c255a9d5a21","Name":"/shop-db","State":{"Status":"melting","StartedAt":"2026-02-07T16:58:20.1Z"}}]"#;
    inspected(odd, Found::not_known("its state is \"melting\""));
    assert_eq!(containers::snapshot_of(odd, Duration::ZERO), None);
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
        inspected(text, Found::not_known("the answer is not understood"));
    }
    inspected(&docker(""), Found::not_known("its state is \"\""));
    inspected(&docker(&ended("unknown", 0, false)), Found::not_known("its state is \"unknown\""));
    let contradicts = RUNS.replace("\"Running\":true", "\"Running\":false");
    inspected(&docker(&contradicts), Found::not_known("its state contradicts itself"));
    let no_status = docker(&health("healthy").replace("\"Status\":\"healthy\",", ""));
    inspected(&no_status, Found::not_known("running, and its health is not said"));
}

/// docker inspects by the beginning of an id, too, where nobody has the name.
#[test]
fn another_container_is_not_taken_for_it() {
    let running = docker(RUNS);
    for (name, expected) in [
        ("shop-db", Found::well("running")),
        ("5c255a9d5a21352991aebc372a3e483f4b83567db7f8723ad1039ef112fe35ca", Found::well("running")),
        ("5c255a9d5a21", Found::well("running")),
        ("5c2", Found::failing("no such container")),
        ("shop", Found::failing("no such container")),
    ] {
        assert_eq!(said::by_inspect(&running, name), expected, "{name}");
    }
}

fn ran(code: i32, stdout: &str, stderr: &str) -> Ran {
    Ran { end: End::Exited(ExitStatus::from_raw(code << 8)), stdout: stdout.into(), stderr: stderr.into() }
}

/// Recorded: podman 4.3.1 and docker 28.2.2 (without a daemon, and without compose). The rest is of their sources.
#[test]
fn what_could_not_be_asked_is_told_from_what_is_not_there() {
    let none = Found::failing("no such container");
    for (runtime, code, err) in [
        ("podman", 125, "Error: inspecting object: no such container nosuch\n"),
        ("podman", 125, "Error: no such container \"nosuch\"\n"),
        ("docker", 1, "Error response from daemon: No such container: nosuch\n"),
        ("docker", 1, "WARNING: a warning\nError: No such container: nosuch\n"),
    ] {
        assert_eq!(judged(&ran(code, "[]\n", err), "nosuch", runtime, ""), none, "{err}");
    }
    let cannot =
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
    let denied = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock";
    for (runtime, code, err, expected) in [
        ("docker", 1, cannot, format!("docker: {cannot}")),
        ("docker", 1, denied, format!("docker: {denied}")),
        ("compose", 1, cannot, format!("docker compose: {cannot}")),
        (
            "compose",
            125,
            "unknown flag: --all\n\nUsage:  docker",
            "docker compose: docker has no compose here".into(),
        ),
        ("compose", 1, "no such service: nosuch", "docker compose: no such service: nosuch".into()),
        (
            "compose",
            1,
            "no configuration file provided: not found",
            "docker compose: no configuration file provided: not found".into(),
        ),
        (
            "docker",
            1,
            "Error: No such container: nosuch2",
            "docker: Error: No such container: nosuch2".into(),
        ),
        ("podman", 3, "", "podman: exit status 3".into()),
        ("podman", 125, "\u{1b}[31mred", r"podman: \u{1b}[31mred".into()),
    ] {
        // Whatever stands in its answer.
        let answer = docker(RUNS);
        assert_eq!(judged(&ran(code, &answer, err), "nosuch", runtime, ""), Found::not_known(expected));
    }
    let over = Ran { end: End::TimedOut, stdout: docker(RUNS).into(), stderr: Vec::new() };
    assert_eq!(
        judged(&over, "shop-db", "docker", "5 s"),
        Found::not_known("docker did not answer within 5 s")
    );
    let killed = Ran { end: End::Exited(ExitStatus::from_raw(9)), ..over };
    assert_eq!(judged(&killed, "shop-db", "docker", ""), Found::not_known("docker was killed by a signal"));
}

/// docs/reference/compose_ps.md of docker compose 2.20, cut to one service.
const LIST: &str = r#"[{"ID":"f02a4efaabb67416e1ff127d51c4b5578634a0ad5743bd65225ff7d1909a3fa0","Name":"example-foo-1","Command":"/docker-entrypoint.sh nginx -g 'daemon off;'","Project":"example","Service":"foo","State":"running","Health":"","ExitCode":0,"Publishers":[{"URL":"0.0.0.0","TargetPort":80,"PublishedPort":8080,"Protocol":"tcp"}]}]
"#;

/// A line as 2.21 and newer have it (cmd/formatter/container.go), with one label of two kinds.
fn line(name: &str, state: &str, health: &str, code: i32, one_off: &str) -> String {
    format!(
        r#"{{"Command":"\"nginx -g 'daemon of…\"","CreatedAt":"2026-02-07 16:00:00 +0000 UTC","ExitCode":{code},"Health":"{health}","ID":"f02a4efaabb6","Image":"nginx","Labels":"com.docker.compose.service=foo,com.docker.compose.oneoff={one_off},maintainer=a","LocalVolumes":"0","Mounts":"","Name":"{name}","Names":"{name}","Networks":"example_default","Ports":"","Project":"example","Publishers":[],"RunningFor":"4 seconds ago","Service":"foo","Size":"0B","State":"{state}","Status":"Up 2 seconds"}}
"#
    )
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "what was expected is made in place")]
fn listed(text: &str, expected: Found) {
    assert_eq!(said::by_compose(text, "foo"), expected, "{text}");
}

#[test]
fn a_service_of_compose_is_as_its_containers_are() {
    let one = |state, health, code| line("example-foo-1", state, health, code, "False");
    for text in [LIST, &one("running", "", 0)] {
        listed(text, Found::well("running"));
    }
    listed(&one("running", "healthy", 0), Found::well("running (healthy)"));
    listed(&one("running", "starting", 0), Found::near("running (health: starting)"));
    listed(&one("running", "unhealthy", 0), Found::failing("running (unhealthy)"));
    listed(&one("exited", "", 137), Found::failing("exited (137)"));
    listed(&LIST.replace("running", "paused"), Found::failing("paused"));
    for nothing in ["", "\n", "[]\n"] {
        listed(nothing, Found::failing("no container of the service"));
    }
}

#[test]
fn of_a_scaled_service_all_must_be_well() {
    let lines = |second: &str| {
        let first = line("example-foo-1", "running", "healthy", 0, "False");
        format!("{first}{second}{first}")
    };
    let second = |state, health, code| line("example-foo-2", state, health, code, "False");
    listed(&lines(&second("running", "", 0)), Found::well("3 containers run"));
    listed(
        &lines(&second("running", "starting", 0)),
        Found::near("example-foo-2: running (health: starting)"),
    );
    listed(&lines(&second("exited", "", 1)), Found::failing("example-foo-2: exited (1)"));
    listed(&lines(&second("odd", "", 0)), Found::not_known("example-foo-2: its state is \"odd\""));
    let both = format!("{}{}", second("odd", "", 0), second("running", "unhealthy", 0));
    listed(&lines(&both), Found::failing("example-foo-2: running (unhealthy)"));
}

/// `docker compose run foo ./manage.py migrate`, which has ended.
#[test]
fn a_one_off_container_says_nothing_of_the_service() {
    let name = "example-foo-run-0123456789ab";
    let one_off = line(name, "exited", "", 1, "True");
    let own = line("example-foo-1", "running", "", 0, "False");
    listed(&format!("{own}{one_off}"), Found::well("running"));
    listed(&one_off, Found::failing("no container of the service"));
    let older = LIST.replace("running", "exited").replace("example-foo-1", name);
    let both = format!("{}{}", LIST.trim_end().trim_end_matches(']'), older.replacen('[', ",", 1));
    listed(&both, Found::well("running"));
    listed(&LIST.replace("example-foo-1", "foo-run-1"), Found::well("running"));
}

#[test]
fn a_list_that_is_not_understood_is_not_known() {
    let own = line("example-foo-1", "running", "", 0, "False");
    for text in [
        "null",
        "1",
        "nonsense",
        "{}",
        "[{}]",
        "[[]]",
        "NAME  IMAGE  STATUS",
        &own[..100],
        &format!("{own}x"),
        &own.replace("\"Service\":\"foo\"", "\"Service\":\"bar\""),
        &own.replace("\"Name\"", "\"None\""),
    ] {
        listed(text, Found::not_known("the answer is not understood"));
    }
    let unsaid = own.replace("\"Health\"", "\"None\"");
    listed(&unsaid, Found::not_known("running, and its health is not said"));
}

proptest! {
    #[test]
    fn whatever_is_said_nothing_breaks_and_nothing_is_well(text in "\\PC{0,200}", err in "\\PC{0,80}") {
        let found = [said::by_inspect(&text, "shop-db"), said::by_compose(&text, "foo")];
        prop_assert!(!found.iter().any(Found::is_well), "{:?}", found);
        let _ = said::knows_none(&err, "shop-db");
    }

    #[test]
    fn a_part_of_an_answer_is_not_well(cut in 0_usize..2000) {
        let (inspected, listed) = (docker(&health("healthy")), line("a", "running", "healthy", 0, "False"));
        let part = |text: &str| text.chars().take(cut.min(text.trim_end().chars().count() - 1)).collect::<String>();
        let found = [said::by_inspect(&part(&inspected), "shop-db"), said::by_compose(&part(&listed), "foo")];
        prop_assert!(!found.iter().any(Found::is_well), "{:?}", found);
    }

    /// Words that the runtimes may have one day.
    #[test]
    fn only_known_words_are_well(status in "[a-z]{0,12}", check in "[a-z]{1,12}") {
        prop_assume!(status != "running" && check != "healthy" && check != "none");
        let texts = [docker(&ended(&status, 0, false)), docker(&health(&check)), podman(&status, "healthy", 0)];
        for text in texts {
            let found = said::by_inspect(&text, "shop-db");
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
    let clash = |values: &[(&'static str, &str)]| validate(&given("foo", values)).map(|clash| clash.what);
    assert_eq!(clash(&[]), None);
    assert_eq!(clash(&[("runtime", "compose"), ("project", "/opt/shop")]), None);
    assert_eq!(clash(&[("runtime", "compose")]).unwrap(), "must be given with runtime = \"compose\"");
    assert!(clash(&[("project", "/opt/shop")]).is_some());
    let dir = tempfile::tempdir().unwrap();
    let none = dir.path().join("none").display().to_string();
    let ground = Ground { limit: Duration::from_secs(5), ..Ground::default() };
    let found = ask(&given("foo", &[("runtime", "compose"), ("project", &none)]), &ground);
    assert_eq!(found, Found::not_known(format!("No such file or directory: {none}")));
}

#[test]
fn a_runtime_that_is_not_there_says_nothing_of_the_container() {
    let ground = Ground { limit: Duration::from_secs(5), ..Ground::default() };
    let found = ask(&given("shop-db", &[("runtime", "/no/such/docker")]), &ground);
    let words = "/no/such/docker cannot be started: No such file or directory";
    assert_eq!(found, Found::not_known(words));
}

#[test]
fn a_name_is_no_option_and_no_path() {
    for good in ["shop-db", "7", "a.b_c", "5c255a9d5a21"] {
        assert_eq!(no_name(good), None, "{good}");
    }
    for bad in ["", "-a", "--help", ".a", "_a", "/shop", "a b", "a/b", "a\n", "ä", "a$"] {
        assert!(no_name(bad).is_some(), "{bad}");
    }
}
