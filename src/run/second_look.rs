//! The second look, right before the intent: the same picture once more, or no restart.

use std::time::{Duration, Instant};

use unhang_core::{Cause, Facts, Observation, UnitFacts, Verdict, decide_second_look, events_of_decision};

use crate::exit::Exit;
use crate::managers::UnitStatus;
use crate::os::clock;

use super::context::{RunContext, exit_for_verdict};
use super::evaluate::with_explanation;
use super::evaluated::Evaluated;
use super::hands_off::{self, HoldContext, HoldFacts};
use super::host_pressure;
use super::locked_service::SaveResult;
use super::probing::{self, ServiceProbes};
use super::unit_status::{self, UnitStatuses};

/// What the second look found of a service that is due.
pub(super) struct ConfirmedRestart {
    pub(super) status: Option<UnitStatus>,
    pub(super) unit: UnitFacts,
    pub(super) cause: Cause,
    /// When the probes had answered.
    pub(super) seen_at: Instant,
}

impl ConfirmedRestart {
    /// What it shows may have changed since: the disk that the intent went to took long, or the machine slept.
    pub(super) fn is_stale(&self) -> bool {
        self.seen_at.elapsed() > FRESH
    }
}

/// How long a second look is taken for what is so.
const FRESH: Duration = Duration::from_secs(3);

/// Row 16: the same picture once more, or no restart. `None`: told and kept why not.
pub(super) fn take_second_look(
    tick: &RunContext<'_>,
    ground: HoldContext<'_>,
    held: Option<Duration>,
    judged: &mut Evaluated<'_>,
) -> Option<ConfirmedRestart> {
    let service = judged.watch.service;
    let reply =
        probing::probe_service(ServiceProbes::for_service(service, Some(&judged.memory)), &clock::now());
    let seen_at = Instant::now();
    judged.watch.record.memory = reply.merged_cursors(&service.probes, &judged.memory);
    let seen = reply.seen.observation;
    let statuses = UnitStatuses::query_all(&[service], clock::monotonic_time(), tick.time_left());
    let status = statuses.get(service);
    let unit = unit_status::unit_facts(service, &judged.before.counts, status.as_ref());
    let (host, policy) = (
        tick.host_facts(
            statuses.host_is_stopping(),
            host_pressure::measure_host_pressure(tick.plan, &[]).holds,
        ),
        &service.policy,
    );
    let HoldFacts { pause, upstream, doubt } =
        hands_off::collect_hold_facts(ground, &[(service, &seen)]).remove(&service.key).unwrap_or_default();
    let seen = doubt.map_or(seen, Observation::Unknown);
    let case = Facts {
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
    let again = with_explanation(
        decide_second_look(&judged.decision, &case, &judged.before.account),
        service,
        &tick.now,
    );
    judged.decision = again;
    if let (Verdict::Restart(_), Observation::Unhealthy(cause)) = (&judged.decision.verdict, &seen) {
        return Some(ConfirmedRestart { status, unit, cause: cause.clone(), seen_at });
    }
    judged.exit = exit_for_verdict(&judged.decision.verdict);
    if judged.watch.save(judged.decision.next.clone()) == SaveResult::NotSaved {
        judged.exit = Exit::StateUnusable;
    }
    let events = events_of_decision(policy, &judged.before, &judged.decision, &seen, &tick.now);
    judged.watch.report(tick, events);
    None
}
