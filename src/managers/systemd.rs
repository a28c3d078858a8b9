//! Asks systemd about units, and for the restart of one. Starts `systemctl` without a shell, with an
//! environment of its own, within a time limit; decides nothing. An exit status of systemctl is never
//! taken for the outcome: the unit's next InvocationID and the probe tell that.
#![expect(clippy::disallowed_methods, reason = "this file starts systemctl")]

pub(crate) mod outside;
pub mod properties;

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use unhang_core::{Doubt, UnitFacts, UnitSnapshot};

use crate::os::process::{self, ProcessEnd, ProcessOutput};
use crate::plan::SystemdScope;
use crate::words;

use super::{RestartResponse, UnitStatus};
pub(crate) use properties::single_property;
use properties::{PropertyBlock, SHOW_PROPERTIES, SHUTDOWN_TARGET};

/// Time limit of both calls of a query together. PID 1 that hangs makes systemctl wait for more than a minute.
const SHOW_TIME_LIMIT: Duration = Duration::from_secs(5);

/// `reset-failed` changes nothing that takes time.
const RESET_FAILED_TIME_LIMIT: Duration = Duration::from_secs(5);

/// What systemctl may print about one unit: `ConflictedBy=` of shutdown.target names every service.
const MAX_SHOW_BYTES_PER_UNIT: usize = 64 * 1024;

/// One answer for each unit asked about.
#[derive(Debug)]
pub(crate) struct UnitQuery {
    pub(crate) units: BTreeMap<String, UnitStatus>,
    /// systemd is shutting the host down.
    pub(crate) stopping: bool,
}

/// `monotonic`: CLOCK_MONOTONIC now. `time_left`: of the run; no query takes more, nor more than 5 s.
pub(crate) fn query_units(
    scope: SystemdScope,
    names: &[&str],
    monotonic: Duration,
    time_left: Duration,
) -> UnitQuery {
    let (began, limit) = (Instant::now(), SHOW_TIME_LIMIT.min(time_left));
    let asked: Vec<&str> = names.iter().copied().chain([SHUTDOWN_TARGET]).collect();
    let answer = run_show(scope, &asked, limit);
    let text = answer.as_ref().map_or("", |shown| shown.text.as_str());
    let blocks = properties::parse_blocks(text);
    let doubt = match &answer {
        Ok(shown) => shown.doubt.clone(),
        Err(doubt) => doubt.clone(),
    };
    let mut units = BTreeMap::new();
    units.extend(
        names.iter().map(|name| {
            ((*name).to_owned(), parse_unit_status(find_block(&blocks, name), monotonic, &doubt))
        }),
    );
    add_related_units(scope, &mut units, &blocks, limit.saturating_sub(began.elapsed()));
    let stopping = find_block(&blocks, SHUTDOWN_TARGET).is_some_and(PropertyBlock::is_active_or_pending);
    UnitQuery { units, stopping }
}

/// What comes before a restart: a start limit that is spent would let it stop the unit and then refuse to
/// start it. An error: there is to be no restart.
pub(crate) fn reset_failed(
    (unit, scope): (&str, SystemdScope),
    limit: Duration,
) -> Result<(), RestartResponse> {
    match process::run_program(
        systemctl_command(scope, &["reset-failed", "--", unit]),
        RESET_FAILED_TIME_LIMIT.min(limit),
        MAX_SHOW_BYTES_PER_UNIT,
    ) {
        Err(error) => Err(RestartResponse::NotStarted(describe_start_error(&error))),
        // It may be carried out all the same, and then the unit looks as if somebody had stopped it.
        Ok(ProcessOutput { end: ProcessEnd::TimedOut, .. }) => {
            Err(RestartResponse::NoAnswer("systemd does not answer".to_owned()))
        }
        // It fails for a unit that is not loaded, and then the restart says why.
        Ok(ran) => permission_refusal(&ran, "restart", unit).map_or(Ok(()), Err),
    }
}

/// SIGKILL to every process of it, while it is being stopped.
pub(crate) fn kill_unit((unit, scope): (&str, SystemdScope), limit: Duration) -> Result<(), RestartResponse> {
    let command = systemctl_command(scope, &["--no-ask-password", "kill", "--signal=SIGKILL", "--", unit]);
    match process::run_program(command, limit, MAX_SHOW_BYTES_PER_UNIT) {
        Err(error) => Err(RestartResponse::NoAnswer(describe_start_error(&error))),
        Ok(ProcessOutput { end: ProcessEnd::TimedOut, .. }) => {
            Err(RestartResponse::NoAnswer("systemd does not answer".to_owned()))
        }
        Ok(ran) => permission_refusal(&ran, "kill", unit).map_or(Ok(()), Err),
    }
}

/// `--job-mode=fail`: a person's job that is under way wins.
pub(crate) fn restart_unit(unit: (&str, SystemdScope), limit: Duration) -> RestartResponse {
    run_job("restart", unit, limit)
}

/// Likewise, but does not wait for the end of it.
pub(crate) fn start_restart_job((unit, scope): (&str, SystemdScope), limit: Duration) -> RestartResponse {
    run_systemctl(
        &["--no-ask-password", "--no-block", "--job-mode=fail", "restart", "--", unit],
        "restart",
        (unit, scope),
        limit,
    )
}

pub(crate) fn reload_unit(unit: (&str, SystemdScope), limit: Duration) -> RestartResponse {
    run_job("reload", unit, limit)
}

fn run_job(verb: &str, (unit, scope): (&str, SystemdScope), limit: Duration) -> RestartResponse {
    run_systemctl(&["--no-ask-password", "--job-mode=fail", verb, "--", unit], verb, (unit, scope), limit)
}

fn run_systemctl(
    arguments: &[&str],
    verb: &str,
    (unit, scope): (&str, SystemdScope),
    limit: Duration,
) -> RestartResponse {
    match process::run_program(systemctl_command(scope, arguments), limit, MAX_SHOW_BYTES_PER_UNIT) {
        Err(error) => RestartResponse::NoAnswer(describe_start_error(&error)),
        Ok(ran) => permission_refusal(&ran, verb, unit).unwrap_or_else(|| parse_response(&ran)),
    }
}

/// What systemd says through polkit and without it, and `sudo -n` in front of systemctl. The exit status
/// is 1 or 4, as for other faults.
const PERMISSION_ERRORS: [&str; 4] =
    ["Interactive authentication required", "Access denied", "a password is required", "is not allowed to"];

/// May the user that we run as not ask for this?
fn permission_refusal(ran: &ProcessOutput, verb: &str, unit: &str) -> Option<RestartResponse> {
    let said = String::from_utf8_lossy(&ran.stderr);
    let refused = said.lines().find(|line| PERMISSION_ERRORS.iter().any(|mark| line.contains(mark)))?;
    let user = rustix::process::geteuid();
    let cure = if user.is_root() {
        "a security policy of this host forbids it".to_owned()
    } else {
        "install contrib/polkit-1/rules.d/50-unhang.rules for it, or run unhang as root".to_owned()
    };
    let (user, refused) = (user.as_raw(), refused.trim().trim_end_matches('.'));
    matches!(ran.end, ProcessEnd::Exited(status) if !status.success()).then(|| {
        RestartResponse::NotPermitted(format!("user {user} may not {verb} {unit} ({refused}): {cure}"))
    })
}

fn parse_response(ran: &ProcessOutput) -> RestartResponse {
    match ran.end {
        ProcessEnd::TimedOut => RestartResponse::StillRunning,
        ProcessEnd::Exited(status) if status.success() => RestartResponse::Accepted,
        ProcessEnd::Exited(status) => {
            let said = String::from_utf8_lossy(&ran.stderr);
            let words = first_line(&said).map_or_else(|| status.to_string(), str::to_owned);
            if ["is destructive", "canceled"].iter().any(|mark| said.contains(mark)) {
                RestartResponse::Refused(words)
            } else {
                RestartResponse::Failed(words)
            }
        }
    }
}

fn parse_unit_status(block: Option<&PropertyBlock<'_>>, monotonic: Duration, doubt: &Doubt) -> UnitStatus {
    let life = block.and_then(|block| block.parse_snapshot(monotonic));
    UnitStatus {
        unit: life.map_or_else(|| UnitFacts::QueryFailed(doubt.clone()), UnitFacts::Known),
        id: block.map(|block| block.unit_id().to_owned()).unwrap_or_default(),
        restart_limit: block.and_then(PropertyBlock::restart_limit),
        stop_limit: block.and_then(PropertyBlock::stop_limit),
        has_changed_file: block.is_some_and(PropertyBlock::has_changed_file),
        is_passing_oneshot: block.is_some_and(PropertyBlock::is_passing_oneshot),
    }
}

/// A second call for all of them: their names are known only now. What it leaves without an answer is no
/// longer known well enough to restart.
fn add_related_units(
    scope: SystemdScope,
    units: &mut BTreeMap<String, UnitStatus>,
    blocks: &[PropertyBlock<'_>],
    limit: Duration,
) {
    let related = |name: &str| find_block(blocks, name).map(PropertyBlock::related_names).unwrap_or_default();
    let mut names: Vec<&str> = units.keys().flat_map(|name| related(name)).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return;
    }
    let answer = run_show(scope, &names, limit);
    let text = answer.as_ref().map_or("", |shown| shown.text.as_str());
    let others = properties::parse_blocks(text);
    for (name, status) in units {
        let UnitFacts::Known(life) = &mut status.unit else { continue };
        let found = related(name)
            .into_iter()
            .map(|(other, relation)| find_block(&others, other)?.parse_related(other, relation))
            .collect::<Option<Vec<_>>>();
        match found {
            Some(neighbours) => *life = UnitSnapshot { neighbours, ..life.clone() },
            None => {
                status.unit = UnitFacts::QueryFailed(Doubt::UnitUnknown(
                    "systemctl show left out a unit that it needs".to_owned(),
                ));
            }
        }
    }
}

/// Why the properties of a unit could not be read.
#[derive(Debug)]
pub(crate) enum ShowFailure {
    NotStarted(io::Error),
    /// systemctl did not end in time.
    NoAnswer,
    /// What systemctl complained of.
    Failed(String),
}

/// What systemctl may print of a few short properties.
const MAX_PROPERTIES_BYTES: usize = 16 * 1024;

/// The text of some properties of one unit, whole; `properties` as `systemctl show --property` takes them. One call,
/// over within `limit`.
///
/// # Errors
/// When systemctl cannot be started, does not end in time, fails, or says more than it can have to say: what is cut
/// says what it did not mean.
pub(crate) fn show_properties(
    (unit, scope): (&str, SystemdScope),
    properties: &str,
    limit: Duration,
) -> Result<String, ShowFailure> {
    let command = systemctl_command(scope, &["show", "--no-pager", "--property", properties, "--", unit]);
    let ran = process::run_program(command, limit, MAX_PROPERTIES_BYTES).map_err(ShowFailure::NotStarted)?;
    let ProcessEnd::Exited(status) = ran.end else { return Err(ShowFailure::NoAnswer) };
    if !status.success() || ran.stdout.len() >= MAX_PROPERTIES_BYTES {
        let said = String::from_utf8_lossy(&ran.stderr);
        return Err(ShowFailure::Failed(first_line(&said).map_or_else(|| status.to_string(), str::to_owned)));
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}

fn find_block<'a, 'b>(blocks: &'b [PropertyBlock<'a>], name: &str) -> Option<&'b PropertyBlock<'a>> {
    blocks.iter().find(|block| block.has_name(name))
}

struct ShowOutput {
    text: String,
    /// Why a unit may be missing in it.
    doubt: Doubt,
}

fn run_show(scope: SystemdScope, names: &[&str], limit: Duration) -> Result<ShowOutput, Doubt> {
    let mut arguments = vec!["show", "--no-pager", "--property", SHOW_PROPERTIES, "--"];
    arguments.extend(names);
    let room = MAX_SHOW_BYTES_PER_UNIT.saturating_mul(names.len());
    let ran = process::run_program(systemctl_command(scope, &arguments), limit, room).map_err(|error| {
        let doubt = if program_not_found(&error) { Doubt::NoSystemd } else { Doubt::UnitUnknown };
        doubt(describe_start_error(&error))
    })?;
    let said = String::from_utf8_lossy(&ran.stderr);
    let status = match ran.end {
        ProcessEnd::TimedOut => {
            return Err(Doubt::UnitUnknown(format!(
                "no answer from systemctl within {}",
                words::format_duration(limit)
            )));
        }
        ProcessEnd::Exited(status) => status,
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
    Ok(ShowOutput {
        text: String::from_utf8_lossy(&ran.stdout).into_owned(),
        doubt: Doubt::UnitUnknown(doubt),
    })
}

/// Nothing of the caller's environment but the way to find it: SYSTEMD_OFFLINE would make a restart a
/// success that did nothing.
fn systemctl_command(scope: SystemdScope, arguments: &[&str]) -> Command {
    let mut command = Command::new("systemctl");
    command.env_clear().env("LC_ALL", "C");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if scope == SystemdScope::User {
        // Where a user's systemd listens (pam_systemd(8)), which cron does not tell.
        let own = || format!("/run/user/{}", rustix::process::geteuid().as_raw()).into();
        command.env("XDG_RUNTIME_DIR", std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_else(own)).arg("--user");
    }
    command.args(arguments);
    command
}

fn describe_start_error(error: &io::Error) -> String {
    if program_not_found(error) {
        return "no systemctl in PATH".to_owned();
    }
    format!("systemctl cannot be started: {}", words::io_error_text(error))
}

pub(crate) fn program_not_found(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Without the full stop at its end: it becomes part of a line of ours.
fn first_line(text: &str) -> Option<&str> {
    text.lines().map(|line| line.trim().trim_end_matches('.')).find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests;
