//! What must hold for any bytes that come from outside. unhang is a program and no library; its rooms are
//! taken in here by their paths, as they stand, and entered through their own doors.
#![allow(dead_code, unused_imports, reason = "the rooms have more doors than the laws enter by")]

#[path = "../../../src/cli/mod.rs"]
mod cli;
#[path = "../../../src/config/mod.rs"]
mod config;
#[path = "../../../src/exit.rs"]
mod exit;
#[path = "../../../src/log.rs"]
mod log;
#[path = "../../../src/near.rs"]
mod near;
#[path = "../../../src/os/mod.rs"]
mod os;
#[path = "../../../src/places.rs"]
mod places;
#[path = "../../../src/plan.rs"]
mod plan;
#[path = "../../../src/probe/mod.rs"]
mod probe;
#[path = "../../../src/report/mod.rs"]
mod report;
#[path = "../../../src/store/mod.rs"]
mod store;
#[path = "../../../src/words.rs"]
mod words;

/// The one room whose door is a process: what systemctl printed is given to the part that reads it.
#[path = "../../../src/restart/unit/show.rs"]
mod show;

/// Taken in once more: within its room, only that room may enter it.
#[path = "../../../src/probe/health.rs"]
mod health;

pub mod laws;
