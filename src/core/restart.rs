//! What acting adds to memory: the intent before, the outcome after.

use alloc::vec::Vec;

use crate::{
    Account, ActiveState, Backoff, BackoffRule, Cause, Counts, Decision, FailureWindow, HealthRecord,
    HoldReason, Intent, Moment, Outcome, Policy, Reason, Restart, State, StepKind, StoredCause, UnitBefore,
    UnitFacts, Verdict, VerdictKind, Withheld, next_step,
};

/// How a restart ended, as far as the tick that asked for it could see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartResult {
    Healed,
    NotHealed,
    /// Still running, or still starting when time was over.
    StillRunning,
    /// A person's or a shutdown's job was first.
    Refused,
    /// It is known that nothing was asked of systemd.
    NotStarted,
    /// systemd did nothing of what was asked: the user that we run as may not ask for it.
    NotPermitted,
}

/// To be on disk before the restart is asked for. Until proven otherwise it counts against the budget.
/// `cause` is what was last answered, `unit` what was last seen, `tick` the tick's start, which the backoff counts from, `asked` now.
#[must_use]
pub fn record_intent(
    counted: &Counts,
    cause: &Cause,
    policy: &Policy,
    unit: &UnitFacts,
    tick: &Moment,
    asked: &Moment,
) -> Counts {
    let is_down = matches!(unit, UnitFacts::Known(life) if life.active != ActiveState::Active);
    let was = if is_down { UnitBefore::Down } else { UnitBefore::Up };
    let next = next_step(policy, counted, unit);
    // The one before this says whether restarts help, however short the window is.
    let of_this_incident =
        |restart: &Restart| counted.since.as_ref().is_some_and(|since| !restart.at.is_before(since));
    let before = counted.last_restart().filter(|restart| of_this_incident(restart));
    let mut restarts: Vec<Restart> = counted
        .restarts
        .iter()
        .filter(|restart| asked.elapsed_since(&restart.at) < policy.budget.window || before == Some(*restart))
        .cloned()
        .collect();
    restarts.push(Restart {
        at: asked.clone(),
        act: next.as_ref().map_or(StepKind::Restart, |next| next.rung.kind()),
        outcome: Outcome::Unknown,
        cause: Some(StoredCause::from(cause)),
        incarnation: counted.incarnation.clone(),
    });
    let over = restarts.len().saturating_sub(policy.budget.restarts.max(2));
    restarts.drain(..over);
    let step = counted.backoff.as_ref().map_or(0, |backoff| backoff.step).saturating_add(1);
    Counts {
        streak: 0,
        recent: FailureWindow::default(),
        flapping: false,
        rungs: next.map_or(counted.rungs, |next| next.used),
        restarts,
        intent: Some(Intent {
            incarnation: counted.incarnation.clone(),
            boot: asked.boot.clone(),
            was,
            process: None,
        }),
        backoff: Some(Backoff { step, from: tick.clone() }),
        ..counted.clone()
    }
}

/// `counted` is the state before the intent, `unit` what was last seen of it, `now` when it ended.
#[must_use]
pub fn record_end(
    counted: &State,
    intended: &Counts,
    ended: RestartResult,
    unit: &UnitFacts,
    now: &Moment,
) -> State {
    let mut next = intended.clone();
    let account = counted.account.clone();
    match ended {
        RestartResult::Healed => {
            attribute_restart(&mut next, unit, Outcome::Healed);
            state_after_healing(next, account, now)
        }
        RestartResult::NotHealed if is_our_restart(intended, unit, now) => {
            attribute_restart(&mut next, unit, Outcome::NotHealed);
            State { counts: next, account }
        }
        RestartResult::NotHealed => {
            record_failed_restart(&mut next, unit);
            State { counts: next, account }
        }
        RestartResult::StillRunning => {
            if matches!(unit, UnitFacts::Known(_)) && is_our_restart(intended, unit, now) {
                attribute_restart(&mut next, unit, Outcome::Unknown);
            }
            State { counts: next, account }
        }
        RestartResult::Refused => {
            set_outcome(&mut next, Outcome::Refused);
            let Counts { rungs, backoff, .. } = counted.counts.clone();
            let counts = Counts { intent: None, rungs, backoff, ..next };
            State { counts, account: undo_intent(account, Reason::UnitBusy) }
        }
        // As if no restart had been due: none took place.
        RestartResult::NotStarted => {
            State { account: undo_intent(account, Reason::NotStartable), ..counted.clone() }
        }
        RestartResult::NotPermitted => {
            State { account: undo_intent(account, Reason::NotPermitted), ..counted.clone() }
        }
    }
}

fn state_after_healing(counts: Counts, account: Account, now: &Moment) -> State {
    let counts = Counts {
        failures: 0,
        successes: 0,
        since: None,
        rungs: 0,
        evidence: HealthRecord::WasHealthy,
        healthy_since: Some(now.clone()),
        incarnation: None,
        ..counts
    };
    let account = Account {
        verdict: VerdictKind::Recovered,
        reason: Reason::Recovered,
        cause: None,
        said: None,
        standing: None,
        together: None,
        ..account
    };
    State { counts, account }
}

fn undo_intent(account: Account, reason: Reason) -> Account {
    Account { verdict: VerdictKind::Held, reason, ..account }
}

/// What is due and cannot be done any more in this run: the next one does it first.
#[must_use]
pub fn put_off(counted: &State) -> Decision {
    let verdict = Verdict::Held(HoldReason::Withheld(Withheld::Deadline));
    let counts = Counts { put_off: true, ..counted.counts.clone() };
    let next = State { counts, account: undo_intent(counted.account.clone(), verdict.reason()) };
    Decision { reason: verdict.reason(), verdict, next, counted: false, earlier: None }
}

/// What cannot be done here must not keep the rung after it from its turn: a command that is not there, what
/// unhang may not ask for. The last one is tried again, and so is what systemctl was not there for.
#[must_use]
pub fn skip_impossible_step(
    settled: State,
    intended: &Counts,
    ended: RestartResult,
    policy: &Policy,
    unit: &UnitFacts,
) -> State {
    let act = intended.last_restart().map(|restart| restart.act).unwrap_or_default();
    let never = match ended {
        RestartResult::NotStarted => act == StepKind::Command || matches!(unit, UnitFacts::Command { .. }),
        RestartResult::NotPermitted => act == StepKind::Reload,
        RestartResult::Healed
        | RestartResult::NotHealed
        | RestartResult::StillRunning
        | RestartResult::Refused => false,
    };
    let has_next = next_step(policy, intended, unit).is_some();
    let rungs = if never && has_next { intended.rungs } else { settled.counts.rungs };
    State { counts: Counts { rungs, ..settled.counts }, ..settled }
}

/// Did our newest restart bring this life forth, or our reload leave it as it was? Not over a reboot, which
/// begins a life by itself.
pub(crate) fn is_our_restart(state: &Counts, unit: &UnitFacts, now: &Moment) -> bool {
    match unit {
        UnitFacts::Command { .. } => true,
        UnitFacts::Known(life) => match &state.intent {
            Some(intent) => {
                let is_new = life.incarnation != intent.incarnation;
                let act = state.last_restart().map(|restart| restart.act).unwrap_or_default();
                intent.boot == now.boot
                    && life.incarnation.is_some()
                    && act.starts_incarnation().is_none_or(|begins| begins == is_new)
            }
            None => state.last_restart().is_some_and(|restart| restart.incarnation == life.incarnation),
        },
        UnitFacts::ProbeOnly | UnitFacts::NotQueried | UnitFacts::QueryFailed(_) => false,
    }
}

/// The life we see is ours: the intent is fulfilled, and what happens to this life is not our doing.
pub(crate) fn attribute_restart(state: &mut Counts, unit: &UnitFacts, outcome: Outcome) {
    set_outcome(state, outcome);
    if outcome == Outcome::NotHealed {
        mark_unproven(state);
    }
    let act = state.last_restart().map(|restart| restart.act);
    if act == Some(StepKind::Command) && unit_is_down(unit) {
        // A command of ours left it so: to bring it back is ours, too.
        state.intent = state.intent.take().map(|intent| Intent { was: UnitBefore::Down, ..intent });
    } else if !runs_command(state, unit) {
        state.intent = None;
    }
    if let UnitFacts::Known(life) = unit {
        state.incarnation.clone_from(&life.incarnation);
        if let Some(restart) = state.restarts.last_mut() {
            restart.incarnation.clone_from(&life.incarnation);
        }
    }
}

fn unit_is_down(unit: &UnitFacts) -> bool {
    matches!(unit, UnitFacts::Known(life) if matches!(life.active, ActiveState::Inactive | ActiveState::Failed))
}

/// It must not get another one beside it, nor any other means.
fn runs_command(state: &Counts, unit: &UnitFacts) -> bool {
    match unit {
        UnitFacts::Command { running } => *running,
        // Told so while it runs.
        UnitFacts::Known(life) => {
            life.active == ActiveState::Changing
                && state.intent.as_ref().is_some_and(|intent| intent.process.is_some())
        }
        UnitFacts::ProbeOnly | UnitFacts::NotQueried | UnitFacts::QueryFailed(_) => false,
    }
}

/// It still fails. Where our restart left the unit down, the intent stays, to say whose doing that is.
pub(crate) fn record_failed_restart(state: &mut Counts, unit: &UnitFacts) {
    let left_down = matches!(unit, UnitFacts::Known(life) if life.active != ActiveState::Active);
    match (&state.intent, left_down) {
        (None, _) => mark_unproven(state),
        // It was never carried out, and tells nothing of what a restart does.
        (Some(_), false) => clear_cause(state),
        (Some(_), true) => {}
    }
    set_outcome(state, Outcome::NotHealed);
    if !left_down {
        state.intent = None;
    }
}

/// A restart that was carried out has not shown that the question can be answered.
fn mark_unproven(state: &mut Counts) {
    let restarted =
        state.last_restart().is_some_and(|restart| restart.act.starts_incarnation() == Some(true));
    if state.evidence == HealthRecord::NeverHealthy && restarted {
        state.evidence = HealthRecord::NotEvenAfterRestart;
    }
}

fn clear_cause(state: &mut Counts) {
    if let Some(restart) = state.restarts.last_mut() {
        restart.cause = None;
    }
}

/// A reboot or somebody's restart came between: what came of ours will not be known.
pub(crate) fn drop_outcome(state: &mut Counts) {
    state.intent = None;
    if let Some(restart) = state.restarts.last_mut().filter(|restart| restart.outcome == Outcome::Unknown) {
        restart.incarnation = None;
    }
}

fn set_outcome(state: &mut Counts, outcome: Outcome) {
    if let Some(restart) = state.restarts.last_mut() {
        restart.outcome = outcome;
    }
    if let Some(backoff) = state
        .backoff
        .as_mut()
        .filter(|_| ended_as_it_began(&state.restarts, state.rungs, state.since.as_ref()))
    {
        backoff.step = BackoffRule::MAX_BACKOFF_STEP;
    }
}

/// Two restarts in a row of one incident that ended as they began.
#[must_use]
pub fn restarts_without_effect(state: &Counts) -> bool {
    ended_as_it_began(&state.restarts, state.rungs, state.since.as_ref())
}

/// `rungs`: of a list of means; no two of them are the same.
fn ended_as_it_began(restarts: &[Restart], rungs: u32, since: Option<&Moment>) -> bool {
    let Some([first, second]) = restarts.last_chunk().filter(|_| rungs == 0) else { return false };
    let in_vain = |restart: &Restart| restart.outcome == Outcome::NotHealed;
    let of_this_incident = since.is_some_and(|since| !first.at.is_before(since));
    in_vain(first)
        && in_vain(second)
        && first.cause.is_some()
        && first.cause == second.cause
        && of_this_incident
}
