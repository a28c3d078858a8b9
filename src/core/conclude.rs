//! What a decision leaves behind: for the next tick, and for people.

use alloc::string::String;
use core::time::Duration;

use crate::judgement::Judgement;
use crate::{Account, Decision, Facts, Observation, Ongoing, State, StoredCause, VerdictKind};

/// Runs in a row that could not judge it, after which that is told again.
const UNKNOWN_RUNS_UNTIL_REPEAT: u32 = 3;

/// Told again what lasts so long.
const REPEAT_HOLD_EVERY: Duration = Duration::from_secs(3600);

/// A judgement, with what people are told of it from now on.
pub(crate) fn conclude(judgement: Judgement, account: &Account, case: &Facts<'_>) -> Decision {
    let Judgement { verdict, reason, next: counts, counted, earlier } = judgement;
    let (answer, said) = match case.seen {
        Observation::Healthy => (None, None),
        Observation::Unhealthy(why) => (Some(StoredCause::from(why)), why.detail().map(String::from)),
        Observation::Unknown(doubt) => (Some(StoredCause::from(doubt)), None),
    };
    let before = account.not_after(case.now);
    let lasting = before.standing.as_ref().filter(|_| before.reason == reason);
    let standing = update_ongoing(verdict.kind(), lasting, case);
    let together = before.together.filter(|_| counts.since.is_some());
    let account =
        Account { verdict: verdict.kind(), reason, cause: answer, said, standing, together, ..before };
    Decision { verdict, reason, next: State { counts, account }, counted, earlier }
}

/// `before`: of the same reason.
fn update_ongoing(kind: VerdictKind, before: Option<&Ongoing>, case: &Facts<'_>) -> Option<Ongoing> {
    let now = case.now;
    let Some(before) = before else {
        let begins = || Ongoing { since: now.clone(), runs: 1, told: now.clone() };
        return matches!(kind, VerdictKind::Held | VerdictKind::Unknown).then(begins);
    };
    let runs = before.runs.saturating_add(1).min(UNKNOWN_RUNS_UNTIL_REPEAT);
    let lasts = now.elapsed_since(&before.since);
    let blind = kind == VerdictKind::Unknown
        && runs == UNKNOWN_RUNS_UNTIL_REPEAT
        && before.runs < UNKNOWN_RUNS_UNTIL_REPEAT;
    let long = lasts >= case.policy.held_too_long;
    let told_of_it = before.told.elapsed_since(&before.since) >= case.policy.held_too_long;
    let again = blind || long && (!told_of_it || now.elapsed_since(&before.told) >= REPEAT_HOLD_EVERY);
    let told = if again { now.clone() } else { before.told.clone() };
    Some(Ongoing { since: before.since.clone(), runs, told })
}
