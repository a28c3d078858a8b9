//! Restarts by a command of the operator's. No shell; a process group of its own and no output, so that
//! neither our end nor a closed pipe ends it or the daemon it starts. It is never killed: a restart that
//! is cut in half is worse than a slow one. That it still runs is known by its process, not by a lock it
//! inherits: the daemon it starts would hold that for ever.
#![expect(clippy::disallowed_methods, reason = "this room starts the restart command")]

use std::io;
use std::process::Command;
use std::time::Duration;

use unhang_core::Process;

use crate::asked::Asked;
use crate::os::process::{self, Detached};
use crate::words;

#[derive(Debug)]
pub(crate) struct Started(Detached);

/// `words`: the program and its arguments, as `config` checked them.
pub(crate) fn start(command_words: &[String]) -> Result<Started, Asked> {
    let Some((program, arguments)) = command_words.split_first() else {
        return Err(Asked::NeverRan("the restart command is empty".to_owned()));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    process::spawn_detached(command).map(Started).map_err(|error| {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let why = if missing { "no such program".to_owned() } else { words::io(&error) };
        Asked::NeverRan(format!("{program} cannot be started: {why}"))
    })
}

/// For a later run, which is not its parent.
pub(crate) fn is_running(process: Process) -> bool {
    process::is_running(process.pid, process.started)
}

impl Started {
    pub(crate) fn process(&self) -> Option<Process> {
        self.0.start.map(|started| Process { pid: self.0.pid, started })
    }

    pub(crate) fn wait(&mut self, limit: Duration) -> Asked {
        match self.0.wait(limit) {
            Ok(None) => Asked::Running,
            Ok(Some(status)) if status.success() => Asked::Done,
            Ok(Some(status)) => Asked::Failed(format!("the restart command ended with {status}")),
            Err(error) => Asked::Failed(words::io(&error)),
        }
    }
}
