//! Row 16: the same picture once more, or no restart.

use crate::conclude::{standing, told};
use crate::{Case, Decision, Hold, Reason, State, Verdict, decide};

/// Row 16. `first` led to a restart; `again` is what was found right before it, judged from what the
/// first look has counted. Anything but the same picture of the same incarnation, and nothing is
/// restarted.
#[must_use]
pub fn look_again(first: &Decision, again: &Case<'_>) -> Decision {
    let second = second_look(first, again);
    // What it shows may last since the tick before, though the first look did not show it.
    let lasts = again.before.standing.as_ref().filter(|_| again.before.reason == second.reason);
    let standing = standing(second.verdict.kind(), lasts, again);
    Decision { next: State { standing, ..second.next }, ..second }
}

fn second_look(first: &Decision, again: &Case<'_>) -> Decision {
    let fresh = decide(&Case { before: &first.next, ..*again });
    let changed =
        |reason: Reason, next: State| told(Verdict::Held(Hold::ChangedMeanwhile(reason)), next, again);
    match &fresh.verdict {
        Verdict::Restart(_) if fresh.next.incarnation == first.next.incarnation => {
            let next = State { lives: first.next.lives, ..fresh.next };
            Decision { next, ..fresh }
        }
        Verdict::Restart(_) => changed(Reason::Counting, fresh.next),
        Verdict::Healthy | Verdict::Recovering { .. } | Verdict::Recovered { .. } => {
            let next = State { reason: Reason::HealedItself, ..fresh.next };
            Decision { reason: Reason::HealedItself, next, ..fresh }
        }
        Verdict::Unknown(_) | Verdict::Held(Hold::Withheld(_)) => fresh,
        Verdict::Held(Hold::HandsOff(_) | Hold::ChangedMeanwhile(_)) | Verdict::Failing(_) => {
            changed(fresh.reason, fresh.next)
        }
    }
}
