//! What a shell offers to somebody who presses Tab, out of the definition of the command line itself.

use clap::{Command as Definition, CommandFactory, ValueEnum};
use clap_complete::{generate, shells};

use super::Cli;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The script that completes unhang's commands and flags in `shell`.
pub(crate) fn completion_script(shell: Shell) -> Vec<u8> {
    let (mut script, whole) = (Vec::new(), Cli::command());
    // Hidden commands are not for typing.
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let mut command = Definition::new("unhang")
        .disable_help_subcommand(true)
        .args(whole.get_arguments().cloned())
        .subcommands(shown);
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, "unhang", &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut command, "unhang", &mut script),
        Shell::Fish => generate(shells::Fish, &mut command, "unhang", &mut script),
    }
    script
}
