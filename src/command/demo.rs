//! `demo`, and the two commands that it starts for itself.

use crate::exit::Exit;
use crate::report;

/// What became of the demonstration.
pub(super) fn end_demo(ended: anyhow::Result<Exit>) -> Exit {
    ended.unwrap_or_else(|error| {
        report::print_fault(format!("{error:#}"));
        Exit::Unhealthy
    })
}
