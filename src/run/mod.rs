//! One tick: the only place that calls the rooms, in order, and the only reader of the wall and boot
//! clocks. Decides nothing: `core` does.

mod check;
mod common_cause;
mod deadline_guard;
mod every;
mod hands_off;
mod host_check;
mod host_pressure;
mod locked_service;
mod pause;
mod probing;
mod remembered;
mod requirements;
mod restart;
mod sinks;
mod unit_status;
mod verify;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use unhang_core::{
    Case, Decision, Event, Host, Moment, Observation, State, Verdict, events_of_decision, events_of_incident,
    events_of_no_help, events_of_warnings,
};

use crate::exit::Exit;
use crate::log::Echo;
use crate::os::{clock, limits};
use crate::places::{Places, cure};
use crate::plan::{Plan, Service};
use crate::restart::Looked;
use crate::store::Store;
use crate::{report, words};
pub(crate) use check::{check, check_url};
use common_cause::Together;
pub(crate) use every::{Starter, every};
use hands_off::{Ground, HandsOff};
pub(crate) use host_check::survey;
use host_pressure::Distress;
use locked_service::Watch;
pub(crate) use pause::{NOT_BEGUN, Pausing, pause, paused, resume};
use probing::{Inquiry, Reply};
pub(crate) use remembered::{pictures, reset};
use sinks::Sink;
use unit_status::Looks;

/// Kept of the deadline for a look, a second probe and a restart. With few descriptors or no threads many
/// hung services are probed one after another; the rest is then not judged, and all that was seen is counted.
const AFTER_PROBING: Duration = Duration::from_secs(36);

/// What all services of one tick share.
#[derive(Debug)]
struct Tick<'a> {
    plan: &'a Plan,
    echo: Echo,
    sinks: [&'static dyn Sink; 2],
    now: Moment,
    began: Instant,
}

/// A service, and what this tick made of it.
#[derive(Debug)]
struct Judged<'a> {
    watch: Watch<'a>,
    /// As the last tick left it.
    before: State,
    seen: Observation,
    looked: Option<Looked>,
    decision: Decision,
    /// Of its probes, as the last tick left it: a second look asks with it once more.
    memory: BTreeMap<String, String>,
    exit: Exit,
}

/// Probes every service of the plan, counts, and restarts what is due.
pub(crate) fn run(plan: &Plan, places: &Places, echo: Echo) -> Exit {
    run_until(plan, places, echo, None)
}

/// `ends`: once set, no further restart is begun; what is due then comes first in the next run.
fn run_until(plan: &Plan, places: &Places, echo: Echo, ends: Option<&AtomicBool>) -> Exit {
    let tick = Tick::begin(plan, echo);
    let store = match Store::open(places) {
        Ok(store) => store,
        Err(error) => {
            let (locks, why) = (places.locks.display(), words::io_or_cure(&error, cure(plan.owner)));
            report::fault(format!("{locks}: cannot be used for locks: {why}; nothing was probed"));
            return Exit::StateUnusable;
        }
    };
    // Each service holds its lock open, and a socket while it is probed.
    let probes: usize = plan.services.iter().map(|service| service.probes.len()).sum();
    let widest = limits::make_room_for(plan.services.len().saturating_add(probes));
    // One of them is for a probe.
    let (watches, mut exits) = locked_service::claim(&tick, &store, widest.saturating_sub(1).max(1));
    watches.iter().for_each(Watch::stamp);
    let guard = deadline_guard::before_probing(&tick, &watches);
    let waiting = by_hand(&tick).then(|| check::progress(plan));
    let replies = probe_all(&tick, &watches, widest);
    drop(waiting);
    let seen = observations(&replies);
    let _guard = deadline_guard::after_probing(&tick, &watches, &seen, guard);
    let ground = Ground::of(&tick, &store, widest, watches.len());
    let mut judged = judge(&tick, ground, watches, seen);
    for (one, reply) in judged.iter_mut().zip(&replies) {
        one.note(reply);
        one.keep_and_tell(&tick);
    }
    for at in due(&tick, &judged) {
        let held = held_together(&tick, &judged, at);
        let is_over = ends.is_some_and(|ends| ends.load(Ordering::Relaxed));
        match judged.get_mut(at) {
            Some(one) if is_over => restart::put_off(&tick, one),
            Some(one) => restart::restart(&tick, ground, held, one),
            None => {}
        }
    }
    exits.extend(judged.into_iter().map(Judged::finish));
    Exit::merge(exits)
}

/// The same, but takes no lock, writes nothing, and prints what it would do.
pub(crate) fn rehearse(plan: &Plan, places: &Places) -> Exit {
    let tick = Tick::begin(plan, Echo::Silent);
    let store = Store::open_to_read(places);
    let widest = limits::make_room_for(plan.services.len());
    let (watches, mut exits) = locked_service::read_only(&tick, &store);
    let waiting = check::progress(plan);
    let replies = probe_all(&tick, &watches, widest);
    drop(waiting);
    let ground = Ground::of(&tick, &store, widest, watches.len());
    for one in judge(&tick, ground, watches, observations(&replies)) {
        report::rehearsed(one.watch.service, &one.decision, &one.seen, &tick.now);
        exits.push(one.exit);
    }
    Exit::merge(exits)
}

impl<'a> Tick<'a> {
    fn begin(plan: &'a Plan, echo: Echo) -> Self {
        Self { plan, echo, sinks: sinks::all(echo), now: clock::now(), began: Instant::now() }
    }

    fn time_left(&self) -> Duration {
        self.plan.host.deadline.saturating_sub(self.began.elapsed())
    }

    /// When probing ends.
    fn until(&self) -> Instant {
        self.began + self.plan.host.deadline.saturating_sub(AFTER_PROBING)
    }

    fn host(&self, stopping: bool, pressure: Option<String>) -> Host {
        let age = clock::pid1_age().unwrap_or(self.now.since_boot);
        let starting = self.plan.host.boot_grace.checked_sub(age).filter(|left| !left.is_zero());
        Host { stopping, starting, time_left: self.time_left(), pressure }
    }
}

impl Judged<'_> {
    /// What the probes told besides what is judged.
    fn note(&mut self, reply: &Reply) {
        let probes = &self.watch.service.probes;
        self.watch.record.memory = reply.remembered(probes, &self.memory);
        let warnings = reply.warnings(probes);
        // Most have none, and a state is large.
        if !warnings.is_empty() || !self.decision.next.warnings.is_empty() {
            self.decision.next = self.decision.next.clone().warned(warnings);
        }
    }

    /// The count is on disk before anything else is done, and told after that.
    fn keep_and_tell(&mut self, tick: &Tick<'_>) {
        if self.watch.keep(self.decision.next.clone()) == locked_service::Kept::Nowhere {
            self.exit = Exit::StateUnusable;
        }
        let (policy, before, next) = (&self.watch.service.policy, &self.before, &self.decision.next);
        let mut events = events_of_decision(policy, before, &self.decision, &self.seen, &tick.now);
        events.extend(events_of_incident(policy, before, next));
        events.extend(events_of_warnings(before, next));
        events.extend(events_of_no_help(policy, before, next));
        if let (Observation::Healthy, Some(looked)) = (&self.seen, &self.looked)
            && let Some((reason, why)) = unit_status::obstacle(looked, self.watch.service)
        {
            events.push(Event::NotRestartable { reason, why });
        }
        self.watch.report(tick, events);
    }

    fn finish(mut self) -> Exit {
        self.watch.finish();
        self.exit
    }
}

/// Whoever wants to see the log lines waits for them.
fn by_hand(tick: &Tick<'_>) -> bool {
    tick.echo == Echo::Stderr
}

impl<'a> Ground<'a> {
    /// `locks`: what the tick holds open besides.
    fn of(tick: &'a Tick<'a>, store: &'a Store, widest: usize, locks: usize) -> Self {
        let widest = widest.saturating_sub(locks).max(1);
        Self { plan: tick.plan, store, now: &tick.now, widest, until: tick.until() }
    }
}

fn probe_all(tick: &Tick<'_>, watches: &[Watch<'_>], widest: usize) -> Vec<Reply> {
    let inquiries: Vec<Inquiry<'_>> =
        watches.iter().map(|watch| Inquiry::of(watch.service, Some(&watch.record.memory))).collect();
    let free = widest.saturating_sub(watches.len()).max(1);
    probing::all(&inquiries, &tick.now, free, tick.until())
}

fn observations(replies: &[Reply]) -> Vec<Observation> {
    replies.iter().map(|reply| reply.seen.observation.clone()).collect()
}

/// Asks systemd once for all units whose state matters now, and decides for each service.
fn judge<'a>(
    tick: &Tick<'_>,
    ground: Ground<'_>,
    watches: Vec<Watch<'a>>,
    seen: Vec<Observation>,
) -> Vec<Judged<'a>> {
    let pairs: Vec<_> = watches.iter().map(|watch| watch.service).zip(&seen).collect();
    let hands_off = hands_off::look_for(ground, &pairs);
    let asked: Vec<&Service> = watches
        .iter()
        .zip(&seen)
        .filter(|(watch, seen)| watch.asks(tick, seen))
        .map(|(watch, _)| watch.service)
        .collect();
    let looks = Looks::at(&asked, clock::monotonic(), tick.time_left());
    let healthy = seen.iter().all(|seen| *seen == Observation::Healthy);
    // A healthy tick asks nothing that it does not need.
    let distress = if healthy { Distress::default() } else { distress_of(ground, &watches) };
    let host = if healthy { Host::quiet() } else { tick.host(looks.stopping(), distress.holds) };
    let befores: Vec<State> =
        watches.iter().map(|watch| watch.before(looks.of(watch.service).as_ref(), &tick.now)).collect();
    let (together, held) = together_among(tick, &befores, &seen);
    let services: Vec<&Service> = watches.iter().map(|watch| watch.service).collect();
    let shared = LazyCell::new(|| together.shared(&services, &looks));
    let judge_one = |(at, (watch, seen)): (usize, (Watch<'a>, Observation))| {
        let HandsOff { pause, upstream, doubt } =
            hands_off.get(&watch.service.key).cloned().unwrap_or_default();
        let seen = doubt.map_or(seen, Observation::Unknown);
        let looked = looks.of(watch.service);
        let before = befores.get(at).cloned().unwrap_or_default();
        let unit = unit_status::unit(watch.service, &before, looked.as_ref());
        let policy = &watch.service.policy;
        let case = Case {
            now: &tick.now,
            host: &host,
            policy,
            before: &before,
            seen: &seen,
            unit: &unit,
            pause: &pause,
            upstream: upstream.as_ref(),
            common_cause: held.filter(|_| together.has(at)),
        };
        let mut decision = explained(unhang_core::decide(&case), watch.service, &tick.now);
        if matches!(seen, Observation::Unhealthy(_)) {
            decision.next.distress.clone_from(&distress.words);
        }
        if together.has(at) && decision.next.together.is_none() {
            let words = together.words(at, &services, &shared);
            decision.next.together = Some(words.chars().take(words::TOLD).collect());
        }
        let exit = exit_of(&decision.verdict);
        let memory = watch.record.memory.clone();
        Judged { watch, before, seen, looked, decision, memory, exit }
    };
    watches.into_iter().zip(seen).enumerate().map(judge_one).collect()
}

/// With what a person who asks later wants to know by name.
fn explained(decision: Decision, service: &Service, now: &Moment) -> Decision {
    let because = words::because(&decision, service, now);
    Decision { next: State { because, ..decision.next }, ..decision }
}

fn due(tick: &Tick<'_>, judged: &[Judged<'_>]) -> Vec<usize> {
    let pairs: Vec<(&State, &Decision)> = judged.iter().map(|one| (&one.before, &one.decision)).collect();
    let mut order = unhang_core::restart_order(&tick.now, &pairs);
    // What cannot be remembered must not be done.
    order.retain(|at| judged.get(*at).is_some_and(|one| one.exit != Exit::StateUnusable));
    order
}

/// The disks that matter are those of what must be written.
fn distress_of(ground: Ground<'_>, watches: &[Watch<'_>]) -> Distress {
    let logs = watches.iter().filter_map(|watch| watch.service.log_file.parent());
    let mut folders = BTreeSet::<&Path>::new();
    folders.extend(logs.chain([ground.store.folder()]));
    host_pressure::of_host(ground.plan, &folders.into_iter().collect::<Vec<_>>())
}

fn together_among(tick: &Tick<'_>, befores: &[State], seen: &[Observation]) -> (Together, Option<Duration>) {
    let together = Together::among(&tick.now, &befores.iter().zip(seen).collect::<Vec<_>>());
    let held = together.held_for(tick.plan, &tick.now, &befores.iter().collect::<Vec<_>>());
    (together, held)
}

/// By the restarts that this run has seen the end of, too.
fn held_together(tick: &Tick<'_>, judged: &[Judged<'_>], at: usize) -> Option<Duration> {
    let seen: Vec<_> = judged.iter().map(|one| (&one.before, &one.seen)).collect();
    let states: Vec<&State> = judged.iter().map(|one| &one.watch.record.state).collect();
    let together = Together::among(&tick.now, &seen);
    together.held_for(tick.plan, &tick.now, &states).filter(|_| together.has(at))
}

const fn exit_of(verdict: &Verdict) -> Exit {
    match verdict {
        Verdict::Healthy | Verdict::Recovering { .. } | Verdict::Recovered { .. } => Exit::Well,
        Verdict::Failing(_) | Verdict::Held(_) | Verdict::Restart(_) | Verdict::Unknown(_) => Exit::Unwell,
    }
}
