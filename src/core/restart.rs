//! What acting adds to memory: the intent before, the outcome after.

use alloc::vec::Vec;

use crate::{
    Account, Act, Active, Backoff, BackoffLimits, Cause, Counts, Decision, Evidence, Hold, Intent, Moment,
    Outcome, Policy, Reason, Recent, Restart, State, StoredCause, Unit, Verdict, VerdictKind, Was, Withheld,
    next_rung,
};

/// How a restart ended, as far as the tick that asked for it could see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Healed,
    NotHealed,
    /// Still running, or still starting when time was over.
    Open,
    /// A person's or a shutdown's job was first.
    Refused,
    /// It is known that nothing was asked of systemd.
    NeverRan,
    /// systemd did nothing of what was asked: the user that we run as may not ask for it.
    Forbidden,
}

/// To be on disk before the restart is asked for. Until proven otherwise it counts against the budget.
/// `cause` is what was last answered, `unit` what was last seen, `tick` the tick's start, which the backoff counts from, `asked` now.
#[must_use]
pub fn intend(
    counted: &Counts,
    cause: &Cause,
    policy: &Policy,
    unit: &Unit,
    tick: &Moment,
    asked: &Moment,
) -> Counts {
    let is_down = matches!(unit, Unit::Seen(life) if life.active != Active::Active);
    let was = if is_down { Was::Down } else { Was::Up };
    let next = next_rung(policy, counted, unit);
    // The one before this says whether restarts help, however short the window is.
    let of_this_incident =
        |restart: &Restart| counted.since.as_ref().is_some_and(|since| !restart.at.is_before(since));
    let before = counted.last_restart().filter(|restart| of_this_incident(restart));
    let mut restarts: Vec<Restart> = counted
        .restarts
        .iter()
        .filter(|restart| asked.since(&restart.at) < policy.budget.window || before == Some(*restart))
        .cloned()
        .collect();
    restarts.push(Restart {
        at: asked.clone(),
        act: next.as_ref().map_or(Act::Restart, |next| next.rung.act()),
        outcome: Outcome::Unknown,
        cause: Some(StoredCause::from(cause)),
        incarnation: counted.incarnation.clone(),
    });
    let over = restarts.len().saturating_sub(policy.budget.restarts.max(2));
    restarts.drain(..over);
    let step = counted.backoff.as_ref().map_or(0, |backoff| backoff.step).saturating_add(1);
    Counts {
        streak: 0,
        recent: Recent::default(),
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
pub fn settle(counted: &State, intended: &Counts, ended: Ended, unit: &Unit, now: &Moment) -> State {
    let mut next = intended.clone();
    let account = counted.account.clone();
    match ended {
        Ended::Healed => {
            adopt(&mut next, unit, Outcome::Healed);
            healed(next, account, now)
        }
        Ended::NotHealed if is_ours(intended, unit, now) => {
            adopt(&mut next, unit, Outcome::NotHealed);
            State { counts: next, account }
        }
        Ended::NotHealed => {
            close_in_vain(&mut next, unit);
            State { counts: next, account }
        }
        Ended::Open => {
            if matches!(unit, Unit::Seen(_)) && is_ours(intended, unit, now) {
                adopt(&mut next, unit, Outcome::Unknown);
            }
            State { counts: next, account }
        }
        Ended::Refused => {
            set_outcome(&mut next, Outcome::Refused);
            let Counts { rungs, backoff, .. } = counted.counts.clone();
            let counts = Counts { intent: None, rungs, backoff, ..next };
            State { counts, account: held(account, Reason::UnitBusy) }
        }
        // As if no restart had been due: none took place.
        Ended::NeverRan => State { account: held(account, Reason::NotStartable), ..counted.clone() },
        Ended::Forbidden => State { account: held(account, Reason::NotPermitted), ..counted.clone() },
    }
}

fn healed(counts: Counts, account: Account, now: &Moment) -> State {
    let counts = Counts {
        failures: 0,
        successes: 0,
        since: None,
        rungs: 0,
        evidence: Evidence::Healthy,
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

fn held(account: Account, reason: Reason) -> Account {
    Account { verdict: VerdictKind::Held, reason, ..account }
}

/// What is due and cannot be done any more in this run: the next one does it first.
#[must_use]
pub fn put_off(counted: &State) -> Decision {
    let verdict = Verdict::Held(Hold::Withheld(Withheld::Deadline));
    let counts = Counts { put_off: true, ..counted.counts.clone() };
    let next = State { counts, account: held(counted.account.clone(), verdict.reason()) };
    Decision { reason: verdict.reason(), verdict, next, counted: false, earlier: None }
}

/// What cannot be done here must not keep the rung after it from its turn: a command that is not there, what
/// unhang may not ask for. The last one is tried again, and so is what systemctl was not there for.
#[must_use]
pub fn give_way(settled: State, intended: &Counts, ended: Ended, policy: &Policy, unit: &Unit) -> State {
    let act = intended.last_restart().map(|restart| restart.act).unwrap_or_default();
    let never = match ended {
        Ended::NeverRan => act == Act::Command || matches!(unit, Unit::Command { .. }),
        Ended::Forbidden => act == Act::Reload,
        Ended::Healed | Ended::NotHealed | Ended::Open | Ended::Refused => false,
    };
    let has_next = next_rung(policy, intended, unit).is_some();
    let rungs = if never && has_next { intended.rungs } else { settled.counts.rungs };
    State { counts: Counts { rungs, ..settled.counts }, ..settled }
}

/// Did our newest restart bring this life forth, or our reload leave it as it was? Not over a reboot, which
/// begins a life by itself.
pub(crate) fn is_ours(state: &Counts, unit: &Unit, now: &Moment) -> bool {
    match unit {
        Unit::Command { .. } => true,
        Unit::Seen(life) => match &state.intent {
            Some(intent) => {
                let is_new = life.incarnation != intent.incarnation;
                let act = state.last_restart().map(|restart| restart.act).unwrap_or_default();
                intent.boot == now.boot
                    && life.incarnation.is_some()
                    && act.begins_a_life().is_none_or(|begins| begins == is_new)
            }
            None => state.last_restart().is_some_and(|restart| restart.incarnation == life.incarnation),
        },
        Unit::ProbeOnly | Unit::NotAsked | Unit::Unanswered(_) => false,
    }
}

/// The life we see is ours: the intent is fulfilled, and what happens to this life is not our doing.
pub(crate) fn adopt(state: &mut Counts, unit: &Unit, outcome: Outcome) {
    set_outcome(state, outcome);
    if outcome == Outcome::NotHealed {
        lacks_proof(state);
    }
    let act = state.last_restart().map(|restart| restart.act);
    if act == Some(Act::Command) && is_down(unit) {
        // A command of ours left it so: to bring it back is ours, too.
        state.intent = state.intent.take().map(|intent| Intent { was: Was::Down, ..intent });
    } else if !runs_a_command(state, unit) {
        state.intent = None;
    }
    if let Unit::Seen(life) = unit {
        state.incarnation.clone_from(&life.incarnation);
        if let Some(restart) = state.restarts.last_mut() {
            restart.incarnation.clone_from(&life.incarnation);
        }
    }
}

fn is_down(unit: &Unit) -> bool {
    matches!(unit, Unit::Seen(life) if matches!(life.active, Active::Inactive | Active::Failed))
}

/// It must not get another one beside it, nor any other means.
fn runs_a_command(state: &Counts, unit: &Unit) -> bool {
    match unit {
        Unit::Command { running } => *running,
        // Told so while it runs.
        Unit::Seen(life) => {
            life.active == Active::Busy
                && state.intent.as_ref().is_some_and(|intent| intent.process.is_some())
        }
        Unit::ProbeOnly | Unit::NotAsked | Unit::Unanswered(_) => false,
    }
}

/// It still fails. Where our restart left the unit down, the intent stays, to say whose doing that is.
pub(crate) fn close_in_vain(state: &mut Counts, unit: &Unit) {
    let left_down = matches!(unit, Unit::Seen(life) if life.active != Active::Active);
    match (&state.intent, left_down) {
        (None, _) => lacks_proof(state),
        // It was never carried out, and tells nothing of what a restart does.
        (Some(_), false) => forget_cause(state),
        (Some(_), true) => {}
    }
    set_outcome(state, Outcome::NotHealed);
    if !left_down {
        state.intent = None;
    }
}

/// A restart that was carried out has not shown that the question can be answered.
fn lacks_proof(state: &mut Counts) {
    let restarted = state.last_restart().is_some_and(|restart| restart.act.begins_a_life() == Some(true));
    if state.evidence == Evidence::None && restarted {
        state.evidence = Evidence::NotByRestart;
    }
}

fn forget_cause(state: &mut Counts) {
    if let Some(restart) = state.restarts.last_mut() {
        restart.cause = None;
    }
}

/// A reboot or somebody's restart came between: what came of ours will not be known.
pub(crate) fn give_up_outcome(state: &mut Counts) {
    state.intent = None;
    if let Some(restart) = state.restarts.last_mut().filter(|restart| restart.outcome == Outcome::Unknown) {
        restart.incarnation = None;
    }
}

fn set_outcome(state: &mut Counts, outcome: Outcome) {
    if let Some(restart) = state.restarts.last_mut() {
        restart.outcome = outcome;
    }
    if let Some(backoff) =
        state.backoff.as_mut().filter(|_| in_vain(&state.restarts, state.rungs, state.since.as_ref()))
    {
        backoff.step = BackoffLimits::LONGEST_STEP;
    }
}

/// Two restarts in a row of one incident that ended as they began.
#[must_use]
pub fn does_not_help(state: &Counts) -> bool {
    in_vain(&state.restarts, state.rungs, state.since.as_ref())
}

/// `rungs`: of a list of means; no two of them are the same.
fn in_vain(restarts: &[Restart], rungs: u32, since: Option<&Moment>) -> bool {
    let Some([first, second]) = restarts.last_chunk().filter(|_| rungs == 0) else { return false };
    let in_vain = |restart: &Restart| restart.outcome == Outcome::NotHealed;
    let of_this_incident = since.is_some_and(|since| !first.at.is_before(since));
    in_vain(first)
        && in_vain(second)
        && first.cause.is_some()
        && first.cause == second.cause
        && of_this_incident
}
