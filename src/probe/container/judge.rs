//! Whether containers do their work, by what their runtime says of them. Pure: nothing is well but what says so in words
//! that are known.

use crate::managers::containers::{ContainerRuntime, ContainerState, Inspected};
use crate::probe::fault::quote_error;
use crate::probe::kind::ProbeResult;

/// How one container is; several are as the worst of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ContainerGrade {
    Well,
    Near,
    NotKnown,
    Failing,
}

/// Of all containers of a target.
pub(super) fn judge_containers(containers: &[Inspected], runtime: ContainerRuntime<'_>) -> ProbeResult {
    let graded: Vec<_> =
        containers.iter().map(|container| (grade_container(container), container.name())).collect();
    match graded.iter().max_by_key(|((grade, _), _)| *grade) {
        None if matches!(runtime, ContainerRuntime::Compose { .. }) => {
            ProbeResult::failing("no container of the service")
        }
        None => ProbeResult::failing("no such container"),
        Some(((grade, words), _)) if graded.len() == 1 => to_result(*grade, words),
        Some(((ContainerGrade::Well, _), _)) => ProbeResult::ok(format!("{} containers run", graded.len())),
        Some(((grade, words), name)) => to_result(*grade, &format!("{name}: {words}")),
    }
}

fn grade_container(container: &Inspected) -> (ContainerGrade, String) {
    if container.contradicts_itself() {
        return (ContainerGrade::NotKnown, "its state contradicts itself".to_owned());
    }
    let word = container.state_word();
    match container.state() {
        None => (ContainerGrade::NotKnown, format!("its state is \"{word}\"")),
        Some(ContainerState::Running) => grade_by_health(container.health()),
        Some(ContainerState::Exited | ContainerState::Dead) => {
            let memory = if container.was_out_of_memory() { ", out of memory" } else { "" };
            match container.exit_code() {
                Some(code) => (ContainerGrade::Failing, format!("{word} ({code}{memory})")),
                None => (ContainerGrade::Failing, word.to_owned()),
            }
        }
        Some(
            ContainerState::Paused
            | ContainerState::Restarting
            | ContainerState::Removing
            | ContainerState::Created
            | ContainerState::Configured
            | ContainerState::Initialized
            | ContainerState::Stopped
            | ContainerState::Stopping,
        ) => (ContainerGrade::Failing, word.to_owned()),
    }
}

fn grade_by_health(health: Option<&str>) -> (ContainerGrade, String) {
    match health {
        Some("" | "none") => (ContainerGrade::Well, "running".to_owned()),
        Some("healthy") => (ContainerGrade::Well, "running (healthy)".to_owned()),
        Some("starting") => (ContainerGrade::Near, "running (health: starting)".to_owned()),
        Some("unhealthy") => (ContainerGrade::Failing, "running (unhealthy)".to_owned()),
        Some(other) => (ContainerGrade::NotKnown, format!("running, and its health is \"{other}\"")),
        None => (ContainerGrade::NotKnown, "running, and its health is not said".to_owned()),
    }
}

fn to_result(grade: ContainerGrade, words: &str) -> ProbeResult {
    let words = quote_error(&words);
    match grade {
        ContainerGrade::Well => ProbeResult::ok(words),
        ContainerGrade::Near => ProbeResult::warning(words),
        ContainerGrade::NotKnown => ProbeResult::unknown(words),
        ContainerGrade::Failing => ProbeResult::failing(words),
    }
}
