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
use crate::places::{StatePlaces, rights_cure};
use crate::plan::Plan;
use crate::store::Store;
use crate::{report, words};

use context::{RunContext, shows_progress};
use evaluated::Evaluated;
pub(crate) use every::{ServiceManager, run_periodically};
use hands_off::HoldContext;
use locked_service::LockedService;
use probing::{ServiceAnswers, ServiceProbes};

/// Probes every service of the plan, counts, and restarts what is due.
pub(crate) fn run_once(plan: &Plan, places: &StatePlaces, echo: Echo) -> Exit {
    run_with_stop(plan, places, echo, None)
}

/// `ends`: once set, no further restart is begun; what is due then comes first in the next run.
fn run_with_stop(plan: &Plan, places: &StatePlaces, echo: Echo, ends: Option<&AtomicBool>) -> Exit {
    let tick = RunContext::new(plan, echo);
    let store = match Store::open(places) {
        Ok(store) => store,
        Err(error) => {
            let (locks, why) =
                (places.locks.display(), words::io_error_or_cure(&error, rights_cure(plan.owner)));
            report::print_fault(format!("{locks}: cannot be used for locks: {why}; nothing was probed"));
            return Exit::StateUnusable;
        }
    };
    // Each service holds its lock open, and a socket while it is probed.
    let probes: usize = plan.services.iter().map(|service| service.probes.len()).sum();
    let widest = limits::make_room_for(plan.services.len().saturating_add(probes));
    // One of them is for a probe.
    let (watches, mut exits) = locked_service::lock_services(&tick, &store, widest.saturating_sub(1).max(1));
    watches.iter().for_each(LockedService::stamp_last_run);
    let guard = deadline_guard::arm_before_probing(&tick, &watches);
    let waiting = shows_progress(&tick).then(|| progress::show_probing(plan));
    let replies = probe_all_services(&tick, &watches, widest);
    drop(waiting);
    let seen = collect_observations(&replies);
    let _guard = deadline_guard::arm_after_probing(&tick, &watches, &seen, guard);
    let ground = HoldContext::new(&tick, &store, widest, watches.len());
    let mut judged = evaluate::evaluate_services(&tick, ground, watches, seen);
    for (one, reply) in judged.iter_mut().zip(&replies) {
        one.apply_answers(reply);
        one.save_and_log(&tick);
    }
    for at in due_in_order(&tick, &judged) {
        let held = evaluate::common_cause_hold(&tick, &judged, at);
        let is_over = ends.is_some_and(|ends| ends.load(Ordering::Relaxed));
        match judged.get_mut(at) {
            Some(one) if is_over => restart::defer_restart(&tick, one),
            Some(one) => restart::restart_service(&tick, ground, held, one),
            None => {}
        }
    }
    exits.extend(judged.into_iter().map(Evaluated::finish_service));
    Exit::worst_of(exits)
}

/// The same, but takes no lock, writes nothing, and prints what it would do.
pub(crate) fn dry_run(plan: &Plan, places: &StatePlaces) -> Exit {
    let tick = RunContext::new(plan, Echo::Silent);
    let store = Store::open_read_only(places);
    let widest = limits::make_room_for(plan.services.len());
    let (watches, mut exits) = locked_service::open_services(&tick, &store);
    let waiting = progress::show_probing(plan);
    let replies = probe_all_services(&tick, &watches, widest);
    drop(waiting);
    let ground = HoldContext::new(&tick, &store, widest, watches.len());
    for one in evaluate::evaluate_services(&tick, ground, watches, collect_observations(&replies)) {
        report::print_dry_run(one.watch.service, &one.decision, &one.seen, &tick.now);
        exits.push(one.exit);
    }
    Exit::worst_of(exits)
}

fn probe_all_services(
    tick: &RunContext<'_>,
    watches: &[LockedService<'_>],
    widest: usize,
) -> Vec<ServiceAnswers> {
    let inquiries: Vec<ServiceProbes<'_>> = watches
        .iter()
        .map(|watch| ServiceProbes::for_service(watch.service, Some(&watch.record.memory)))
        .collect();
    let free = widest.saturating_sub(watches.len()).max(1);
    probing::probe_services(&inquiries, &tick.now, free, tick.probing_deadline())
}

fn collect_observations(replies: &[ServiceAnswers]) -> Vec<Observation> {
    replies.iter().map(|reply| reply.seen.observation.clone()).collect()
}

fn due_in_order(tick: &RunContext<'_>, judged: &[Evaluated<'_>]) -> Vec<usize> {
    let pairs: Vec<(&Counts, &Decision)> =
        judged.iter().map(|one| (&one.before.counts, &one.decision)).collect();
    let mut order = unhang_core::restart_order(&tick.now, &pairs);
    // What cannot be remembered must not be done.
    order.retain(|at| judged.get(*at).is_some_and(|one| one.exit != Exit::StateUnusable));
    order
}
