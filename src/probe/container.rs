//! `container = "shop-db"`: does the container run, and is it healthy if it has a health check? docker, podman or docker
//! compose is asked.

use std::path::Path;
use std::time::Duration;

use crate::managers::containers::{
    Runtime, Target, Unanswered, first_line, in_another_folder, inspect, is_container_name,
};
use crate::os::newest_file;
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, Program, ValueType};
use crate::words;

use super::answer::Ground;
use super::fault::{quoted, scarcity};
use super::kind::{Found, Kind};
use super::with_timeout;

mod judge;

pub(super) const KIND: Kind = Kind {
    spec: KindSpec::new(CONTAINER, &[RUNTIME, PROJECT])
        .validate(validate)
        .starts(|given| Some(Program::Fixed(runtime(given).program()))),
    ask,
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

fn validate(given: &Params) -> Option<KeyConflict> {
    let wrong = |what: &str, cure| Some(KeyConflict { key: PROJECT.name, what: what.to_owned(), cure });
    match (given.text(&RUNTIME) == COMPOSE, given.text(&PROJECT)) {
        (true, "") => wrong("must be given with runtime = \"compose\"", "name the folder of compose.yaml"),
        (true, _) | (false, "") => None,
        (false, _) => wrong("belongs to runtime = \"compose\"", "leave it out"),
    }
}

fn runtime(given: &Params) -> Runtime<'_> {
    match given.text(&RUNTIME) {
        COMPOSE => Runtime::Compose { project: given.text(&PROJECT) },
        PODMAN => Runtime::Podman,
        _ => Runtime::Docker,
    }
}

fn ask(given: &Params, ground: &Ground<'_>) -> Found {
    let runtime = runtime(given);
    if let Runtime::Compose { project } = runtime
        && let Err(found) = is_there(project, ground)
    {
        return found;
    }
    let target = Target { runtime, name: given.text(&CONTAINER) };
    match inspect(target, ground.limit) {
        Ok(containers) => judge::judge(&containers, runtime),
        Err(unanswered) => not_asked(unanswered, runtime, ground.limit),
    }
}

/// docker has other words for a folder that is away.
fn is_there(project: &str, ground: &Ground<'_>) -> Result<(), Found> {
    let asked = project.to_owned();
    let seen = with_timeout::within(ground.limit, move || newest_file::at(Path::new(&asked)));
    seen.map_err(Found::doubt)?.map_err(|error| with_timeout::not_seen(project, &error))?;
    Ok(())
}

/// That it could not be asked is no evidence against the container.
fn not_asked(unanswered: Unanswered, runtime: Runtime<'_>, limit: Duration) -> Found {
    let program = runtime.label();
    match unanswered {
        Unanswered::NotStarted(error) => match scarcity(&error) {
            Some(doubt) => Found::doubt(doubt),
            None => Found::not_known(format!("{program} cannot be started: {}", words::io(&error))),
        },
        Unanswered::NoAnswer => {
            Found::not_known(format!("{program} did not answer within {}", words::span(limit)))
        }
        Unanswered::NotUnderstood => Found::not_known("the answer is not understood"),
        Unanswered::InAnotherFolder(folder) => Found::not_known(quoted(&in_another_folder(&folder))),
        Unanswered::Failed { status, complaint } => match (status.code(), first_line(&complaint)) {
            (None, _) => Found::not_known(format!("{program} was killed by a signal")),
            (Some(_), Some(line)) => Found::not_known(quoted(&format!("{program}: {line}"))),
            (Some(code), None) => Found::not_known(format!("{program}: exit status {code}")),
        },
    }
}

#[cfg(test)]
mod tests;
