//! The second look, right before the intent: the same picture once more, or no restart.

use std::time::{Duration, Instant};

use unhang_core::{Case, Cause, Observation, Unit, Verdict, events_of_decision, look_again};

use crate::exit::Exit;
use crate::managers::UnitStatus;
use crate::os::clock;

use super::context::{Tick, exit_of};
use super::evaluate::explained;
use super::evaluated::Judged;
use super::hands_off::{self, Ground, HandsOff};
use super::host_pressure;
use super::locked_service::Kept;
use super::probing::{self, Inquiry};
use super::unit_status::{self, UnitStatuses};

/// What the second look found of a service that is due.
pub(super) struct Due {
    pub(super) status: Option<UnitStatus>,
    pub(super) unit: Unit,
    pub(super) cause: Cause,
    /// When the probes had answered.
    pub(super) seen_at: Instant,
}

impl Due {
    /// What it shows may have changed since: the disk that the intent went to took long, or the machine slept.
    pub(super) fn is_stale(&self) -> bool {
        self.seen_at.elapsed() > FRESH
    }
}

/// How long a second look is taken for what is so.
const FRESH: Duration = Duration::from_secs(3);

/// Row 16: the same picture once more, or no restart. `None`: told and kept why not.
pub(super) fn look_once_more(
    tick: &Tick<'_>,
    ground: Ground<'_>,
    held: Option<Duration>,
    judged: &mut Judged<'_>,
) -> Option<Due> {
    let service = judged.watch.service;
    let reply = probing::one(Inquiry::of(service, Some(&judged.memory)), &clock::now());
    let seen_at = Instant::now();
    judged.watch.record.memory = reply.remembered(&service.probes, &judged.memory);
    let seen = reply.seen.observation;
    let statuses = UnitStatuses::query_all(&[service], clock::monotonic(), tick.time_left());
    let status = statuses.get(service);
    let unit = unit_status::unit_facts(service, &judged.before.counts, status.as_ref());
    let (host, policy) = (
        tick.host(statuses.host_is_stopping(), host_pressure::of_host(tick.plan, &[]).holds),
        &service.policy,
    );
    let HandsOff { pause, upstream, doubt } =
        hands_off::look_for(ground, &[(service, &seen)]).remove(&service.key).unwrap_or_default();
    let seen = doubt.map_or(seen, Observation::Unknown);
    let case = Case {
        now: &tick.now,
        host: &host,
        policy,
        before: &judged.before.counts,
        seen: &seen,
        unit: &unit,
        pause: &pause,
        upstream: upstream.as_ref(),
        common_cause: held,
    };
    let again = explained(look_again(&judged.decision, &case, &judged.before.account), service, &tick.now);
    judged.decision = again;
    if let (Verdict::Restart(_), Observation::Unhealthy(cause)) = (&judged.decision.verdict, &seen) {
        return Some(Due { status, unit, cause: cause.clone(), seen_at });
    }
    judged.exit = exit_of(&judged.decision.verdict);
    if judged.watch.keep(judged.decision.next.clone()) == Kept::Nowhere {
        judged.exit = Exit::StateUnusable;
    }
    let events = events_of_decision(policy, &judged.before, &judged.decision, &seen, &tick.now);
    judged.watch.report(tick, events);
    None
}
