//! Means beyond a restart: which comes when, and what a new incident gives back.

use super::scripts::check_with;
use super::*;

fn command() -> Step {
    Step::Command(vec!["failover".to_string()])
}

fn climbing(rungs: &[Step]) -> Policy {
    // The wait of the usual policy doubles; here it is the order that matters.
    let backoff = BackoffRule { first: s(0), max: s(0) };
    Policy { escalate: rungs.to_vec(), backoff, ..policy() }
}

#[rustfmt::skip]
#[test]
fn each_rung_is_used_once_in_an_incident() {
    let all = || climbing(&[Step::Reload, Step::Restart, Step::Kill, command()]);
    let check = |script, expected| check_with(all(), script, expected);
    check("xhxx",            "1 L 1 L");                               // the first healed: the next incident begins anew
    check("xxxxxxxxxx",      "1 L 3 R 5 K 7 C 9 escalation_exhausted");
    check("xxxxxxxxxxxx",    "1 L 3 R 5 K 7 C 9 escalation_exhausted escalation_exhausted escalation_exhausted");
    check("xxxxxxxxxx.xx",   "1 L 3 R 5 K 7 C 9 escalation_exhausted recovered 1 L");
    check("xxxxxxxxxx+xxx",  "1 L 3 R 5 K 7 C 9 escalation_exhausted 1 L 3");  // somebody was at work on it
    check("xxxxxxxxxxBxxx",  "1 L 3 R 5 K 7 C 9 escalation_exhausted 1 L 3");
    check("xxxrxx",          "1 L 3 R 5 R");                           // systemd gave way: it was not used
    check("xxxfxx",          "1 L 3 R R 5");                           // nor was it where it is forbidden
    check("xkxx",            "1 L 3/in_vain R");                       // it may have been carried out
    check("xk.xx",           "1 L recovered 1 L");        // nothing shows that it was carried out
    check("xxx*xxx",         "1 L 3 1 R 3");                           // a life that systemd began is no help of ours
}

#[rustfmt::skip]
#[test]
fn what_cannot_be_reloaded_is_passed_over() {
    check_with(climbing(&[Step::Reload, Step::Restart]), "dddd", "1 R 3 escalation_exhausted");
    check_with(climbing(&[Step::Restart, Step::Reload, command()]), "xxddxx", "1 R 3 C 5 escalation_exhausted");
    let (policy, state) = (climbing(&[Step::Reload, Step::Kill]), Counts::default());
    let rung = |unit: UnitFacts| next_step(&policy, &state, &unit).map(|next| (next.rung.kind(), next.used));
    assert_eq!(rung(UnitFacts::Known(running("a"))), Some((StepKind::Reload, 1)));
    assert_eq!(rung(UnitFacts::Known(UnitSnapshot { reload: ReloadSupport::Unsupported, ..running("a") })), Some((StepKind::Kill, 2)));
    assert_eq!(rung(UnitFacts::Command { running: false }), None, "there is no unit to kill either");
}

#[rustfmt::skip]
#[test]
fn a_rung_counts_against_budget_and_backoff_as_a_restart_does() {
    let two = Policy { budget: BudgetRule { restarts: 2, window: s(3_600) }, ..climbing(&[Step::Reload, Step::Restart, Step::Kill]) };
    check_with(two, "xxxxxx", "1 L 3 R 5 budget");
    let slow = Policy { backoff: BackoffRule { first: s(600), max: s(600) }, ..climbing(&[Step::Reload, Step::Restart]) };
    check_with(slow, "xxxxxxxx", "1 L 3 backoff backoff backoff R 5");
}

#[rustfmt::skip]
#[test]
fn two_rungs_in_vain_do_not_make_the_wait_the_longest() {
    let hour = BackoffRule { first: s(120), max: s(3_600) };
    let policy = Policy { backoff: hour, ..climbing(&[Step::Reload, Step::Restart, Step::Kill]) };
    check_with(policy, "xxxxxxx", "1 L 3 R 5 K 7");
}

/// A life that answers as the one before it did speaks against restarts; one that was only reloaded does not.
#[test]
fn a_reload_in_vain_proves_nothing_of_a_restart() {
    check_with(climbing(&[Step::Reload, Step::Restart, Step::Kill]), "444444", "1 L 3 R 5 same_answer");
}

#[test]
fn a_command_that_still_runs_is_remembered_until_it_has_ended() {
    let (policy, counted) = (climbing(&[command()]), in_the_middle_of_it());
    let intended = intend(
        &Counts { rungs: 0, ..counted.clone() },
        &policy,
        &UnitFacts::Known(running("a")),
        &ago(9),
        &ago(5),
    );
    let process = Some(ProcessId { pid: 4, started: 2 });
    let running_on = Counts {
        intent: intended.intent.clone().map(|intent| Intent { process, ..intent }),
        ..intended.clone()
    };
    let is_remembered = |intended: &Counts, active| {
        let unit = UnitFacts::Known(UnitSnapshot { active, ..running("a") });
        settle(&counted, intended, RestartResult::StillRunning, &unit, &ago(0)).intent.is_some()
    };
    assert!(is_remembered(&running_on, ActiveState::Changing));
    assert!(!is_remembered(&running_on, ActiveState::Active), "it has ended");
    assert!(!is_remembered(&intended, ActiveState::Changing), "what is busy is the unit");
}

#[test]
fn what_a_command_of_ours_took_down_is_ours_to_bring_back() {
    let policy = climbing(&[command(), Step::Restart]);
    let counted = Counts {
        evidence: HealthRecord::WasHealthy,
        incarnation: Some("a".to_string()),
        ..Counts::default()
    };
    let intended = intend(&counted, &policy, &UnitFacts::Known(running("a")), &ago(300), &ago(300));
    let reason = |ended| {
        let after = settle(&counted, &intended, ended, &UnitFacts::Known(stopped("a")), &ago(290));
        let unit = UnitFacts::Known(stopped("a"));
        with_case(&after, |case| decide(&Facts { policy: &policy, unit: &unit, ..case })).reason
    };
    assert_eq!(reason(RestartResult::NotHealed), Reason::Counting);
    assert_eq!(reason(RestartResult::Refused), Reason::Stopped, "it was not ours");
}

#[test]
fn a_command_that_may_still_run_is_remembered_whatever_is_asked_now() {
    let kept = |process, fingerprint: Fingerprint| {
        let intent = Intent { incarnation: None, boot: None, was: UnitBefore::Up, process };
        let before = Counts { intent: Some(intent), fingerprint: Some(FINGERPRINT), ..Counts::default() };
        before.for_fingerprint(fingerprint).intent.is_some()
    };
    let process = Some(ProcessId { pid: 4, started: 2 });
    let other = Fingerprint { asked: 9, ..FINGERPRINT };
    assert!(kept(process, other) && !kept(None, other));
    let listed = Fingerprint { escalation: Some(9), ..FINGERPRINT };
    assert!(kept(process, listed) && kept(None, listed));
}

/// A unit shows another life after a reboot; what a command restarts shows nothing.
#[test]
fn a_reboot_gives_the_rungs_back_to_what_a_command_restarts() {
    let after = |boot: &str, unit: UnitFacts| {
        let restarts = vec![restarted(at(boot, 9_000, 99_000), Outcome::NotHealed)];
        let before = Counts { rungs: 1, restarts, since: Some(ago(2_000)), ..Counts::default() };
        with_case(&before, |case| decide(&Facts { unit: &unit, ..case })).next.counts.rungs
    };
    let command = || UnitFacts::Command { running: false };
    assert_eq!((after("boot", command()), after("before", command())), (1, 0));
    assert_eq!(after("before", UnitFacts::Known(running("a"))), 1, "of the same life");
}

#[test]
fn who_asks_is_told_when_nothing_is_left() {
    let left = |escalate: &[Step], rungs| {
        !restart_outlook(&Counts { rungs, ..Counts::default() }, &climbing(escalate), &ago(0))
            .escalation_exhausted
    };
    assert!(left(&[], 0) && left(&[Step::Reload], 0) && left(&[Step::Reload, command()], 1));
    assert!(!left(&[Step::Reload], 1) && !left(&[Step::Reload], 2));
}

#[test]
fn what_was_done_has_a_stable_code() {
    assert_eq!(StepKind::ALL.map(StepKind::code), ["restart", "reload", "kill", "command", "wake"]);
}

#[test]
fn a_reset_gives_the_rungs_back() {
    let account =
        Account { reason: Reason::EscalationExhausted, verdict: VerdictKind::Held, ..Account::default() };
    let after = reset_state(&State { counts: Counts { rungs: 4, ..Counts::default() }, account });
    assert_eq!((after.counts.rungs, after.account.reason), (0, Reason::Counting));
}
