//! What a tick leaves behind for the next one and for people, and where each bound begins and ends.

use super::*;

#[test]
fn a_healthy_answer_closes_the_incident_and_keeps_what_bounds_restarts() {
    let before = State { evidence: Evidence::NotByRestart, ..in_the_middle_of_it() };
    let decision = with_case(&before, |case| decide(&Case { seen: &Observation::Healthy, ..case }));
    let expected = State {
        streak: 0,
        failures: 0,
        successes: 0,
        lives: 0,
        incarnation: None,
        since: None,
        healthy_since: Some(ago(0)),
        verdict: VerdictKind::Recovered,
        reason: Reason::Recovered,
        cause: None,
        recent: Recent(0b1010),
        evidence: Evidence::Healthy,
        standing: None,
        together: None,
        ..before
    };
    assert_eq!((decision.verdict, decision.next), (Verdict::Recovered { failures: 3 }, expected));
}

#[test]
fn an_answer_while_the_unit_is_between_two_lives_proves_nothing() {
    let busy = Unit::Seen(Life { active: Active::Busy, ..running("a") });
    let intended = intend(&in_the_middle_of_it(), &policy(), &Unit::Seen(running("a")), &ago(9), &ago(5));
    let answers = |before: &State| {
        with_case(before, |case| decide(&Case { seen: &Observation::Healthy, unit: &busy, ..case })).verdict
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
    let left = |seen: Observation, before: &State| {
        let next = with_case(before, |case| decide(&Case { seen: &seen, ..case })).next;
        (next.verdict, next.reason, next.cause.unwrap_or_default())
    };
    let said = |kind, reason, cause: &str| (kind, reason, cause.to_string());
    let open = in_the_middle_of_it();
    assert_eq!(left(bad(), &State::default()), said(VerdictKind::Failing, Reason::Counting, "status 502"));
    assert_eq!(left(bad(), &open), said(VerdictKind::Held, Reason::NeverHealthy, "status 502"));
    assert_eq!(left(Observation::Unknown(Doubt::NoRoute), &open), said(VerdictKind::Unknown, Reason::Unknown, "no_route"));
    assert_eq!(left(Observation::Healthy, &open), said(VerdictKind::Recovered, Reason::Recovered, ""));
}

#[test]
fn what_healed_right_before_its_restart_is_remembered_so() {
    let before = State { evidence: Evidence::Healthy, ..in_the_middle_of_it() };
    let next = with_case(&before, |case| {
        let first = decide(&case);
        assert_eq!(first.verdict, Verdict::Restart);
        look_again(&first, &Case { seen: &Observation::Healthy, ..case }).next
    });
    assert_eq!((next.verdict, next.reason), (VerdictKind::Recovered, Reason::HealedItself));
}

#[test]
fn a_stop_that_our_restart_explains_is_not_taken_for_a_persons() {
    let requirement =
        |condition| Neighbour { unit: "db.service".to_string(), relation: Relation::Required, condition };
    let intended = intend(&in_the_middle_of_it(), &policy(), &Unit::Seen(running("a")), &ago(120), &ago(120));
    let reason = |before: &State, condition| {
        let unit = Unit::Seen(Life { neighbours: vec![requirement(condition)], ..stopped("a") });
        with_case(before, |case| decide(&Case { unit: &unit, ..case })).reason
    };
    assert_eq!(reason(&intended, Condition::Failed), Reason::Counting, "its start half had to fail");
    assert_eq!(reason(&intended, Condition::Active), Reason::Stopped);
    assert_eq!(reason(&in_the_middle_of_it(), Condition::Failed), Reason::Stopped, "no restart of ours");
}

#[test]
fn where_budget_and_backoff_end_together_the_budget_is_named() {
    let one = Policy { budget: Budget { restarts: 1, window: s(3_600) }, ..policy() };
    let held = |backoff_from| {
        let restarts = vec![restarted(ago(600), Outcome::NotHealed)];
        let backoff = Some(Backoff { step: 9, from: ago(backoff_from) });
        outlook(&State { restarts, backoff, ..State::default() }, &one, &ago(0)).bound
    };
    assert_eq!(held(600), Some(Hold::Budget { left: s(3_000) }));
    assert_eq!(held(599), Some(Hold::Backoff { left: s(3_001) }));
}

/// A stamp that lies in the future is taken for now, and is not this run's own for that.
#[test]
fn a_failure_of_the_future_is_no_second_look_of_this_run() {
    let tomorrow = State { failed_at: Some(at("boot", 90_000, 180_000)), ..in_the_middle_of_it() };
    let decision = with_case(&tomorrow, |case| decide(&case));
    assert_eq!((decision.reason, decision.counted), (Reason::TooSoon, false));
}
