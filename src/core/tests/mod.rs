//! Scripts: one line a case. Laws: over random histories, in `laws.rs`.

#![allow(clippy::wildcard_enum_match_arm, clippy::needless_pass_by_value, reason = "shorter tables")]

mod edges;
mod escalate;
mod in_vain;
mod laws;
mod outlook;
mod rows;
mod scripts;
mod settle;

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::*;

const FINGERPRINT: Fingerprint = Fingerprint { asked: 1, restarted: 2, escalation: None };

const fn s(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn policy() -> Policy {
    Policy {
        max_failures: 2,
        min_successes: 1,
        grace: s(30),
        min_gap: s(45),
        stale_after: s(600),
        budget: BudgetRule { restarts: 5, window: s(3600) },
        backoff: BackoffRule { first: s(120), max: s(3600) },
        mode: Mode::Act,
        held_too_long: s(1800),
        flapping: FlappingRule { failures: 5, of: 12, then: FlappingAction::ReportOnly },
        when_exited: WhenExited::Restart,
        escalate: vec![],
        means: Step::Restart,
    }
}

fn host() -> HostFacts {
    HostFacts { stopping: false, starting: None, time_left: s(100), pressure: None }
}

fn bad() -> Observation {
    Observation::Unhealthy(Cause::Status(502))
}

fn paused() -> PauseState {
    let by = PauseSource::Person { who: "anna".to_string(), why: None };
    PauseState::Active(ActivePause { by, left: Some(s(900)) })
}

fn at(boot: &str, up: u64, wall: u64) -> Moment {
    Moment { boot: Some(boot.to_string()), since_boot: s(up), wall: s(wall) }
}

/// Active, long since, and nothing is queued.
fn running(incarnation: &str) -> UnitSnapshot {
    UnitSnapshot {
        load: LoadState::Loaded,
        active: ActiveState::Active,
        result: UnitResult::Success,
        incarnation: Some(incarnation.to_string()),
        own_restarts: 0,
        disabled: false,
        condition_unmet: false,
        inactive_exit: s(10),
        active_enter: s(10),
        active_exit: s(0),
        main_exit: Some(s(0)),
        reload: ReloadSupport::Supported,
        after_exit: AfterExit::StaysDown,
        runtime_limited: false,
        age: Some(s(5000)),
        neighbours: vec![],
    }
}

fn ended(incarnation: &str, active: ActiveState, result: UnitResult, exit: u64, main: u64) -> UnitSnapshot {
    UnitSnapshot {
        active,
        result,
        active_exit: s(exit),
        main_exit: Some(s(main)),
        age: None,
        ..running(incarnation)
    }
}

/// As a hung service ends that somebody stops.
fn stopped(incarnation: &str) -> UnitSnapshot {
    ended(incarnation, ActiveState::Failed, UnitResult::Timeout, 20, 21)
}

/// As gunicorn ends that somebody sends SIGTERM to, but systemd.
fn exited(incarnation: &str) -> UnitSnapshot {
    ended(incarnation, ActiveState::Inactive, UnitResult::Success, 21, 20)
}

fn crashed(incarnation: &str) -> UnitSnapshot {
    ended(incarnation, ActiveState::Failed, UnitResult::ExitCode, 21, 20)
}

/// A failing service under the usual policy, and nothing in the way but what `change` puts there.
fn with_case<T>(before: &Counts, change: impl FnOnce(Facts<'_>) -> T) -> T {
    let (now, unit) = (at("boot", 10_000, 100_000), UnitFacts::Known(running("a")));
    let (host, policy, seen) = (host(), policy(), bad());
    change(Facts {
        now: &now,
        host: &host,
        policy: &policy,
        before,
        seen: &seen,
        unit: &unit,
        pause: &PauseState::None,
        upstream: None,
        common_cause: None,
    })
}

/// The clock of `with_case`, so many seconds before.
fn ago(seconds: u64) -> Moment {
    at("boot", 10_000 - seconds, 100_000 - seconds)
}

fn restarted(at: Moment, outcome: Outcome) -> Restart {
    Restart {
        at,
        act: StepKind::Restart,
        outcome,
        cause: Some(StoredCause::from(&Cause::Refused)),
        incarnation: Some("a".to_string()),
    }
}

/// Nothing in it is as in a new state: so whatever forgets a piece, or keeps one too many, shows.
fn in_the_middle_of_it() -> Counts {
    let text = |text: &str| Some(text.to_string());
    Counts {
        streak: 1,
        failures: 3,
        successes: 1,
        lives: 1,
        incarnation: text("a"),
        failed_at: Some(ago(120)),
        since: Some(ago(700)),
        healthy_since: Some(ago(5_000)),
        restarts: vec![restarted(ago(400), Outcome::NotHealed)],
        intent: None,
        backoff: Some(Backoff { step: 1, from: ago(400) }),
        rungs: 1,
        put_off: true,
        looked: Some(LastUnitQuery { unit: "a.service".to_string(), boot: text("boot") }),
        recent: FailureWindow(0b101),
        flapping: true,
        evidence: HealthRecord::NotEvenAfterRestart,
        fingerprint: Some(FINGERPRINT),
    }
}

/// What people were told of it.
fn told_in_the_middle_of_it() -> Account {
    let text = |text: &str| Some(text.to_string());
    Account {
        verdict: VerdictKind::Failing,
        reason: Reason::Counting,
        cause: Some(StoredCause::from(&Cause::Status(502))),
        said: text("database: down"),
        standing: Some(Ongoing { since: ago(600), runs: 2, told: ago(600) }),
        together: text("with b and c"),
        distress: text("memory"),
        because: text("anna is at work"),
        warnings: vec![StoredWarning { probe: text("disk"), words: "nearly full".to_string() }],
        others: vec![StoredWarning { probe: text("queue"), words: "refused".to_string() }],
    }
}

fn decide(case: &Facts<'_>) -> Decision {
    crate::decide(case, &Account::default())
}

fn look_again(first: &Decision, again: &Facts<'_>) -> Decision {
    crate::decide_second_look(first, again, &Account::default())
}

fn foresee(case: &Facts<'_>) -> Decision {
    crate::forecast_next_run(case, &Account::default())
}

/// After a failed answer as `bad` gives it.
fn intend(counted: &Counts, policy: &Policy, unit: &UnitFacts, tick: &Moment, asked: &Moment) -> Counts {
    crate::record_intent(counted, &Cause::Status(502), policy, unit, tick, asked)
}

/// Of what was counted.
fn settle(
    counted: &Counts,
    intended: &Counts,
    ended: RestartResult,
    unit: &UnitFacts,
    now: &Moment,
) -> Counts {
    let counted = State { counts: counted.clone(), ..State::default() };
    crate::record_end(&counted, intended, ended, unit, now).counts
}
