//! What a decision leaves behind: for the next tick, and for people.

use alloc::string::String;
use core::time::Duration;

use crate::{Case, Decision, Observation, Standing, State, StoredCause, Verdict, VerdictKind};

/// Runs in a row that could not judge it, after which that is told again.
const BLIND: u32 = 3;

/// Told again what lasts so long.
const AGAIN: Duration = Duration::from_secs(3600);

/// With what the next tick and people shall know of this one.
pub(crate) fn told(verdict: Verdict, next: State, case: &Case<'_>) -> Decision {
    let answer = match case.seen {
        Observation::Healthy => None,
        Observation::Unhealthy(why) => Some(StoredCause::from(why)),
        Observation::Unknown(doubt) => Some(StoredCause::from(doubt)),
    };
    let said = match case.seen {
        Observation::Unhealthy(why) => why.said().map(String::from),
        Observation::Healthy | Observation::Unknown(_) => None,
    };
    let (kind, reason) = (verdict.kind(), verdict.reason());
    let standing = standing(kind, next.standing.as_ref().filter(|_| next.reason == reason), case);
    let next = State { verdict: kind, reason, cause: answer, said, standing, ..next };
    Decision { verdict, reason, next, counted: false, earlier: None }
}

/// `before`: of the same reason.
pub(crate) fn standing(kind: VerdictKind, before: Option<&Standing>, case: &Case<'_>) -> Option<Standing> {
    let now = case.now;
    let Some(before) = before else {
        let begins = || Standing { since: now.clone(), runs: 1, told: now.clone() };
        return matches!(kind, VerdictKind::Held | VerdictKind::Unknown).then(begins);
    };
    let runs = before.runs.saturating_add(1).min(BLIND);
    let lasts = now.since(&before.since);
    let blind = kind == VerdictKind::Unknown && runs == BLIND && before.runs < BLIND;
    let long = lasts >= case.policy.held_too_long;
    let told_of_it = before.told.since(&before.since) >= case.policy.held_too_long;
    let again = blind || long && (!told_of_it || now.since(&before.told) >= AGAIN);
    let told = if again { now.clone() } else { before.told.clone() };
    Some(Standing { since: before.since.clone(), runs, told })
}
