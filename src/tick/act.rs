//! A restart, from the second look to the proof. Every wait in it ends before the deadline; what came of
//! it is settled by `core`, or left open for the next tick.

use std::thread;
use std::time::{Duration, Instant};

use unhang_core::{
    Active, Case, Cause, Decision, Ended, Hold, Observation, Reason, State, TIME_TO_RESTART, Unit, Verdict,
    intend, look_again, settle,
};

use crate::asked::Asked;
use crate::exit::Exit;
use crate::log;
use crate::os::clock;
use crate::plan::{HostPlan, Question, Restarter, Service};
use crate::report::Progress;
use crate::systemd::Looked;
use crate::{command, probe, systemd, words};

use super::distress;
use super::hands_off::{self, Ground, HandsOff};
use super::look::{self, Looks};
use super::watch::Kept;
use super::{Judged, Tick, by_hand, exit_of};

const TO_FINISH: Duration = HostPlan::TO_FINISH;

/// Beyond what systemd itself waits for stop and start.
const MARGIN: Duration = Duration::from_secs(5);

/// Between two probes of a service that was restarted.
const PACE: Duration = Duration::from_secs(1);

/// How the restart ended, and the log line for it.
struct End {
    ended: Ended,
    /// As last seen.
    unit: Unit,
    line: String,
}

impl End {
    fn new(ended: Ended, unit: Unit, line: String) -> Self {
        Self { ended, unit, line }
    }
}

/// `held`: by the restarts of those that failed together.
pub(super) fn restart(tick: &Tick<'_>, ground: Ground<'_>, held: Option<Duration>, judged: &mut Judged<'_>) {
    let Some(Due { looked, unit, cause }) = look_once_more(tick, ground, held, judged) else { return };
    let service = judged.watch.service;
    // Under its real name too: another run may know the same unit by an alias.
    let Ok(_alias) = judged.watch.lock_alias(looked.as_ref()) else {
        judged.exit = Exit::Locked;
        return;
    };
    let counted = judged.decision.next.clone();
    let intended = intend(&counted, &service.policy, &unit, &tick.now, &clock::now());
    if judged.watch.keep(intended.clone()) == Kept::Nowhere {
        judged.exit = Exit::StateUnusable;
        return;
    }
    if tick.time_left() < TIME_TO_RESTART {
        put_off(tick, judged, counted);
        return;
    }
    let waiting = by_hand(tick).then(|| Progress::begin(format!("restarting {}", service.restarter.words())));
    let began = Instant::now();
    let (asked, intended) = ask(tick, judged, intended, looked.as_ref());
    let end = Proof { tick, service, began, before: &counted, cause, looked: looked.as_ref() }.of(asked);
    drop(waiting);
    let settled = settle(&counted, &intended, end.ended, &end.unit, &clock::now());
    let after = settled.clone();
    if judged.watch.keep(settled) == Kept::Nowhere {
        judged.exit = Exit::StateUnusable;
    } else if end.ended == Ended::Healed {
        judged.exit = Exit::Well;
    }
    // Nothing that a run does ends that: it is told once.
    if end.ended != Ended::Forbidden || judged.before.reason != Reason::NotPermitted {
        judged.watch.tell(tick, &end.line);
    }
    judged.watch.tell_of_no_help(tick, &counted, &after);
}

/// A run that was stopped, or whose disk took long, has seen what may no longer be so.
fn put_off(tick: &Tick<'_>, judged: &mut Judged<'_>, counted: State) {
    let verdict = Verdict::Held(Hold::Deadline);
    let next = State { verdict: verdict.kind(), reason: verdict.reason(), ..counted };
    judged.exit = match judged.watch.keep(next.clone()) {
        Kept::Safely => exit_of(&verdict),
        Kept::Nowhere => Exit::StateUnusable,
    };
    let (before, reason) = (judged.decision.next.clone(), verdict.reason());
    judged.decision = Decision { verdict, reason, next, counted: false, earlier: None };
    for line in log::of_decision(judged.watch.service, &before, &judged.decision, &judged.seen, &tick.now) {
        judged.watch.tell(tick, &line);
    }
}

/// What the second look found of a service that is due.
struct Due {
    looked: Option<Looked>,
    unit: Unit,
    cause: Cause,
}

/// Row 16: the same picture once more, or no restart. `None`: told and kept why not.
fn look_once_more(
    tick: &Tick<'_>,
    ground: Ground<'_>,
    held: Option<Duration>,
    judged: &mut Judged<'_>,
) -> Option<Due> {
    let service = judged.watch.service;
    let seen = probe::ask(&service.question).observation;
    let looks = Looks::at(&[service], clock::monotonic(), tick.time_left());
    let looked = looks.of(service);
    let unit = look::unit(service, &judged.before, looked.as_ref());
    let (host, policy) =
        (tick.host(looks.stopping(), distress::of_host(tick.plan, &[]).holds), &service.policy);
    let HandsOff { pause, upstream, doubt } =
        hands_off::look_for(ground, &[(service, &seen)]).remove(&service.key).unwrap_or_default();
    let seen = doubt.map_or(seen, Observation::Unknown);
    let case = Case {
        now: &tick.now,
        host: &host,
        policy,
        before: &judged.before,
        seen: &seen,
        unit: &unit,
        pause: &pause,
        upstream: upstream.as_ref(),
        common_cause: held,
    };
    let again = look_again(&judged.decision, &case);
    judged.decision = again;
    if let (Verdict::Restart, Observation::Unhealthy(cause)) = (&judged.decision.verdict, &seen) {
        return Some(Due { looked, unit, cause: cause.clone() });
    }
    judged.exit = exit_of(&judged.decision.verdict);
    if judged.watch.keep(judged.decision.next.clone()) == Kept::Nowhere {
        judged.exit = Exit::StateUnusable;
    }
    for line in log::of_decision(service, &judged.before, &judged.decision, &seen, &tick.now) {
        judged.watch.tell(tick, &line);
    }
    None
}

/// Tells that the service is being restarted, but where that turns out to be forbidden. A command's process
/// goes into the intent as soon as it is known.
fn ask(tick: &Tick<'_>, judged: &mut Judged<'_>, intended: State, looked: Option<&Looked>) -> (Asked, State) {
    let time = tick.time_left().saturating_sub(TO_FINISH);
    let service = judged.watch.service;
    let restarting = log::restarting(&service.name);
    match &service.restarter {
        Restarter::Unit(unit) => {
            let own =
                looked.and_then(|looked| looked.restart_limit).map(|limit| limit.saturating_add(MARGIN));
            let limit = own.map_or(time, |own| own.min(time));
            let began = Instant::now();
            let cleared = systemd::clear_start_limit(unit, limit);
            if !matches!(cleared, Err(Asked::Forbidden(_))) {
                judged.watch.tell(tick, &restarting);
            }
            let restart = |()| systemd::restart(unit, limit.saturating_sub(began.elapsed()));
            (cleared.map_or_else(|asked| asked, restart), intended)
        }
        // `core` holds it.
        Restarter::Nothing => (Asked::NeverRan(String::new()), intended),
        Restarter::Command(words) => {
            judged.watch.tell(tick, &restarting);
            match command::start(words) {
                Err(asked) => (asked, intended),
                Ok(mut started) => {
                    let mut intended = intended;
                    if let Some(intent) = &mut intended.intent {
                        intent.process = started.process();
                    }
                    judged.watch.keep(intended.clone());
                    (started.wait(time), intended)
                }
            }
        }
    }
}

/// What is needed to tell whether a restart helped.
struct Proof<'a> {
    tick: &'a Tick<'a>,
    service: &'a Service,
    /// When the restart was asked for.
    began: Instant,
    before: &'a State,
    /// Of the failure that led to it.
    cause: Cause,
    looked: Option<&'a Looked>,
}

impl Proof<'_> {
    fn of(&self, asked: Asked) -> End {
        let name = &self.service.name;
        match asked {
            Asked::Running => {
                let (unit, line) = match &self.service.restarter {
                    Restarter::Command(_) => {
                        (Unit::Command { running: true }, log::command_still_running(name))
                    }
                    Restarter::Unit(_) | Restarter::Nothing => {
                        let limit = self.looked.and_then(|looked| looked.stop_limit);
                        let unit = self.look();
                        let line = match &unit {
                            Unit::Unanswered(doubt) => log::not_known(name, &words::doubt(doubt)),
                            Unit::Seen(_) | Unit::NotAsked | Unit::ProbeOnly | Unit::Command { .. } => {
                                log::still_running(name, limit)
                            }
                        };
                        (unit, line)
                    }
                };
                End::new(Ended::Open, unit, line)
            }
            Asked::Refused(why) => End::new(Ended::Refused, Unit::NotAsked, log::refused(name, &why)),
            // What is forbidden spends no budget: that must not rest on a word of systemctl's alone.
            Asked::Forbidden(why) if self.is_new_life() => self.await_health(Some(&why)),
            Asked::Forbidden(why) => {
                End::new(Ended::Forbidden, Unit::NotAsked, log::not_permitted(name, &why))
            }
            Asked::Stuck(why) => End::new(Ended::Open, Unit::NotAsked, log::not_known(name, &why)),
            Asked::NeverRan(why) => {
                End::new(Ended::NeverRan, Unit::NotAsked, log::failed(name, &self.cause, &why))
            }
            Asked::Done => self.await_health(None),
            Asked::Failed(why) => self.await_health(Some(&why)),
        }
    }

    /// `complaint`: what was said of a restart that may have happened all the same.
    fn await_health(&self, complaint: Option<&str>) -> End {
        let first = self.look();
        if let Some(why) = self.nothing_to_wait_for(&first, complaint) {
            let line = log::failed(&self.service.name, &self.cause, &why);
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
            let seen = probe::ask(&within(&self.service.question, left)).observation;
            match seen {
                Observation::Healthy => successes += 1,
                Observation::Unhealthy(cause) => (successes, last, answers) = (0, cause, false),
                Observation::Unknown(_) => {}
            }
            if successes >= self.service.policy.min_successes {
                let now = self.look();
                answers = matches!(now, Unit::Unanswered(_));
                if self.is_proof(&life, &now) {
                    return End::new(
                        Ended::Healed,
                        now,
                        log::healed(&self.service.name, self.began.elapsed()),
                    );
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
                "it answers, but systemd does not say whether it was restarted",
            );
            return End::new(Ended::Open, self.look(), told);
        }
        self.not_healthy_in_time(wanted, returned.elapsed(), &last, complaint)
    }

    fn not_healthy_in_time(
        &self,
        enough: Duration,
        waited: Duration,
        last: &Cause,
        complaint: Option<&str>,
    ) -> End {
        let name = &self.service.name;
        let unit = self.look();
        if let Some(why) = self.nothing_to_wait_for(&unit, complaint) {
            return End::new(Ended::NotHealed, unit, log::failed(name, last, &why));
        }
        let starting = match &unit {
            Unit::Seen(life) => life.active == Active::Busy,
            // Not to be told: the next tick sees.
            Unit::Unanswered(_) | Unit::NotAsked => true,
            Unit::Command { .. } | Unit::ProbeOnly => false,
        };
        if starting || waited < enough {
            return End::new(Ended::Open, unit, log::still_starting(name, waited));
        }
        End::new(Ended::NotHealed, unit, log::not_healed(name, last, waited, complaint))
    }

    /// Down without systemd at work on it, or not restarted at all.
    fn nothing_to_wait_for(&self, unit: &Unit, complaint: Option<&str>) -> Option<String> {
        let Unit::Seen(life) = unit else { return None };
        let same = life.incarnation == self.before.incarnation;
        let words = self.service.restarter.words();
        let said = complaint.map(|why| format!(": {why}")).unwrap_or_default();
        match life.active {
            Active::Failed | Active::Inactive => Some(format!("{words} is down{said}")),
            Active::Active | Active::Frozen if same => Some(format!("{words} was not restarted{said}")),
            Active::Active | Active::Frozen | Active::Busy => None,
        }
    }

    /// Healthy in one life, active, and another than the one that failed.
    fn is_proof(&self, earlier: &Unit, now: &Unit) -> bool {
        match (earlier, now) {
            (Unit::Seen(earlier), Unit::Seen(now)) => {
                now.active == Active::Active
                    && now.incarnation == earlier.incarnation
                    && now.incarnation != self.before.incarnation
            }
            (_, Unit::Command { .. }) => true,
            (_, Unit::ProbeOnly | Unit::Seen(_) | Unit::Unanswered(_) | Unit::NotAsked) => false,
        }
    }

    fn is_new_life(&self) -> bool {
        matches!(self.look(), Unit::Seen(life) if life.incarnation != self.before.incarnation)
    }

    fn look(&self) -> Unit {
        let time_left = self.tick.time_left();
        let looked = Looks::at(&[self.service], clock::monotonic(), time_left).of(self.service);
        look::unit(self.service, &State::default(), looked.as_ref())
    }
}

/// The same question, over in time.
fn within(question: &Question, left: Duration) -> Question {
    let timeout = question.timeout.min(left.max(Duration::from_millis(200)));
    Question { timeout, ..question.clone() }
}
