//! The decision table, top to bottom, first match wins. The same functions answer the run, its second look,
//! and whoever only asks.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::conclude::conclude;
use crate::hands_off::hands_off;
use crate::judgement::Judgement;
use crate::restart::{adopt, close_in_vain, give_up_outcome, is_ours};
use crate::withheld::due;
use crate::{
    Account, Active, Case, Counts, Decision, Doubt, Evidence, Failing, Hold, Life, Moment, Observation,
    OnFlapping, Outcome, Policy, Recent, Restart, Unit, Verdict, VerdictKind,
};

/// The backoff goes back after this long a healthy time, or after its own step if that is longer:
/// else a service that hangs again some minutes after each restart gets the whole budget for ever.
const PROVEN: Duration = Duration::from_secs(600);

/// Total: every combination has an answer. `account` is what people were told before: the next account follows from
/// it, and no verdict.
#[must_use]
pub fn decide(case: &Case<'_>, account: &Account) -> Decision {
    conclude(judge(case), account, case)
}

/// The table itself: it sees no more of the state than its counts.
pub(crate) fn judge(case: &Case<'_>) -> Judgement {
    let before = case.before.not_after(case.now);
    match (case.seen, case.unit) {
        (Observation::Healthy, _) => after_success(case, before),
        (Observation::Unknown(doubt), _) | (Observation::Unhealthy(_), Unit::Unanswered(doubt)) => {
            in_doubt(case, before, doubt.clone())
        }
        (Observation::Unhealthy(_), Unit::NotAsked) => {
            in_doubt(case, before, Doubt::UnitUnknown(String::from("systemd was not asked")))
        }
        (Observation::Unhealthy(_), Unit::Command { .. } | Unit::ProbeOnly | Unit::Seen(_)) => {
            after_failure(case, before)
        }
    }
}

/// Rows 4 to 10, 14 and 15 by themselves: what would hold a restart that were due now, whatever the probe
/// says. `None`: nothing, or the unit cannot be seen.
#[must_use]
pub fn in_the_way(case: &Case<'_>) -> Option<Hold> {
    let mut next = opened(case, case.before.not_after(case.now));
    if let Unit::Seen(life) = case.unit {
        meet(life, case, &mut next);
    }
    if let Some(hands_off) = hands_off(case, &next) {
        return Some(Hold::HandsOff(hands_off));
    }
    if next.awaits_outcome() {
        close_in_vain(&mut next, case.unit);
    }
    due(case, &next).err().map(Hold::Withheld)
}

/// The services to restart, longest waiting first: those that an earlier tick had no time for, then by
/// the age of their incident. Indices into `cases`.
#[must_use]
pub fn restart_order(now: &Moment, cases: &[(&Counts, &Decision)]) -> Vec<usize> {
    let mut due: Vec<(bool, Duration, usize)> = cases
        .iter()
        .enumerate()
        .filter(|(_, (_, decision))| decision.verdict.kind() == VerdictKind::Restart)
        .map(|(at, (before, decision))| {
            let waited = decision.next.counts.since.as_ref().map_or(Duration::ZERO, |since| now.since(since));
            (!before.put_off, Duration::MAX.saturating_sub(waited), at)
        })
        .collect();
    due.sort_unstable();
    due.into_iter().map(|(_, _, at)| at).collect()
}

/// A failure always asks; a success only while the end of a restart of ours is not known, and once for
/// each boot and unit name, so that a unit that is gone is told before it is needed.
#[must_use]
pub fn asks_systemd(before: &Counts, seen: &Observation, unit: &str, now: &Moment) -> bool {
    match seen {
        Observation::Unhealthy(_) => true,
        Observation::Unknown(_) => false,
        Observation::Healthy => {
            let awaited = before.since.is_some() && before.awaits_outcome();
            let looked = before.looked.as_ref();
            awaited || !looked.is_some_and(|looked| looked.unit == unit && looked.boot == now.boot)
        }
    }
}

/// Rows 1 and 2.
fn after_success(case: &Case<'_>, before: Counts) -> Judgement {
    let recent = before.recent.healthy(case.policy.flapping.of);
    let flapping = before.flapping && recent != Recent::default();
    let before = Counts { recent, flapping, evidence: Evidence::Healthy, ..before };
    if before.since.is_none() {
        return Judgement::new(Verdict::Healthy, before);
    }
    // A command of ours that still runs may never end: a server in the foreground.
    let has_process = before.intent.as_ref().is_some_and(|intent| intent.process.is_some());
    let in_between = before.awaits_outcome() && is_busy(case.unit) && !has_process;
    let of = case.policy.min_successes;
    let successes = if in_between { 0 } else { before.successes.saturating_add(1) };
    let mut next = Counts { successes, streak: 0, lives: 0, incarnation: None, ..before };
    if successes < of {
        return Judgement::new(Verdict::Recovering { successes, of }, next);
    }
    let failures = next.failures;
    // Whether a reload was carried out at all, nothing shows.
    let tells = next.last_restart().is_some_and(|restart| restart.act.begins_a_life() == Some(true));
    let healed = tells && next.awaits_outcome() && is_ours(&next, case.unit, case.now);
    if healed {
        adopt(&mut next, case.unit, Outcome::Healed);
    } else {
        give_up_outcome(&mut next);
    }
    let next = Counts {
        failures: 0,
        successes: 0,
        since: None,
        rungs: 0,
        healthy_since: Some(case.now.clone()),
        ..next
    };
    let judged = Judgement::new(Verdict::Recovered { failures }, next);
    Judgement { earlier: healed.then_some(Outcome::Healed), ..judged }
}

/// Row 3: neither counts nor resets.
fn in_doubt(case: &Case<'_>, before: Counts, doubt: Doubt) -> Judgement {
    Judgement::new(Verdict::Unknown(doubt), opened(case, before))
}

/// Rows 4 to 17.
fn after_failure(case: &Case<'_>, before: Counts) -> Judgement {
    let mut next = Counts { successes: 0, ..opened(case, before) };
    if let Unit::Seen(life) = case.unit {
        meet(life, case, &mut next);
    }
    let of_another_boot = |restart: &Restart| restart.at.boot != case.now.boot;
    // Of a unit, its life tells.
    if matches!(case.unit, Unit::Command { .. }) && next.last_restart().is_some_and(of_another_boot) {
        next.rungs = 0;
    }
    next = next.after_pause(case.pause, case.now);
    if let Some(hands_off) = hands_off(case, &next) {
        let next = Counts { streak: 0, ..next };
        return Judgement::new(Verdict::Held(Hold::HandsOff(hands_off)), next);
    }
    if let Some(age) = age(case, &next).filter(|age| *age < case.policy.grace) {
        return Judgement::new(Verdict::Failing(Failing::Grace { age }), next);
    }
    let earlier = next.awaits_outcome().then_some(Outcome::NotHealed);
    if earlier.is_some() {
        close_in_vain(&mut next, case.unit);
    }
    let (verdict, counted, next) = count(case, next);
    Judgement { counted, earlier, ..Judgement::new(verdict, next) }
}

/// The incident is open; the first tick of it after a long enough healthy time finds no backoff.
fn opened(case: &Case<'_>, before: Counts) -> Counts {
    let mut next = before;
    if next.since.is_none() {
        next.since = Some(case.now.clone());
        let step = next.backoff.as_ref().map_or(0, |backoff| backoff.step);
        let proven = PROVEN.max(case.policy.backoff.wait(step));
        if next.healthy_since.as_ref().is_some_and(|at| case.now.since(at) >= proven) {
            next.backoff = None;
        }
    }
    next
}

/// Whose life is this? A new one ends the streak; what else it ends depends on who began it.
fn meet(life: &Life, case: &Case<'_>, next: &mut Counts) {
    let had_failed = next.incarnation.is_some();
    let known = next.incarnation.as_ref().or_else(|| next.last_restart()?.incarnation.as_ref());
    let is_other = life.incarnation.as_ref() != known;
    let is_new = is_other && life.incarnation.is_some() && known.is_some();
    if next.intent.is_some() && next.awaits_outcome() && is_ours(next, case.unit, case.now) {
        adopt(next, case.unit, Outcome::Unknown);
        next.streak = 0;
        next.lives = 0;
    } else if is_new {
        next.streak = 0;
        next.failures = 0;
        if life.own_restarts > 0 {
            next.intent = None;
            next.lives = if had_failed { next.lives.saturating_add(1) } else { 0 };
        } else {
            // A person's restart, or a reboot: they are at work, or have mended it.
            give_up_outcome(next);
            next.lives = 0;
            next.rungs = 0;
            next.backoff = None;
        }
    } else {
        next.lives = 0;
        if is_other {
            next.streak = 0;
        }
    }
    next.incarnation.clone_from(&life.incarnation);
}

/// Row 11's age: of the unit while it is active, else of our last restart command.
fn age(case: &Case<'_>, next: &Counts) -> Option<Duration> {
    match case.unit {
        Unit::Seen(life) => life.age,
        Unit::Command { .. } => next.last_restart().map(|restart| case.now.since(&restart.at)),
        Unit::ProbeOnly | Unit::NotAsked | Unit::Unanswered(_) => None,
    }
}

/// Rows 12 to 17.
fn count(case: &Case<'_>, next: Counts) -> (Verdict, bool, Counts) {
    let policy = case.policy;
    let gap = next.failed_at.as_ref().map(|at| case.now.since(at));
    // The second look of a run is no second failure.
    let again = case.before.failed_at.as_ref() == Some(case.now);
    let due_already = next.streak >= policy.max_failures || again;
    if let Some(gap) = gap.filter(|gap| *gap < policy.min_gap && !due_already) {
        return (Verdict::Failing(Failing::TooSoon { gap }), false, next);
    }
    let stale = gap.is_some_and(|gap| policy.is_stale(gap));
    let (streak, failures) = match (stale, due_already) {
        (true, _) => (1, 1),
        (false, true) => (next.streak, next.failures),
        (false, false) => (next.streak.saturating_add(1), next.failures.saturating_add(1)),
    };
    let next = if again { next } else { flapped(policy, next) };
    let next = Counts { streak, failures, failed_at: Some(case.now.clone()), ..next };
    let flaps = next.flapping && policy.flapping.then == OnFlapping::Restart;
    let verdict = if streak < policy.max_failures && !flaps {
        Verdict::Failing(Failing::Counting)
    } else {
        match due(case, &next) {
            Ok(act) => Verdict::Restart(act),
            Err(withheld) => Verdict::Held(Hold::Withheld(withheld)),
        }
    };
    (verdict, stale || !due_already, next)
}

/// Alternating good and bad never makes a streak.
fn flapped(policy: &Policy, next: Counts) -> Counts {
    let recent = next.recent.failed(policy.flapping.of);
    let flaps = recent.outages() > 1 && recent.failures() >= policy.flapping.failures;
    Counts { recent, flapping: next.flapping || flaps, ..next }
}

fn is_busy(unit: &Unit) -> bool {
    match unit {
        Unit::Seen(life) => life.active == Active::Busy,
        Unit::Command { .. } | Unit::ProbeOnly | Unit::NotAsked | Unit::Unanswered(_) => false,
    }
}
