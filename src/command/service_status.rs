//! What is remembered of each service, read without a lock.

use std::time::Duration;

use unhang_core::{Moment, PauseState, State, restart_outlook};

use crate::os::clock;
use crate::places::StatePlaces;
use crate::plan::{Plan, Service};
use crate::report::{self, ServiceStatus};
use crate::store::{LoadFailure, Store};

use crate::run::hands_off;

/// What `status` and `why` show; probes nothing, writes nothing.
pub(super) fn load_statuses<'a>(plan: &'a Plan, places: &'a StatePlaces) -> (Vec<ServiceStatus<'a>>, Moment) {
    let (store, now) = (Store::open_read_only(places), clock::now());
    let pause = hands_off::current_pauses(plan, &store, &now);
    let of_one = |service: &'a Service| {
        let (state, unreadable) = load_state(service, &store, &now);
        let State { counts, account } = state.unwrap_or_default();
        let pause = pause(service);
        let state = State { counts: counts.after_pause(&pause, &now), account };
        let last_tick = store.last_run_age(&service.key).map(|at| age_in_seconds(at, &now));
        // Also with the rights of who cannot look at a lock.
        let is_stuck =
            last_tick.is_some_and(report::is_overdue) && store.is_locked(&service.key).unwrap_or(false);
        let outlook = restart_outlook(&state.counts, &service.policy, &now);
        let paused = match pause {
            PauseState::Active(paused) => Some(paused),
            PauseState::None | PauseState::Ended { .. } => None,
        };
        ServiceStatus {
            service,
            state,
            outlook,
            last_tick,
            is_stuck,
            locks: &places.locks,
            unreadable,
            paused,
        }
    };
    let pictures = plan.services.iter().map(of_one).collect();
    drop(pause);
    (pictures, now)
}

/// What a run would go on from, if it can; and what could not be read.
pub(super) fn load_state(service: &Service, store: &Store, now: &Moment) -> (Option<State>, Option<String>) {
    match store.load(&service.key, now) {
        Ok(loaded) => (Some(loaded.record.state), loaded.unreadable),
        Err(LoadFailure::Unreadable(why)) => (None, Some(format!("({why})"))),
        Err(LoadFailure::NewerVersion { version, .. }) => {
            (None, Some(format!("(version {version}, written by a newer unhang): runs leave it alone")))
        }
    }
}

/// Nobody wants to know the milliseconds.
pub(super) fn age_in_seconds(at: Duration, now: &Moment) -> Duration {
    Duration::from_secs(now.wall.saturating_sub(at).as_secs())
}
