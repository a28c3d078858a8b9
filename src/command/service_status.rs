//! What is remembered of each service, read without a lock.

use std::time::Duration;

use unhang_core::{Moment, Pause, State, outlook};

use crate::os::clock;
use crate::places::Places;
use crate::plan::{Plan, Service};
use crate::report::{self, Picture};
use crate::store::{NoState, Store};

use crate::run::hands_off;

/// What `status` and `why` show; probes nothing, writes nothing.
pub(super) fn pictures<'a>(plan: &'a Plan, places: &'a Places) -> (Vec<Picture<'a>>, Moment) {
    let (store, now) = (Store::open_to_read(places), clock::now());
    let pause = hands_off::pauses(plan, &store, &now);
    let of_one = |service: &'a Service| {
        let (state, unreadable) = remembered(service, &store, &now);
        let State { counts, account } = state.unwrap_or_default();
        let pause = pause(service);
        let state = State { counts: counts.after_pause(&pause, &now), account };
        let last_tick = store.last_tick(&service.key).map(|at| ago(at, &now));
        // Also with the rights of who cannot look at a lock.
        let is_stuck =
            last_tick.is_some_and(report::is_overdue) && store.is_locked(&service.key).unwrap_or(false);
        let outlook = outlook(&state.counts, &service.policy, &now);
        let paused = match pause {
            Pause::Lasting(paused) => Some(paused),
            Pause::None | Pause::Over { .. } => None,
        };
        Picture { service, state, outlook, last_tick, is_stuck, locks: &places.locks, unreadable, paused }
    };
    let pictures = plan.services.iter().map(of_one).collect();
    drop(pause);
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
