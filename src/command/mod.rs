//! The commands, one file each: what was typed is done by the rooms, and what they return is printed.

mod check;
mod config;
mod context;
mod demo;
mod pause;
mod paused;
mod pausing;
mod reset;
mod resume;
mod run;
mod service_status;
mod simulate;
mod status;
mod usage;

use std::process::ExitCode;

use crate::cli::{Cli, Command, completion_script};
use crate::demo as hung_server;
use crate::exit::Exit;
use crate::report;

use context::variable_names;

/// Runs the command that was typed; its exit status.
pub(crate) fn run_command_line() -> ExitCode {
    let cli = match Cli::parse(variable_names()) {
        Ok(cli) => cli,
        Err(error) => return usage::answer_usage_error(&error),
    };
    let sources = cli.config_sources();
    let ended = match &cli.command {
        Command::Run(args) => run::run_services(&sources, args),
        Command::Check(args) => return check::check_services(&sources, args).into(),
        Command::Status(args) => status::print_status(&sources, args),
        Command::Why(args) => status::explain_services(&sources, args),
        Command::Reset(_) => reset::reset_services(&sources),
        Command::Pause(args) => pause::pause_services(&sources, args),
        Command::Resume(_) => resume::resume_services(&sources),
        Command::Paused(args) => return paused::run_paused(&sources, args),
        Command::Simulate(args) => simulate::simulate_service(&sources, args),
        Command::Config { command } => config::answer_config(&sources, command),
        Command::Completions { shell } => {
            report::print_bytes(&completion_script(*shell));
            Ok(Exit::Healthy)
        }
        Command::Demo => Ok(demo::end_demo(hung_server::run_demo(&context::detect_screen()))),
        Command::DemoServer { dir } => Ok(demo::end_demo(hung_server::serve_demo_app(dir))),
        Command::DemoRestart { dir } => Ok(demo::end_demo(hung_server::restart_demo_app(dir))),
    };
    ended.unwrap_or_else(|refusal| refusal.report()).into()
}
