//! The facts about each service, gathered once for all of them, and the decision of `core` for each.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use unhang_core::{Account, Case, Counts, Decision, Host, Moment, Observation, State};

use crate::os::clock;
use crate::plan::Service;
use crate::words;

use super::common_cause::Together;
use super::context::{Tick, exit_of};
use super::evaluated::Judged;
use super::hands_off::{self, Ground, HandsOff};
use super::host_pressure::{self, Distress};
use super::locked_service::Watch;
use super::unit_status::{self, UnitStatuses};

/// Asks systemd once for all units whose state matters now, and decides for each service.
pub(super) fn judge<'a>(
    tick: &Tick<'_>,
    ground: Ground<'_>,
    watches: Vec<Watch<'a>>,
    seen: Vec<Observation>,
) -> Vec<Judged<'a>> {
    let pairs: Vec<_> = watches.iter().map(|watch| watch.service).zip(&seen).collect();
    let hands_off = hands_off::look_for(ground, &pairs);
    let asked: Vec<&Service> = watches
        .iter()
        .zip(&seen)
        .filter(|(watch, seen)| watch.asks(tick, seen))
        .map(|(watch, _)| watch.service)
        .collect();
    let statuses = UnitStatuses::query_all(&asked, clock::monotonic(), tick.time_left());
    let healthy = seen.iter().all(|seen| *seen == Observation::Healthy);
    // A healthy tick asks nothing that it does not need.
    let distress = if healthy { Distress::default() } else { distress_of(ground, &watches) };
    let host = if healthy { Host::quiet() } else { tick.host(statuses.host_is_stopping(), distress.holds) };
    let befores: Vec<State> =
        watches.iter().map(|watch| watch.before(statuses.get(watch.service).as_ref(), &tick.now)).collect();
    let (together, held) = together_among(tick, &befores, &seen);
    let services: Vec<&Service> = watches.iter().map(|watch| watch.service).collect();
    let shared = LazyCell::new(|| together.shared(&services, &statuses));
    let judge_one = |(at, (watch, seen)): (usize, (Watch<'a>, Observation))| {
        let HandsOff { pause, upstream, doubt } =
            hands_off.get(&watch.service.key).cloned().unwrap_or_default();
        let seen = doubt.map_or(seen, Observation::Unknown);
        let status = statuses.get(watch.service);
        let before = befores.get(at).cloned().unwrap_or_default();
        let unit = unit_status::unit_facts(watch.service, &before.counts, status.as_ref());
        let policy = &watch.service.policy;
        let case = Case {
            now: &tick.now,
            host: &host,
            policy,
            before: &before.counts,
            seen: &seen,
            unit: &unit,
            pause: &pause,
            upstream: upstream.as_ref(),
            common_cause: held.filter(|_| together.has(at)),
        };
        let mut decision = explained(unhang_core::decide(&case, &before.account), watch.service, &tick.now);
        if matches!(seen, Observation::Unhealthy(_)) {
            decision.next.account.distress.clone_from(&distress.words);
        }
        if together.has(at) && decision.next.account.together.is_none() {
            let words = together.words(at, &services, &shared);
            decision.next.account.together = Some(words.chars().take(words::TOLD).collect());
        }
        let exit = exit_of(&decision.verdict);
        let memory = watch.record.memory.clone();
        Judged { watch, before, seen, status, decision, memory, exit }
    };
    watches.into_iter().zip(seen).enumerate().map(judge_one).collect()
}

/// With what a person who asks later wants to know by name.
pub(super) fn explained(decision: Decision, service: &Service, now: &Moment) -> Decision {
    let because = words::because(&decision, service, now);
    let account = Account { because, ..decision.next.account };
    Decision { next: State { account, ..decision.next }, ..decision }
}

/// The disks that matter are those of what must be written.
fn distress_of(ground: Ground<'_>, watches: &[Watch<'_>]) -> Distress {
    let logs = watches.iter().filter_map(|watch| watch.service.log_file.parent());
    let mut folders = BTreeSet::<&Path>::new();
    folders.extend(logs.chain([ground.store.folder()]));
    host_pressure::of_host(ground.plan, &folders.into_iter().collect::<Vec<_>>())
}

fn together_among(tick: &Tick<'_>, befores: &[State], seen: &[Observation]) -> (Together, Option<Duration>) {
    let together = Together::among(
        &tick.now,
        &befores.iter().map(|before| &before.counts).zip(seen).collect::<Vec<_>>(),
    );
    let held = together.held_for(
        tick.plan,
        &tick.now,
        &befores.iter().map(|before| &before.counts).collect::<Vec<_>>(),
    );
    (together, held)
}

/// By the restarts that this run has seen the end of, too.
pub(super) fn held_together(tick: &Tick<'_>, judged: &[Judged<'_>], at: usize) -> Option<Duration> {
    let seen: Vec<_> = judged.iter().map(|one| (&one.before.counts, &one.seen)).collect();
    let counts: Vec<&Counts> = judged.iter().map(|one| &one.watch.record.state.counts).collect();
    let together = Together::among(&tick.now, &seen);
    together.held_for(tick.plan, &tick.now, &counts).filter(|_| together.has(at))
}
