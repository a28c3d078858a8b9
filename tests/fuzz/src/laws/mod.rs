//! One law for each way in.

pub mod config;
pub mod health;
pub mod http;
pub mod show;
pub mod state;
pub mod url;

use std::path::Path;

use clap::Parser;
use tempfile::TempDir;

use unhang::cli::Cli;

/// A law by its name.
#[must_use]
pub fn law(name: &str) -> Option<fn(&[u8])> {
    Some(match name {
        "config" => config::holds,
        "health" => health::holds,
        "http" => http::holds,
        "show" => show::holds,
        "state" => state::holds,
        "url" => url::holds,
        _ => return None,
    })
}

/// In memory, since each run of a law writes.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

fn typed(words: &[&str]) -> Cli {
    Cli::try_parse_from(["unhang"].iter().chain(words)).unwrap()
}

#[track_caller]
fn is_one_harmless_line(text: &str) {
    assert!(!text.trim().is_empty(), "nothing is said");
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// Stands for a password in the texts that the laws are tried with.
const SECRET: &str = "S3CR3T";
