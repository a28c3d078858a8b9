//! Row 16: the same picture once more, or no restart.

use crate::conclude::conclude;
use crate::decide::judge;
use crate::judgement::Judgement;
use crate::{Account, Case, Counts, Decision, Hold, Reason, Verdict};

/// `first` led to a restart; `again` is what was found right before it, judged from what the first look has counted.
/// Anything but the same picture of the same incarnation, and nothing is restarted. `before`: what people were told
/// before this run.
#[must_use]
pub fn look_again(first: &Decision, again: &Case<'_>, before: &Account) -> Decision {
    // What it shows may last since the run before, though the first look did not show it.
    let standing = before.standing.clone();
    let account = Account { standing, reason: before.reason, ..first.next.account.clone() };
    conclude(second_look(&first.next.counts, again), &account, again)
}

fn second_look(first: &Counts, again: &Case<'_>) -> Judgement {
    let fresh = judge(&Case { before: first, ..*again });
    let changed =
        |reason: Reason, next: Counts| Judgement::new(Verdict::Held(Hold::ChangedMeanwhile(reason)), next);
    match &fresh.verdict {
        Verdict::Restart(_) if fresh.next.incarnation == first.incarnation => {
            let next = Counts { lives: first.lives, ..fresh.next };
            Judgement { next, ..fresh }
        }
        Verdict::Restart(_) => changed(Reason::Counting, fresh.next),
        Verdict::Healthy | Verdict::Recovering { .. } | Verdict::Recovered { .. } => {
            Judgement { reason: Reason::HealedItself, ..fresh }
        }
        Verdict::Unknown(_) | Verdict::Held(Hold::Withheld(_)) => fresh,
        Verdict::Held(Hold::HandsOff(_) | Hold::ChangedMeanwhile(_)) | Verdict::Failing(_) => {
            changed(fresh.reason, fresh.next)
        }
    }
}
