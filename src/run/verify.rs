//! Did it help? What is waited for after a restart, and what of it proves that it healed. Every wait ends
//! before the deadline.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use unhang_core::{
    ActiveState, Cause, Counts, Doubt, Observation, ProbeRole, RestartEnd, StepKind, UnitFacts,
};

use crate::managers::{RestartResponse, UnitStatus};
use crate::os::clock;
use crate::plan::{HostSettings, Probe, Service};

use super::context::RunContext;
use super::probing::{self, ServiceProbes};
use super::unit_status::{self, UnitStatuses};

pub(super) const TIME_TO_FINISH: Duration = HostSettings::TIME_TO_FINISH;

/// Between two probes of a service that was restarted.
const VERIFY_PROBE_EVERY: Duration = Duration::from_secs(1);

/// What is needed to tell whether a restart helped.
pub(super) struct Verification<'a> {
    pub(super) tick: &'a RunContext<'a>,
    pub(super) service: &'a Service,
    pub(super) act: StepKind,
    /// When the restart was asked for.
    pub(super) began: Instant,
    pub(super) before: &'a Counts,
    /// With the process of a command, if that was it.
    pub(super) intended: &'a Counts,
    /// Of the failure that led to it.
    pub(super) cause: Cause,
    pub(super) status: Option<&'a UnitStatus>,
    /// Of the probes. It goes on with each look: what was logged before the new life, or at the end of the old one,
    /// is seen once, and no evidence for ever.
    pub(super) memory: RefCell<BTreeMap<String, String>>,
}

impl Verification<'_> {
    /// How it ended, and the unit as it was last seen.
    pub(super) fn verify_restart(&self, asked: RestartResponse) -> (RestartEnd, UnitFacts) {
        match asked {
            RestartResponse::StillRunning => self.still_running(),
            RestartResponse::Refused(why) => (RestartEnd::GaveWay { why }, UnitFacts::NotQueried),
            // What is forbidden spends no budget: that must not rest on a word of systemctl's alone.
            RestartResponse::NotPermitted(why) if self.is_new_incarnation() => self.await_health(Some(&why)),
            RestartResponse::NotPermitted(why) => (RestartEnd::NotPermitted { why }, UnitFacts::NotQueried),
            RestartResponse::NoAnswer(why) => {
                (RestartEnd::NotKnown { why: Doubt::Other(why) }, UnitFacts::NotQueried)
            }
            RestartResponse::NotStarted(why) => {
                (RestartEnd::NeverRan { cause: self.cause.clone(), why }, UnitFacts::NotQueried)
            }
            RestartResponse::Accepted => self.await_health(None),
            RestartResponse::Failed(why) => self.await_health(Some(&why)),
        }
    }

    fn still_running(&self) -> (RestartEnd, UnitFacts) {
        let is_process = self.service.restarter.method.is_process;
        let unit = if is_process { UnitFacts::Command { running: true } } else { self.query_unit() };
        let end = match &unit {
            UnitFacts::QueryFailed(doubt) => RestartEnd::NotKnown { why: doubt.clone() },
            UnitFacts::Known(_)
            | UnitFacts::NotQueried
            | UnitFacts::ProbeOnly
            | UnitFacts::Command { .. } => {
                let by_command = matches!(unit, UnitFacts::Command { .. });
                let stop_limit = self.status.and_then(|status| status.stop_limit);
                RestartEnd::StillRunning { by_command, stop_limit }
            }
        };
        (end, unit)
    }

    /// `complaint`: what was said of a restart that may have happened all the same.
    fn await_health(&self, complaint: Option<&str>) -> (RestartEnd, UnitFacts) {
        let first = self.query_unit();
        if let Some(end) = self.immediate_failure(&first, &self.cause, complaint) {
            return (end, first);
        }
        let returned = Instant::now();
        let wanted = self.service.verify.max(self.service.policy.grace);
        let limit = wanted.min(self.tick.time_left().saturating_sub(TIME_TO_FINISH));
        // It answers, and systemd does not say of which life it is.
        let mut answers = false;
        let (mut life, mut successes, mut last) = (first, 0, self.cause.clone());
        loop {
            let probed = Instant::now();
            let left = limit.saturating_sub(returned.elapsed());
            match self.probe_once(left) {
                Observation::Healthy => successes += 1,
                Observation::Unhealthy(cause) => {
                    (successes, last, answers) = (0, cause, false);
                    let now = self.query_unit();
                    if let Some(end) = self.immediate_failure(&now, &last, complaint) {
                        return (end, now);
                    }
                }
                Observation::Unknown(_) => {}
            }
            if successes >= self.service.policy.min_successes {
                let now = self.query_unit();
                answers = matches!(now, UnitFacts::QueryFailed(_));
                if self.proves_recovery(&life, &now) {
                    return (self.healed_line(complaint), now);
                }
                // It answered, and began anew meanwhile: that is no proof yet.
                (life, successes) = (now, 0);
            }
            if limit.saturating_sub(returned.elapsed()).is_zero() {
                break;
            }
            thread::sleep(
                VERIFY_PROBE_EVERY
                    .saturating_sub(probed.elapsed())
                    .min(limit.saturating_sub(returned.elapsed())),
            );
        }
        if answers {
            return (RestartEnd::AnswersUnproven, self.query_unit());
        }
        self.not_healed_result(wanted, returned.elapsed(), &last, complaint)
    }

    /// A new life speaks for itself; a reload that complained may not have done it.
    fn healed_line(&self, complaint: Option<&str>) -> RestartEnd {
        let after = self.began.elapsed();
        match complaint.filter(|_| self.act.starts_incarnation() != Some(true)) {
            Some(why) => RestartEnd::HealthyAllTheSame { after, complaint: why.to_owned() },
            None => RestartEnd::Healed { after },
        }
    }

    fn not_healed_result(
        &self,
        enough: Duration,
        waited: Duration,
        last: &Cause,
        complaint: Option<&str>,
    ) -> (RestartEnd, UnitFacts) {
        let unit = self.query_unit();
        if let Some(end) = self.immediate_failure(&unit, last, complaint) {
            return (end, unit);
        }
        let starting = match &unit {
            UnitFacts::Known(life) => life.active == ActiveState::Changing,
            // Not to be told: the next tick sees.
            UnitFacts::QueryFailed(_) | UnitFacts::NotQueried => true,
            UnitFacts::Command { .. } | UnitFacts::ProbeOnly => false,
        };
        if starting || waited < enough {
            return (RestartEnd::StillStarting { after: waited }, unit);
        }
        let (cause, complaint) = (last.clone(), complaint.map(str::to_owned));
        (RestartEnd::StillFailing { cause, after: waited, complaint }, unit)
    }

    /// Down without systemd at work on it, or not restarted at all.
    fn immediate_failure(
        &self,
        unit: &UnitFacts,
        cause: &Cause,
        complaint: Option<&str>,
    ) -> Option<RestartEnd> {
        let UnitFacts::Known(life) = unit else { return None };
        let same = life.incarnation == self.before.incarnation;
        let (cause, complaint) = (cause.clone(), complaint.map(str::to_owned));
        match life.active {
            ActiveState::Failed | ActiveState::Inactive => Some(RestartEnd::Down { cause, complaint }),
            ActiveState::Active | ActiveState::Frozen
                if same && self.act.starts_incarnation() == Some(true) =>
            {
                Some(RestartEnd::NotRestarted { cause, complaint })
            }
            ActiveState::Active | ActiveState::Frozen | ActiveState::Changing => None,
        }
    }

    /// Healthy in one life, active, and another than the one that failed, where this act begins one.
    fn proves_recovery(&self, earlier: &UnitFacts, now: &UnitFacts) -> bool {
        match (earlier, now) {
            (UnitFacts::Known(earlier), UnitFacts::Known(now)) => {
                let is_new = now.incarnation != self.before.incarnation;
                now.active == ActiveState::Active
                    && now.incarnation == earlier.incarnation
                    && (is_new || self.act.starts_incarnation() != Some(true))
            }
            (_, UnitFacts::Command { .. }) => true,
            (
                _,
                UnitFacts::ProbeOnly
                | UnitFacts::Known(_)
                | UnitFacts::QueryFailed(_)
                | UnitFacts::NotQueried,
            ) => false,
        }
    }

    fn is_new_incarnation(&self) -> bool {
        matches!(self.query_unit(), UnitFacts::Known(life) if life.incarnation != self.before.incarnation)
    }

    /// Over in time. What only warns proves nothing, and might be slow.
    fn probe_once(&self, left: Duration) -> Observation {
        let left = left.max(Duration::from_millis(200));
        let counting = self.service.probes.iter().filter(|probe| probe.weight == ProbeRole::Required);
        let probes: Vec<Probe> = counting.map(|probe| probe.with_time_limit(left)).collect();
        let mut memory = self.memory.take();
        let inquiry =
            ServiceProbes { probes: &probes, ..ServiceProbes::for_service(self.service, Some(&memory)) };
        // By the clock of now: what the restart made, such as a certificate, is younger than the run.
        let reply = probing::probe_service(inquiry, &clock::now());
        memory.extend(reply.merged_cursors(&probes, &memory));
        self.memory.replace(memory);
        reply.seen.observation
    }

    fn query_unit(&self) -> UnitFacts {
        let time_left = self.tick.time_left();
        let status =
            UnitStatuses::query_all(&[self.service], clock::monotonic_time(), time_left).get(self.service);
        unit_status::unit_facts(self.service, self.intended, status.as_ref())
    }
}
