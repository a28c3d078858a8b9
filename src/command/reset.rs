//! `reset`: clears streak, backoff and budget, under the lock.

use unhang_core::{outlook, reset as cleared};

use crate::cli::Sources;
use crate::exit::Exit;
use crate::log::Echo;
use crate::places::{Places, cure};
use crate::plan::Plan;
use crate::report;
use crate::run::context::Tick;
use crate::run::locked_service::{self, Kept, Watch};
use crate::store::Store;
use crate::words;

use super::context::{Refusal, load_plan_and_places};

/// Clears what is counted of the services that were named.
pub(super) fn reset_services(sources: &Sources<'_>) -> Result<Exit, Refusal> {
    let (plan, places) = load_plan_and_places(sources)?;
    Ok(reset(&plan, &places))
}

/// Clears streak, backoff and budget, and says what it cleared.
fn reset(plan: &Plan, places: &Places) -> Exit {
    let tick = Tick::begin(plan, Echo::Silent);
    let store = match Store::open(places) {
        Ok(store) => store,
        Err(error) => {
            let (locks, why) = (places.locks.display(), words::io_or_cure(&error, cure(plan.owner)));
            report::fault(format!("{locks}: cannot be used for locks: {why}; nothing was cleared"));
            return Exit::StateUnusable;
        }
    };
    let (watches, mut exits) = locked_service::claim(&tick, &store, usize::MAX);
    if exits.contains(&Exit::Locked) {
        report::fault(
            "reset: a run is under way and has locked a service; that one was not cleared: try again in a minute",
        );
    }
    exits.extend(watches.into_iter().map(|watch| reset_one(&tick, watch)));
    Exit::merge(exits)
}

fn reset_one(tick: &Tick<'_>, mut watch: Watch<'_>) -> Exit {
    let service = watch.service;
    let before = watch.record.state.clone();
    let seen = outlook(&before.counts, &service.policy, &tick.now);
    let kept = watch.keep(cleared(&before));
    watch.finish();
    if kept == Kept::Nowhere {
        return Exit::StateUnusable;
    }
    let step = before.counts.backoff.map_or(0, |backoff| backoff.step);
    let wait = words::span(service.policy.backoff.wait(step));
    report::line(format!(
        "{}: cleared a streak of {}, {} of the budget, and a backoff of {wait}",
        service.key,
        before.counts.streak,
        words::restarts(seen.spent)
    ));
    Exit::Well
}
