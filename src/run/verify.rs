//! Did it help? What is waited for after a restart, and what of it proves that it healed. Every wait ends
//! before the deadline.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use unhang_core::{Act, Active, Cause, Counts, Doubt, Observation, RestartEnd, Unit, Weight};

use crate::managers::{RestartResponse, UnitStatus};
use crate::os::clock;
use crate::plan::{HostPlan, Probe, Service};

use super::context::Tick;
use super::probing::{self, Inquiry};
use super::unit_status::{self, UnitStatuses};

pub(super) const TO_FINISH: Duration = HostPlan::TO_FINISH;

/// Between two probes of a service that was restarted.
const PACE: Duration = Duration::from_secs(1);

/// What is needed to tell whether a restart helped.
pub(super) struct Proof<'a> {
    pub(super) tick: &'a Tick<'a>,
    pub(super) service: &'a Service,
    pub(super) act: Act,
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

impl Proof<'_> {
    /// How it ended, and the unit as it was last seen.
    pub(super) fn of(&self, asked: RestartResponse) -> (RestartEnd, Unit) {
        match asked {
            RestartResponse::StillRunning => self.still_running(),
            RestartResponse::Refused(why) => (RestartEnd::GaveWay { why }, Unit::NotAsked),
            // What is forbidden spends no budget: that must not rest on a word of systemctl's alone.
            RestartResponse::NotPermitted(why) if self.is_new_life() => self.await_health(Some(&why)),
            RestartResponse::NotPermitted(why) => (RestartEnd::NotPermitted { why }, Unit::NotAsked),
            RestartResponse::NoAnswer(why) => {
                (RestartEnd::NotKnown { why: Doubt::Other(why) }, Unit::NotAsked)
            }
            RestartResponse::NotStarted(why) => {
                (RestartEnd::NeverRan { cause: self.cause.clone(), why }, Unit::NotAsked)
            }
            RestartResponse::Accepted => self.await_health(None),
            RestartResponse::Failed(why) => self.await_health(Some(&why)),
        }
    }

    fn still_running(&self) -> (RestartEnd, Unit) {
        let is_process = self.service.restarter.method.is_process;
        let unit = if is_process { Unit::Command { running: true } } else { self.look() };
        let end = match &unit {
            Unit::Unanswered(doubt) => RestartEnd::NotKnown { why: doubt.clone() },
            Unit::Seen(_) | Unit::NotAsked | Unit::ProbeOnly | Unit::Command { .. } => {
                let by_command = matches!(unit, Unit::Command { .. });
                let stop_limit = self.status.and_then(|status| status.stop_limit);
                RestartEnd::StillRunning { by_command, stop_limit }
            }
        };
        (end, unit)
    }

    /// `complaint`: what was said of a restart that may have happened all the same.
    fn await_health(&self, complaint: Option<&str>) -> (RestartEnd, Unit) {
        let first = self.look();
        if let Some(end) = self.nothing_to_wait_for(&first, &self.cause, complaint) {
            return (end, first);
        }
        let returned = Instant::now();
        let wanted = self.service.verify.max(self.service.policy.grace);
        let limit = wanted.min(self.tick.time_left().saturating_sub(TO_FINISH));
        // It answers, and systemd does not say of which life it is.
        let mut answers = false;
        let (mut life, mut successes, mut last) = (first, 0, self.cause.clone());
        loop {
            let probed = Instant::now();
            let left = limit.saturating_sub(returned.elapsed());
            match self.probed(left) {
                Observation::Healthy => successes += 1,
                Observation::Unhealthy(cause) => {
                    (successes, last, answers) = (0, cause, false);
                    let now = self.look();
                    if let Some(end) = self.nothing_to_wait_for(&now, &last, complaint) {
                        return (end, now);
                    }
                }
                Observation::Unknown(_) => {}
            }
            if successes >= self.service.policy.min_successes {
                let now = self.look();
                answers = matches!(now, Unit::Unanswered(_));
                if self.is_proof(&life, &now) {
                    return (self.healed(complaint), now);
                }
                // It answered, and began anew meanwhile: that is no proof yet.
                (life, successes) = (now, 0);
            }
            if limit.saturating_sub(returned.elapsed()).is_zero() {
                break;
            }
            thread::sleep(
                PACE.saturating_sub(probed.elapsed()).min(limit.saturating_sub(returned.elapsed())),
            );
        }
        if answers {
            return (RestartEnd::AnswersUnproven, self.look());
        }
        self.not_healthy_in_time(wanted, returned.elapsed(), &last, complaint)
    }

    /// A new life speaks for itself; a reload that complained may not have done it.
    fn healed(&self, complaint: Option<&str>) -> RestartEnd {
        let after = self.began.elapsed();
        match complaint.filter(|_| self.act.begins_a_life() != Some(true)) {
            Some(why) => RestartEnd::HealthyAllTheSame { after, complaint: why.to_owned() },
            None => RestartEnd::Healed { after },
        }
    }

    fn not_healthy_in_time(
        &self,
        enough: Duration,
        waited: Duration,
        last: &Cause,
        complaint: Option<&str>,
    ) -> (RestartEnd, Unit) {
        let unit = self.look();
        if let Some(end) = self.nothing_to_wait_for(&unit, last, complaint) {
            return (end, unit);
        }
        let starting = match &unit {
            Unit::Seen(life) => life.active == Active::Busy,
            // Not to be told: the next tick sees.
            Unit::Unanswered(_) | Unit::NotAsked => true,
            Unit::Command { .. } | Unit::ProbeOnly => false,
        };
        if starting || waited < enough {
            return (RestartEnd::StillStarting { after: waited }, unit);
        }
        let (cause, complaint) = (last.clone(), complaint.map(str::to_owned));
        (RestartEnd::StillFailing { cause, after: waited, complaint }, unit)
    }

    /// Down without systemd at work on it, or not restarted at all.
    fn nothing_to_wait_for(&self, unit: &Unit, cause: &Cause, complaint: Option<&str>) -> Option<RestartEnd> {
        let Unit::Seen(life) = unit else { return None };
        let same = life.incarnation == self.before.incarnation;
        let (cause, complaint) = (cause.clone(), complaint.map(str::to_owned));
        match life.active {
            Active::Failed | Active::Inactive => Some(RestartEnd::Down { cause, complaint }),
            Active::Active | Active::Frozen if same && self.act.begins_a_life() == Some(true) => {
                Some(RestartEnd::NotRestarted { cause, complaint })
            }
            Active::Active | Active::Frozen | Active::Busy => None,
        }
    }

    /// Healthy in one life, active, and another than the one that failed, where this act begins one.
    fn is_proof(&self, earlier: &Unit, now: &Unit) -> bool {
        match (earlier, now) {
            (Unit::Seen(earlier), Unit::Seen(now)) => {
                let is_new = now.incarnation != self.before.incarnation;
                now.active == Active::Active
                    && now.incarnation == earlier.incarnation
                    && (is_new || self.act.begins_a_life() != Some(true))
            }
            (_, Unit::Command { .. }) => true,
            (_, Unit::ProbeOnly | Unit::Seen(_) | Unit::Unanswered(_) | Unit::NotAsked) => false,
        }
    }

    fn is_new_life(&self) -> bool {
        matches!(self.look(), Unit::Seen(life) if life.incarnation != self.before.incarnation)
    }

    /// Over in time. What only warns proves nothing, and might be slow.
    fn probed(&self, left: Duration) -> Observation {
        let left = left.max(Duration::from_millis(200));
        let counting = self.service.probes.iter().filter(|probe| probe.weight == Weight::Counts);
        let probes: Vec<Probe> = counting.map(|probe| probe.within(left)).collect();
        let mut memory = self.memory.take();
        let inquiry = Inquiry { probes: &probes, ..Inquiry::of(self.service, Some(&memory)) };
        // By the clock of now: what the restart made, such as a certificate, is younger than the run.
        let reply = probing::one(inquiry, &clock::now());
        memory.extend(reply.remembered(&probes, &memory));
        self.memory.replace(memory);
        reply.seen.observation
    }

    fn look(&self) -> Unit {
        let time_left = self.tick.time_left();
        let status =
            UnitStatuses::query_all(&[self.service], clock::monotonic(), time_left).get(self.service);
        unit_status::unit_facts(self.service, self.intended, status.as_ref())
    }
}
