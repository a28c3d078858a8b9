//! `process = "unit"`, `"exe:/usr/bin/mongod"` or `"pid_file:/run/shop.pid"`: do the processes live that ought to?
//! Never by a pattern over command lines, which any other process may match.

mod pid_file;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::managers::systemd::single_property;
use crate::os::cgroups::{Group, Tree};
use crate::os::proc::processes::{self, Executing};
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, Scope, ValueType};

use super::answer::Ground;
use super::fault::{quoted, unread};
use super::kind::{Found, Kind};
use super::systemctl::show;
use super::with_timeout;

pub(super) const KIND: Kind = Kind { spec: KindSpec::new(PROCESS, &[LEAST, MOST]).validate(validate), ask };

const PROCESS: KeySpec = KeySpec::new("process", ValueType::Text(wrong_with))
    .help("Whose processes must live: unit, exe:FILE or pid_file:FILE");
const LEAST: KeySpec = KeySpec::new("count.min", ValueType::Count).default("1").help("At least this many");
const MOST: KeySpec = KeySpec::new("count.max", ValueType::Count).help("At most this many");

/// Whose processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose<'a> {
    Unit,
    Exe(&'a str),
    PidFile(&'a str),
}

fn whose(text: &str) -> Option<Whose<'_>> {
    let path = |path: &str| path.starts_with('/') && path.len() > 1;
    match text.split_once(':') {
        None if text == "unit" => Some(Whose::Unit),
        Some(("exe", exe)) if path(exe) => Some(Whose::Exe(exe)),
        Some(("pid_file", file)) if path(file) => Some(Whose::PidFile(file)),
        _ => None,
    }
}

fn wrong_with(text: &str) -> Option<&'static str> {
    whose(text).is_none().then_some("must be \"unit\", \"exe:/PATH\" or \"pid_file:/PATH\"")
}

fn validate(given: &Params) -> Option<KeyConflict> {
    let (least, most) = (given.number(&LEAST)?, given.number(&MOST));
    if let Some(Whose::PidFile(_)) = whose(given.text(&PROCESS)) {
        let key = if most.is_some() { MOST.name } else { LEAST.name };
        let what = "has no meaning with pid_file, which names one process".to_owned();
        return (most.is_some() || least != 1).then_some(KeyConflict { key, what, cure: "leave it out" });
    }
    match most {
        None if least == 0 => {
            let what = "must be 1 or more without count.max, got 0".to_owned();
            Some(KeyConflict { key: LEAST.name, what, cure: "nothing was probed" })
        }
        Some(most) if most < least => {
            let what = format!("must be count.min, which is {least}, or more, got {most}");
            Some(KeyConflict { key: MOST.name, what, cure: "nothing was probed" })
        }
        Some(_) | None => None,
    }
}

fn ask(given: &Params, ground: &Ground<'_>) -> Found {
    match whose(given.text(&PROCESS)) {
        Some(Whose::PidFile(file)) => pid_file::ask(file, ground),
        Some(Whose::Exe(exe)) => of_program(exe, given, ground.limit),
        Some(Whose::Unit) => match ground.unit {
            Some(unit) => of_unit(unit, given, ground.limit),
            None => Found::not_known("the service has no unit: write exe:/PATH or pid_file:/PATH"),
        },
        None => Found::not_known("it is not said whose processes"),
    }
}

fn of_program(exe: &str, given: &Params, limit: Duration) -> Found {
    let program = exe.to_owned();
    match with_timeout::within(limit, move || processes::executing(Path::new(&program))) {
        Ok(Ok(executing)) => judged(executing, exe, given),
        Ok(Err(error)) => Found::doubt(unread("/proc", &error)),
        Err(doubt) => Found::doubt(doubt),
    }
}

fn of_unit(unit: (&str, Scope), given: &Params, limit: Duration) -> Found {
    let over = Instant::now() + limit;
    let (name, scope) = (unit.0.to_owned(), unit.1);
    let found = within(limit, move || {
        let all = Tree::of_processes();
        let tree = match scope {
            Scope::System => all,
            Scope::User => all.of_user(rustix::process::geteuid().as_raw()),
        };
        let group = tree.find(&name)?;
        group.map(|group| living(&group)).transpose()
    });
    let found = match found {
        Ok(Some(found)) => found,
        // It has none where it does not run, but also under an alias: systemd knows.
        Ok(None) => match told_by_systemd(unit, over.saturating_duration_since(Instant::now())) {
            Ok(found) => found,
            Err(found) => return found,
        },
        Err(found) => return found,
    };
    judged(Executing { found, is_part: false }, unit.0, given)
}

fn within<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Found> {
    match with_timeout::within(limit, call) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Found::doubt(unread("the control groups cannot be read", &error))),
        Err(doubt) => Err(Found::doubt(doubt)),
    }
}

fn living(group: &Group) -> std::io::Result<u64> {
    Ok(processes::living(&group.processes()?))
}

fn told_by_systemd(unit: (&str, Scope), limit: Duration) -> Result<u64, Found> {
    let over = Instant::now() + limit;
    let text = show(unit, "ActiveState,ControlGroup", limit)?;
    match place(&text) {
        Place::Nowhere => Ok(0),
        Place::At(path) => {
            let path = path.to_owned();
            let left = over.saturating_duration_since(Instant::now());
            within(left, move || living(&Tree::of_processes().at(&path)))
        }
        Place::NotSaid => Err(Found::not_known(format!(
            "systemd does not say where the processes of {} are",
            quoted(&unit.0)
        ))),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    At(&'a str),
    /// It has no processes.
    Nowhere,
    NotSaid,
}

fn place(text: &str) -> Place<'_> {
    match (single_property(text, "ControlGroup"), single_property(text, "ActiveState")) {
        (Some(path), Some(_)) if path.starts_with('/') && !path.split('/').any(|part| part == "..") => {
            Place::At(path)
        }
        // One that is active all the same has ended (RemainAfterExit=).
        // One that waits for systemd's restart of it has none either.
        (Some(""), Some("inactive" | "failed" | "active" | "activating" | "deactivating"))
        | (None, Some("inactive" | "failed")) => Place::Nowhere,
        _ => Place::NotSaid,
    }
}

fn judged(executing: Executing, of: &str, given: &Params) -> Found {
    let Executing { found, is_part } = executing;
    let (least, most) = (given.number(&LEAST).unwrap_or(1), given.number(&MOST));
    let words = format!("{found} {} of {}", if found == 1 { "process" } else { "processes" }, quoted(&of));
    if let Some(most) = most.filter(|most| found > *most) {
        return Found::failing(format!("{words}, at most {most} wanted"));
    }
    // What this user is not shown could make up what is missing, or be too many.
    if is_part && (found < least || most.is_some()) {
        return Found::not_known(format!("{words} seen, but this user may not see them all: {}", cure()));
    }
    if found < least {
        return Found::failing(format!("{words}, at least {least} wanted"));
    }
    Found::well(words)
}

/// Who is root already lacks what a sandbox took away.
fn cure() -> &'static str {
    if rustix::process::geteuid().is_root() {
        "leave it CAP_SYS_PTRACE (see The sandbox in unhang(8))"
    } else {
        "run it as root"
    }
}

#[cfg(test)]
mod tests;
