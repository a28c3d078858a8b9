//! What is told to those who ask, and what a person clears.

use super::*;

#[test]
fn a_streak_is_old_only_after_stale_after_and_a_quarter_of_it() {
    let missing = |seconds| {
        let state = Counts { streak: 1, failed_at: Some(ago(seconds)), ..Counts::default() };
        restart_outlook(&state, &policy(), &ago(0)).failures
    };
    assert_eq!((missing(600), missing(601), missing(750), missing(751)), (1, 1, 1, 2));
    // And what counts is of the same mind.
    let counted = |seconds| {
        let state = Counts { streak: 1, failed_at: Some(ago(seconds)), ..in_the_middle_of_it() };
        with_case(&Counts { backoff: None, evidence: HealthRecord::WasHealthy, ..state }, |case| {
            decide(&case).reason
        })
    };
    assert_eq!(
        (counted(600), counted(750), counted(751)),
        (Reason::MaxFailures, Reason::MaxFailures, Reason::Counting)
    );
}

/// What starts a run is never as punctual as a clock, and what adds up must not depend on that.
#[test]
fn a_schedule_of_exactly_stale_after_adds_up_however_late_a_run_is() {
    for (every, late, adds_up) in [
        (600_000, 0, true),
        (600_000, 1, true),
        (600_000, 60_000, true),
        (120_000, 1, true),
        (900_000, 0, false),
        (900_000, 60_000, false),
    ] {
        let stale_after = Duration::from_millis(every.min(600_000));
        let policy = Policy { stale_after, ..policy() };
        for gap in [every - late, every + late] {
            assert_eq!(!policy.is_stale(Duration::from_millis(gap)), adds_up, "{every} ms, {late} ms late");
        }
    }
}

/// People are shown the count that the next run will find.
#[test]
fn a_pause_leaves_nothing_of_what_failed_before_it() {
    let counted = Counts { streak: 1, failed_at: Some(ago(60)), ..Counts::default() };
    let over = |seconds| PauseState::Ended { since: ago(seconds) };
    for (pause, streak) in [(PauseState::None, 1), (paused(), 0), (over(59), 0), (over(60), 0), (over(61), 1)]
    {
        assert_eq!(counted.clone().after_pause(&pause, &ago(0)).streak, streak, "{pause:?}");
    }
}

#[test]
fn a_restart_as_old_as_the_window_is_spent_no_more() {
    let spent = |seconds| {
        let state = Counts { restarts: vec![restarted(ago(seconds), Outcome::Healed)], ..Counts::default() };
        restart_outlook(&state, &policy(), &ago(0)).spent
    };
    assert_eq!((spent(3_599), spent(3_600)), (1, 0));
}

#[test]
fn the_next_tick_finds_the_unit_as_much_older_as_it_comes_later() {
    let reason = |age, failed| {
        let state = Counts { failed_at: Some(ago(failed)), ..in_the_middle_of_it() };
        let unit = UnitFacts::Known(UnitSnapshot { age: Some(s(age)), ..running("a") });
        with_case(&state, |case| foresee(&Facts { unit: &unit, ..case }).reason)
    };
    assert_eq!(reason(29, 45), Reason::Grace, "it may come at once");
    assert_eq!(reason(29, 44), Reason::NeverHealthy, "a second from now at the earliest");
    assert_eq!((reason(20, 35), reason(19, 35)), (Reason::NeverHealthy, Reason::Grace));
    let fallen = UnitFacts::Known(UnitSnapshot { disabled: true, ..crashed("b") });
    let foreseen = with_case(&in_the_middle_of_it(), |case| foresee(&Facts { unit: &fallen, ..case }).reason);
    assert_eq!(foreseen, Reason::Disabled, "of the unit that was seen");
    let tomorrow = Counts { failed_at: Some(at("boot", 99_999, 199_999)), ..in_the_middle_of_it() };
    let foreseen = with_case(&tomorrow, |case| foresee(&case).reason);
    assert_eq!(
        foreseen,
        Reason::NeverHealthy,
        "a stamp of the future is taken for now, not for the next tick"
    );
}

#[test]
fn a_reset_clears_the_count_the_wait_and_the_budget_and_keeps_the_incident() {
    let counts = Counts {
        streak: 0,
        lives: 0,
        rungs: 0,
        recent: FailureWindow::default(),
        flapping: false,
        evidence: HealthRecord::NeverHealthy,
        failed_at: None,
        backoff: None,
        restarts: vec![],
        ..in_the_middle_of_it()
    };
    let told = |verdict, reason| Account { verdict, reason, ..told_in_the_middle_of_it() };
    let after = |reason| {
        reset_state(&State { counts: in_the_middle_of_it(), account: told(VerdictKind::Held, reason) })
    };
    for bound in [Reason::Budget, Reason::Backoff] {
        let account = told(VerdictKind::Failing, Reason::Counting);
        assert_eq!(after(bound), State { counts: counts.clone(), account });
    }
    let account = told(VerdictKind::Held, Reason::Paused);
    assert_eq!(after(Reason::Paused), State { counts, account }, "what it does not clear holds on");
    let proven = Counts { evidence: HealthRecord::WasHealthy, ..in_the_middle_of_it() };
    let after = reset_state(&State { counts: proven, ..State::default() });
    assert_eq!(after.counts.evidence, HealthRecord::WasHealthy, "once healthy is not forgotten");
}

#[test]
fn another_question_takes_nothing_of_what_was_counted_but_keeps_the_budget() {
    let before = in_the_middle_of_it();
    assert_eq!(before.clone().for_fingerprint(FINGERPRINT), before);
    let unnamed = Counts { fingerprint: None, ..before.clone() };
    assert_eq!(unnamed.for_fingerprint(FINGERPRINT), before, "nobody said: it is taken over");
    let intent = Some(Intent {
        incarnation: None,
        boot: Some("boot".to_string()),
        was: UnitBefore::Up,
        process: None,
    });
    let other = Fingerprint { asked: 9, ..FINGERPRINT };
    let expected = Counts {
        streak: 0,
        failures: 0,
        lives: 0,
        rungs: 0,
        intent: None,
        evidence: HealthRecord::NeverHealthy,
        recent: FailureWindow::default(),
        fingerprint: Some(other),
        ..before.clone()
    };
    assert_eq!(Counts { intent, ..before.clone() }.for_fingerprint(other), expected);
    let proven = Counts { evidence: HealthRecord::WasHealthy, ..before };
    let kept = |fingerprint: Fingerprint| {
        let after = proven.clone().for_fingerprint(fingerprint);
        (after.streak, after.rungs, after.evidence, after.recent)
    };
    let restarted = Fingerprint { restarted: 9, ..FINGERPRINT };
    assert_eq!(kept(restarted), (0, 0, HealthRecord::WasHealthy, proven.recent), "it was healthy, asked so");
    assert_eq!(kept(other), (0, 0, HealthRecord::NeverHealthy, FailureWindow::default()));
    let listed = Fingerprint { escalation: Some(9), ..FINGERPRINT };
    assert_eq!(kept(listed), (1, 0, HealthRecord::WasHealthy, proven.recent), "only the steps begin anew");
}

#[test]
fn the_time_of_a_request_is_that_of_its_phases() {
    let mut times = PhaseTimes::default();
    for (phase, seconds) in
        [(Phase::Lookup, 1), (Phase::Connect, 2), (Phase::Tls, 4), (Phase::FirstByte, 8), (Phase::Rest, 16)]
    {
        times.add(phase, s(seconds));
    }
    assert_eq!(times, PhaseTimes { resolve: s(1), connect: s(2), tls: s(4), wait: s(8), read: s(16) });
    times.add(Phase::FirstByte, s(32));
    assert_eq!((times.wait, times.total()), (s(40), s(63)), "a redirect waits again");
}
