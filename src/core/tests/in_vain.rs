//! Restarts that would help nobody.

use super::rows::failed_once;
use super::scripts::check_with;
use super::*;

/// What answers does not hang, whatever it says.
#[test]
fn what_was_never_healthy_and_answers_is_held_before_its_first_restart() {
    let text = || "why".to_string();
    let named = |cause| Cause::Named("api".to_string(), alloc::boxed::Box::new(cause));
    let found = |code| Cause::Probe(ProbeFailure { code, words: text(), status: 200 });
    for (cause, reason) in [
        (Cause::Status(404), Reason::NeverHealthy),
        (Cause::Status(400), Reason::NeverHealthy),
        (Cause::Status(429), Reason::NeverHealthy),
        (Cause::Status(302), Reason::NeverHealthy),
        (Cause::Status(200), Reason::NeverHealthy), // another one is wanted
        (Cause::ToHttps(301), Reason::NeverHealthy),
        (Cause::Redirect(Redirect { status: 302, to: text(), needs: 1 }), Reason::NeverHealthy),
        (named(Cause::Status(404)), Reason::NeverHealthy),
        (Cause::NotHttp(text()), Reason::NeverHealthy),
        (Cause::TooLarge, Reason::NeverHealthy),
        (Cause::Tls(TlsError::WrongName(text())), Reason::NeverHealthy),
        (Cause::Tls(TlsError::NotTls), Reason::NeverHealthy),
        (Cause::Tls(TlsError::Handshake(text())), Reason::MaxFailures),
        (Cause::Status(500), Reason::MaxFailures),
        (Cause::Status(502), Reason::MaxFailures), // a proxy, before what hangs
        (Cause::Refused, Reason::MaxFailures),
        (Cause::NoSocket, Reason::MaxFailures),
        (Cause::Reset, Reason::MaxFailures),
        (Cause::Closed(Phase::FirstByte), Reason::MaxFailures),
        (Cause::TimedOut(Phase::FirstByte), Reason::MaxFailures),
        (named(Cause::TimedOut(Phase::Rest)), Reason::MaxFailures),
        (found("json"), Reason::MaxFailures),
    ] {
        let seen = Observation::Unhealthy(cause);
        let fresh = Counts { evidence: HealthRecord::NeverHealthy, ..failed_once() };
        let decide = |before: &Counts, policy: &Policy| {
            with_case(before, |case| decide(&Facts { seen: &seen, policy, ..case })).reason
        };
        assert_eq!(decide(&fresh, &policy()), reason, "{seen:?}");
        assert_eq!(decide(&failed_once(), &policy()), Reason::MaxFailures, "once healthy: {seen:?}");
        let wakes = Policy { means: Step::Wake, ..policy() };
        assert_eq!(decide(&fresh, &wakes), Reason::MaxFailures, "to wake it is to ask it: {seen:?}");
    }
}

#[rustfmt::skip]
#[test]
fn that_restarting_does_not_help_is_seen_whatever_the_bounds_are() {
    let waits = "1 R 3 R 5 backoff backoff backoff backoff";
    check_with(policy(), "xxxxxxxxx", waits);
    let at_once = BackoffRule { first: s(0), max: s(3_600) };
    check_with(Policy { backoff: at_once.clone(), ..policy() }, "xxxxxxxxx", waits);
    for window in [2, 240, 300] {
        let budget = BudgetRule { restarts: 1, window: s(window) };
        check_with(Policy { budget, backoff: at_once.clone(), ..policy() }, "xxxxxxxxx", if window < 300 { waits } else { "1 R 3 budget R 5 backoff backoff backoff" });
    }
    // Where each answer is another one, something changes: twice nothing is nothing.
    check_with(Policy { backoff: at_once, budget: BudgetRule { restarts: 9, window: s(3_600) }, ..policy() }, "xxzzxxzz", "1 R 3 R 5 R 7 R");
}
