//! The decision table, top to bottom, first match wins. The same functions answer the run, its second look,
//! and whoever only asks.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::conclude::conclude;
use crate::hands_off::hands_off_hold;
use crate::judgement::Judgement;
use crate::restart::{attribute_restart, drop_outcome, is_our_restart, record_failed_restart};
use crate::withheld::step_or_hold;
use crate::{
    Account, ActiveState, Counts, Decision, Doubt, Facts, FailureWindow, FlappingAction, HealthRecord,
    HoldReason, Moment, NotDue, Observation, Outcome, Policy, Restart, UnitFacts, UnitSnapshot, Verdict,
    VerdictKind,
};

/// The backoff goes back after this long a healthy time, or after its own step if that is longer:
/// else a service that hangs again some minutes after each restart gets the whole budget for ever.
const BACKOFF_RESET_AFTER: Duration = Duration::from_secs(600);

/// Total: every combination has an answer. `account` is what people were told before: the next account follows from
/// it, and no verdict.
#[must_use]
pub fn decide(case: &Facts<'_>, account: &Account) -> Decision {
    conclude(judge_case(case), account, case)
}

/// The table itself: it sees no more of the state than its counts.
pub(crate) fn judge_case(case: &Facts<'_>) -> Judgement {
    let before = case.before.not_after(case.now);
    match (case.seen, case.unit) {
        (Observation::Healthy, _) => decide_healthy(case, before),
        (Observation::Unknown(doubt), _) | (Observation::Unhealthy(_), UnitFacts::QueryFailed(doubt)) => {
            decide_unknown(case, before, doubt.clone())
        }
        (Observation::Unhealthy(_), UnitFacts::NotQueried) => {
            decide_unknown(case, before, Doubt::UnitUnknown(String::from("systemd was not asked")))
        }
        (
            Observation::Unhealthy(_),
            UnitFacts::Command { .. } | UnitFacts::ProbeOnly | UnitFacts::Known(_),
        ) => decide_failing(case, before),
    }
}

/// Rows 4 to 10, 14 and 15 by themselves: what would hold a restart that were due now, whatever the probe
/// says. `None`: nothing, or the unit cannot be seen.
#[must_use]
pub fn blocking_hold(case: &Facts<'_>) -> Option<HoldReason> {
    let mut next = open_incident(case, case.before.not_after(case.now));
    if let UnitFacts::Known(life) = case.unit {
        match_incarnation(life, case, &mut next);
    }
    if let Some(hands_off) = hands_off_hold(case, &next) {
        return Some(HoldReason::HandsOff(hands_off));
    }
    if next.awaits_outcome() {
        record_failed_restart(&mut next, case.unit);
    }
    step_or_hold(case, &next).err().map(HoldReason::Withheld)
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
            let waited =
                decision.next.counts.since.as_ref().map_or(Duration::ZERO, |since| now.elapsed_since(since));
            (!before.put_off, Duration::MAX.saturating_sub(waited), at)
        })
        .collect();
    due.sort_unstable();
    due.into_iter().map(|(_, _, at)| at).collect()
}

/// A failure always asks; a success only while the end of a restart of ours is not known, and once for
/// each boot and unit name, so that a unit that is gone is told before it is needed.
#[must_use]
pub fn needs_unit_query(before: &Counts, seen: &Observation, unit: &str, now: &Moment) -> bool {
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
fn decide_healthy(case: &Facts<'_>, before: Counts) -> Judgement {
    let recent = before.recent.add_healthy(case.policy.flapping.of);
    let flapping = before.flapping && recent != FailureWindow::default();
    let before = Counts { recent, flapping, evidence: HealthRecord::WasHealthy, ..before };
    if before.since.is_none() {
        return Judgement::new(Verdict::Healthy, before);
    }
    // A command of ours that still runs may never end: a server in the foreground.
    let has_process = before.intent.as_ref().is_some_and(|intent| intent.process.is_some());
    let in_between = before.awaits_outcome() && unit_is_busy(case.unit) && !has_process;
    let of = case.policy.min_successes;
    let successes = if in_between { 0 } else { before.successes.saturating_add(1) };
    let mut next = Counts { successes, streak: 0, lives: 0, incarnation: None, ..before };
    if successes < of {
        return Judgement::new(Verdict::Recovering { successes, of }, next);
    }
    let failures = next.failures;
    // Whether a reload was carried out at all, nothing shows.
    let tells = next.last_restart().is_some_and(|restart| restart.act.starts_incarnation() == Some(true));
    let healed = tells && next.awaits_outcome() && is_our_restart(&next, case.unit, case.now);
    if healed {
        attribute_restart(&mut next, case.unit, Outcome::Healed);
    } else {
        drop_outcome(&mut next);
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
fn decide_unknown(case: &Facts<'_>, before: Counts, doubt: Doubt) -> Judgement {
    Judgement::new(Verdict::Unknown(doubt), open_incident(case, before))
}

/// Rows 4 to 17.
fn decide_failing(case: &Facts<'_>, before: Counts) -> Judgement {
    let mut next = Counts { successes: 0, ..open_incident(case, before) };
    if let UnitFacts::Known(life) = case.unit {
        match_incarnation(life, case, &mut next);
    }
    let of_another_boot = |restart: &Restart| restart.at.boot != case.now.boot;
    // Of a unit, its life tells.
    if matches!(case.unit, UnitFacts::Command { .. }) && next.last_restart().is_some_and(of_another_boot) {
        next.rungs = 0;
    }
    next = next.after_pause(case.pause, case.now);
    if let Some(hands_off) = hands_off_hold(case, &next) {
        let next = Counts { streak: 0, ..next };
        return Judgement::new(Verdict::Held(HoldReason::HandsOff(hands_off)), next);
    }
    if let Some(age) = unit_age(case, &next).filter(|age| *age < case.policy.grace) {
        return Judgement::new(Verdict::Failing(NotDue::InGrace { age }), next);
    }
    let earlier = next.awaits_outcome().then_some(Outcome::NotHealed);
    if earlier.is_some() {
        record_failed_restart(&mut next, case.unit);
    }
    let (verdict, counted, next) = count_failure(case, next);
    Judgement { counted, earlier, ..Judgement::new(verdict, next) }
}

/// The incident is open; the first tick of it after a long enough healthy time finds no backoff.
fn open_incident(case: &Facts<'_>, before: Counts) -> Counts {
    let mut next = before;
    if next.since.is_none() {
        next.since = Some(case.now.clone());
        let step = next.backoff.as_ref().map_or(0, |backoff| backoff.step);
        let proven = BACKOFF_RESET_AFTER.max(case.policy.backoff.wait_for_step(step));
        if next.healthy_since.as_ref().is_some_and(|at| case.now.elapsed_since(at) >= proven) {
            next.backoff = None;
        }
    }
    next
}

/// Whose life is this? A new one ends the streak; what else it ends depends on who began it.
fn match_incarnation(life: &UnitSnapshot, case: &Facts<'_>, next: &mut Counts) {
    let had_failed = next.incarnation.is_some();
    let known = next.incarnation.as_ref().or_else(|| next.last_restart()?.incarnation.as_ref());
    let is_other = life.incarnation.as_ref() != known;
    let is_new = is_other && life.incarnation.is_some() && known.is_some();
    if next.intent.is_some() && next.awaits_outcome() && is_our_restart(next, case.unit, case.now) {
        attribute_restart(next, case.unit, Outcome::Unknown);
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
            drop_outcome(next);
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
fn unit_age(case: &Facts<'_>, next: &Counts) -> Option<Duration> {
    match case.unit {
        UnitFacts::Known(life) => life.age,
        UnitFacts::Command { .. } => next.last_restart().map(|restart| case.now.elapsed_since(&restart.at)),
        UnitFacts::ProbeOnly | UnitFacts::NotQueried | UnitFacts::QueryFailed(_) => None,
    }
}

/// Rows 12 to 17.
fn count_failure(case: &Facts<'_>, next: Counts) -> (Verdict, bool, Counts) {
    let policy = case.policy;
    let gap = next.failed_at.as_ref().map(|at| case.now.elapsed_since(at));
    // The second look of a run is no second failure.
    let again = case.before.failed_at.as_ref() == Some(case.now);
    let due_already = next.streak >= policy.max_failures || again;
    if let Some(gap) = gap.filter(|gap| *gap < policy.min_gap && !due_already) {
        return (Verdict::Failing(NotDue::TooSoon { gap }), false, next);
    }
    let stale = gap.is_some_and(|gap| policy.is_stale(gap));
    let (streak, failures) = match (stale, due_already) {
        (true, _) => (1, 1),
        (false, true) => (next.streak, next.failures),
        (false, false) => (next.streak.saturating_add(1), next.failures.saturating_add(1)),
    };
    let next = if again { next } else { is_flapping(policy, next) };
    let next = Counts { streak, failures, failed_at: Some(case.now.clone()), ..next };
    let flaps = next.flapping && policy.flapping.then == FlappingAction::Restart;
    let verdict = if streak < policy.max_failures && !flaps {
        Verdict::Failing(NotDue::Counting)
    } else {
        match step_or_hold(case, &next) {
            Ok(act) => Verdict::Restart(act),
            Err(withheld) => Verdict::Held(HoldReason::Withheld(withheld)),
        }
    };
    (verdict, stale || !due_already, next)
}

/// Alternating good and bad never makes a streak.
fn is_flapping(policy: &Policy, next: Counts) -> Counts {
    let recent = next.recent.add_failure(policy.flapping.of);
    let flaps = recent.count_outages() > 1 && recent.count_failures() >= policy.flapping.failures;
    Counts { recent, flapping: next.flapping || flaps, ..next }
}

fn unit_is_busy(unit: &UnitFacts) -> bool {
    match unit {
        UnitFacts::Known(life) => life.active == ActiveState::Changing,
        UnitFacts::Command { .. }
        | UnitFacts::ProbeOnly
        | UnitFacts::NotQueried
        | UnitFacts::QueryFailed(_) => false,
    }
}
