//! Programs that start what shall run on, such as a server: outside of the sandbox that systemd put this run in. What
//! they start would else have a file system that it cannot write, and few rights, for as long as it lives.
#![expect(clippy::disallowed_methods, reason = "this file starts systemd's own program")]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::Command;

use crate::os::files;
use crate::os::proc::confinement;

/// The path is absolute, since a program that PATH names would be started with all rights.
const PROGRAM: &str = "/usr/bin/systemd-run";

/// Where systemd runs (sd_booted(3)).
const IS_BOOTED: &str = "/run/systemd/system";

/// What is heard of the program that is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    ItsOutput,
    Nothing,
}

/// The command that starts the same in a unit of its own, and ends as it does. `None`: this process is in no sandbox, is
/// not root's, or there is no systemd to start it.
pub(crate) fn outside_of_sandbox(command: &Command, heard: Heard) -> Option<Command> {
    let can_leave = rustix::process::geteuid().is_root()
        && files::who_may_write(Path::new(IS_BOOTED)).is_ok()
        && files::is_program(Path::new(PROGRAM)).is_ok()
        && confinement::find_sandbox().is_some();
    can_leave.then(|| in_own_unit(command, heard))
}

/// `KillMode=process`: what it leaves behind when it ends is the very server that it was to start.
fn in_own_unit(command: &Command, heard: Heard) -> Command {
    let mut outer = Command::new(PROGRAM);
    outer.args(["--quiet", "--wait", "--collect", "--property=KillMode=process"]);
    if heard == Heard::ItsOutput {
        outer.arg("--pipe");
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            let mut variable = OsString::from("--setenv=");
            variable.push(name);
            variable.push("=");
            variable.push(value);
            outer.arg(variable);
        }
    }
    outer.arg("--").arg(command.get_program()).args(command.get_args().map(without_variables));
    outer
}

/// systemd puts variables of the environment into the arguments of a unit; `$$` is one `$` (systemd.service(5)).
fn without_variables(argument: &OsStr) -> OsString {
    let doubled = argument
        .as_bytes()
        .iter()
        .flat_map(|byte| std::iter::repeat_n(*byte, 1 + usize::from(*byte == b'$')));
    OsString::from_vec(doubled.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_started_in_a_unit_of_its_own() {
        let mut command = Command::new("/opt/shop/restart.sh");
        command.args(["--price", "5$ or $HOME", "%n"]).env("LC_ALL", "C");
        for (heard, pipe) in [(Heard::Nothing, ""), (Heard::ItsOutput, " --pipe")] {
            let outer = in_own_unit(&command, heard);
            let words: Vec<_> = outer.get_args().map(|word| word.to_str().unwrap()).collect();
            assert_eq!(outer.get_program(), PROGRAM);
            assert_eq!(
                words.join(" "),
                format!(
                    "--quiet --wait --collect --property=KillMode=process{pipe} --setenv=LC_ALL=C -- /opt/shop/restart.sh --price 5$$ or $$HOME %n"
                )
            );
        }
    }
}
