//! What an operator sees of unhang, scene by scene. A test's name is a sentence of the manual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::match_bool,
    reason = "a test that fails says where"
)]

mod harness;

mod bad_input;
mod bounds;
mod by_hand;
mod causes;
mod check;
mod commands;
mod completions;
mod demo;
mod drop_in;
mod escalate;
mod every;
mod guards;
mod hands_off;
mod https;
mod json;
mod limits;
mod many;
mod memory;
mod messages;
mod needs;
mod pause;
mod paused;
mod probes;
mod probes_certificate;
mod probes_cgroup;
mod probes_container;
mod probes_file;
mod probes_load;
mod probes_log;
mod probes_memory;
mod probes_process;
mod probes_unit;
mod requires;
mod restarters;
mod rights;
mod security;
mod simulate;
mod systemctl;
mod tick;
mod view;
mod why;
