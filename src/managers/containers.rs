//! Containers of Docker, Podman and Docker Compose: how one is, by `container inspect`, and restarts. What was
//! stopped by somebody stays stopped; so does what is paused.
#![expect(clippy::disallowed_methods, reason = "this file starts the container runtimes' own programs")]

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use chrono::DateTime;
use serde_json::Value;
use unhang_core::{Active, Condition, Doubt, Life, Load, Unit};

use crate::os::process::{self, End, Ran};
use crate::plan::{Container, Runtime};
use crate::words;

use super::{RestartResponse, UnitStatus};

/// What a runtime may print of the containers of one service.
const MAX_INSPECT_BYTES: usize = 1024 * 1024;

/// `wall`: since 1970. Over within `limit`.
pub(crate) fn query_container(container: &Container, wall: Duration, limit: Duration) -> UnitStatus {
    let unit = match inspect(container, limit) {
        Ok(Some(text)) => match parse_snapshots(&text, wall) {
            Some(lives) if lives.is_empty() => container_not_found(),
            Some(lives) => Unit::Seen(worst_snapshot(lives)),
            None => query_failed("what it says of the container is not understood"),
        },
        Ok(None) => container_not_found(),
        Err(why) => query_failed(&why),
    };
    UnitStatus::of(unit, container.name.clone())
}

/// The runtime waits for the container's own time to stop (10 s by default), and then kills it. Of compose, the very
/// containers that were queried: `docker compose restart` also starts what depends on them.
pub(crate) fn restart_container(container: &Container, limit: Duration) -> RestartResponse {
    let began = Instant::now();
    let names = match list_compose_containers(container, limit) {
        Ok(names) if names.is_empty() => {
            return RestartResponse::NotStarted(format!("there is no container of {}", container.name));
        }
        Ok(names) => names,
        Err(why) => return RestartResponse::NotStarted(why),
    };
    let mut command = runtime_command(&container.runtime);
    command.args(["container", "restart", "--"]).args(&names);
    match process::run(command, limit.saturating_sub(began.elapsed()), MAX_INSPECT_BYTES) {
        Err(error) => RestartResponse::NotStarted(describe_start_error(&container.runtime, &error)),
        Ok(ran) => parse_response(&ran),
    }
}

fn parse_response(ran: &Ran) -> RestartResponse {
    match ran.end {
        End::TimedOut => RestartResponse::StillRunning,
        End::Exited(status) if status.success() => RestartResponse::Accepted,
        End::Exited(status) => {
            let why = error_line(ran).unwrap_or_else(|| status.to_string());
            if engine_is_down(&why) { RestartResponse::NotStarted(why) } else { RestartResponse::Failed(why) }
        }
    }
}

/// The daemon was not reached, and so not asked.
fn engine_is_down(said: &str) -> bool {
    [
        "Cannot connect to the Docker daemon",
        "permission denied while trying to connect",
        "unable to connect to Podman",
    ]
    .iter()
    .any(|mark| said.contains(mark))
}

/// The text of `container inspect`; `None`: there is no such container.
fn inspect(container: &Container, limit: Duration) -> Result<Option<String>, String> {
    let began = Instant::now();
    let names = list_compose_containers(container, limit)?;
    if names.is_empty() {
        return Ok(None);
    }
    let mut command = runtime_command(&container.runtime);
    command.args(["container", "inspect", "--"]).args(&names);
    let ran = process::run(command, limit.saturating_sub(began.elapsed()), MAX_INSPECT_BYTES)
        .map_err(|error| describe_start_error(&container.runtime, &error))?;
    match read_answer(&ran, limit) {
        Ok(text) => Ok(Some(text)),
        Err(why) if says_not_found(&why) => Ok(None),
        Err(why) => Err(why),
    }
}

/// What `container` commands know it by: of compose, the ids of its service. In no folder of the project's: a start
/// there would hang, beyond every limit, where its file system is away.
fn list_compose_containers(container: &Container, limit: Duration) -> Result<Vec<String>, String> {
    let Runtime::Compose(project) = &container.runtime else { return Ok(vec![container.name.clone()]) };
    let mut command = runtime_command(&container.runtime);
    command.args(["compose", "--project-directory"]).arg(project);
    command.args(["ps", "--all", "--quiet", "--", &container.name]);
    let ran = process::run(command, limit, MAX_INSPECT_BYTES)
        .map_err(|error| describe_start_error(&container.runtime, &error))?;
    let text = read_answer(&ran, limit)?;
    Ok(text.lines().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect())
}

/// In the words of Docker 20 to 28 and Podman 4 and 5.
fn says_not_found(said: &str) -> bool {
    let said = said.to_lowercase();
    said.contains("no such container") || said.contains("no container with name or id")
}

fn read_answer(ran: &Ran, limit: Duration) -> Result<String, String> {
    match ran.end {
        End::TimedOut => Err(format!("no answer within {}", words::span(limit))),
        End::Exited(status) if status.success() => Ok(String::from_utf8_lossy(&ran.stdout).into_owned()),
        End::Exited(status) => Err(error_line(ran).unwrap_or_else(|| status.to_string())),
    }
}

fn error_line(ran: &Ran) -> Option<String> {
    let text = String::from_utf8_lossy(&ran.stderr);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(words::escaped(line).chars().take(200).collect())
}

fn runtime_command(runtime: &Runtime) -> Command {
    Command::new(runtime_program(runtime))
}

const fn runtime_program(runtime: &Runtime) -> &'static str {
    match runtime {
        Runtime::Docker | Runtime::Compose(_) => "docker",
        Runtime::Podman => "podman",
    }
}

fn describe_start_error(runtime: &Runtime, error: &io::Error) -> String {
    let program = runtime_program(runtime);
    if error.kind() == io::ErrorKind::NotFound {
        return format!("no {program} in PATH");
    }
    format!("{program} cannot be started: {}", words::io(error))
}

fn container_not_found() -> Unit {
    Unit::Seen(Life { load: Load::NotFound, ..Life::told(Condition::NeverStarted, None, None) })
}

fn query_failed(why: &str) -> Unit {
    Unit::Unanswered(Doubt::UnitUnknown(why.to_owned()))
}

/// Of each container that is told of; `None`: not understood.
fn parse_snapshots(text: &str, wall: Duration) -> Option<Vec<Life>> {
    let told: Value = serde_json::from_str(text).ok()?;
    let all = told.as_array().filter(|all| !all.is_empty())?;
    let own = all.iter().filter(|one| !is_one_off(one));
    own.map(|one| parse_snapshot(one, wall)).collect()
}

/// Of `docker compose run`: none of the service's.
fn is_one_off(told: &Value) -> bool {
    let label = told.pointer("/Config/Labels").and_then(|labels| labels.get("com.docker.compose.oneoff"));
    label.and_then(Value::as_str) == Some("True")
}

fn parse_snapshot(told: &Value, wall: Duration) -> Option<Life> {
    let state = told.get("State")?;
    let condition = parse_condition(told, state)?;
    let id = told.get("Id").and_then(Value::as_str)?;
    let started = state.get("StartedAt").and_then(Value::as_str)?;
    let age = parse_age(started, wall).filter(|_| condition == Condition::Active);
    let restarts = told.get("RestartCount").and_then(Value::as_u64).unwrap_or(0);
    let life = Life::told(condition, Some(format!("{id} {started}")), age);
    let paused = state.get("Status").and_then(Value::as_str) == Some("paused");
    let active = if paused { Active::Frozen } else { life.active };
    Some(Life { active, own_restarts: u32::try_from(restarts).unwrap_or(u32::MAX), ..life })
}

fn parse_condition(told: &Value, state: &Value) -> Option<Condition> {
    Some(match state.get("Status").and_then(Value::as_str)? {
        "running" | "paused" => Condition::Active,
        "restarting" | "removing" | "stopping" => Condition::Busy,
        "created" | "initialized" | "configured" => Condition::NeverStarted,
        "exited" | "stopped" => ended_condition(told, state)?,
        "dead" => Condition::Failed,
        _ => return None,
    })
}

/// The runtimes keep no word of who stopped it. One that its policy would have started again was stopped by
/// somebody, and so was one that ended by the signal of a stop, unless the kernel killed it for its memory. One that
/// ends with 1 when it is told to stop, and has no policy, cannot be told from one that fell.
fn ended_condition(told: &Value, state: &Value) -> Option<Condition> {
    let policy = told.pointer("/HostConfig/RestartPolicy/Name").and_then(Value::as_str).unwrap_or_default();
    let retries = told.pointer("/HostConfig/RestartPolicy/MaximumRetryCount").and_then(Value::as_u64);
    let restarts = told.get("RestartCount").and_then(Value::as_u64).unwrap_or(0);
    let has_retries = retries.is_none_or(|most| most == 0 || restarts < most);
    let for_memory = state.get("OOMKilled").and_then(Value::as_bool).unwrap_or(false);
    let code = state.get("ExitCode").and_then(Value::as_i64)?;
    Some(match (policy, code) {
        ("always" | "unless-stopped", _) => Condition::Stopped,
        (_, 0) => Condition::Exited,
        ("on-failure", _) if has_retries => Condition::Stopped,
        // SIGINT, SIGQUIT, SIGKILL and SIGTERM: what images stop with, and what follows.
        (_, 130 | 131 | 137 | 143) if !for_memory => Condition::Stopped,
        _ => Condition::Failed,
    })
}

fn parse_age(started: &str, wall: Duration) -> Option<Duration> {
    let seconds = DateTime::parse_from_rfc3339(started).ok()?.timestamp();
    wall.checked_sub(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// A service of several containers is as the worst of them; another one of them is another incarnation.
fn worst_snapshot(lives: Vec<Life>) -> Life {
    let incarnations: Vec<String> = lives.iter().filter_map(|life| life.incarnation.clone()).collect();
    let own_restarts = lives.iter().map(|life| life.own_restarts).max().unwrap_or(0);
    let youngest = lives.iter().filter_map(|life| life.age).min();
    let rank = |life: &Life| match (life.active, life.condition()) {
        (Active::Active, _) => 0,
        (Active::Frozen, _) => 5,
        (Active::Busy, _) => 4,
        (_, Condition::Failed) => 1,
        (_, Condition::NeverStarted | Condition::ConditionUnmet | Condition::Exited) => 2,
        (_, _) => 3,
    };
    let worst = lives.into_iter().max_by_key(rank);
    let worst = worst.unwrap_or_else(|| Life::told(Condition::NeverStarted, None, None));
    Life {
        incarnation: Some(incarnations.join(", ")),
        own_restarts,
        age: youngest.filter(|_| worst.age.is_some()),
        ..worst
    }
}

/// How `container inspect` is understood, for tests of what other rooms make of the same answer.
#[cfg(test)]
pub(crate) fn snapshot_of(text: &str, wall: Duration) -> Option<Life> {
    parse_snapshots(text, wall).map(worst_snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    /// 2026-02-07 17:00:00 UTC
    const WALL: Duration = Duration::from_secs(1_770_483_600);

    fn told(state: &str, policy: &str) -> String {
        format!(
            r#"[{{"Id":"abc","RestartCount":0,"State":{{{state},"StartedAt":"2026-02-07T16:58:20.123456789Z"}},"HostConfig":{{"RestartPolicy":{{"Name":"{policy}"}}}}}}]"#
        )
    }

    fn seen(state: &str, policy: &str) -> Life {
        worst_snapshot(parse_snapshots(&told(state, policy), WALL).unwrap())
    }

    #[test]
    fn a_container_that_somebody_stopped_is_told_from_one_that_fell() {
        for (state, policy, active, condition) in [
            (r#""Status":"running""#, "no", Active::Active, Condition::Active),
            (r#""Status":"paused""#, "no", Active::Frozen, Condition::Active),
            (r#""Status":"restarting","ExitCode":1"#, "always", Active::Busy, Condition::Busy),
            (r#""Status":"created""#, "no", Active::Inactive, Condition::NeverStarted),
            (r#""Status":"exited","ExitCode":0"#, "no", Active::Inactive, Condition::Exited),
            (r#""Status":"exited","ExitCode":1"#, "no", Active::Failed, Condition::Failed),
            (r#""Status":"exited","ExitCode":1"#, "unless-stopped", Active::Inactive, Condition::Stopped),
            (r#""Status":"exited","ExitCode":1"#, "always", Active::Inactive, Condition::Stopped),
            (r#""Status":"exited","ExitCode":137"#, "no", Active::Inactive, Condition::Stopped),
            (r#""Status":"exited","ExitCode":137,"OOMKilled":true"#, "no", Active::Failed, Condition::Failed),
            (r#""Status":"exited","ExitCode":143"#, "on-failure", Active::Inactive, Condition::Stopped),
            (r#""Status":"exited","ExitCode":1"#, "on-failure", Active::Inactive, Condition::Stopped),
            (r#""Status":"exited","ExitCode":130"#, "no", Active::Inactive, Condition::Stopped),
            (r#""Status":"dead","ExitCode":255"#, "no", Active::Failed, Condition::Failed),
        ] {
            let life = seen(state, policy);
            let found = if life.active == Active::Frozen { Condition::Active } else { life.condition() };
            assert_eq!((life.active, found), (active, condition), "{state} {policy}");
        }
        let running = seen(r#""Status":"running""#, "no");
        assert_eq!(running.age, Some(Duration::from_secs(100)));
        assert_eq!(running.incarnation.as_deref(), Some("abc 2026-02-07T16:58:20.123456789Z"));
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
            assert_eq!(parse_snapshots(text, WALL), None, "{text}");
        }
    }

    #[test]
    fn what_docker_compose_run_left_behind_is_none_of_the_service() {
        let (up, down) =
            (told(r#""Status":"running""#, "no"), told(r#""Status":"exited","ExitCode":1"#, "no"));
        let label = r#","Config":{"Labels":{"com.docker.compose.oneoff":"True"}}}]"#;
        let left = down.replace("}]", label);
        assert_eq!(
            worst_snapshot(parse_snapshots(&both(&up, &left), WALL).unwrap()).condition(),
            Condition::Active
        );
        assert_eq!(parse_snapshots(&left, WALL), Some(Vec::new()));
    }

    #[test]
    fn a_container_that_has_used_up_its_retries_fell() {
        let policy = r#"{"Name":"on-failure","MaximumRetryCount":3}"#;
        let text = told(r#""Status":"exited","ExitCode":1"#, "on-failure")
            .replace(r#"{"Name":"on-failure"}"#, policy);
        assert_eq!(worst_snapshot(parse_snapshots(&text, WALL).unwrap()).condition(), Condition::Stopped);
        let spent = text.replace(r#""RestartCount":0"#, r#""RestartCount":3"#);
        assert_eq!(worst_snapshot(parse_snapshots(&spent, WALL).unwrap()).condition(), Condition::Failed);
        // 0 is without end.
        let endless = spent.replace(r#""MaximumRetryCount":3"#, r#""MaximumRetryCount":0"#);
        assert_eq!(worst_snapshot(parse_snapshots(&endless, WALL).unwrap()).condition(), Condition::Stopped);
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
            (up, up, Active::Active, Condition::Active),
            (up, fell, Active::Failed, Condition::Failed),
            (fell, ended, Active::Inactive, Condition::Exited),
            (ended, stopped, Active::Inactive, Condition::Stopped),
            (fell, stopped, Active::Inactive, Condition::Stopped),
            (stopped, busy, Active::Busy, Condition::Busy),
            (busy, paused, Active::Frozen, Condition::Active),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                let life = worst_snapshot(
                    parse_snapshots(&both(&told(one, "no"), &told(other, "no")), WALL).unwrap(),
                );
                let found = if life.active == Active::Frozen { Condition::Active } else { life.condition() };
                assert_eq!((life.active, found), (active, condition), "{one} {other}");
                let runs = active == Active::Active || active == Active::Frozen;
                assert_eq!(life.age.is_some(), runs, "{one} {other}");
            }
        }
    }

    #[test]
    fn several_containers_are_as_young_as_the_youngest_and_one_anew_is_another_life() {
        let old = told(r#""Status":"running""#, "no");
        let young = old.replace("16:58:20", "16:59:50").replace(r#""RestartCount":0"#, r#""RestartCount":7"#);
        let of = |one: &str, other: &str| worst_snapshot(parse_snapshots(&both(one, other), WALL).unwrap());
        let life = of(&old, &young);
        assert_eq!((life.age, life.own_restarts), (Some(Duration::from_secs(10)), 7));
        assert_ne!(life.incarnation, of(&old, &old).incarnation);
    }

    /// One answer of two.
    fn both(one: &str, other: &str) -> String {
        let inside = |text: &str| text.trim_matches(['[', ']']).to_owned();
        format!("[{},{}]", inside(one), inside(other))
    }

    #[test]
    fn what_was_not_asked_is_told_from_what_failed() {
        let ran = |code: i32, said: &str| Ran {
            end: End::Exited(ExitStatus::from_raw(code << 8)),
            stdout: Vec::new(),
            stderr: said.as_bytes().to_vec(),
        };
        let away = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
        for away in [
            away,
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            "Error: unable to connect to Podman socket: dial unix /run/podman/podman.sock: connection refused",
        ] {
            assert_eq!(parse_response(&ran(1, away)), RestartResponse::NotStarted(away.to_owned()));
        }
        assert_eq!(parse_response(&ran(1, "boom\nmore")), RestartResponse::Failed("boom".to_owned()));
        assert_eq!(parse_response(&ran(0, "")), RestartResponse::Accepted);
        for said in [
            "Error response from daemon: No such container: shop",
            "Error: No such container: shop",
            "Error: inspecting object: no such container shop",
            "Error: no container with name or ID \"shop\" found: no such container",
        ] {
            assert!(says_not_found(said), "{said}");
        }
        assert!(!says_not_found(away));
    }
}
