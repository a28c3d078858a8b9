//! What a tick leaves behind for the next one and for people, and where each bound begins and ends.

use super::*;

#[test]
fn a_healthy_answer_closes_the_incident_and_keeps_what_bounds_restarts() {
    let before = Counts { evidence: HealthRecord::NotEvenAfterRestart, ..in_the_middle_of_it() };
    let told = told_in_the_middle_of_it();
    let decision =
        with_case(&before, |case| crate::decide(&Facts { seen: &Observation::Healthy, ..case }, &told));
    let counts = Counts {
        streak: 0,
        failures: 0,
        successes: 0,
        lives: 0,
        rungs: 0,
        put_off: false,
        incarnation: None,
        since: None,
        healthy_since: Some(ago(0)),
        recent: FailureWindow(0b1010),
        evidence: HealthRecord::WasHealthy,
        ..before
    };
    let account = Account {
        verdict: VerdictKind::Recovered,
        reason: Reason::Recovered,
        cause: None,
        said: None,
        standing: None,
        together: None,
        ..told
    };
    let expected = (Verdict::Recovered { failures: 3 }, State { counts, account });
    assert_eq!((decision.verdict, decision.next), expected);
}

#[test]
fn an_answer_while_the_unit_is_between_two_lives_proves_nothing() {
    let busy = UnitFacts::Known(UnitSnapshot { active: ActiveState::Changing, ..running("a") });
    let intended =
        intend(&in_the_middle_of_it(), &policy(), &UnitFacts::Known(running("a")), &ago(9), &ago(5));
    let answers = |before: &Counts| {
        with_case(before, |case| decide(&Facts { seen: &Observation::Healthy, unit: &busy, ..case })).verdict
    };
    assert_eq!(answers(&intended), Verdict::Recovering { successes: 0, of: 1 });
    assert_eq!(
        answers(&in_the_middle_of_it()),
        Verdict::Recovered { failures: 3 },
        "not by a restart of ours"
    );
}

#[rustfmt::skip]
#[test]
fn a_tick_leaves_its_verdict_and_its_answer_for_people() {
    let left = |seen: Observation, before: &Counts| {
        let next = with_case(before, |case| decide(&Facts { seen: &seen, ..case })).next.account;
        (next.verdict, next.reason, next.cause.map(|cause| cause.to_string()).unwrap_or_default())
    };
    let said = |kind, reason, cause: &str| (kind, reason, cause.to_string());
    let open = in_the_middle_of_it();
    assert_eq!(left(bad(), &Counts::default()), said(VerdictKind::Failing, Reason::Counting, "status 502"));
    assert_eq!(left(bad(), &open), said(VerdictKind::Held, Reason::NeverHealthy, "status 502"));
    assert_eq!(left(Observation::Unknown(Doubt::NoRoute), &open), said(VerdictKind::Unknown, Reason::Unknown, "no_route"));
    assert_eq!(left(Observation::Healthy, &open), said(VerdictKind::Recovered, Reason::Recovered, ""));
}

#[test]
fn what_healed_right_before_its_restart_is_remembered_so() {
    let before = Counts { evidence: HealthRecord::WasHealthy, ..in_the_middle_of_it() };
    let next = with_case(&before, |case| {
        let first = decide(&case);
        assert_eq!(first.verdict, Verdict::Restart(StepKind::Restart));
        look_again(&first, &Facts { seen: &Observation::Healthy, ..case }).next.account
    });
    assert_eq!((next.verdict, next.reason), (VerdictKind::Recovered, Reason::HealedItself));
}

#[test]
fn a_stop_that_our_restart_explains_is_not_taken_for_a_persons() {
    let requirement =
        |condition| RelatedUnit { unit: "db.service".to_string(), relation: Relation::Required, condition };
    let intended =
        intend(&in_the_middle_of_it(), &policy(), &UnitFacts::Known(running("a")), &ago(120), &ago(120));
    let reason = |before: &Counts, condition| {
        let unit =
            UnitFacts::Known(UnitSnapshot { neighbours: vec![requirement(condition)], ..stopped("a") });
        with_case(before, |case| decide(&Facts { unit: &unit, ..case })).reason
    };
    assert_eq!(reason(&intended, UnitCondition::Failed), Reason::Counting, "its start half had to fail");
    assert_eq!(reason(&intended, UnitCondition::Active), Reason::Stopped);
    assert_eq!(reason(&in_the_middle_of_it(), UnitCondition::Failed), Reason::Stopped, "no restart of ours");
}

#[test]
fn where_budget_and_backoff_end_together_the_budget_is_named() {
    let one = Policy { budget: BudgetRule { restarts: 1, window: s(3_600) }, ..policy() };
    let held = |backoff_from| {
        let restarts = vec![restarted(ago(600), Outcome::NotHealed)];
        let backoff = Some(Backoff { step: 9, from: ago(backoff_from) });
        restart_outlook(&Counts { restarts, backoff, ..Counts::default() }, &one, &ago(0)).bound
    };
    assert_eq!(held(600), Some(Withheld::Budget { left: s(3_000) }));
    assert_eq!(held(599), Some(Withheld::Backoff { left: s(3_001) }));
}

/// A stamp that lies in the future is taken for now, and is not this run's own for that.
#[test]
fn a_failure_of_the_future_is_no_second_look_of_this_run() {
    let tomorrow = Counts { failed_at: Some(at("boot", 90_000, 180_000)), ..in_the_middle_of_it() };
    let decision = with_case(&tomorrow, |case| decide(&case));
    assert_eq!((decision.reason, decision.counted), (Reason::TooSoon, false));
}

#[test]
fn a_failure_as_far_from_the_last_as_min_gap_counts() {
    let counted = |seconds| {
        let before = Counts { failed_at: Some(ago(seconds)), ..in_the_middle_of_it() };
        with_case(&before, |case| decide(&case)).counted
    };
    assert!(counted(45) && !counted(44));
}

#[test]
fn it_takes_two_outages_to_flap() {
    let flapping = FlappingRule { failures: 3, of: 6, then: FlappingAction::ReportOnly };
    let patient = Policy { max_failures: 9, flapping, ..policy() };
    let flaps = |bits| {
        let before = Counts { recent: FailureWindow(bits), flapping: false, ..in_the_middle_of_it() };
        with_case(&before, |case| decide(&Facts { policy: &patient, ..case })).next.counts.flapping
    };
    assert!(!flaps(0b11), "three in a row");
    assert!(flaps(0b101));
    assert!(!flaps(0b10), "two in all");
}

#[rustfmt::skip]
#[test]
fn outages_are_told_from_failures() {
    let told = |bits| (FailureWindow(bits).count_failures(), FailureWindow(bits).count_outages());
    assert_eq!(told(0), (0, 0));
    assert_eq!(told(0b1), (1, 1));
    assert_eq!(told(0b111), (3, 1));
    assert_eq!(told(0b1_0011), (3, 2));
    assert_eq!(told(1 << 63 | 0b110), (3, 2));
    assert_eq!(FailureWindow(0b101).add_failure(3), FailureWindow(0b011), "what is older than `of` runs is forgotten");
    assert_eq!(FailureWindow(u64::MAX).add_healthy(64), FailureWindow(u64::MAX - 1));
    assert_eq!((FailureWindow(0b1).add_failure(0), FailureWindow(0b1).add_failure(99)), (FailureWindow(0b1), FailureWindow(0b11)), "of at least one, at most 64");
}

/// Without a streak, and so without the count that another life begins anew.
#[test]
fn what_is_restarted_for_flapping_is_not_if_another_life_began_meanwhile() {
    let flapping = FlappingRule { failures: 5, of: 12, then: FlappingAction::Restart };
    let (policy, other) = (Policy { flapping, ..policy() }, UnitFacts::Known(running("b")));
    let before = Counts { evidence: HealthRecord::WasHealthy, ..in_the_middle_of_it() };
    with_case(&before, |case| {
        let case = Facts { policy: &policy, ..case };
        let first = decide(&case);
        assert_eq!(look_again(&first, &case).verdict, Verdict::Restart(StepKind::Restart));
        let again = look_again(&first, &Facts { unit: &other, ..case }).verdict;
        assert_eq!(again, Verdict::Held(HoldReason::ChangedBeforeRestart(Reason::Counting)));
    });
}

#[test]
fn what_would_hold_a_restart_is_told_of_a_healthy_service_too() {
    let (pause, gone) =
        (paused(), UnitFacts::Known(UnitSnapshot { load: LoadState::NotFound, ..running("a") }));
    let waiting = Counts {
        backoff: Some(Backoff { step: 2, from: ago(120) }),
        evidence: HealthRecord::WasHealthy,
        ..in_the_middle_of_it()
    };
    let told = |before: &Counts, change: &dyn Fn(Facts<'_>) -> Option<HoldReason>| {
        with_case(before, |case| change(Facts { seen: &Observation::Healthy, ..case }))
            .map(|hold| hold.reason())
    };
    assert_eq!(told(&Counts::default(), &|case| blocking_hold(&case)), None);
    assert_eq!(
        told(&Counts::default(), &|case| blocking_hold(&Facts { pause: &pause, ..case })),
        Some(Reason::Paused)
    );
    assert_eq!(
        told(&Counts::default(), &|case| blocking_hold(&Facts { unit: &gone, ..case })),
        Some(Reason::NotFound)
    );
    assert_eq!(told(&waiting, &|case| blocking_hold(&case)), Some(Reason::Backoff));
    // Somebody else's life: their restart clears the wait.
    let other = UnitFacts::Known(running("b"));
    assert_eq!(told(&waiting, &|case| blocking_hold(&Facts { unit: &other, ..case })), None);
    // A restart that is still open counts as one that brought no proof.
    let restarts = vec![restarted(ago(300), Outcome::Unknown)];
    let open =
        Counts { restarts, evidence: HealthRecord::NeverHealthy, backoff: None, ..in_the_middle_of_it() };
    assert_eq!(told(&open, &|case| blocking_hold(&case)), Some(Reason::NeverHealthy));
}

#[test]
fn stamps_of_the_future_become_now_and_those_of_the_past_stay() {
    let tomorrow = at("boot", 99_999, 199_999);
    let stamped = |at: &Moment| Counts {
        failed_at: Some(at.clone()),
        since: Some(at.clone()),
        healthy_since: Some(at.clone()),
        restarts: vec![restarted(at.clone(), Outcome::NotHealed)],
        backoff: Some(Backoff { step: 1, from: at.clone() }),
        ..in_the_middle_of_it()
    };
    assert_eq!(stamped(&tomorrow).not_after(&ago(0)), stamped(&ago(0)));
    assert_eq!(in_the_middle_of_it().not_after(&ago(0)), in_the_middle_of_it());
    let told = |at: &Moment| Account {
        standing: Some(Ongoing { since: at.clone(), runs: 2, told: at.clone() }),
        ..told_in_the_middle_of_it()
    };
    assert_eq!(told(&tomorrow).not_after(&ago(0)), told(&ago(0)));
    assert_eq!(told(&ago(9)).not_after(&ago(0)), told(&ago(9)));
}

#[test]
fn a_moment_is_not_before_itself() {
    let (now, other_boot) = (at("a", 100, 5_000), at("b", 7, 5_000));
    assert!(!now.is_before(&now) && !now.is_before(&other_boot) && !other_boot.is_before(&now));
    assert!(now.is_before(&at("a", 101, 4_000)), "within a boot the wall clock says nothing");
    assert!(now.is_before(&at("b", 7, 5_001)) && !at("b", 7, 5_001).is_before(&now));
    assert_eq!(now.plus(s(60)), at("a", 160, 5_060));
}

#[test]
fn only_a_requirement_that_failed_explains_a_unit_that_never_started() {
    let reason = |relation, condition| {
        let unit = "db.service".to_string();
        let neighbours = vec![RelatedUnit { unit, relation, condition }];
        let never = ended("a", ActiveState::Inactive, UnitResult::Success, 0, 0);
        let unit = UnitFacts::Known(UnitSnapshot { active_enter: s(0), neighbours, ..never });
        with_case(&in_the_middle_of_it(), |case| decide(&Facts { unit: &unit, ..case })).reason
    };
    assert_eq!(reason(Relation::Required, UnitCondition::Failed), Reason::NeverHealthy);
    assert_eq!(reason(Relation::Required, UnitCondition::Active), Reason::NeverStarted);
    assert_eq!(reason(Relation::Wanted, UnitCondition::Failed), Reason::NeverStarted);
}
