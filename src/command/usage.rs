//! A command line that is none: its own answer, for each command that has exit statuses of its own.

use std::process::ExitCode;

use crate::cli::{self, usage};

use super::context::Refusal;
use super::{check, paused};

/// `--help` and `--version` are no faults, and clap's to print.
pub(super) fn answer_usage_error(error: &clap::Error) -> ExitCode {
    let words = std::env::args_os().skip(1);
    let typed: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    match usage::fault(error, &typed) {
        Some(fault) if cli::means("check", std::env::args_os().skip(1)) => {
            check::refuse(&Refusal(vec![fault])).into()
        }
        Some(fault) if cli::means("paused", std::env::args_os().skip(1)) => {
            paused::refuse(&Refusal(vec![fault]))
        }
        Some(fault) => Refusal(vec![fault]).report().into(),
        None => {
            let _ = error.print();
            u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
    }
}
