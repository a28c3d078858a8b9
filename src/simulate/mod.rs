//! `simulate`: a pattern of answers, played through the decision of the runs, so that settings can be tried
//! before they are trusted. Probes nothing, asks systemd nothing, reads no state and no clock, writes
//! nothing: time begins at 0.
//!
//! script (what was typed) -> course (a world that follows it) -> timeline, summary -> shown

mod course;
mod script;
mod shown;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;

use unhang_core::Outlook;

use crate::plan::{Plan, Service};
use course::Engine;
pub(crate) use script::Script;
pub(crate) use shown::{simulation_json, simulation_lines};
use summary::Summary;
use timeline::Timeline;

/// What the pattern made of the service.
#[derive(Debug)]
pub(crate) struct Played<'a> {
    service: &'a Service,
    script: &'a Script,
    timeline: Timeline,
    summary: Summary,
    /// After the last run.
    then: Outlook,
}

pub(crate) fn play_script<'a>(script: &'a Script, service: &'a Service, plan: &Plan) -> Played<'a> {
    let mut course = Engine::begin_course(script, service, plan.host.deadline);
    let (mut timeline, mut summary) = (Timeline::default(), Summary::default());
    let mut signs = script.signs().peekable();
    while let Some(sign) = signs.next() {
        // What the last run meets goes on.
        let next = signs.peek().copied().unwrap_or(sign);
        let turn = course.run(sign, next);
        summary.add_run(&turn);
        timeline.add(turn);
    }
    Played { service, script, timeline, summary, then: course.outlook() }
}
