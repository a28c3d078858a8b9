//! The facts about each service, gathered once for all of them, and the decision of `core` for each.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use unhang_core::{Account, Counts, Decision, Facts, HostFacts, Moment, Observation, State};

use crate::os::clock;
use crate::plan::Service;
use crate::words;

use super::common_cause::CommonCause;
use super::context::{RunContext, exit_for_verdict};
use super::evaluated::Evaluated;
use super::hands_off::{self, HoldContext, HoldFacts};
use super::host_pressure::{self, HostPressure};
use super::locked_service::LockedService;
use super::unit_status::{self, UnitStatuses};

/// Asks systemd once for all units whose state matters now, and decides for each service.
pub(super) fn evaluate_services<'a>(
    tick: &RunContext<'_>,
    ground: HoldContext<'_>,
    watches: Vec<LockedService<'a>>,
    seen: Vec<Observation>,
) -> Vec<Evaluated<'a>> {
    let pairs: Vec<_> = watches.iter().map(|watch| watch.service).zip(&seen).collect();
    let hands_off = hands_off::collect_hold_facts(ground, &pairs);
    let asked: Vec<&Service> = watches
        .iter()
        .zip(&seen)
        .filter(|(watch, seen)| watch.needs_unit_query(tick, seen))
        .map(|(watch, _)| watch.service)
        .collect();
    let statuses = UnitStatuses::query_all(&asked, clock::monotonic_time(), tick.time_left());
    let healthy = seen.iter().all(|seen| *seen == Observation::Healthy);
    // A healthy tick asks nothing that it does not need.
    let distress = if healthy { HostPressure::default() } else { host_pressure_for(ground, &watches) };
    let host = if healthy {
        HostFacts::not_queried()
    } else {
        tick.host_facts(statuses.host_is_stopping(), distress.holds)
    };
    let befores: Vec<State> = watches
        .iter()
        .map(|watch| watch.state_before(statuses.get(watch.service).as_ref(), &tick.now))
        .collect();
    let (together, held) = detect_common_cause(tick, &befores, &seen);
    let services: Vec<&Service> = watches.iter().map(|watch| watch.service).collect();
    let shared = LazyCell::new(|| together.find_shared_part(&services, &statuses));
    let judge_one = |(at, (watch, seen)): (usize, (LockedService<'a>, Observation))| {
        let HoldFacts { pause, upstream, doubt } =
            hands_off.get(&watch.service.key).cloned().unwrap_or_default();
        let seen = doubt.map_or(seen, Observation::Unknown);
        let status = statuses.get(watch.service);
        let before = befores.get(at).cloned().unwrap_or_default();
        let unit = unit_status::unit_facts(watch.service, &before.counts, status.as_ref());
        let policy = &watch.service.policy;
        let case = Facts {
            now: &tick.now,
            host: &host,
            policy,
            before: &before.counts,
            seen: &seen,
            unit: &unit,
            pause: &pause,
            upstream: upstream.as_ref(),
            common_cause: held.filter(|_| together.includes(at)),
        };
        let mut decision =
            with_explanation(unhang_core::decide(&case, &before.account), watch.service, &tick.now);
        if matches!(seen, Observation::Unhealthy(_)) {
            decision.next.account.distress.clone_from(&distress.words);
        }
        if together.includes(at) && decision.next.account.together.is_none() {
            let words = together.describe(at, &services, &shared);
            decision.next.account.together = Some(words.chars().take(words::MAX_STATE_TEXT_CHARS).collect());
        }
        let exit = exit_for_verdict(&decision.verdict);
        let memory = watch.record.memory.clone();
        Evaluated { watch, before, seen, status, decision, memory, exit }
    };
    watches.into_iter().zip(seen).enumerate().map(judge_one).collect()
}

/// With what a person who asks later wants to know by name.
pub(super) fn with_explanation(decision: Decision, service: &Service, now: &Moment) -> Decision {
    let because = words::stored_explanation(&decision, service, now);
    let account = Account { because, ..decision.next.account };
    Decision { next: State { account, ..decision.next }, ..decision }
}

/// The disks that matter are those of what must be written.
fn host_pressure_for(ground: HoldContext<'_>, watches: &[LockedService<'_>]) -> HostPressure {
    let logs = watches.iter().filter_map(|watch| watch.service.log_file.parent());
    let mut folders = BTreeSet::<&Path>::new();
    folders.extend(logs.chain([ground.store.folder()]));
    host_pressure::measure_host_pressure(ground.plan, &folders.into_iter().collect::<Vec<_>>())
}

fn detect_common_cause(
    tick: &RunContext<'_>,
    befores: &[State],
    seen: &[Observation],
) -> (CommonCause, Option<Duration>) {
    let together = CommonCause::detect(
        &tick.now,
        &befores.iter().map(|before| &before.counts).zip(seen).collect::<Vec<_>>(),
    );
    let held = together.hold_duration(
        tick.plan,
        &tick.now,
        &befores.iter().map(|before| &before.counts).collect::<Vec<_>>(),
    );
    (together, held)
}

/// By the restarts that this run has seen the end of, too.
pub(super) fn common_cause_hold(
    tick: &RunContext<'_>,
    judged: &[Evaluated<'_>],
    at: usize,
) -> Option<Duration> {
    let seen: Vec<_> = judged.iter().map(|one| (&one.before.counts, &one.seen)).collect();
    let counts: Vec<&Counts> = judged.iter().map(|one| &one.watch.record.state.counts).collect();
    let together = CommonCause::detect(&tick.now, &seen);
    together.hold_duration(tick.plan, &tick.now, &counts).filter(|_| together.includes(at))
}
