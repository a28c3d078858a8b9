//! `process = "unit"`, `"exe:/usr/bin/mongod"` or `"pid_file:/run/shop.pid"`: do the processes live that ought to?
//! Never by a pattern over command lines, which any other process may match.

mod pid_file;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::managers::systemd::single_property;
use crate::os::cgroups::{Group, Tree};
use crate::os::proc::processes::{self, ProcessesOf};
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, SystemdScope, ValueType};

use super::answer::ProbeContext;
use super::fault::{classify_read_error, quote_error};
use super::kind::{ProbeKind, ProbeResult};
use super::systemctl::show_unit;
use super::with_timeout;

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(PROCESS, &[COUNT_MIN, COUNT_MAX]).validate(find_conflict),
    ask: probe_process,
};

const PROCESS: KeySpec = KeySpec::new("process", ValueType::Text(wrong_with))
    .help("Whose processes must live: unit, exe:FILE or pid_file:FILE");
const COUNT_MIN: KeySpec =
    KeySpec::new("count.min", ValueType::Count).default("1").help("At least this many");
const COUNT_MAX: KeySpec = KeySpec::new("count.max", ValueType::Count).help("At most this many");

/// Whose processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose<'a> {
    Unit,
    Exe(&'a str),
    PidFile(&'a str),
}

fn parse_owner(text: &str) -> Option<Whose<'_>> {
    let path = |path: &str| path.starts_with('/') && path.len() > 1;
    match text.split_once(':') {
        None if text == "unit" => Some(Whose::Unit),
        Some(("exe", exe)) if path(exe) => Some(Whose::Exe(exe)),
        Some(("pid_file", file)) if path(file) => Some(Whose::PidFile(file)),
        _ => None,
    }
}

fn wrong_with(text: &str) -> Option<&'static str> {
    parse_owner(text).is_none().then_some("must be \"unit\", \"exe:/PATH\" or \"pid_file:/PATH\"")
}

fn find_conflict(given: &Params) -> Option<KeyConflict> {
    let (least, most) = (given.number(&COUNT_MIN)?, given.number(&COUNT_MAX));
    if let Some(Whose::PidFile(_)) = parse_owner(given.text(&PROCESS)) {
        let key = if most.is_some() { COUNT_MAX.name } else { COUNT_MIN.name };
        let what = "has no meaning with pid_file, which names one process".to_owned();
        return (most.is_some() || least != 1).then_some(KeyConflict { key, what, cure: "leave it out" });
    }
    match most {
        None if least == 0 => {
            let what = "must be 1 or more without count.max, got 0".to_owned();
            Some(KeyConflict { key: COUNT_MIN.name, what, cure: "nothing was probed" })
        }
        Some(most) if most < least => {
            let what = format!("must be count.min, which is {least}, or more, got {most}");
            Some(KeyConflict { key: COUNT_MAX.name, what, cure: "nothing was probed" })
        }
        Some(_) | None => None,
    }
}

fn probe_process(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    match parse_owner(given.text(&PROCESS)) {
        Some(Whose::PidFile(file)) => pid_file::probe_pid_file(file, ground),
        Some(Whose::Exe(exe)) => of_program(exe, given, ground.limit),
        Some(Whose::Unit) => match ground.unit {
            Some(unit) => of_unit(unit, given, ground.limit),
            None => ProbeResult::unknown("the service has no unit: write exe:/PATH or pid_file:/PATH"),
        },
        None => ProbeResult::unknown("it is not said whose processes"),
    }
}

fn of_program(exe: &str, given: &Params, limit: Duration) -> ProbeResult {
    let program = exe.to_owned();
    match with_timeout::run_with_timeout(limit, move || processes::processes_of_program(Path::new(&program)))
    {
        Ok(Ok(executing)) => judge_count(executing, exe, given),
        Ok(Err(error)) => ProbeResult::from_doubt(classify_read_error("/proc", &error)),
        Err(doubt) => ProbeResult::from_doubt(doubt),
    }
}

fn of_unit(unit: (&str, SystemdScope), given: &Params, limit: Duration) -> ProbeResult {
    let over = Instant::now() + limit;
    let (name, scope) = (unit.0.to_owned(), unit.1);
    let found = probe_within(limit, move || {
        let all = Tree::of_processes();
        let tree = match scope {
            SystemdScope::System => all,
            SystemdScope::User => all.of_user(rustix::process::geteuid().as_raw()),
        };
        let group = tree.find(&name)?;
        group.map(|group| count_living(&group)).transpose()
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
    judge_count(ProcessesOf { found, is_part: false }, unit.0, given)
}

fn probe_within<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, ProbeResult> {
    match with_timeout::run_with_timeout(limit, call) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => {
            Err(ProbeResult::from_doubt(classify_read_error("the control groups cannot be read", &error)))
        }
        Err(doubt) => Err(ProbeResult::from_doubt(doubt)),
    }
}

fn count_living(group: &Group) -> std::io::Result<u64> {
    Ok(processes::running_processes(&group.list_processes()?))
}

fn told_by_systemd(unit: (&str, SystemdScope), limit: Duration) -> Result<u64, ProbeResult> {
    let over = Instant::now() + limit;
    let text = show_unit(unit, "ActiveState,ControlGroup", limit)?;
    match find_unit_processes(&text) {
        UnitProcesses::Nowhere => Ok(0),
        UnitProcesses::At(path) => {
            let path = path.to_owned();
            let left = over.saturating_duration_since(Instant::now());
            probe_within(left, move || count_living(&Tree::of_processes().at(&path)))
        }
        UnitProcesses::NotSaid => Err(ProbeResult::unknown(format!(
            "systemd does not say where the processes of {} are",
            quote_error(&unit.0)
        ))),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum UnitProcesses<'a> {
    At(&'a str),
    /// It has no processes.
    Nowhere,
    NotSaid,
}

fn find_unit_processes(text: &str) -> UnitProcesses<'_> {
    match (single_property(text, "ControlGroup"), single_property(text, "ActiveState")) {
        (Some(path), Some(_)) if path.starts_with('/') && !path.split('/').any(|part| part == "..") => {
            UnitProcesses::At(path)
        }
        // One that is active all the same has ended (RemainAfterExit=).
        // One that waits for systemd's restart of it has none either.
        (Some(""), Some("inactive" | "failed" | "active" | "activating" | "deactivating"))
        | (None, Some("inactive" | "failed")) => UnitProcesses::Nowhere,
        _ => UnitProcesses::NotSaid,
    }
}

fn judge_count(executing: ProcessesOf, of: &str, given: &Params) -> ProbeResult {
    let ProcessesOf { found, is_part } = executing;
    let (least, most) = (given.number(&COUNT_MIN).unwrap_or(1), given.number(&COUNT_MAX));
    let words =
        format!("{found} {} of {}", if found == 1 { "process" } else { "processes" }, quote_error(&of));
    if let Some(most) = most.filter(|most| found > *most) {
        return ProbeResult::failing(format!("{words}, at most {most} wanted"));
    }
    // What this user is not shown could make up what is missing, or be too many.
    if is_part && (found < least || most.is_some()) {
        return ProbeResult::unknown(format!(
            "{words} seen, but this user may not see them all: {}",
            rights_cure()
        ));
    }
    if found < least {
        return ProbeResult::failing(format!("{words}, at least {least} wanted"));
    }
    ProbeResult::ok(words)
}

/// Who is root already lacks what a sandbox took away.
fn rights_cure() -> &'static str {
    if rustix::process::geteuid().is_root() {
        "leave it CAP_SYS_PTRACE (see The sandbox in unhang(8))"
    } else {
        "run it as root"
    }
}

#[cfg(test)]
mod tests;
