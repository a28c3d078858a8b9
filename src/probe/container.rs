//! `container = "shop-db"`: does the container run, and is it healthy if it has a health check? docker, podman or docker
//! compose is asked by its own program: what their sockets speak differs, and who may use them is theirs to say.
#![expect(clippy::disallowed_methods, reason = "this probe starts docker or podman")]

use std::path::Path;
use std::process::Command;

use crate::os::newest_file;
use crate::os::process::{self, End, Ran};
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, ValueType};
use crate::words;

use super::answer::Ground;
use super::fault::{quoted, scarcity};
use super::kind::{Found, Kind};
use super::with_timeout;

mod said;

pub(super) const KIND: Kind =
    Kind { spec: KindSpec::new(CONTAINER, &[RUNTIME, PROJECT]).validate(validate), ask };

const CONTAINER: KeySpec = KeySpec::new("container", ValueType::Text(no_name))
    .help("A container, or a service of compose: well if it runs and its health check is well");
const RUNTIME: KeySpec = KeySpec::new("runtime", ValueType::OneOf(&["docker", "podman", COMPOSE]))
    .default("docker")
    .help("Who is asked about it");
const PROJECT: KeySpec =
    KeySpec::new("project", ValueType::Path).help("The folder of the compose file, for runtime compose");

const COMPOSE: &str = "compose";

/// Of an answer, which holds the whole configuration of a container and some of what its health check said.
const KEPT: usize = 512 * 1024;

/// As docker and podman take it; so that it is no option of theirs either.
fn no_name(text: &str) -> Option<&'static str> {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let good = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(inside);
    (!good || text.len() > 255).then_some("must be the name of a container: letters, digits and _.-")
}

fn validate(given: &Params) -> Option<KeyConflict> {
    let wrong = |what: &str, cure| Some(KeyConflict { key: PROJECT.name, what: what.to_owned(), cure });
    match (given.text(&RUNTIME) == COMPOSE, given.text(&PROJECT)) {
        (true, "") => wrong("must be given with runtime = \"compose\"", "name the folder of compose.yaml"),
        (true, _) | (false, "") => None,
        (false, _) => wrong("belongs to runtime = \"compose\"", "leave it out"),
    }
}

fn ask(given: &Params, ground: &Ground<'_>) -> Found {
    let (name, runtime) = (given.text(&CONTAINER), given.text(&RUNTIME));
    let mut command = Command::new(if runtime == COMPOSE { "docker" } else { runtime });
    command.env("LC_ALL", "C");
    if runtime == COMPOSE {
        let project = given.text(&PROJECT);
        if let Err(found) = is_there(project, ground) {
            return found;
        }
        command.args([COMPOSE, "ps", "--all", "--format", "json", name]).current_dir(project);
    } else {
        command.args(["container", "inspect", name]);
    }
    match process::run(command, ground.limit, KEPT) {
        Ok(ran) => judged(&ran, name, runtime, &words::span(ground.limit)),
        Err(error) => match scarcity(&error) {
            Some(doubt) => Found::doubt(doubt),
            None => {
                Found::not_known(format!("{} cannot be started: {}", program(runtime), words::io(&error)))
            }
        },
    }
}

/// To start a program in a folder of a dead file system would hold us, too.
fn is_there(project: &str, ground: &Ground<'_>) -> Result<(), Found> {
    let asked = project.to_owned();
    let seen = with_timeout::within(ground.limit, move || newest_file::at(Path::new(&asked)));
    seen.map_err(Found::doubt)?.map_err(|error| with_timeout::not_seen(project, &error))?;
    Ok(())
}

fn program(runtime: &str) -> &str {
    if runtime == COMPOSE { "docker compose" } else { runtime }
}

/// Pure. That it could not be asked is no evidence against the container.
fn judged(ran: &Ran, name: &str, runtime: &str, limit: &str) -> Found {
    let program = program(runtime);
    let End::Exited(status) = ran.end else {
        return Found::not_known(format!("{program} did not answer within {limit}"));
    };
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    match (status.code(), runtime == COMPOSE) {
        (Some(0), true) => said::by_compose(&out, name),
        (Some(0), false) => said::by_inspect(&out, name),
        (Some(_), false) if said::knows_none(&err, name) => Found::failing("no such container"),
        (Some(code), _) => Found::not_known(quoted(&format!("{program}: {}", why(&err, code)))),
        (None, _) => Found::not_known(format!("{program} was killed by a signal")),
    }
}

fn why(err: &str, code: i32) -> String {
    match err.lines().map(str::trim).find(|line| !line.is_empty()) {
        // docker's own words where it has no compose: `ps` is then one of its old commands, and --all unknown to it.
        Some("unknown flag: --all") => "docker has no compose here".to_owned(),
        Some(line) => line.to_owned(),
        None => format!("exit status {code}"),
    }
}

#[cfg(test)]
mod tests;
