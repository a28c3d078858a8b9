//! `reset`: clears streak, backoff and budget, under the lock.

use unhang_core::{reset_state as cleared, restart_outlook};

use crate::cli::Sources;
use crate::exit::Exit;
use crate::log::Echo;
use crate::places::{StatePlaces, rights_cure};
use crate::plan::Plan;
use crate::report;
use crate::run::context::RunContext;
use crate::run::locked_service::{self, LockedService, SaveResult};
use crate::store::Store;
use crate::words;

use super::context::{Refusal, load_plan_and_places};

/// Clears what is counted of the services that were named.
pub(super) fn reset_services(sources: &Sources<'_>) -> Result<Exit, Refusal> {
    let (plan, places) = load_plan_and_places(sources)?;
    Ok(reset_each(&plan, &places))
}

/// Clears streak, backoff and budget, and says what it cleared.
fn reset_each(plan: &Plan, places: &StatePlaces) -> Exit {
    let tick = RunContext::new(plan, Echo::Silent);
    let store = match Store::open(places) {
        Ok(store) => store,
        Err(error) => {
            let (locks, why) =
                (places.locks.display(), words::io_error_or_cure(&error, rights_cure(plan.owner)));
            report::print_fault(format!("{locks}: cannot be used for locks: {why}; nothing was cleared"));
            return Exit::StateUnusable;
        }
    };
    let (watches, mut exits) = locked_service::lock_services(&tick, &store, usize::MAX);
    if exits.contains(&Exit::Locked) {
        report::print_fault(
            "reset: a run is using a service; that one was not cleared: try again in a minute",
        );
    }
    exits.extend(watches.into_iter().map(|watch| reset_service(&tick, watch)));
    Exit::worst_of(exits)
}

fn reset_service(tick: &RunContext<'_>, mut watch: LockedService<'_>) -> Exit {
    let service = watch.service;
    let before = watch.record.state.clone();
    let seen = restart_outlook(&before.counts, &service.policy, &tick.now);
    let kept = watch.save(cleared(&before));
    watch.save_reported_faults();
    if kept == SaveResult::NotSaved {
        return Exit::StateUnusable;
    }
    let step = before.counts.backoff.map_or(0, |backoff| backoff.step);
    let wait = words::format_duration(service.policy.backoff.wait_for_step(step));
    report::print_line(format!(
        "{}: cleared a streak of {}, {} of the budget, and a backoff of {wait}",
        service.key,
        before.counts.streak,
        words::count_restarts(seen.spent)
    ));
    Exit::Healthy
}
