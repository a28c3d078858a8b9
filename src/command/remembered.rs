//! By hand, between ticks: what is remembered, read without a lock; and cleared, under one.

use std::time::Duration;

use unhang_core::{Moment, State, outlook, reset as cleared};

use crate::exit::Exit;
use crate::log::Echo;
use crate::os::clock;
use crate::places::{Places, cure};
use crate::plan::{Plan, Service};
use crate::report::{self, Picture};
use crate::store::{NoState, Store};
use crate::words;

use crate::run::context::Tick;
use crate::run::hands_off;
use crate::run::locked_service::{self, Kept, Watch};

/// What `status` and `why` show; probes nothing, writes nothing.
pub(crate) fn pictures<'a>(plan: &'a Plan, places: &'a Places) -> (Vec<Picture<'a>>, Moment) {
    let (store, now) = (Store::open_to_read(places), clock::now());
    let paused = hands_off::pauses(plan, &store, &now);
    let of_one = |service: &'a Service| {
        let (state, unreadable) = remembered(service, &store, &now);
        let state = state.unwrap_or_default();
        let last_tick = store.last_tick(service.lock()).map(|at| ago(at, &now));
        let outlook = outlook(&state, &service.policy, &now);
        let paused = paused(service);
        Picture { service, state, outlook, last_tick, locks: &places.locks, unreadable, paused }
    };
    let pictures = plan.services.iter().map(of_one).collect();
    drop(paused);
    (pictures, now)
}

/// What a run would go on from, if it can; and what could not be read.
pub(super) fn remembered(service: &Service, store: &Store, now: &Moment) -> (Option<State>, Option<String>) {
    match store.load(&service.key, now) {
        Ok(loaded) => (Some(loaded.record.state), loaded.unreadable),
        Err(NoState::NotRead(why)) => (None, Some(format!("({why})"))),
        Err(NoState::Newer { version, .. }) => {
            (None, Some(format!("(version {version}, written by a newer unhang): runs leave it alone")))
        }
    }
}

/// Nobody wants to know the milliseconds.
pub(super) fn ago(at: Duration, now: &Moment) -> Duration {
    Duration::from_secs(now.wall.saturating_sub(at).as_secs())
}

/// Clears streak, backoff and budget, and says what it cleared.
pub(crate) fn reset(plan: &Plan, places: &Places) -> Exit {
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
    let seen = outlook(&before, &service.policy, &tick.now);
    let kept = watch.keep(cleared(&before));
    watch.finish();
    if kept == Kept::Nowhere {
        return Exit::StateUnusable;
    }
    let step = before.backoff.map_or(0, |backoff| backoff.step);
    let wait = words::span(service.policy.backoff.wait(step));
    report::line(format!(
        "{}: cleared a streak of {}, {} of the budget, and a backoff of {wait}",
        service.key,
        before.streak,
        words::restarts(seen.spent)
    ));
    Exit::Well
}
