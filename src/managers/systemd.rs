//! Asks systemd about units, and for the restart of one. Starts `systemctl` without a shell, with an
//! environment of its own, within a time limit; decides nothing. An exit status of systemctl is never
//! taken for the outcome: the unit's next InvocationID and the probe tell that.
#![expect(clippy::disallowed_methods, reason = "this file starts systemctl")]

pub mod properties;

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use unhang_core::{Doubt, Life, Unit};

use crate::os::process::{self, End, Ran};
use crate::plan::Scope;
use crate::words;

use super::{Asked, Looked};
use properties::{Block, PROPERTIES, SHUTDOWN};

/// For both calls of a look together. PID 1 that hangs makes systemctl wait for more than a minute.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// `reset-failed` changes nothing that takes time.
const RESET_LIMIT: Duration = Duration::from_secs(5);

/// What systemctl may print about one unit: `ConflictedBy=` of shutdown.target names every service.
const PER_UNIT: usize = 64 * 1024;

/// One answer for each unit asked about.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) units: BTreeMap<String, Looked>,
    /// systemd is shutting the host down.
    pub(crate) stopping: bool,
}

/// `monotonic`: CLOCK_MONOTONIC now. `time_left`: of the run; no look takes more, nor more than 5 s.
pub(crate) fn look(scope: Scope, names: &[&str], monotonic: Duration, time_left: Duration) -> Look {
    let (began, limit) = (Instant::now(), LOOK_LIMIT.min(time_left));
    let asked: Vec<&str> = names.iter().copied().chain([SHUTDOWN]).collect();
    let answer = show(scope, &asked, limit);
    let text = answer.as_ref().map_or("", |shown| shown.text.as_str());
    let blocks = properties::blocks(text);
    let doubt = match &answer {
        Ok(shown) => shown.doubt.clone(),
        Err(doubt) => doubt.clone(),
    };
    let mut units = BTreeMap::new();
    units.extend(
        names.iter().map(|name| ((*name).to_owned(), looked(find(&blocks, name), monotonic, &doubt))),
    );
    add_neighbours(scope, &mut units, &blocks, limit.saturating_sub(began.elapsed()));
    let stopping = find(&blocks, SHUTDOWN).is_some_and(Block::is_active_or_pending);
    Look { units, stopping }
}

/// What comes before a restart: a start limit that is spent would let it stop the unit and then refuse to
/// start it. An error: there is to be no restart.
pub(crate) fn clear_start_limit((unit, scope): (&str, Scope), limit: Duration) -> Result<(), Asked> {
    match process::run(systemctl(scope, &["reset-failed", "--", unit]), RESET_LIMIT.min(limit), PER_UNIT) {
        Err(error) => Err(Asked::NeverRan(words_of_spawn(&error))),
        // It may be carried out all the same, and then the unit looks as if somebody had stopped it.
        Ok(Ran { end: End::TimedOut, .. }) => Err(Asked::Stuck("systemd does not answer".to_owned())),
        // It fails for a unit that is not loaded, and then the restart says why.
        Ok(ran) => forbidden(&ran, "restart", unit).map_or(Ok(()), Err),
    }
}

/// SIGKILL to every process of it, while it is being stopped.
pub(crate) fn kill((unit, scope): (&str, Scope), limit: Duration) -> Result<(), Asked> {
    let command = systemctl(scope, &["--no-ask-password", "kill", "--signal=SIGKILL", "--", unit]);
    match process::run(command, limit, PER_UNIT) {
        Err(error) => Err(Asked::Stuck(words_of_spawn(&error))),
        Ok(Ran { end: End::TimedOut, .. }) => Err(Asked::Stuck("systemd does not answer".to_owned())),
        Ok(ran) => forbidden(&ran, "kill", unit).map_or(Ok(()), Err),
    }
}

/// `--job-mode=fail`: a person's job that is under way wins.
pub(crate) fn restart(unit: (&str, Scope), limit: Duration) -> Asked {
    job("restart", unit, limit)
}

/// Likewise, but does not wait for the end of it.
pub(crate) fn begin_restart((unit, scope): (&str, Scope), limit: Duration) -> Asked {
    ask(
        &["--no-ask-password", "--no-block", "--job-mode=fail", "restart", "--", unit],
        "restart",
        (unit, scope),
        limit,
    )
}

pub(crate) fn reload(unit: (&str, Scope), limit: Duration) -> Asked {
    job("reload", unit, limit)
}

fn job(verb: &str, (unit, scope): (&str, Scope), limit: Duration) -> Asked {
    ask(&["--no-ask-password", "--job-mode=fail", verb, "--", unit], verb, (unit, scope), limit)
}

fn ask(arguments: &[&str], verb: &str, (unit, scope): (&str, Scope), limit: Duration) -> Asked {
    match process::run(systemctl(scope, arguments), limit, PER_UNIT) {
        Err(error) => Asked::Stuck(words_of_spawn(&error)),
        Ok(ran) => forbidden(&ran, verb, unit).unwrap_or_else(|| asked(&ran)),
    }
}

/// What systemd says through polkit and without it, and `sudo -n` in front of systemctl. The exit status
/// is 1 or 4, as for other faults.
const NO_LEAVE: [&str; 4] =
    ["Interactive authentication required", "Access denied", "a password is required", "is not allowed to"];

/// May the user that we run as not ask for this?
fn forbidden(ran: &Ran, verb: &str, unit: &str) -> Option<Asked> {
    let said = String::from_utf8_lossy(&ran.stderr);
    let refused = said.lines().find(|line| NO_LEAVE.iter().any(|mark| line.contains(mark)))?;
    let user = rustix::process::geteuid();
    let cure = if user.is_root() {
        "a security policy of this host forbids it".to_owned()
    } else {
        "install contrib/polkit-1/rules.d/50-unhang.rules for it, or run unhang as root".to_owned()
    };
    let (user, refused) = (user.as_raw(), refused.trim().trim_end_matches('.'));
    matches!(ran.end, End::Exited(status) if !status.success())
        .then(|| Asked::Forbidden(format!("user {user} may not {verb} {unit} ({refused}): {cure}")))
}

fn asked(ran: &Ran) -> Asked {
    match ran.end {
        End::TimedOut => Asked::Running,
        End::Exited(status) if status.success() => Asked::Done,
        End::Exited(status) => {
            let said = String::from_utf8_lossy(&ran.stderr);
            let words = first_line(&said).map_or_else(|| status.to_string(), str::to_owned);
            if ["is destructive", "canceled"].iter().any(|mark| said.contains(mark)) {
                Asked::Refused(words)
            } else {
                Asked::Failed(words)
            }
        }
    }
}

fn looked(block: Option<&Block<'_>>, monotonic: Duration, doubt: &Doubt) -> Looked {
    let life = block.and_then(|block| block.life(monotonic));
    Looked {
        unit: life.map_or_else(|| Unit::Unanswered(doubt.clone()), Unit::Seen),
        id: block.map(|block| block.id().to_owned()).unwrap_or_default(),
        restart_limit: block.and_then(Block::restart_limit),
        stop_limit: block.and_then(Block::stop_limit),
        has_changed_file: block.is_some_and(Block::has_changed_file),
        is_passing_oneshot: block.is_some_and(Block::is_passing_oneshot),
    }
}

/// A second call for all of them: their names are known only now. What it leaves without an answer is no
/// longer known well enough to restart.
fn add_neighbours(scope: Scope, units: &mut BTreeMap<String, Looked>, blocks: &[Block<'_>], limit: Duration) {
    let related = |name: &str| find(blocks, name).map(Block::relations).unwrap_or_default();
    let mut names: Vec<&str> = units.keys().flat_map(|name| related(name)).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return;
    }
    let answer = show(scope, &names, limit);
    let text = answer.as_ref().map_or("", |shown| shown.text.as_str());
    let others = properties::blocks(text);
    for (name, looked) in units {
        let Unit::Seen(life) = &mut looked.unit else { continue };
        let found = related(name)
            .into_iter()
            .map(|(other, relation)| find(&others, other)?.neighbour(other, relation))
            .collect::<Option<Vec<_>>>();
        match found {
            Some(neighbours) => *life = Life { neighbours, ..life.clone() },
            None => {
                looked.unit = Unit::Unanswered(Doubt::UnitUnknown(
                    "systemctl show left out a unit that it needs".to_owned(),
                ));
            }
        }
    }
}

fn find<'a, 'b>(blocks: &'b [Block<'a>], name: &str) -> Option<&'b Block<'a>> {
    blocks.iter().find(|block| block.is(name))
}

struct Shown {
    text: String,
    /// Why a unit may be missing in it.
    doubt: Doubt,
}

fn show(scope: Scope, names: &[&str], limit: Duration) -> Result<Shown, Doubt> {
    let mut arguments = vec!["show", "--no-pager", "--property", PROPERTIES, "--"];
    arguments.extend(names);
    let room = PER_UNIT.saturating_mul(names.len());
    let ran = process::run(systemctl(scope, &arguments), limit, room).map_err(|error| {
        let doubt = if is_missing(&error) { Doubt::NoSystemd } else { Doubt::UnitUnknown };
        doubt(words_of_spawn(&error))
    })?;
    let said = String::from_utf8_lossy(&ran.stderr);
    let status = match ran.end {
        End::TimedOut => {
            return Err(Doubt::UnitUnknown(format!(
                "no answer from systemctl within {}",
                words::span(limit)
            )));
        }
        End::Exited(status) => status,
    };
    // What it had said by then may lack the line that matters: a job, a freeze.
    if status.code().is_none() {
        return Err(Doubt::UnitUnknown(format!("systemctl show: {status}")));
    }
    if ran.stdout.len() >= room {
        return Err(Doubt::UnitUnknown("systemctl show said more than it can have to say".to_owned()));
    }
    let words = first_line(&said).map_or_else(|| format!("systemctl show: {status}"), str::to_owned);
    if said.contains("not been booted with systemd") || said.contains("Can't operate") {
        return Err(Doubt::NoSystemd(words));
    }
    let doubt = if status.success() { "systemctl show left the unit out".to_owned() } else { words };
    Ok(Shown { text: String::from_utf8_lossy(&ran.stdout).into_owned(), doubt: Doubt::UnitUnknown(doubt) })
}

/// Nothing of the caller's environment but the way to find it: SYSTEMD_OFFLINE would make a restart a
/// success that did nothing.
fn systemctl(scope: Scope, arguments: &[&str]) -> Command {
    let mut command = Command::new("systemctl");
    command.env_clear().env("LC_ALL", "C");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if scope == Scope::User {
        // Where a user's systemd listens (pam_systemd(8)), which cron does not tell.
        let own = || format!("/run/user/{}", rustix::process::geteuid().as_raw()).into();
        command.env("XDG_RUNTIME_DIR", std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_else(own)).arg("--user");
    }
    command.args(arguments);
    command
}

fn words_of_spawn(error: &io::Error) -> String {
    if is_missing(error) {
        return "no systemctl in PATH".to_owned();
    }
    format!("systemctl cannot be started: {}", words::io(error))
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Without the full stop at its end: it becomes part of a line of ours.
fn first_line(text: &str) -> Option<&str> {
    text.lines().map(|line| line.trim().trim_end_matches('.')).find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests;
