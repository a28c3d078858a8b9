//! One tick: the only place that calls the rooms, in order, and the only reader of the wall and boot
//! clocks. Decides nothing: `core` does.

mod common_cause;
pub(crate) mod context;
mod deadline_guard;
mod evaluate;
mod evaluated;
mod every;
pub(crate) mod hands_off;
pub(crate) mod host_pressure;
mod kill;
pub(crate) mod locked_service;
pub(crate) mod probing;
pub(crate) mod progress;
mod requirements;
mod restart;
mod second_look;
pub(crate) mod unit_status;
mod verify;
mod wake;

use std::sync::atomic::{AtomicBool, Ordering};

use unhang_core::{Counts, Decision, Observation};

use crate::exit::Exit;
use crate::log::Echo;
use crate::os::limits;
use crate::places::{Places, cure};
use crate::plan::Plan;
use crate::store::Store;
use crate::{report, words};

use context::{Tick, by_hand};
use evaluated::Judged;
pub(crate) use every::{Starter, every};
use hands_off::Ground;
use locked_service::Watch;
use probing::{Inquiry, Reply};

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
    let waiting = by_hand(&tick).then(|| progress::show_probing(plan));
    let replies = probe_all(&tick, &watches, widest);
    drop(waiting);
    let seen = observations(&replies);
    let _guard = deadline_guard::after_probing(&tick, &watches, &seen, guard);
    let ground = Ground::of(&tick, &store, widest, watches.len());
    let mut judged = evaluate::judge(&tick, ground, watches, seen);
    for (one, reply) in judged.iter_mut().zip(&replies) {
        one.note(reply);
        one.keep_and_tell(&tick);
    }
    for at in due(&tick, &judged) {
        let held = evaluate::held_together(&tick, &judged, at);
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
    let waiting = progress::show_probing(plan);
    let replies = probe_all(&tick, &watches, widest);
    drop(waiting);
    let ground = Ground::of(&tick, &store, widest, watches.len());
    for one in evaluate::judge(&tick, ground, watches, observations(&replies)) {
        report::rehearsed(one.watch.service, &one.decision, &one.seen, &tick.now);
        exits.push(one.exit);
    }
    Exit::merge(exits)
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

fn due(tick: &Tick<'_>, judged: &[Judged<'_>]) -> Vec<usize> {
    let pairs: Vec<(&Counts, &Decision)> =
        judged.iter().map(|one| (&one.before.counts, &one.decision)).collect();
    let mut order = unhang_core::restart_order(&tick.now, &pairs);
    // What cannot be remembered must not be done.
    order.retain(|at| judged.get(*at).is_some_and(|one| one.exit != Exit::StateUnusable));
    order
}
