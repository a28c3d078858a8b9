//! `container = "shop-db"`: does the container run, and is it healthy if it has a health check? docker, podman or docker
//! compose is asked.

use std::path::Path;
use std::time::Duration;

use crate::managers::containers::{
    ContainerRef, ContainerRuntime, Unanswered, first_line, in_another_folder, inspect_target,
    is_container_name,
};
use crate::os::newest_file;
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, Program, ValueType};
use crate::words;

use super::answer::ProbeContext;
use super::fault::{classify_scarcity, quote_error};
use super::kind::{ProbeKind, ProbeResult};
use super::with_timeout;

mod judge;

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(CONTAINER, &[RUNTIME, PROJECT])
        .validate(find_conflict)
        .starts(|given| Some(Program::Fixed(runtime_command(given).program()))),
    ask: probe_container,
};

const CONTAINER: KeySpec = KeySpec::new("container", ValueType::Text(no_name))
    .help("A container, or a service of compose: well if it runs and its health check is well");
const RUNTIME: KeySpec = KeySpec::new("runtime", ValueType::OneOf(&["docker", PODMAN, COMPOSE]))
    .default("docker")
    .help("Who is asked about it");
const PROJECT: KeySpec =
    KeySpec::new("project", ValueType::Path).help("The folder of the compose file, for runtime compose");

const PODMAN: &str = "podman";
const COMPOSE: &str = "compose";

fn no_name(text: &str) -> Option<&'static str> {
    (!is_container_name(text)).then_some("must be the name of a container: letters, digits and _.-")
}

fn find_conflict(given: &Params) -> Option<KeyConflict> {
    let wrong = |what: &str, cure| Some(KeyConflict { key: PROJECT.name, what: what.to_owned(), cure });
    match (given.text(&RUNTIME) == COMPOSE, given.text(&PROJECT)) {
        (true, "") => wrong("must be given with runtime = \"compose\"", "name the folder of compose.yaml"),
        (true, _) | (false, "") => None,
        (false, _) => wrong("belongs to runtime = \"compose\"", "leave it out"),
    }
}

fn runtime_command(given: &Params) -> ContainerRuntime<'_> {
    match given.text(&RUNTIME) {
        COMPOSE => ContainerRuntime::Compose { project: given.text(&PROJECT) },
        PODMAN => ContainerRuntime::Podman,
        _ => ContainerRuntime::Docker,
    }
}

fn probe_container(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    let runtime = runtime_command(given);
    if let ContainerRuntime::Compose { project } = runtime
        && let Err(found) = is_there(project, ground)
    {
        return found;
    }
    let target = ContainerRef { runtime, name: given.text(&CONTAINER) };
    match inspect_target(target, ground.limit) {
        Ok(containers) => judge::judge_containers(&containers, runtime),
        Err(unanswered) => not_asked(unanswered, runtime, ground.limit),
    }
}

/// docker has other words for a folder that is away.
fn is_there(project: &str, ground: &ProbeContext<'_>) -> Result<(), ProbeResult> {
    let asked = project.to_owned();
    let seen =
        with_timeout::run_with_timeout(ground.limit, move || newest_file::newest_matching(Path::new(&asked)));
    seen.map_err(ProbeResult::from_doubt)?.map_err(|error| with_timeout::not_finished(project, &error))?;
    Ok(())
}

/// That it could not be asked is no evidence against the container.
fn not_asked(unanswered: Unanswered, runtime: ContainerRuntime<'_>, limit: Duration) -> ProbeResult {
    let program = runtime.label();
    match unanswered {
        Unanswered::NotStarted(error) => match classify_scarcity(&error) {
            Some(doubt) => ProbeResult::from_doubt(doubt),
            None => {
                ProbeResult::unknown(format!("{program} cannot be started: {}", words::io_error_text(&error)))
            }
        },
        Unanswered::NoAnswer => {
            ProbeResult::unknown(format!("{program} did not answer within {}", words::format_duration(limit)))
        }
        Unanswered::NotUnderstood => ProbeResult::unknown("the answer is not understood"),
        Unanswered::InAnotherFolder(folder) => ProbeResult::unknown(quote_error(&in_another_folder(&folder))),
        Unanswered::Failed { status, complaint } => match (status.code(), first_line(&complaint)) {
            (None, _) => ProbeResult::unknown(format!("{program} was killed by a signal")),
            (Some(_), Some(line)) => ProbeResult::unknown(quote_error(&format!("{program}: {line}"))),
            (Some(code), None) => ProbeResult::unknown(format!("{program}: exit status {code}")),
        },
    }
}

#[cfg(test)]
mod tests;
