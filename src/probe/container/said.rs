//! What docker, podman and docker compose say of containers. Pure: from foreign text to a verdict. Never panics, and
//! nothing is well but what says so in words that are known. Of a configuration, which may hold secrets, nothing is
//! shown.

use serde_json::{Deserializer, Value};

use crate::probe::fault::quoted;
use crate::probe::kind::Found;

/// How one container is; several are as the worst of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Is {
    Well,
    Near,
    NotKnown,
    Failing,
}

/// `container inspect NAME` of docker and podman: a list of one.
pub(super) fn by_inspect(text: &str, name: &str) -> Found {
    let Ok(Value::Array(list)) = serde_json::from_str(text) else { return not_understood() };
    match list.as_slice() {
        [one] if is_called(one, name) => {
            let (is, words) = inspected(one);
            found(is, &words)
        }
        // A name that nobody has is taken for the beginning of an id.
        [one] if one["Name"].is_string() => Found::failing("no such container"),
        _ => not_understood(),
    }
}

/// Does the runtime say that it has none of that name? docker: `No such container: shop`, podman: `no such container
/// shop`, with the name in quotes or not, and words before.
pub(super) fn knows_none(err: &str, name: &str) -> bool {
    err.lines().any(|line| {
        let behind = line.to_ascii_lowercase().find("no such container").and_then(|at| line.get(at + 17..));
        behind.is_some_and(|behind| behind.trim_matches(|c: char| " :\"".contains(c)) == name)
    })
}

/// `docker compose ps --all --format json SERVICE`: an object for each container of the service, or, before 2.21, a
/// list of them.
pub(super) fn by_compose(text: &str, service: &str) -> Found {
    let mut containers = Vec::new();
    for value in Deserializer::from_str(text).into_iter() {
        match value {
            Ok(Value::Array(list)) => containers.extend(list),
            Ok(value) => containers.push(value),
            Err(_) => return not_understood(),
        }
    }
    if containers.iter().any(|one| one["Service"] != *service || !one["Name"].is_string()) {
        return not_understood();
    }
    containers.retain(|one| !is_one_off(one, service));
    let said: Vec<_> = containers.iter().map(|one| (listed(one), text_of(one, "Name"))).collect();
    match said.iter().max_by_key(|((is, _), _)| *is) {
        None => Found::failing("no container of the service"),
        Some(((is, words), _)) if said.len() == 1 => found(*is, words),
        Some(((Is::Well, _), _)) => Found::well(format!("{} containers run", said.len())),
        Some(((is, words), name)) => found(*is, &format!("{name}: {words}")),
    }
}

/// docker writes a / before the name. An id is taken too, if it is more than its beginning.
fn is_called(one: &Value, name: &str) -> bool {
    let own = text_of(one, "Name");
    own.strip_prefix('/').unwrap_or(own) == name || (name.len() >= 12 && text_of(one, "Id").starts_with(name))
}

/// Those of `docker compose run`, which `--all` lists too: that one has ended says nothing of the service. Versions
/// that list no labels are asked by the name that they give: PROJECT-SERVICE-run-ID.
fn is_one_off(one: &Value, service: &str) -> bool {
    if let Some(labels) = one["Labels"].as_str() {
        return labels.split(',').any(|label| label == "com.docker.compose.oneoff=True");
    }
    let Some((before, id)) = text_of(one, "Name").rsplit_once(['-', '_']) else { return false };
    let run = [format!("{service}-run"), format!("{service}_run")];
    id.len() == 12
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && run.iter().any(|run| before.ends_with(run))
}

fn inspected(one: &Value) -> (Is, String) {
    let state = &one["State"];
    let status = text_of(state, "Status");
    if (status == "running") != (state["Running"] == true) && status != "paused" && status != "restarting" {
        return (Is::NotKnown, contradiction());
    }
    // podman before 4 has the longer name.
    let health = [&state["Health"], &state["Healthcheck"]].into_iter().find(|health| !health.is_null());
    let health = match health.map(|health| &health["Status"]) {
        None => Some(""),
        Some(status) => status.as_str(),
    };
    condition(status, health, &state["ExitCode"], state["OOMKilled"] == true)
}

fn listed(one: &Value) -> (Is, String) {
    condition(text_of(one, "State"), one["Health"].as_str(), &one["ExitCode"], false)
}

/// `health`: "" where there is no check, `None` where that is not said.
fn condition(status: &str, health: Option<&str>, code: &Value, short_of_memory: bool) -> (Is, String) {
    match (status, health) {
        ("running", Some("" | "none")) => (Is::Well, "running".to_owned()),
        ("running", Some("healthy")) => (Is::Well, "running (healthy)".to_owned()),
        ("running", Some("starting")) => (Is::Near, "running (health: starting)".to_owned()),
        ("running", Some("unhealthy")) => (Is::Failing, "running (unhealthy)".to_owned()),
        ("running", Some(other)) => (Is::NotKnown, format!("running, and its health is \"{other}\"")),
        ("running", None) => (Is::NotKnown, "running, and its health is not said".to_owned()),
        ("exited" | "dead", _) => {
            let memory = if short_of_memory { ", out of memory" } else { "" };
            match code.as_i64() {
                Some(code) => (Is::Failing, format!("{status} ({code}{memory})")),
                None => (Is::Failing, status.to_owned()),
            }
        }
        // The last four are podman's.
        (
            "created" | "paused" | "restarting" | "removing" | "configured" | "initialized" | "stopped"
            | "stopping",
            _,
        ) => (Is::Failing, status.to_owned()),
        (other, _) => (Is::NotKnown, format!("its state is \"{other}\"")),
    }
}

fn contradiction() -> String {
    "its state contradicts itself".to_owned()
}

/// "" where there is none.
fn text_of<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

fn found(is: Is, words: &str) -> Found {
    let words = quoted(&words);
    match is {
        Is::Well => Found::well(words),
        Is::Near => Found::near(words),
        Is::NotKnown => Found::not_known(words),
        Is::Failing => Found::failing(words),
    }
}

fn not_understood() -> Found {
    Found::not_known("the answer is not understood")
}
