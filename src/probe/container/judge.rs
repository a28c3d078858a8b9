//! Whether containers do their work, by what their runtime says of them. Pure: nothing is well but what says so in words
//! that are known.

use crate::managers::containers::{Inspected, Runtime, State};
use crate::probe::fault::quoted;
use crate::probe::kind::Found;

/// How one container is; several are as the worst of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    Well,
    Near,
    NotKnown,
    Failing,
}

/// Of all containers of a target.
pub(super) fn judge(containers: &[Inspected], runtime: Runtime<'_>) -> Found {
    let graded: Vec<_> = containers.iter().map(|container| (grade(container), container.name())).collect();
    match graded.iter().max_by_key(|((grade, _), _)| *grade) {
        None if matches!(runtime, Runtime::Compose { .. }) => Found::failing("no container of the service"),
        None => Found::failing("no such container"),
        Some(((grade, words), _)) if graded.len() == 1 => found(*grade, words),
        Some(((Grade::Well, _), _)) => Found::well(format!("{} containers run", graded.len())),
        Some(((grade, words), name)) => found(*grade, &format!("{name}: {words}")),
    }
}

fn grade(container: &Inspected) -> (Grade, String) {
    if container.contradicts_itself() {
        return (Grade::NotKnown, "its state contradicts itself".to_owned());
    }
    let word = container.state_word();
    match container.state() {
        None => (Grade::NotKnown, format!("its state is \"{word}\"")),
        Some(State::Running) => grade_by_health(container.health()),
        Some(State::Exited | State::Dead) => {
            let memory = if container.was_out_of_memory() { ", out of memory" } else { "" };
            match container.exit_code() {
                Some(code) => (Grade::Failing, format!("{word} ({code}{memory})")),
                None => (Grade::Failing, word.to_owned()),
            }
        }
        Some(
            State::Paused
            | State::Restarting
            | State::Removing
            | State::Created
            | State::Configured
            | State::Initialized
            | State::Stopped
            | State::Stopping,
        ) => (Grade::Failing, word.to_owned()),
    }
}

fn grade_by_health(health: Option<&str>) -> (Grade, String) {
    match health {
        Some("" | "none") => (Grade::Well, "running".to_owned()),
        Some("healthy") => (Grade::Well, "running (healthy)".to_owned()),
        Some("starting") => (Grade::Near, "running (health: starting)".to_owned()),
        Some("unhealthy") => (Grade::Failing, "running (unhealthy)".to_owned()),
        Some(other) => (Grade::NotKnown, format!("running, and its health is \"{other}\"")),
        None => (Grade::NotKnown, "running, and its health is not said".to_owned()),
    }
}

fn found(grade: Grade, words: &str) -> Found {
    let words = quoted(&words);
    match grade {
        Grade::Well => Found::well(words),
        Grade::Near => Found::near(words),
        Grade::NotKnown => Found::not_known(words),
        Grade::Failing => Found::failing(words),
    }
}
