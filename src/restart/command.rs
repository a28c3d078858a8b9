//! Restarts by a command of the operator's. No shell; a process group of its own and no output, so that
//! neither our end nor a closed pipe ends it or the daemon it starts. It is never killed: a restart that
//! is cut in half is worse than a slow one. That it still runs is known by its process, not by a lock it
//! inherits: the daemon it starts would hold that for ever.
#![expect(clippy::disallowed_methods, reason = "this room starts the operator's commands")]

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use unhang_core::ProcessId;

use crate::managers::RestartResponse;
use crate::managers::systemd::outside::{Heard, outside_of_sandbox};
use crate::os::foreground_child;
use crate::os::process::{self, DetachedChild};
use crate::os::programs;
use crate::plan::{KeySpec, MethodSpec, Program, ValueType};
use crate::words;

use super::{Method, RestartCourse};

const WORDS: KeySpec = KeySpec::new("restart", ValueType::CommandOrNone);

pub(super) const METHOD: Method = Method {
    spec: MethodSpec {
        is_process: true,
        program: |given| given.list(&WORDS).first().map(|word| Program::Configured(word)),
        ..MethodSpec::unseen(
            "none; restarted by the command *; its state cannot be seen",
            WORDS,
            &[],
            |given| given.list(&WORDS).first().map_or("", String::as_str),
        )
    },
    look: None,
    course: RestartCourse::Process(|given| given.list(&WORDS)),
    obstacle: |_| None,
};

#[derive(Debug)]
pub(crate) struct RunningCommand(DetachedChild);

/// `words`: the program and its arguments, as `config` checked them.
pub(crate) fn start_command(command_words: &[String]) -> Result<RunningCommand, RestartResponse> {
    let Some((program, arguments)) = command_words.split_first() else {
        return Err(RestartResponse::NotStarted("the restart command is empty".to_owned()));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    if let Some(outer) = outside_of_sandbox(&command, Heard::Nothing) {
        // Else it would seem to have run, and failed.
        if let Some(why) = find_obstacle(program) {
            return Err(RestartResponse::NotStarted(why));
        }
        command = outer;
    }
    process::spawn_detached(command).map(RunningCommand).map_err(|error| {
        let why = describe_start_error(program, &error);
        // Where the system gives no reason, it may have run all the same.
        if error.kind() == io::ErrorKind::Other {
            RestartResponse::NoAnswer(why)
        } else {
            RestartResponse::NotStarted(why)
        }
    })
}

/// A person's own command, on their terminal, in the place of ours. An error: 127 or 126, as shells and env(1)
/// have it, and why it was not begun.
pub(crate) fn run_in_foreground(command_words: &[OsString]) -> Result<ExitStatus, (u8, String)> {
    let Some((program, arguments)) = command_words.split_first() else {
        return Err((127, String::new())); // clap wants one
    };
    let mut command = Command::new(program);
    command.args(arguments);
    foreground_child::run_in_foreground(command).map_err(|error| {
        let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
        (code, describe_start_error(&program.to_string_lossy(), &error))
    })
}

/// `exit status 1`, `killed by signal 9`.
pub(crate) fn describe_exit(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("killed by signal {}", signal.unwrap_or_default()),
    }
}

/// Why `start_command` would fail, found without starting anything.
fn find_obstacle(program: &str) -> Option<String> {
    let error = programs::find_in_own_path(program).err()?;
    Some(describe_start_error(program, &error))
}

fn describe_start_error(program: &str, error: &io::Error) -> String {
    let is = |kind: io::ErrorKind| error.kind() == kind;
    let why = if is(io::ErrorKind::NotFound) && program.contains('/') {
        "no such program".to_owned()
    } else if is(io::ErrorKind::NotFound) {
        "no such program in PATH".to_owned()
    } else if is(io::ErrorKind::PermissionDenied) {
        "it may not be executed (chmod +x)".to_owned()
    } else {
        words::io_error_text(error)
    };
    format!("{program} cannot be started: {why}")
}

/// For a later run, which is not its parent.
pub(crate) fn is_process_running(process: ProcessId) -> bool {
    process::is_running(process.pid, process.started)
}

impl RunningCommand {
    pub(crate) fn process_id(&self) -> Option<ProcessId> {
        self.0.start.map(|started| ProcessId { pid: self.0.pid, started })
    }

    pub(crate) fn wait_at_most(&mut self, limit: Duration) -> RestartResponse {
        match self.0.wait_at_most(limit) {
            Ok(None) => RestartResponse::StillRunning,
            Ok(Some(status)) if status.success() => RestartResponse::Accepted,
            Ok(Some(status)) => RestartResponse::Failed(format!("the command ended with {status}")),
            Err(error) => RestartResponse::Failed(words::io_error_text(&error)),
        }
    }
}
