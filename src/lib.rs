//! unhang restarts a service that is running but no longer answers. cron runs it every 2 minutes; state
//! is on disk, and no process stays behind.
//!
//! The house, in the order in which a run walks through it:
//!
//! - `cli`: what was typed; no I/O. `usage`: what of it cannot be, and what to type instead. `config`: files,
//!   flags and environment become a valid `plan`.
//! - `command`: a file for each command. `setup`: what a host lacks. They call rooms, as `run` does, and with it
//!   are the only readers of the wall and boot clocks.
//! - `run`: one tick, in order. It calls the rooms, and they do not call each other:
//!   - `store`: lock, state file, quarantine; `places`: where they are.
//!   - `probe`: asks how a service is: the health URL, over TCP or a Unix socket, with TLS or without; and in other
//!     ways, a file for each kind. What a kind takes stands there too, and `config` reads it from its table.
//!   - `restart`: the ways to restart a service, a file and a row for each; and the command that `paused` waits for.
//!   - `managers`: one client each for systemd, supervisord and the runtimes of containers. The one room that others
//!     call: `restart` and `probe`.
//!   - `unhang_core` (src/core, a crate that cannot even name a file or a clock): facts in, decision out.
//!   - `log`: the service's log. `report`: what people read on the terminal. `words`: both's vocabulary.
//! - `simulate`: the same decision on a pattern of answers, to try settings on; no I/O, no clock.
//! - `os`: files, certificates, processes, clocks and limits made safe; knows no word of the domain.
//! - `toml_text`: values as an operator writes them. `suggest`: what a mistyped word was meant to be. `exit`: exit codes. `demo`: a hung server, and the same
//!   `run` on it.
//!
//! Kept by tests/house.rs and clippy.toml: core imports nothing; rooms do not name each other; processes,
//! files, clocks and the environment are touched only where this list says so.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::print_stdout,
        clippy::print_stderr,
        clippy::wildcard_enum_match_arm,
        clippy::disallowed_methods,
        reason = "a test that fails says where"
    )
)]

pub mod cli;
mod command;
pub mod config;
mod demo;
mod exit;
mod fnv;
mod keys;
pub mod log;
pub mod managers;
mod os;
pub mod places;
pub mod plan;
pub mod probe;
pub mod report;
pub mod reported_faults;
pub mod restart;
mod run;
mod setup;
mod simulate;
mod sink;
pub mod store;
mod suggest;
mod toml_text;
pub mod words;

/// The program: reads the command line, does what it says, and returns the exit status.
#[must_use]
pub fn main() -> std::process::ExitCode {
    command::run_command_line()
}
