//! Row 16: the same picture once more, or no restart.

use crate::conclude::conclude;
use crate::decide::judge_case;
use crate::judgement::Judgement;
use crate::{Account, Counts, Decision, Facts, HoldReason, Reason, Verdict};

/// `first` led to a restart; `again` is what was found right before it, judged from what the first look has counted.
/// Anything but the same picture of the same incarnation, and nothing is restarted. `before`: what people were told
/// before this run.
#[must_use]
pub fn decide_second_look(first: &Decision, again: &Facts<'_>, before: &Account) -> Decision {
    // What it shows may last since the run before, though the first look did not show it.
    let standing = before.standing.clone();
    let account = Account { standing, reason: before.reason, ..first.next.account.clone() };
    conclude(confirm_restart(&first.next.counts, again), &account, again)
}

fn confirm_restart(first: &Counts, again: &Facts<'_>) -> Judgement {
    let fresh = judge_case(&Facts { before: first, ..*again });
    let changed = |reason: Reason, next: Counts| {
        Judgement::new(Verdict::Held(HoldReason::ChangedBeforeRestart(reason)), next)
    };
    match &fresh.verdict {
        Verdict::Restart(_) if fresh.next.incarnation == first.incarnation => {
            let next = Counts { lives: first.lives, ..fresh.next };
            Judgement { next, ..fresh }
        }
        Verdict::Restart(_) => changed(Reason::Counting, fresh.next),
        Verdict::Healthy | Verdict::Recovering { .. } | Verdict::Recovered { .. } => {
            Judgement { reason: Reason::HealedItself, ..fresh }
        }
        Verdict::Unknown(_) | Verdict::Held(HoldReason::Withheld(_)) => fresh,
        Verdict::Held(HoldReason::HandsOff(_) | HoldReason::ChangedBeforeRestart(_))
        | Verdict::Failing(_) => changed(fresh.reason, fresh.next),
    }
}
