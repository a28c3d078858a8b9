//! Programs of supervisord: how one is, by `supervisorctl status`, and restarts. Its states are those of
//! supervisord.org, "Subprocesses"; what was stopped by somebody stays stopped.
#![expect(clippy::disallowed_methods, reason = "this file starts supervisorctl")]

use std::io;
use std::process::Command;
use std::time::Duration;

use unhang_core::{Condition, Doubt, Life, Load, Unit};

use crate::os::process::{self, End, Ran};
use crate::plan::Supervised;
use crate::words;

use super::{Asked, Looked};

/// It prints a line for a program.
const LARGEST: usize = 64 * 1024;

pub(crate) fn look(supervised: &Supervised, limit: Duration) -> Looked {
    let unit = match process::run(supervisorctl(supervised, "status"), limit, LARGEST) {
        Err(error) => unanswered(&cannot_be_started(&error)),
        Ok(Ran { end: End::TimedOut, .. }) => unanswered(&format!("no answer within {}", words::span(limit))),
        Ok(ran) => seen(&String::from_utf8_lossy(&ran.stdout), &supervised.program, process::started),
    };
    Looked::of(unit, supervised.program.clone())
}

/// It waits for stopwaitsecs (10 s by default) and startsecs of the program.
pub(crate) fn restart(supervised: &Supervised, limit: Duration) -> Asked {
    match process::run(supervisorctl(supervised, "restart"), limit, LARGEST) {
        Err(error) => Asked::NeverRan(cannot_be_started(&error)),
        Ok(ran) => asked(&ran),
    }
}

/// Its exit status has had other meanings over the years (supervisor 3 always ended with 0): its words count.
fn asked(ran: &Ran) -> Asked {
    let said = String::from_utf8_lossy(&ran.stdout);
    let error = said.lines().map(str::trim).rfind(|line| line.contains("ERROR") || is_away(line));
    match (ran.end, error) {
        (End::TimedOut, _) => Asked::Running,
        (_, Some(line)) if is_away(line) => Asked::NeverRan(shown(line)),
        // The program was down: it is started all the same, and a line says so.
        (_, Some(line)) if line.contains("ERROR (not running)") && said.contains(": started") => Asked::Done,
        (_, Some(line)) => Asked::Failed(shown(line)),
        (End::Exited(_), None) if said.contains(": started") => Asked::Done,
        (End::Exited(status), None) => Asked::Failed(status.to_string()),
    }
}

fn is_away(line: &str) -> bool {
    ["refused connection", "no such file", "SHUTDOWN_STATE", "Server requires authentication"]
        .iter()
        .any(|mark| line.contains(mark))
}

fn supervisorctl(supervised: &Supervised, verb: &str) -> Command {
    let mut command = Command::new("supervisorctl");
    if let Some(config) = &supervised.config {
        command.arg("-c").arg(config);
    }
    command.args([verb, &supervised.program]);
    command
}

fn cannot_be_started(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "no supervisorctl in PATH".to_owned();
    }
    format!("supervisorctl cannot be started: {}", words::io(error))
}

fn unanswered(why: &str) -> Unit {
    Unit::Unanswered(Doubt::UnitUnknown(why.to_owned()))
}

/// `web    RUNNING   pid 4711, uptime 0:01:40`. `started`: what tells a process from a later one of its number.
fn seen(text: &str, program: &str, started: impl Fn(u32) -> Option<u64>) -> Unit {
    let own = |line: &&str| line.split_whitespace().next() == Some(program);
    let Some(line) = text.lines().find(own) else {
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it says nothing");
        // As it says of a program that it does not know.
        if first.contains("no such process") || first.contains("no such group") {
            let never = Life::told(Condition::NeverStarted, None, None);
            return Unit::Seen(Life { load: Load::NotFound, ..never });
        }
        return unanswered(&format!("supervisorctl status: {}", shown(first)));
    };
    let mut rest = line.split_whitespace().skip(1);
    let state = rest.next().unwrap_or_default();
    let detail = rest.collect::<Vec<_>>().join(" ");
    let condition = match state {
        "RUNNING" => Condition::Active,
        // In BACKOFF it starts it again by itself.
        "STARTING" | "STOPPING" | "BACKOFF" => Condition::Busy,
        "STOPPED" if detail == "Not started" => Condition::NeverStarted,
        "STOPPED" => Condition::Stopped,
        "EXITED" => Condition::Exited,
        "FATAL" => Condition::Failed,
        _ if detail.contains("no such process") => {
            let never = Life::told(Condition::NeverStarted, None, None);
            return Unit::Seen(Life { load: Load::NotFound, ..never });
        }
        _ => return unanswered(&format!("supervisorctl status: {}", shown(line.trim()))),
    };
    if condition != Condition::Active {
        // The time at which it ended tells one end from the next.
        return Unit::Seen(Life::told(condition, Some(format!("{state} {detail}")), None));
    }
    let pid = detail.strip_prefix("pid ").and_then(|rest| rest.split(',').next()?.parse::<u32>().ok());
    let uptime = detail.rsplit_once("uptime ").and_then(|(_, uptime)| span(uptime));
    match (pid.and_then(|pid| Some((pid, started(pid)?))), uptime) {
        (Some((pid, started)), Some(uptime)) => {
            Unit::Seen(Life::told(condition, Some(format!("{pid} {started}")), Some(uptime)))
        }
        (None, _) | (_, None) => unanswered(&format!("supervisorctl status: {}", shown(line.trim()))),
    }
}

/// `0:01:40`, `2 days, 3:04:05`
fn span(text: &str) -> Option<Duration> {
    let (days, clock) = match text.split_once(", ") {
        Some((days, clock)) => (days.split(' ').next()?.parse::<u64>().ok()?, clock),
        None => (0, text),
    };
    let parts: Option<Vec<u64>> = clock.split(':').map(|part| part.parse().ok()).collect();
    let [hours, minutes, seconds] = parts?.try_into().ok()?;
    let seconds = days
        .checked_mul(86_400)?
        .checked_add(hours.checked_mul(3_600)?)?
        .checked_add(minutes.checked_mul(60)?)?
        .checked_add(seconds)?;
    Some(Duration::from_secs(seconds))
}

fn shown(line: &str) -> String {
    words::escaped(line).chars().take(200).collect()
}

#[cfg(test)]
mod tests;
