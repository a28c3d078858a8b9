//! What a restart leaves in memory: the intent before it, and each end that it can come to.

use super::*;

const SAME: &str = "a";
const NEW: &str = "b";

fn intended() -> Counts {
    let policy = Policy { escalate: vec![Step::Reload, Step::Restart], ..policy() };
    intend(&in_the_middle_of_it(), &policy, &UnitFacts::Known(running(SAME)), &ago(9), &ago(5))
}

fn settled(ended: RestartResult, unit: &UnitFacts) -> Counts {
    settle(&in_the_middle_of_it(), &intended(), ended, unit, &ago(0))
}

/// What people are told of it, of what they were told before.
fn told_after(ended: RestartResult) -> Account {
    let counted = State { counts: in_the_middle_of_it(), account: told_in_the_middle_of_it() };
    crate::record_end(&counted, &intended(), ended, &UnitFacts::Known(running(NEW)), &ago(0)).account
}

fn held(reason: Reason) -> Account {
    Account { verdict: VerdictKind::Held, reason, ..told_in_the_middle_of_it() }
}

/// `intended`, whose restart came to this.
fn came_to(outcome: Outcome, incarnation: &str) -> Counts {
    let mut state = intended();
    let restart = state.restarts.last_mut().unwrap();
    (restart.outcome, restart.incarnation) = (outcome, Some(incarnation.to_string()));
    state
}

#[test]
fn the_intent_names_what_it_will_end_and_spends_one_restart() {
    let counted = in_the_middle_of_it();
    let mut restarts = counted.restarts.clone();
    restarts.push(Restart {
        cause: Some(StoredCause::from(&Cause::Status(502))),
        ..restarted(ago(5), Outcome::Unknown)
    });
    let intent = Intent {
        incarnation: Some(SAME.to_string()),
        boot: Some("boot".to_string()),
        was: UnitBefore::Up,
        process: None,
    };
    let expected = Counts {
        streak: 0,
        recent: FailureWindow::default(),
        flapping: false,
        rungs: 2,
        restarts,
        intent: Some(intent),
        backoff: Some(Backoff { step: 2, from: ago(9) }),
        ..counted
    };
    assert_eq!(intended(), expected);
}

#[test]
fn the_intent_says_whether_the_unit_was_up() {
    let was =
        |unit: UnitFacts| intend(&Counts::default(), &policy(), &unit, &ago(0), &ago(0)).intent.unwrap().was;
    assert_eq!(was(UnitFacts::Known(running(SAME))), UnitBefore::Up);
    assert_eq!(was(UnitFacts::Known(crashed(SAME))), UnitBefore::Down);
    assert_eq!(was(UnitFacts::Command { running: false }), UnitBefore::Up);
}

#[test]
fn a_restart_as_old_as_the_window_is_forgotten_with_the_next() {
    let kept = |age| {
        let counted = Counts { restarts: vec![restarted(ago(age), Outcome::NotHealed)], ..Counts::default() };
        intend(&counted, &policy(), &UnitFacts::NotQueried, &ago(0), &ago(0)).restarts.len()
    };
    assert_eq!((kept(3_599), kept(3_600)), (2, 1));
}

/// A budget of one, or a window that is over before the next restart, must not hide that restarts do not help.
#[test]
fn the_restart_before_is_kept_for_as_long_as_the_incident_lasts() {
    let kept = |restarts, window, since| {
        let policy = Policy { budget: BudgetRule { restarts, window: s(window) }, ..policy() };
        let earlier = vec![restarted(ago(900), Outcome::NotHealed), restarted(ago(600), Outcome::NotHealed)];
        let counted = Counts { restarts: earlier, since: Some(ago(since)), ..Counts::default() };
        let after = intend(&counted, &policy, &UnitFacts::NotQueried, &ago(0), &ago(0)).restarts;
        after.iter().map(|restart| ago(0).elapsed_since(&restart.at).as_secs()).collect::<Vec<_>>()
    };
    assert_eq!(kept(1, 2, 1_000), [600, 0]);
    assert_eq!(kept(1, 3_600, 1_000), [600, 0]);
    assert_eq!(kept(5, 700, 1_000), [600, 0]);
    assert_eq!(kept(5, 3_600, 1_000), [900, 600, 0]);
    assert_eq!(kept(1, 2, 599), [0], "of another incident");
}

#[test]
fn a_restart_that_healed_closes_the_incident() {
    let expected = Counts {
        failures: 0,
        successes: 0,
        incarnation: None,
        since: None,
        rungs: 0,
        healthy_since: Some(ago(0)),
        intent: None,
        evidence: HealthRecord::WasHealthy,
        ..came_to(Outcome::Healed, NEW)
    };
    assert_eq!(settled(RestartResult::Healed, &UnitFacts::Known(running(NEW))), expected);
    let told = Account {
        verdict: VerdictKind::Recovered,
        reason: Reason::Recovered,
        cause: None,
        said: None,
        standing: None,
        together: None,
        ..told_in_the_middle_of_it()
    };
    assert_eq!(told_after(RestartResult::Healed), told);
}

#[test]
fn a_restart_in_vain_leaves_the_incident_open_and_knows_its_life() {
    let expected =
        Counts { intent: None, incarnation: Some(NEW.to_string()), ..came_to(Outcome::NotHealed, NEW) };
    assert_eq!(settled(RestartResult::NotHealed, &UnitFacts::Known(running(NEW))), expected);
}

#[test]
fn a_restart_that_brought_no_new_life_is_no_answer_to_what_restarts_do() {
    let mut expected = Counts { intent: None, ..came_to(Outcome::NotHealed, SAME) };
    expected.restarts.last_mut().unwrap().cause = None;
    assert_eq!(settled(RestartResult::NotHealed, &UnitFacts::Known(running(SAME))), expected);
}

#[test]
fn a_restart_that_left_the_unit_down_keeps_its_intent() {
    assert_eq!(
        settled(RestartResult::NotHealed, &UnitFacts::Known(crashed(SAME))),
        came_to(Outcome::NotHealed, SAME),
        "it says whose doing that is"
    );
}

#[test]
fn a_restart_still_running_keeps_its_intent_until_a_new_life_is_seen() {
    let adopted =
        Counts { intent: None, incarnation: Some(NEW.to_string()), ..came_to(Outcome::Unknown, NEW) };
    assert_eq!(settled(RestartResult::StillRunning, &UnitFacts::Known(running(NEW))), adopted);
    for unit in [
        UnitFacts::Known(running(SAME)),
        UnitFacts::Known(UnitSnapshot { incarnation: None, ..running(SAME) }),
        UnitFacts::Command { running: false },
        UnitFacts::QueryFailed(Doubt::UnitUnknown(String::new())),
    ] {
        assert_eq!(settled(RestartResult::StillRunning, &unit), intended(), "{unit:?}");
    }
}

#[test]
fn a_restart_that_gave_way_to_somebody_elses_job_starts_no_wait() {
    let expected = Counts {
        intent: None,
        rungs: 1,
        backoff: in_the_middle_of_it().backoff,
        ..came_to(Outcome::Refused, SAME)
    };
    assert_eq!(settled(RestartResult::Refused, &UnitFacts::Known(running(SAME))), expected);
    assert_eq!(told_after(RestartResult::Refused), held(Reason::UnitBusy));
}

#[test]
fn what_never_took_place_is_held_and_spends_nothing() {
    for (ended, reason) in [
        (RestartResult::NotStarted, Reason::NotStartable),
        (RestartResult::NotPermitted, Reason::NotPermitted),
    ] {
        assert_eq!(settled(ended, &UnitFacts::Known(running(SAME))), in_the_middle_of_it());
        assert_eq!(told_after(ended), held(reason));
    }
}

#[test]
fn what_cannot_be_done_here_leaves_its_place_to_the_next_rung() {
    let used = |escalate: Vec<Step>, unit: UnitFacts, ended| {
        let (counted, policy) = (Counts::default(), Policy { escalate, ..policy() });
        let intended = intend(&counted, &policy, &unit, &ago(9), &ago(5));
        let settled =
            State { counts: settle(&counted, &intended, ended, &unit, &ago(0)), ..State::default() };
        skip_impossible_step(settled, &intended, ended, &policy, &unit).counts.rungs
    };
    let command = || Step::Command(vec!["no-such".to_string()]);
    let seen = || UnitFacts::Known(running(SAME));
    // A command that is not there will not be; systemctl may be there again, and leave to restart may come.
    for (first, never_ran, forbidden) in
        [(command(), 1, 0), (Step::Reload, 0, 1), (Step::Kill, 0, 0), (Step::Restart, 0, 0)]
    {
        let two = vec![first, Step::Restart];
        let found = (
            used(two.clone(), seen(), RestartResult::NotStarted),
            used(two, seen(), RestartResult::NotPermitted),
        );
        assert_eq!(found, (never_ran, forbidden));
    }
    let by_command = || UnitFacts::Command { running: false };
    assert_eq!(
        used(vec![Step::Restart, command()], by_command(), RestartResult::NotStarted),
        1,
        "its restart is a command"
    );
    assert_eq!(used(vec![command()], seen(), RestartResult::NotStarted), 0, "the last one is tried again");
    assert_eq!(used(vec![Step::Reload, Step::Kill], seen(), RestartResult::NotHealed), 1, "it was done");
}

#[test]
fn only_a_restart_that_was_carried_out_shows_that_restarts_bring_no_proof() {
    let counted = Counts { evidence: HealthRecord::NeverHealthy, ..in_the_middle_of_it() };
    let evidence = |life| {
        let intended = intend(&counted, &policy(), &UnitFacts::Known(running(SAME)), &ago(9), &ago(5));
        settle(&counted, &intended, RestartResult::NotHealed, &UnitFacts::Known(running(life)), &ago(0))
            .evidence
    };
    assert_eq!(
        (evidence(NEW), evidence(SAME)),
        (HealthRecord::NotEvenAfterRestart, HealthRecord::NeverHealthy)
    );
    // Its end is seen by a later tick, in the life that it brought forth.
    let adopted = Counts {
        evidence: HealthRecord::NeverHealthy,
        ..settled(RestartResult::StillRunning, &UnitFacts::Known(running(SAME)))
    };
    let adopted = Counts { intent: None, ..adopted };
    let later = with_case(&adopted, |case| decide(&case));
    assert_eq!(
        (later.earlier, later.next.counts.evidence),
        (Some(Outcome::NotHealed), HealthRecord::NotEvenAfterRestart)
    );
}

#[test]
fn the_life_that_our_restart_brought_forth_heals_it_later() {
    let before = settled(RestartResult::StillRunning, &UnitFacts::Known(running(NEW)));
    let healthy = |life| {
        let unit = UnitFacts::Known(running(life));
        with_case(&before, |case| decide(&Facts { seen: &Observation::Healthy, unit: &unit, ..case }))
    };
    let ours = healthy(NEW);
    assert_eq!(ours.earlier, Some(Outcome::Healed));
    assert_eq!(ours.next.counts.last_restart(), came_to(Outcome::Healed, NEW).last_restart());
    let theirs = healthy("c");
    assert_eq!(theirs.earlier, None, "somebody else's life says nothing of our restart");
    let restart = theirs.next.counts.last_restart().cloned().unwrap();
    assert_eq!((restart.outcome, restart.incarnation), (Outcome::Unknown, None), "nor will anything later");
}

#[test]
fn somebody_elses_restart_takes_nothing_from_what_is_known_of_ours() {
    let unit = UnitFacts::Known(running("c"));
    let next = with_case(&in_the_middle_of_it(), |case| decide(&Facts { unit: &unit, ..case })).next.counts;
    assert_eq!(next.restarts, in_the_middle_of_it().restarts);
    let next = with_case(&came_to(Outcome::Unknown, SAME), |case| {
        let boot = Some("before".to_string());
        let intent = intended().intent.map(|intent| Intent { boot, ..intent });
        decide(&Facts { unit: &unit, before: &Counts { intent, ..case.before.clone() }, ..case })
    })
    .next
    .counts;
    assert_eq!((next.intent.clone(), next.last_restart().unwrap().incarnation.as_ref()), (None, None));
}

#[test]
fn what_takes_the_place_of_a_lost_state_waits_and_takes_the_question_for_right() {
    let expected = Counts {
        backoff: Some(Backoff { step: 1, from: ago(0) }),
        healthy_since: Some(ago(0)),
        evidence: HealthRecord::WasHealthy,
        ..Counts::default()
    };
    assert_eq!(State::for_lost_file(&ago(0)), State { counts: expected, ..State::default() });
}

#[rustfmt::skip]
#[test]
fn two_restarts_in_a_row_that_ended_as_they_began_do_not_help() {
    use Outcome::{Healed, NotHealed, Refused, Unknown};
    let helps = |pairs: &[(u64, Outcome, Option<&Cause>)], since: Option<u64>| {
        let restart = |(age, outcome, cause): &(u64, Outcome, Option<&Cause>)| {
            Restart { cause: cause.map(StoredCause::from), ..restarted(ago(*age), *outcome) }
        };
        !restarts_without_effect(&Counts { restarts: pairs.iter().map(restart).collect(), since: since.map(ago), ..Counts::default() })
    };
    let (refused, reset) = (Some(&Cause::Refused), Some(&Cause::Reset));
    assert!(!helps(&[(600, NotHealed, refused), (300, NotHealed, refused)], Some(700)));
    assert!(!helps(&[(600, NotHealed, refused), (300, NotHealed, refused)], Some(600)), "it began with the first");
    assert!( helps(&[(600, NotHealed, refused), (300, NotHealed, refused)], Some(599)), "the first was of another incident");
    assert!( helps(&[(600, NotHealed, refused), (300, NotHealed, refused)], None));
    assert!( helps(&[(600, NotHealed, refused), (300, NotHealed, reset)], Some(700)), "something changed");
    assert!( helps(&[(600, NotHealed, None), (300, NotHealed, None)], Some(700)), "neither was carried out");
    assert!( helps(&[(600, Healed, refused), (300, NotHealed, refused)], Some(700)));
    assert!( helps(&[(600, NotHealed, refused), (300, Unknown, refused)], Some(700)));
    assert!( helps(&[(600, NotHealed, refused), (300, Refused, refused)], Some(700)));
    assert!( helps(&[(300, NotHealed, refused)], Some(700)), "one is no row");
    assert!(!helps(&[(900, Healed, reset), (600, NotHealed, refused), (300, NotHealed, refused)], Some(700)));
    assert!( helps(&[(900, NotHealed, refused), (600, NotHealed, refused), (300, Healed, refused)], Some(950)));
}

#[test]
fn what_is_put_off_is_told_so_and_comes_first_in_the_next_run() {
    let counted = State { counts: in_the_middle_of_it(), account: told_in_the_middle_of_it() };
    let counted = State { counts: Counts { put_off: false, ..counted.counts }, ..counted };
    let decision = put_off(&counted);
    let expected = State { counts: in_the_middle_of_it(), account: held(Reason::Deadline) };
    assert_eq!((decision.reason, decision.next), (Reason::Deadline, expected));
}
