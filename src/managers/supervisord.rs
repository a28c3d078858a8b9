//! Programs of supervisord: how one is, by `supervisorctl status`, and restarts. Its states are those of
//! supervisord.org, "Subprocesses"; what was stopped by somebody stays stopped.
#![expect(clippy::disallowed_methods, reason = "this file starts supervisorctl")]

use std::io;
use std::process::Command;
use std::time::Duration;

use unhang_core::{Doubt, LoadState, UnitCondition, UnitFacts, UnitSnapshot};

use crate::os::process::{self, ProcessEnd, ProcessOutput};
use crate::words;

use super::{RestartResponse, UnitStatus};

/// It prints a line for a program.
const MAX_STATUS_BYTES: usize = 64 * 1024;

/// A program of supervisord's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProgramRef<'a> {
    /// `web`, or `shop:web` of a group.
    pub(crate) name: &'a str,
    /// The path of the configuration of supervisord; "" where supervisorctl looks by itself.
    pub(crate) config: &'a str,
}

pub(crate) fn query_program(program: ProgramRef<'_>, limit: Duration) -> UnitStatus {
    let unit = match process::run_program(supervisorctl_command(program, "status"), limit, MAX_STATUS_BYTES) {
        Err(error) => query_failed(&describe_start_error(&error)),
        Ok(ProcessOutput { end: ProcessEnd::TimedOut, .. }) => {
            query_failed(&format!("no answer within {}", words::format_duration(limit)))
        }
        Ok(ran) => parse_status(&String::from_utf8_lossy(&ran.stdout), program.name, process::start_time),
    };
    UnitStatus::of(unit, program.name.to_owned())
}

/// It waits for stopwaitsecs (10 s by default) and startsecs of the program.
pub(crate) fn restart_program(program: ProgramRef<'_>, limit: Duration) -> RestartResponse {
    match process::run_program(supervisorctl_command(program, "restart"), limit, MAX_STATUS_BYTES) {
        Err(error) => RestartResponse::NotStarted(describe_start_error(&error)),
        Ok(ran) => parse_response(&ran),
    }
}

/// Its exit status has had other meanings over the years (supervisor 3 always ended with 0): its words count.
fn parse_response(ran: &ProcessOutput) -> RestartResponse {
    let said = String::from_utf8_lossy(&ran.stdout);
    let error = said.lines().map(str::trim).rfind(|line| line.contains("ERROR") || supervisord_is_down(line));
    match (ran.end, error) {
        (ProcessEnd::TimedOut, _) => RestartResponse::StillRunning,
        (_, Some(line)) if supervisord_is_down(line) => RestartResponse::NotStarted(shorten_line(line)),
        // The program was down: it is started all the same, and a line says so.
        (_, Some(line)) if line.contains("ERROR (not running)") && said.contains(": started") => {
            RestartResponse::Accepted
        }
        (_, Some(line)) => RestartResponse::Failed(shorten_line(line)),
        (ProcessEnd::Exited(_), None) if said.contains(": started") => RestartResponse::Accepted,
        (ProcessEnd::Exited(status), None) => RestartResponse::Failed(status.to_string()),
    }
}

fn supervisord_is_down(line: &str) -> bool {
    ["refused connection", "no such file", "SHUTDOWN_STATE", "Server requires authentication"]
        .iter()
        .any(|mark| line.contains(mark))
}

fn supervisorctl_command(program: ProgramRef<'_>, verb: &str) -> Command {
    let mut command = Command::new("supervisorctl");
    if !program.config.is_empty() {
        command.args(["-c", program.config]);
    }
    command.args([verb, program.name]);
    command
}

fn describe_start_error(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "no supervisorctl in PATH".to_owned();
    }
    format!("supervisorctl cannot be started: {}", words::io_error_text(error))
}

fn query_failed(why: &str) -> UnitFacts {
    UnitFacts::QueryFailed(Doubt::UnitUnknown(why.to_owned()))
}

/// supervisorctl prints a program that is called like its group without the group.
fn printed_name(program: &str) -> &str {
    match program.split_once(':') {
        Some((group, name)) if group == name => name,
        Some(_) | None => program,
    }
}

/// `web    RUNNING   pid 4711, uptime 0:01:40`. `started`: what tells a process from a later one of its number.
fn parse_status(text: &str, program: &str, started: impl Fn(u32) -> Option<u64>) -> UnitFacts {
    let printed = printed_name(program);
    let own = |line: &&str| line.split_whitespace().next() == Some(printed);
    let Some(line) = text.lines().find(own) else {
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it says nothing");
        // As it says of a program that it does not know.
        if first.contains("no such process") || first.contains("no such group") {
            let never = UnitSnapshot::from_condition(UnitCondition::NeverStarted, None, None);
            return UnitFacts::Known(UnitSnapshot { load: LoadState::NotFound, ..never });
        }
        return query_failed(&format!("supervisorctl status: {}", shorten_line(first)));
    };
    let mut rest = line.split_whitespace().skip(1);
    let state = rest.next().unwrap_or_default();
    let detail = rest.collect::<Vec<_>>().join(" ");
    let condition = match state {
        "RUNNING" => UnitCondition::Active,
        // In BACKOFF it starts it again by itself.
        "STARTING" | "STOPPING" | "BACKOFF" => UnitCondition::Changing,
        "STOPPED" if detail == "Not started" => UnitCondition::NeverStarted,
        "STOPPED" => UnitCondition::Stopped,
        "EXITED" => UnitCondition::EndedWell,
        "FATAL" => UnitCondition::Failed,
        _ if detail.contains("no such process") => {
            let never = UnitSnapshot::from_condition(UnitCondition::NeverStarted, None, None);
            return UnitFacts::Known(UnitSnapshot { load: LoadState::NotFound, ..never });
        }
        _ => return query_failed(&format!("supervisorctl status: {}", shorten_line(line.trim()))),
    };
    if condition != UnitCondition::Active {
        // The time at which it ended tells one end from the next.
        return UnitFacts::Known(UnitSnapshot::from_condition(
            condition,
            Some(format!("{state} {detail}")),
            None,
        ));
    }
    let pid = detail.strip_prefix("pid ").and_then(|rest| rest.split(',').next()?.parse::<u32>().ok());
    let uptime = detail.rsplit_once("uptime ").and_then(|(_, uptime)| parse_uptime(uptime));
    match (pid.and_then(|pid| Some((pid, started(pid)?))), uptime) {
        (Some((pid, started)), Some(uptime)) => UnitFacts::Known(UnitSnapshot::from_condition(
            condition,
            Some(format!("{pid} {started}")),
            Some(uptime),
        )),
        (None, _) | (_, None) => {
            query_failed(&format!("supervisorctl status: {}", shorten_line(line.trim())))
        }
    }
}

/// `0:01:40`, `2 days, 3:04:05`
fn parse_uptime(text: &str) -> Option<Duration> {
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

fn shorten_line(line: &str) -> String {
    words::escaped(line).chars().take(200).collect()
}

#[cfg(test)]
mod tests;
