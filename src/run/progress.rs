//! What a person sees while a run, or `check`, waits for probes.

use std::time::Duration;

use crate::plan::{Plan, Service};
use crate::report::ProgressLine;
use crate::words;

/// While all services are probed.
pub(crate) fn show_probing(plan: &Plan) -> ProgressLine {
    let longest = plan.services.iter().map(Service::longest_timeout).max().unwrap_or_default();
    show_probing_of(plan.services.len(), longest)
}

pub(crate) fn show_probing_of(services: usize, longest: Duration) -> ProgressLine {
    let word = if services == 1 { "service" } else { "services" };
    ProgressLine::start(format!(
        "probing {services} {word} (each {} at most)",
        words::format_duration(longest)
    ))
}
