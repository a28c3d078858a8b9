//! The client of docker, podman and docker compose, by their own programs: what their sockets speak differs, and who may
//! use them is theirs to say. Asks how containers are, and for their restart; what an answer means to a restart is said
//! in `snapshot`, what it means to a probe by the probe.
#![expect(clippy::disallowed_methods, reason = "this file starts the container runtimes' own programs")]

mod events;
mod inspected;
mod snapshot;

use std::io;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use unhang_core::{Doubt, UnitFacts};

use crate::os::process::{self, ProcessEnd, ProcessOutput};
use crate::words;

use super::systemd::outside::{Heard, outside_of_sandbox};
use super::{RestartResponse, UnitStatus};
use inspected::parse_inspected;
pub(crate) use inspected::{ContainerState, Inspected};

/// What a runtime may print of the containers of one service: their whole configuration, and some of what their health
/// checks said.
const MAX_INSPECT_BYTES: usize = 1024 * 1024;

/// A container, or a service of compose, which may have several.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ContainerRef<'a> {
    pub(crate) runtime: ContainerRuntime<'a>,
    /// Of the container; of compose, of the service.
    pub(crate) name: &'a str,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum ContainerRuntime<'a> {
    Docker,
    Podman,
    Compose { project: &'a str },
}

impl ContainerRuntime<'_> {
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Docker | Self::Compose { .. } => "docker",
            Self::Podman => "podman",
        }
    }

    /// What a person calls it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Compose { .. } => "docker compose",
        }
    }
}

/// Why a runtime did not say how its containers are.
#[derive(Debug)]
pub(crate) enum Unanswered {
    NotStarted(io::Error),
    /// It did not end in time.
    NoAnswer,
    Failed {
        status: ExitStatus,
        /// What it wrote to stderr.
        complaint: String,
    },
    NotUnderstood,
    /// Compose has the service in this folder, and not in the one that was asked for.
    InAnotherFolder(String),
}

/// Whether docker and podman take a text for the name of a container; so that it is no option of theirs either.
pub(crate) fn is_container_name(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(inside) && text.len() <= 255
}

/// The containers of a target, without those of `docker compose run`; empty where there is none. Over within `limit`.
///
/// # Errors
/// When the runtime cannot be asked, or its answer is not understood: nothing is known then.
pub(crate) fn inspect_target(
    target: ContainerRef<'_>,
    limit: Duration,
) -> Result<Vec<Inspected>, Unanswered> {
    let began = Instant::now();
    let names = list_containers(target, limit)?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = runtime_command(target.runtime);
    command.args(["container", "inspect", "--"]).args(&names);
    let left = limit.saturating_sub(began.elapsed());
    let ran = process::run_program(command, left, MAX_INSPECT_BYTES).map_err(Unanswered::NotStarted)?;
    read_inspected(read_answer(&ran), target, &names)
}

/// How a restart understands what `inspect` finds. `wall`: since 1970. Over within `limit`.
pub(crate) fn query_container(target: ContainerRef<'_>, wall: Duration, limit: Duration) -> UnitStatus {
    let began = Instant::now();
    let unit = match inspect_target(target, limit) {
        Ok(containers) if containers.is_empty() => snapshot::container_not_found(),
        Ok(containers) => {
            let nobody_stopped = |container: &Inspected| {
                let left = limit.saturating_sub(began.elapsed());
                events::nobody_stopped(container, target.runtime, wall, left)
            };
            match snapshot::worst_snapshot(&containers, wall, &nobody_stopped) {
                Some(snapshot) => UnitFacts::Known(snapshot),
                None => query_failed(&describe_unanswered(&Unanswered::NotUnderstood, target.runtime, limit)),
            }
        }
        // The configuration names the wrong one: that does not pass by itself.
        Err(unanswered @ Unanswered::InAnotherFolder(_)) => {
            UnitFacts::QueryFailed(Doubt::Other(describe_unanswered(&unanswered, target.runtime, limit)))
        }
        Err(unanswered) => query_failed(&describe_unanswered(&unanswered, target.runtime, limit)),
    };
    UnitStatus::of(unit, target.name.to_owned())
}

/// The runtime waits for the container's own time to stop (10 s by default), and then kills it. Of compose, the very
/// containers that were queried: `docker compose restart` also starts what depends on them.
pub(crate) fn restart_container(target: ContainerRef<'_>, limit: Duration) -> RestartResponse {
    let began = Instant::now();
    let names = match list_containers(target, limit) {
        Ok(names) if names.is_empty() => {
            return RestartResponse::NotStarted(format!("there is no container of {}", target.name));
        }
        Ok(names) => names,
        Err(unanswered) => {
            return RestartResponse::NotStarted(describe_unanswered(&unanswered, target.runtime, limit));
        }
    };
    let mut command = runtime_command(target.runtime);
    command.args(["container", "restart", "--"]).args(&names);
    // Docker's daemon starts them; Podman is their parent itself.
    if matches!(target.runtime, ContainerRuntime::Podman)
        && let Some(outer) = outside_of_sandbox(&command, Heard::ItsOutput)
    {
        command = outer;
    }
    match process::run_program(command, limit.saturating_sub(began.elapsed()), MAX_INSPECT_BYTES) {
        Err(error) => RestartResponse::NotStarted(describe_unanswered(
            &Unanswered::NotStarted(error),
            target.runtime,
            limit,
        )),
        Ok(ran) => parse_response(&ran),
    }
}

fn parse_response(ran: &ProcessOutput) -> RestartResponse {
    match ran.end {
        ProcessEnd::TimedOut => RestartResponse::StillRunning,
        ProcessEnd::Exited(status) if status.success() => RestartResponse::Accepted,
        ProcessEnd::Exited(status) => {
            let complaint = complaint_text(ran);
            let why = first_line(&complaint).map_or_else(|| status.to_string(), shorten_line);
            if engine_is_down(&why) { RestartResponse::NotStarted(why) } else { RestartResponse::Failed(why) }
        }
    }
}

/// The daemon was not reached, and so not asked: in the words that Docker 20 to 29 and Podman 4 and 5 begin with. What
/// stands further behind may be quoted from an image.
fn engine_is_down(said: &str) -> bool {
    let lower = said.to_ascii_lowercase();
    let begins = lower.trim_start_matches("error: ").trim_start_matches("got ");
    [
        "cannot connect to the docker daemon",
        "failed to connect to the docker api",
        "permission denied while trying to connect to the docker ",
        "cannot connect to podman",
        "unable to connect to podman",
    ]
    .iter()
    .any(|mark| begins.starts_with(mark))
}

/// What `container` commands know the containers by: of compose, the ids of its service. They are found by the labels
/// that compose gave them, and not by its files: whoever may write those would choose which containers root restarts,
/// and a file that is broken would hide them.
fn list_containers(target: ContainerRef<'_>, limit: Duration) -> Result<Vec<String>, Unanswered> {
    let ContainerRuntime::Compose { project } = target.runtime else {
        return Ok(vec![target.name.to_owned()]);
    };
    let mut command = runtime_command(target.runtime);
    command.args(["container", "ls", "--all", "--no-trunc"]);
    command.args(["--filter", &format!("label=com.docker.compose.service={}", target.name)]);
    command.args(["--format", "{{.ID}} {{.Label \"com.docker.compose.project.working_dir\"}}"]);
    let ran = process::run_program(command, limit, MAX_INSPECT_BYTES).map_err(Unanswered::NotStarted)?;
    of_project(&read_answer(&ran)?, project)
}

/// Pure. A line for each container of a service that is called so, in any project: its id, and the folder that compose
/// was called in.
fn of_project(text: &str, project: &str) -> Result<Vec<String>, Unanswered> {
    let of_folder = |folder: &str| folder.trim_end_matches('/').to_owned();
    let all: Vec<(&str, String)> = text
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(id, folder)| (id, of_folder(folder)))
        .collect();
    let own: Vec<String> = all
        .iter()
        .filter(|(_, folder)| *folder == of_folder(project))
        .map(|(id, _)| (*id).to_owned())
        .collect();
    match all.first() {
        // Down, or called by another path to it: that is not known.
        Some((_, folder)) if own.is_empty() => Err(Unanswered::InAnotherFolder(folder.clone())),
        Some(_) | None => Ok(own),
    }
}

fn read_answer(ran: &ProcessOutput) -> Result<String, Unanswered> {
    match ran.end {
        ProcessEnd::TimedOut => Err(Unanswered::NoAnswer),
        ProcessEnd::Exited(status) if status.success() => {
            Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
        }
        ProcessEnd::Exited(status) => Err(Unanswered::Failed { status, complaint: complaint_text(ran) }),
    }
}

/// Pure. `names`: those that were asked for.
fn read_inspected(
    answer: Result<String, Unanswered>,
    target: ContainerRef<'_>,
    names: &[String],
) -> Result<Vec<Inspected>, Unanswered> {
    let is_compose = matches!(target.runtime, ContainerRuntime::Compose { .. });
    let text = match answer {
        // Of compose it was there a moment ago: what there is now is not known.
        Err(Unanswered::Failed { complaint, .. })
            if !is_compose && says_not_found(&complaint, target.name) =>
        {
            return Ok(Vec::new());
        }
        answer => answer?,
    };
    let all = parse_inspected(&text).ok_or(Unanswered::NotUnderstood)?;
    match all.as_slice() {
        // A name that nobody has is taken for the beginning of an id.
        [one] if !is_compose && !one.is_called(target.name) => Ok(Vec::new()),
        some if some.len() == names.len() => {
            Ok(all.into_iter().filter(|container| !container.is_one_off()).collect())
        }
        _ => Err(Unanswered::NotUnderstood),
    }
}

/// Whether the runtime says that it has no container of that name, in the words of Docker 20 to 28 and Podman 4 and 5:
/// `No such container: shop`, `no such container "shop"`, `no container with name or ID "shop" found`.
fn says_not_found(complaint: &str, name: &str) -> bool {
    let marks = ["no such container", "no container with name or id"];
    complaint.lines().any(|line| {
        let lower = line.to_ascii_lowercase();
        marks.iter().any(|mark| {
            let behind = lower.find(mark).and_then(|at| line.get(at + mark.len()..)).unwrap_or_default();
            let behind = behind.split(" found").next().unwrap_or_default();
            behind.trim_matches(|c: char| " :\"".contains(c)) == name
        })
    })
}

fn complaint_text(ran: &ProcessOutput) -> String {
    String::from_utf8_lossy(&ran.stderr).into_owned()
}

/// The first line of a complaint. `None`: nothing was said.
pub(crate) fn first_line(complaint: &str) -> Option<&str> {
    complaint.lines().map(str::trim).find(|line| !line.is_empty())
}

/// The environment stays: it says where the daemon is (`DOCKER_HOST`).
fn runtime_command(runtime: ContainerRuntime<'_>) -> Command {
    let mut command = Command::new(runtime.program());
    command.env("LC_ALL", "C");
    command
}

/// For the line that says why nothing is known, or was done.
fn describe_unanswered(unanswered: &Unanswered, runtime: ContainerRuntime<'_>, limit: Duration) -> String {
    let program = runtime.program();
    match unanswered {
        Unanswered::NotStarted(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("no {program} in PATH")
        }
        Unanswered::NotStarted(error) => {
            format!("{program} cannot be started: {}", words::io_error_text(error))
        }
        Unanswered::NoAnswer => format!("no answer within {}", words::format_duration(limit)),
        Unanswered::Failed { status, complaint } => {
            first_line(complaint).map_or_else(|| status.to_string(), shorten_line)
        }
        Unanswered::NotUnderstood => "what it says of the container is not understood".to_owned(),
        Unanswered::InAnotherFolder(folder) => shorten_line(&in_another_folder(folder)),
    }
}

pub(crate) fn in_another_folder(folder: &str) -> String {
    format!("compose was called in {folder}: write that folder as project")
}

fn shorten_line(line: &str) -> String {
    words::escaped(line).chars().take(200).collect()
}

fn query_failed(why: &str) -> UnitFacts {
    UnitFacts::QueryFailed(Doubt::UnitUnknown(why.to_owned()))
}

#[cfg(test)]
pub(crate) mod tests;
