//! One service and what this run made of it; what happened to it, for the sinks.

use std::collections::BTreeMap;

use unhang_core::{
    Decision, Event, Observation, State, events_of_decision, events_of_incident, events_of_no_help,
    events_of_warnings,
};

use crate::exit::Exit;
use crate::managers::UnitStatus;

use super::context::RunContext;
use super::locked_service::{LockedService, SaveResult};
use super::probing::ServiceAnswers;
use super::unit_status;

/// A service, and what this tick made of it.
#[derive(Debug)]
pub(super) struct Evaluated<'a> {
    pub(super) watch: LockedService<'a>,
    /// As the last tick left it.
    pub(super) before: State,
    pub(super) seen: Observation,
    pub(super) status: Option<UnitStatus>,
    pub(super) decision: Decision,
    /// Of its probes, as the last tick left it: a second look asks with it once more.
    pub(super) memory: BTreeMap<String, String>,
    pub(super) exit: Exit,
}

impl Evaluated<'_> {
    /// What the probes told besides what is judged.
    pub(super) fn apply_answers(&mut self, reply: &ServiceAnswers) {
        let probes = &self.watch.service.probes;
        self.watch.record.memory = reply.merged_cursors(probes, &self.memory);
        let (warnings, others) = (reply.stored_warnings(probes), reply.others(probes));
        let account = &self.decision.next.account;
        // Most have none, and a state is large.
        if ![&warnings, &others, &account.warnings, &account.others].into_iter().all(Vec::is_empty) {
            self.decision.next.account = account.clone().warned(warnings, others);
        }
    }

    /// The count is on disk before anything else is done, and told after that.
    pub(super) fn save_and_log(&mut self, tick: &RunContext<'_>) {
        if self.watch.save(self.decision.next.clone()) == SaveResult::NotSaved {
            self.exit = Exit::StateUnusable;
        }
        let (policy, before, next) = (&self.watch.service.policy, &self.before, &self.decision.next);
        let mut events = events_of_decision(policy, before, &self.decision, &self.seen, &tick.now);
        events.extend(events_of_incident(policy, before, next));
        events.extend(events_of_warnings(before, next));
        events.extend(events_of_no_help(policy, before, next));
        if let (Observation::Healthy, Some(status)) = (&self.seen, &self.status)
            && let Some((reason, why)) = unit_status::find_restart_obstacle(status, self.watch.service)
        {
            events.push(Event::NotRestartable { reason, why });
        }
        self.watch.report(tick, events);
    }

    pub(super) fn finish_service(mut self) -> Exit {
        self.watch.save_reported_faults();
        self.exit
    }
}
