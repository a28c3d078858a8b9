//! Did it help? What is waited for after a restart, and what of it proves that it healed. Every wait ends
//! before the deadline.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use unhang_core::{Act, Active, Cause, Ended, Observation, State, Unit, Weight};

use crate::log;
use crate::os::clock;
use crate::plan::{HostPlan, Probe, Restarter, Service};
use crate::restart::Asked;
use crate::restart::Looked;
use crate::words;

use super::Tick;
use super::ask::{self, Inquiry};
use super::look::{self, Looks};

pub(super) const TO_FINISH: Duration = HostPlan::TO_FINISH;

/// Between two probes of a service that was restarted.
const PACE: Duration = Duration::from_secs(1);

/// How the restart ended, and the log line for it.
pub(super) struct End {
    pub(super) ended: Ended,
    /// As last seen.
    pub(super) unit: Unit,
    pub(super) line: String,
}

impl End {
    fn new(ended: Ended, unit: Unit, line: String) -> Self {
        Self { ended, unit, line }
    }
}

/// What is needed to tell whether a restart helped.
pub(super) struct Proof<'a> {
    pub(super) tick: &'a Tick<'a>,
    pub(super) service: &'a Service,
    pub(super) act: Act,
    /// When the restart was asked for.
    pub(super) began: Instant,
    pub(super) before: &'a State,
    /// With the process of a command, if that was it.
    pub(super) intended: &'a State,
    /// Of the failure that led to it.
    pub(super) cause: Cause,
    pub(super) looked: Option<&'a Looked>,
    /// Of the probes. It goes on with each look: what was logged before the new life, or at the end of the old one,
    /// is seen once, and no evidence for ever.
    pub(super) memory: RefCell<BTreeMap<String, String>>,
}

impl Proof<'_> {
    pub(super) fn of(&self, asked: Asked) -> End {
        let (name, act) = (&self.service.name, self.act);
        match asked {
            Asked::Running => self.still_running(),
            Asked::Refused(why) => End::new(Ended::Refused, Unit::NotAsked, log::refused(name, &why)),
            // What is forbidden spends no budget: that must not rest on a word of systemctl's alone.
            Asked::Forbidden(why) if self.is_new_life() => self.await_health(Some(&why)),
            Asked::Forbidden(why) => {
                End::new(Ended::Forbidden, Unit::NotAsked, log::not_permitted(name, &why))
            }
            Asked::Stuck(why) => End::new(Ended::Open, Unit::NotAsked, log::not_known(name, act, &why)),
            Asked::NeverRan(why) => {
                End::new(Ended::NeverRan, Unit::NotAsked, log::failed(name, act, &self.cause, &why))
            }
            Asked::Done => self.await_health(None),
            Asked::Failed(why) => self.await_health(Some(&why)),
        }
    }

    fn still_running(&self) -> End {
        let (name, act) = (&self.service.name, self.act);
        let unit = match &self.service.restarter {
            Restarter::Command(_) => Unit::Command { running: true },
            Restarter::Unit(..)
            | Restarter::Container(_)
            | Restarter::Supervised(_)
            | Restarter::Hook(_)
            | Restarter::Wake(_)
            | Restarter::Nothing => self.look(),
        };
        let line = match &unit {
            Unit::Command { .. } if act == Act::Restart => log::command_still_running(name),
            Unit::Unanswered(doubt) => log::not_known(name, act, &words::doubt(doubt)),
            Unit::Seen(_) | Unit::NotAsked | Unit::ProbeOnly | Unit::Command { .. } => {
                log::still_running(name, act, self.looked.and_then(|looked| looked.stop_limit))
            }
        };
        End::new(Ended::Open, unit, line)
    }

    /// `complaint`: what was said of a restart that may have happened all the same.
    fn await_health(&self, complaint: Option<&str>) -> End {
        let first = self.look();
        if let Some(why) = self.nothing_to_wait_for(&first, complaint) {
            let line = log::failed(&self.service.name, self.act, &self.cause, &why);
            return End::new(Ended::NotHealed, first, line);
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
                Observation::Unhealthy(cause) => (successes, last, answers) = (0, cause, false),
                Observation::Unknown(_) => {}
            }
            if successes >= self.service.policy.min_successes {
                let now = self.look();
                answers = matches!(now, Unit::Unanswered(_));
                if self.is_proof(&life, &now) {
                    return End::new(Ended::Healed, now, self.healed(complaint));
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
            let told = log::not_known(
                &self.service.name,
                self.act,
                "it answers, but systemd does not say whether it was restarted",
            );
            return End::new(Ended::Open, self.look(), told);
        }
        self.not_healthy_in_time(wanted, returned.elapsed(), &last, complaint)
    }

    /// A new life speaks for itself; a reload that complained may not have done it.
    fn healed(&self, complaint: Option<&str>) -> String {
        let (name, act, after) = (&self.service.name, self.act, self.began.elapsed());
        match complaint.filter(|_| act.begins_a_life() != Some(true)) {
            Some(why) => log::healthy_all_the_same(name, act, after, why),
            None => log::healed(name, act, after),
        }
    }

    fn not_healthy_in_time(
        &self,
        enough: Duration,
        waited: Duration,
        last: &Cause,
        complaint: Option<&str>,
    ) -> End {
        let (name, act) = (&self.service.name, self.act);
        let unit = self.look();
        if let Some(why) = self.nothing_to_wait_for(&unit, complaint) {
            return End::new(Ended::NotHealed, unit, log::failed(name, act, last, &why));
        }
        let starting = match &unit {
            Unit::Seen(life) => life.active == Active::Busy,
            // Not to be told: the next tick sees.
            Unit::Unanswered(_) | Unit::NotAsked => true,
            Unit::Command { .. } | Unit::ProbeOnly => false,
        };
        if starting || waited < enough {
            return End::new(Ended::Open, unit, log::still_starting(name, act, waited));
        }
        End::new(Ended::NotHealed, unit, log::not_healed(name, act, last, waited, complaint))
    }

    /// Down without systemd at work on it, or not restarted at all.
    fn nothing_to_wait_for(&self, unit: &Unit, complaint: Option<&str>) -> Option<String> {
        let Unit::Seen(life) = unit else { return None };
        let same = life.incarnation == self.before.incarnation;
        let words = self.service.restarter.words();
        let said = complaint.map(|why| format!(": {why}")).unwrap_or_default();
        match life.active {
            Active::Failed | Active::Inactive => Some(format!("{words} is down{said}")),
            Active::Active | Active::Frozen if same && self.act.begins_a_life() == Some(true) => {
                Some(format!("{words} was not restarted{said}"))
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
        let reply = ask::one(inquiry, &self.tick.now);
        memory.extend(reply.remembered(&probes, &memory));
        self.memory.replace(memory);
        reply.seen.observation
    }

    fn look(&self) -> Unit {
        let time_left = self.tick.time_left();
        let looked = Looks::at(&[self.service], clock::monotonic(), time_left).of(self.service);
        look::unit(self.service, self.intended, looked.as_ref())
    }
}
