//! The table's rows, one line each: what systemd and the host show of a service that would be due now.

use super::*;

/// A service that failed once, two minutes ago, in the incarnation "a".
pub(super) fn failed_once() -> Counts {
    Counts {
        streak: 1,
        failures: 1,
        incarnation: Some("a".to_string()),
        failed_at: Some(at("boot", 9_880, 99_880)),
        since: Some(at("boot", 9_880, 99_880)),
        evidence: HealthRecord::WasHealthy,
        ..Counts::default()
    }
}

#[track_caller]
fn check_in(
    host: &HostFacts,
    policy: &Policy,
    before: &Counts,
    unit: UnitFacts,
    reason: Reason,
    streak: u32,
) {
    let decision = with_case(before, |case| decide(&Facts { host, policy, unit: &unit, ..case }));
    assert_eq!((decision.reason, decision.next.counts.streak), (reason, streak), "{unit:?}");
    assert_eq!(decision.next.account.reason, reason);
}

#[track_caller]
fn check(unit: UnitSnapshot, reason: Reason, streak: u32) {
    check_in(&host(), &policy(), &failed_once(), UnitFacts::Known(unit), reason, streak);
}

#[rustfmt::skip]
#[test]
fn hands_off_what_the_unit_shows() {
    let a = || running("a");
    check(a(), Reason::MaxFailures, 2);
    check(UnitSnapshot { load: LoadState::NotFound, ..a() }, Reason::NotFound, 0);
    check(UnitSnapshot { load: LoadState::Masked, ..a() }, Reason::Masked, 0);
    check(UnitSnapshot { load: LoadState::NotStartable, ..a() }, Reason::NotStartable, 0);
    check(UnitSnapshot { load: LoadState::NotStoppable, ..a() }, Reason::NotStartable, 0);
    check(UnitSnapshot { active: ActiveState::Changing, ..a() }, Reason::UnitBusy, 0);
    check(UnitSnapshot { active: ActiveState::Frozen, ..a() }, Reason::Frozen, 0);
    check(stopped("a"), Reason::Stopped, 0);
    check(crashed("a"), Reason::MaxFailures, 2);
    check(UnitSnapshot { disabled: true, ..crashed("a") }, Reason::Disabled, 0);
    check(UnitSnapshot { disabled: true, ..a() }, Reason::MaxFailures, 2);
    check(UnitSnapshot { age: Some(s(29)), ..a() }, Reason::Grace, 1);
    check(UnitSnapshot { age: Some(s(30)), ..a() }, Reason::MaxFailures, 2);
    check(running("b"), Reason::Counting, 1);
}

#[rustfmt::skip]
#[test]
fn a_stop_is_told_from_a_fall_by_the_order_of_its_stamps() {
    use ActiveState::{Failed, Inactive};
    use UnitResult::{CoreDump, ExitCode, Other, Signal, Success, Timeout};
    for (active, result, exit, main, condition) in [
        (Failed,   Timeout,  20, 21, UnitCondition::Stopped),
        (Failed,   ExitCode, 20, 21, UnitCondition::Stopped),
        (Failed,   Signal,   20, 21, UnitCondition::Stopped),
        (Failed,   CoreDump, 20, 21, UnitCondition::Stopped),
        (Failed,   Other,    20, 21, UnitCondition::Failed), // watchdog, oom-kill, start-limit-hit
        (Failed,   ExitCode, 21, 20, UnitCondition::Failed),
        (Failed,   Signal,   20, 20, UnitCondition::Failed),
        (Failed,   ExitCode, 20,  0, UnitCondition::Failed), // ExecStartPre
        (Inactive, Success,  20, 21, UnitCondition::Stopped),
        (Inactive, Success,  21, 20, UnitCondition::EndedWell),
        (Inactive, ExitCode, 21, 20, UnitCondition::Stopped), // while waiting to be restarted
        (Inactive, Success,  20,  0, UnitCondition::Stopped), // no main process known
    ] {
        let life = ended("a", active, result, exit, main);
        assert_eq!(life.condition(), condition, "{active:?} {result:?} {exit} {main}");
    }
    let limited = UnitSnapshot { runtime_limited: true, ..stopped("a") };
    assert_eq!(limited.condition(), UnitCondition::Failed, "RuntimeMaxSec= ends it the same way");
    let slow = UnitSnapshot { inactive_exit: s(15), ..stopped("a") };
    assert_eq!(slow.condition(), UnitCondition::Failed, "this life never became active: its start timed out");
    let never = UnitSnapshot { inactive_exit: s(0), active_enter: s(0), ..ended("a", Inactive, Success, 0, 0) };
    assert_eq!(never.condition(), UnitCondition::NeverStarted);
    assert_eq!(UnitSnapshot { condition_unmet: true, ..never }.condition(), UnitCondition::StartConditionUnmet);
}

#[test]
fn what_ended_by_itself_is_down_unless_the_operator_says_otherwise() {
    check(exited("a"), Reason::MaxFailures, 2);
    check(UnitSnapshot { disabled: true, ..exited("a") }, Reason::Disabled, 0);
    let hold = Policy { when_exited: WhenExited::Hold, ..policy() };
    check_in(&host(), &hold, &failed_once(), UnitFacts::Known(exited("a")), Reason::Exited, 0);
}

#[test]
fn what_ended_well_or_never_began_is_left_alone() {
    let inactive = |exit, main| ended("a", ActiveState::Inactive, UnitResult::Success, exit, main);
    check(inactive(20, 21), Reason::Stopped, 0);
    check(UnitSnapshot { after_exit: AfterExit::IsDone, ..exited("a") }, Reason::Exited, 0);
    check(UnitSnapshot { after_exit: AfterExit::StaysUp, ..exited("a") }, Reason::Stopped, 0);
    // systemd knew no main process of it: a fall and a stop look the same, unless systemd had started it again.
    let hidden = || inactive(20, 0);
    check(hidden(), Reason::Exited, 0);
    check(UnitSnapshot { after_exit: AfterExit::StaysUp, ..hidden() }, Reason::Stopped, 0);
    check(UnitSnapshot { result: UnitResult::ExitCode, ..hidden() }, Reason::Stopped, 0);
    // A target or a socket has none, and ends by a job only.
    check(UnitSnapshot { main_exit: None, ..hidden() }, Reason::Stopped, 0);
    let never = UnitSnapshot { active_enter: s(0), incarnation: None, ..inactive(0, 0) };
    check(never.clone(), Reason::NeverStarted, 0);
    check(UnitSnapshot { condition_unmet: true, ..never.clone() }, Reason::Condition, 0);
    let requirement = |condition| {
        vec![RelatedUnit { unit: "db.service".to_string(), relation: Relation::Required, condition }]
    };
    // It was to start at boot, and what it needs failed.
    check(UnitSnapshot { neighbours: requirement(UnitCondition::Failed), ..never }, Reason::Counting, 1);
}

#[test]
fn units_that_a_restart_would_touch() {
    let with = |relation, condition| UnitSnapshot {
        neighbours: vec![RelatedUnit { unit: "db.service".to_string(), relation, condition }],
        ..running("a")
    };
    check(with(Relation::Wanted, UnitCondition::Stopped), Reason::Upstream, 0);
    check(with(Relation::Required, UnitCondition::Stopped), Reason::Upstream, 0);
    check(with(Relation::Wanted, UnitCondition::NeverStarted), Reason::MaxFailures, 2);
    check(with(Relation::Wanted, UnitCondition::Active), Reason::MaxFailures, 2);
    check(with(Relation::Required, UnitCondition::Failed), Reason::MaxFailures, 2);
    check(with(Relation::Conflicting, UnitCondition::Active), Reason::Conflict, 0);
    check(with(Relation::Conflicting, UnitCondition::Stopped), Reason::MaxFailures, 2);
}

#[track_caller]
fn check_case(change: impl FnOnce(Facts<'_>) -> Decision, reason: Reason, streak: u32) {
    let decision = with_case(&failed_once(), change);
    assert_eq!((decision.reason, decision.next.counts.streak), (reason, streak));
}

#[rustfmt::skip]
#[test]
fn hands_off_what_is_paused_and_what_lacks_its_requirement() {
    let (lasting, maintenance) = (paused(), Observation::Unhealthy(Cause::Maintenance(503)));
    let failing = FailingRequirement { name: "db".to_string(), cause: StoredCause::from(&Cause::Refused), through: None };
    check_case(|case| decide(&case), Reason::MaxFailures, 2);
    check_case(|case| decide(&Facts { pause: &lasting, ..case }), Reason::Paused, 0);
    check_case(|case| decide(&Facts { seen: &maintenance, ..case }), Reason::Paused, 0);
    check_case(|case| decide(&Facts { upstream: Some(&failing), ..case }), Reason::Upstream, 0);
    check_case(|case| decide(&Facts { pause: &lasting, upstream: Some(&failing), ..case }), Reason::Paused, 0);
    // Stopped by somebody says more than that somebody also paused it.
    let stopped = UnitFacts::Known(stopped("a"));
    check_case(|case| decide(&Facts { pause: &lasting, unit: &stopped, ..case }), Reason::Stopped, 0);
    check_case(|case| decide(&Facts { pause: &lasting, seen: &Observation::Healthy, ..case }), Reason::Recovered, 0);
    // What begins between the first look and the second.
    for case_again in [Reason::Paused, Reason::Upstream] {
        check_case(|case| {
            let first = decide(&case);
            let again = look_again(&first, &match case_again {
                Reason::Paused => Facts { pause: &lasting, ..case },
                _ => Facts { upstream: Some(&failing), ..case },
            });
            assert_eq!(again.verdict, Verdict::Held(HoldReason::ChangedBeforeRestart(case_again)));
            again
        }, Reason::ChangedMeanwhile, 0);
    }
}

#[test]
fn a_pause_that_began_since_the_last_failure_and_is_over_starts_a_full_count() {
    for (since_boot, reason, streak) in
        [(9_879, Reason::MaxFailures, 2), (9_880, Reason::Counting, 1), (9_999, Reason::Counting, 1)]
    {
        let ended = PauseState::Ended { since: at("boot", since_boot, 90_000 + since_boot) };
        check_case(|case| decide(&Facts { pause: &ended, ..case }), reason, streak);
    }
}

#[test]
fn what_nothing_restarts_is_counted_and_held() {
    check_case(|case| decide(&Facts { unit: &UnitFacts::ProbeOnly, ..case }), Reason::ProbeOnly, 2);
    check_case(
        |case| decide(&Facts { unit: &UnitFacts::ProbeOnly, pause: &paused(), ..case }),
        Reason::Paused,
        0,
    );
}

#[rustfmt::skip]
#[test]
fn the_deepest_requirement_that_fails_is_named() {
    let (well, ill, unsure) = (Observation::Healthy, bad(), Observation::Unknown(Doubt::NoRoute));
    let found = |nodes: &[(&str, &[usize], Option<&Observation>)]| {
        let nodes: Vec<RequirementNode<'_>> =
            nodes.iter().map(|(name, requires, seen)| RequirementNode { name, requires, seen: *seen }).collect();
        find_failing_requirement(&nodes, 0).map(|found| (found.name, found.through.unwrap_or_default()))
    };
    let named = |name: &str, through: &str| Some((name.to_string(), through.to_string()));
    let (w, i, u) = (Some(&well), Some(&ill), Some(&unsure));
    assert_eq!(found(&[("app", &[], i)]), None);
    assert_eq!(found(&[("app", &[1], i), ("db", &[], w)]), None);
    assert_eq!(found(&[("app", &[1], i), ("db", &[], i)]), named("db", ""));
    assert_eq!(found(&[("app", &[1, 2], i), ("db", &[], w), ("cache", &[], i)]), named("cache", ""));
    assert_eq!(found(&[("app", &[1], i), ("api", &[2], i), ("db", &[], i)]), named("db", "api"));
    assert_eq!(found(&[("app", &[1], i), ("api", &[2], i), ("db", &[], w)]), named("api", ""));
    assert_eq!(found(&[("app", &[1], i), ("api", &[2], w), ("db", &[], i)]), None, "api vouches for db");
    assert_eq!(found(&[("app", &[1], i), ("api", &[2], u), ("db", &[], i)]), named("db", "api"));
    assert_eq!(found(&[("app", &[1], i), ("db", &[], u)]), None, "unknown is not down");
    assert_eq!(found(&[("app", &[1], i), ("db", &[], None)]), None);
    assert_eq!(found(&[("app", &[1], i), ("api", &[0], i)]), named("app", "api"), "a loop ends");
    assert_eq!(found(&[("app", &[7], i)]), None);
    assert_eq!(found(&[]), None);
}

#[rustfmt::skip]
#[test]
fn many_that_fail_at_once_fail_together() {
    let now = at("boot", 10_000, 100_000);
    let together = |ago: &[Option<u64>]| {
        let states: Vec<Counts> = ago.iter().map(|ago| Counts {
            since: ago.filter(|ago| *ago > 0).map(|ago| at("boot", 10_000 - ago, 100_000 - ago)), ..Counts::default()
        }).collect();
        let (well, ill) = (Observation::Healthy, bad());
        let pairs: Vec<_> = states.iter().zip(ago).map(|(state, ago)| (state, if ago.is_some() { &ill } else { &well })).collect();
        failed_together(&now, &pairs)
    };
    let (ok, n) = (None, Some);
    assert_eq!(together(&[n(0), n(0), n(0)]), [0, 1, 2]);
    assert_eq!(together(&[n(0), n(0)]), Vec::<usize>::new(), "two may be chance");
    assert_eq!(together(&[n(0), n(120), n(0), ok]), [0, 1, 2], "within two runs");
    assert_eq!(together(&[n(0), n(240), n(0)]), Vec::<usize>::new());
    assert_eq!(together(&[n(0), n(0), n(0), ok, ok, ok]), [0, 1, 2], "half of the plan");
    assert_eq!(together(&[n(0), n(0), n(0), ok, ok, ok, ok]), Vec::<usize>::new(), "less than half");
    assert_eq!(together(&[n(7200), n(7100), n(7130), n(0)]), [0, 1, 2], "and for as long as it lasts");
    assert_eq!(together(&[]), Vec::<usize>::new());
}

#[test]
fn restarts_in_vain_of_all_together_have_a_budget_of_their_own() {
    let now = at("boot", 10_000, 100_000);
    let state = |ago: u64, outcome| Counts {
        restarts: vec![Restart {
            act: StepKind::Restart,
            at: at("boot", 10_000 - ago, 100_000 - ago),
            outcome,
            cause: None,
            incarnation: None,
        }],
        ..Counts::default()
    };
    let (vain, old, well) =
        (state(600, Outcome::NotHealed), state(3_000, Outcome::Unknown), state(60, Outcome::Healed));
    let until = |states: &[&Counts], most| shared_budget_wait(&now, states, most, s(3_600));
    assert_eq!(until(&[&vain, &old, &well], 3), None);
    assert_eq!(until(&[&vain, &old, &well], 2), Some(s(600)), "when the older of them is an hour old");
    assert_eq!(until(&[&vain, &old, &well], 1), Some(s(3_000)));
    assert_eq!(until(&[&well, &well], 1), None, "what helps may go on");
    check_case(|case| decide(&Facts { common_cause: Some(s(9)), ..case }), Reason::CommonCause, 2);
    let busy = HostFacts { pressure: Some("memory".to_string()), ..host() };
    check_case(|case| decide(&Facts { host: &busy, ..case }), Reason::HostPressure, 2);
}

#[test]
fn hands_off_while_the_host_boots_or_goes_down() {
    let check = |host: HostFacts, reason, streak| {
        check_in(&host, &policy(), &failed_once(), UnitFacts::Known(running("a")), reason, streak);
    };
    check(HostFacts { stopping: true, ..host() }, Reason::HostStopping, 0);
    check(HostFacts { starting: Some(s(60)), ..host() }, Reason::HostStarting, 0);
    check(HostFacts { time_left: s(29), ..host() }, Reason::Deadline, 2);
    check(HostFacts { time_left: s(30), ..host() }, Reason::MaxFailures, 2);
}

#[test]
fn what_cannot_be_told_neither_counts_nor_resets() {
    let asked_in_vain = UnitFacts::QueryFailed(Doubt::UnitUnknown("no answer".to_string()));
    check_in(&host(), &policy(), &failed_once(), asked_in_vain, Reason::UnitUnknown, 1);
    let none = UnitFacts::QueryFailed(Doubt::NoSystemd("not booted".to_string()));
    check_in(&host(), &policy(), &failed_once(), none, Reason::NoSystemd, 1);
    check_in(&host(), &policy(), &failed_once(), UnitFacts::NotQueried, Reason::UnitUnknown, 1);
}

#[test]
fn a_restart_command_has_no_unit_but_a_life_of_its_own() {
    let check = |before: &Counts, running, reason, streak| {
        check_in(&host(), &policy(), before, UnitFacts::Command { running }, reason, streak);
    };
    let once = Counts { incarnation: None, ..failed_once() };
    check(&once, false, Reason::MaxFailures, 2);
    check(&once, true, Reason::UnitBusy, 0);
    let restart = Restart {
        act: StepKind::Restart,
        at: at("boot", 9_980, 99_980),
        outcome: Outcome::NotHealed,
        cause: None,
        incarnation: None,
    };
    check(&Counts { restarts: vec![restart], ..once }, false, Reason::Grace, 1);
}

#[test]
fn the_hold_that_ends_later_is_named() {
    let spent = |age: u64| Restart {
        act: StepKind::Restart,
        cause: None,
        at: at("boot", 10_000 - age, 100_000 - age),
        outcome: Outcome::NotHealed,
        incarnation: Some("a".to_string()),
    };
    let backoff = |step, age: u64| Some(Backoff { step, from: at("boot", 10_000 - age, 100_000 - age) });
    let one = Policy { budget: BudgetRule { restarts: 1, window: s(3600) }, ..policy() };
    let base = failed_once();
    let left = |policy: &Policy, restarts, backoff| {
        let before = Counts { restarts, backoff, ..base.clone() };
        match with_case(&before, |case| decide(&Facts { policy, ..case })).verdict {
            Verdict::Held(hold) => (hold.reason(), hold.time_left()),
            other => (other.reason(), None),
        }
    };
    assert_eq!(left(&one, vec![spent(3599)], None), (Reason::Budget, Some(s(1))));
    assert_eq!(left(&one, vec![spent(3600)], None), (Reason::MaxFailures, None));
    assert_eq!(left(&one, vec![spent(3000)], backoff(9, 600)), (Reason::Backoff, Some(s(3000))));
    assert_eq!(left(&one, vec![spent(600)], backoff(1, 60)), (Reason::Budget, Some(s(3000))));
    assert_eq!(left(&policy(), vec![], backoff(1, 109)), (Reason::Backoff, Some(s(11))));
    assert_eq!(left(&policy(), vec![], backoff(1, 110)), (Reason::MaxFailures, None), "ten seconds of slack");
}

#[test]
fn the_look_right_before_a_restart_must_show_the_same_picture() {
    let (now, policy, before) = (at("boot", 10_000, 100_000), policy(), failed_once());
    let (host, unit) = (host(), UnitFacts::Known(running("a")));
    let seen = bad();
    let case = Facts {
        now: &now,
        host: &host,
        policy: &policy,
        before: &before,
        seen: &seen,
        unit: &unit,
        pause: &PauseState::None,
        upstream: None,
        common_cause: None,
    };
    let first = decide(&case);
    let again = |seen: &Observation, unit: &UnitFacts, host: &HostFacts| {
        let decision = look_again(&first, &Facts { host, seen, unit, ..case });
        (decision.verdict.kind(), decision.reason, decision.next.counts.streak)
    };
    let healthy = Observation::Healthy;
    let unknown = Observation::Unknown(Doubt::NoDescriptors);
    assert_eq!(again(&seen, &unit, &host), (VerdictKind::Restart, Reason::MaxFailures, 2));
    assert_eq!(again(&healthy, &unit, &host), (VerdictKind::Recovered, Reason::HealedItself, 0));
    assert_eq!(again(&unknown, &unit, &host), (VerdictKind::Unknown, Reason::Unknown, 2));
    let held = |reason, streak| (VerdictKind::Held, reason, streak);
    assert_eq!(again(&seen, &UnitFacts::Known(stopped("a")), &host), held(Reason::ChangedMeanwhile, 0));
    assert_eq!(again(&seen, &UnitFacts::Known(running("b")), &host), held(Reason::ChangedMeanwhile, 0));
    let late = HostFacts { time_left: s(5), ..host.clone() };
    assert_eq!(again(&seen, &unit, &late), held(Reason::Deadline, 2));
    // With max_failures = 1 and no min_gap another incarnation is due as well: but it is another one.
    let eager = Policy { max_failures: 1, min_gap: s(0), ..policy.clone() };
    let case = Facts { policy: &eager, ..case };
    let first = decide(&case);
    let other = UnitFacts::Known(running("b"));
    assert_eq!(look_again(&first, &Facts { unit: &other, ..case }).reason, Reason::ChangedMeanwhile);
    assert_eq!(look_again(&first, &case).reason, Reason::MaxFailures);
    // The second look of one tick is not a second tick in which the life went on.
    let crashed = UnitFacts::Known(UnitSnapshot { own_restarts: 1, ..running("b") });
    let first = decide(&Facts { unit: &crashed, ..case });
    assert_eq!(look_again(&first, &Facts { unit: &crashed, ..case }).next.counts.lives, 1);
}

#[test]
fn longest_waiting_first() {
    let now = at("boot", 10_000, 100_000);
    let decision = |since: u64, verdict: Verdict| Decision {
        reason: verdict.reason(),
        verdict,
        next: State {
            counts: Counts { since: Some(at("boot", since, 90_000 + since)), ..Counts::default() },
            ..State::default()
        },
        counted: true,
        earlier: None,
    };
    let fresh = Counts::default();
    let waited = Counts { put_off: true, ..Counts::default() };
    let young = decision(9_900, Verdict::Restart(StepKind::Restart));
    let old = decision(9_000, Verdict::Restart(StepKind::Restart));
    let other = decision(1, Verdict::Failing(NotDue::Counting));
    let order = restart_order(&now, &[(&fresh, &young), (&fresh, &old), (&fresh, &other), (&waited, &young)]);
    assert_eq!(order, [3, 1, 0]);
}

#[test]
fn systemd_is_asked_only_when_the_answer_matters() {
    let now = at("boot", 10_000, 100_000);
    let known = Counts::default().looked("a.service", &now);
    let asks = |state: &Counts, seen: &Observation| needs_unit_query(state, seen, "a.service", &now);
    assert!(asks(&known, &bad()));
    assert!(!asks(&known, &Observation::Healthy));
    assert!(!asks(&Counts::default(), &Observation::Unknown(Doubt::NoRoute)));
    assert!(asks(&Counts::default(), &Observation::Healthy), "once for each boot and unit");
    assert!(needs_unit_query(&known, &Observation::Healthy, "b.service", &now), "the unit has another name");
    assert!(needs_unit_query(&known, &Observation::Healthy, "a.service", &at("next", 5, 100_100)));
    let counted = failed_once().looked("a.service", &now);
    assert!(!asks(&counted, &Observation::Healthy));
    let intended = intend(&counted, &policy(), &UnitFacts::Known(running("a")), &now, &now);
    assert!(asks(&intended, &Observation::Healthy), "the end of a restart is not known");
}

#[test]
fn time_between_two_moments() {
    let then = at("a", 100, 5_000);
    assert_eq!(at("a", 160, 5_060).elapsed_since(&then), s(60));
    assert_eq!(at("a", 160, 9_999).elapsed_since(&then), s(60), "set forward");
    assert_eq!(at("a", 160, 1).elapsed_since(&then), s(60), "set back");
    assert_eq!(at("b", 30, 8_000).elapsed_since(&then), s(3_000), "another boot: the wall clock");
    assert_eq!(
        at("b", 9_000, 5_060).elapsed_since(&then),
        s(60),
        "a container's boot: the uptime is the machine's"
    );
    assert_eq!(at("b", 30, 1).elapsed_since(&then), s(0), "set back over a boot: see `not_after`");
    assert_eq!(Moment { boot: None, ..at("a", 160, 5_007) }.elapsed_since(&then), s(7), "no boot id");
}

#[test]
fn every_code_is_found_again_and_none_stands_twice() {
    let codes: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    for (place, code) in codes.iter().enumerate() {
        assert_eq!(Reason::from_code(code), Some(Reason::ALL[place]));
    }
    for kind in VerdictKind::ALL {
        assert_eq!(VerdictKind::from_code(kind.code()), Some(*kind));
    }
    assert_eq!(Reason::from_code(&String::from("nonsense")), None);
}

#[test]
fn what_lies_before_the_next_restart() {
    let now = at("boot", 10_000, 100_000);
    let look = |state: &Counts| {
        let outlook = restart_outlook(state, &policy(), &now);
        (outlook.failures, outlook.bound.map(|hold| hold.reason()), outlook.spent)
    };
    assert_eq!(look(&Counts::default()), (2, None, 0));
    assert_eq!(look(&failed_once()), (1, None, 0));
    let stale = Counts { failed_at: Some(at("boot", 9_000, 99_000)), ..failed_once() };
    assert_eq!(look(&stale), (2, None, 0), "an old streak starts again");
    let intended =
        intend(&Counts { streak: 2, ..failed_once() }, &policy(), &UnitFacts::NotQueried, &now, &now);
    assert_eq!(look(&intended), (2, Some(Reason::Backoff), 1));
}

#[test]
fn a_reset_forgets_all_but_a_restart_whose_end_is_not_known() {
    let now = at("boot", 10_000, 100_000);
    let intended = intend(&failed_once(), &policy(), &UnitFacts::NotQueried, &now, &now);
    let cleared = |counts: &Counts| reset_state(&State { counts: counts.clone(), ..State::default() }).counts;
    let fresh = cleared(&intended);
    assert_eq!((fresh.streak, fresh.failures, fresh.backoff.clone(), fresh.restarts.len()), (0, 1, None, 1));
    assert_eq!((fresh.intent.is_some(), fresh.since.is_some()), (true, true));
    let settled =
        settle(&failed_once(), &intended, RestartResult::NotHealed, &UnitFacts::Known(running("b")), &now);
    assert_eq!(cleared(&settled).restarts, []);
    // What held it by budget or backoff is gone; what somebody else does holds on.
    for (held, left) in [
        (Reason::Backoff, Reason::Counting),
        (Reason::Budget, Reason::Counting),
        (Reason::Stopped, Reason::Stopped),
    ] {
        let account = Account { verdict: VerdictKind::Held, reason: held, ..Account::default() };
        assert_eq!(reset_state(&State { counts: failed_once(), account }).account.reason, left);
    }
}

#[test]
fn an_incident_that_begins_with_what_cannot_be_told_finds_no_old_backoff_either() {
    let before = Counts {
        healthy_since: Some(at("boot", 5_000, 95_000)),
        backoff: Some(Backoff { step: 3, from: at("boot", 4_000, 94_000) }),
        ..Counts::default()
    };
    let seen = Observation::Unknown(Doubt::NoRoute);
    let decision =
        with_case(&before, |case| decide(&Facts { seen: &seen, unit: &UnitFacts::NotQueried, ..case }));
    assert_eq!(decision.next.counts.backoff, None);
}
