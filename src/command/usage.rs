//! A command line that is none: its own answer, for each command that has exit statuses of its own.

use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::cli::{self, help, usage};
use crate::report;
use crate::words;

use super::context::{Refusal, detect_screen, variables_not_utf8};
use super::{check, paused};

/// `--help` and `--version` are no faults, and clap's to print.
pub(super) fn answer_usage_error(error: &clap::Error) -> ExitCode {
    let words = std::env::args_os().skip(1);
    let typed: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let is_not_utf8 = error.kind() == ErrorKind::InvalidUtf8;
    let fault = is_not_utf8.then(find_not_utf8).flatten().map(|name| usage::not_utf8(&name));
    match fault.or_else(|| usage::usage_fault(error, &typed)) {
        Some(fault) if cli::step_names("check", std::env::args_os().skip(1)) => {
            check::refuse_check(&Refusal(vec![fault])).into()
        }
        Some(fault) if cli::step_names("paused", std::env::args_os().skip(1)) => {
            paused::refuse_command(&Refusal(vec![fault]))
        }
        Some(fault) => Refusal(vec![fault]).report().into(),
        None => {
            print_help(error);
            u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
    }
}

/// What was asked for goes to stdout; the help of who typed nothing is a fault, and clap's to print.
fn print_help(error: &clap::Error) {
    if error.use_stderr() {
        let _ = error.print();
    } else {
        report::print_bytes(help::fold_help(&error.render().to_string(), detect_screen().width).as_bytes());
    }
}

/// The word of the command line that is not UTF-8, with what can be read of it; else the variable.
fn find_not_utf8() -> Option<String> {
    let word = std::env::args_os().skip(1).find(|word| word.to_str().is_none());
    let word = word.map(|word| words::escaped(&word.to_string_lossy()));
    word.or_else(|| variables_not_utf8().next())
}
