//! A restart by systemd of which what does not stop is killed.

use std::thread;
use std::time::{Duration, Instant};

use unhang_core::{ActiveState, UnitFacts, UnitSnapshot};

use crate::managers::{RestartResponse, systemd};
use crate::os::clock;
use crate::plan::{Service, SystemdScope};

use super::context::RunContext;
use super::evaluated::Evaluated;
use super::unit_status::UnitStatuses;

/// What heeds its stop has ended by then.
const KILL_AFTER: Duration = Duration::from_secs(1);

const PACE: Duration = Duration::from_millis(100);

/// The restart is systemd's from the first: nothing that a person asks for meanwhile is overridden, and if this
/// run ends, nothing stays dead. What has not stopped soon is killed.
pub(super) fn restart_and_kill(
    tick: &RunContext<'_>,
    judged: &Evaluated<'_>,
    unit: (&str, SystemdScope),
    left: &impl Fn() -> Duration,
) -> RestartResponse {
    let asked = systemd::start_restart_job(unit, left());
    if asked != RestartResponse::Accepted {
        return asked;
    }
    let failed = judged.decision.next.counts.incarnation.as_ref();
    let between = || changing_snapshot(tick, judged.watch.service);
    let is_stopping =
        || failed.is_some() && between().is_some_and(|life| life.incarnation.as_ref() == failed);
    let began = Instant::now();
    // Told by the last look alone, not by the clock: what is up again must not be killed.
    let hangs = loop {
        if !is_stopping() {
            break false;
        }
        if began.elapsed() >= KILL_AFTER {
            break true;
        }
        thread::sleep(PACE);
    };
    let killed = if hangs { systemd::kill_unit(unit, left()) } else { Ok(()) };
    while between().is_some() && !left().is_zero() {
        thread::sleep(PACE);
    }
    match killed {
        _ if left().is_zero() => RestartResponse::StillRunning,
        Err(RestartResponse::NotPermitted(why) | RestartResponse::NoAnswer(why)) => {
            RestartResponse::Failed(why)
        }
        Ok(()) | Err(_) => RestartResponse::Accepted,
    }
}

/// Of a unit that is being stopped or started: the life that ends, or begins. `None`: it is neither.
fn changing_snapshot(tick: &RunContext<'_>, service: &Service) -> Option<UnitSnapshot> {
    let status =
        UnitStatuses::query_all(&[service], clock::monotonic_time(), tick.time_left()).get(service)?;
    match status.unit {
        UnitFacts::Known(life) if life.active == ActiveState::Changing => Some(life),
        UnitFacts::Known(_)
        | UnitFacts::QueryFailed(_)
        | UnitFacts::NotQueried
        | UnitFacts::ProbeOnly
        | UnitFacts::Command { .. } => None,
    }
}
