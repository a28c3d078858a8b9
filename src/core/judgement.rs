//! What the decision table says of a service, before it is put into words for people.

use crate::{Counts, HoldReason, Outcome, Reason, Verdict, Withheld};

/// What the table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// The verdict's own, but for what healed right before its restart.
    pub(crate) reason: Reason,
    pub(crate) next: Counts,
    pub(crate) counted: bool,
    pub(crate) earlier: Option<Outcome>,
}

impl Judgement {
    pub(crate) fn new(verdict: Verdict, next: Counts) -> Self {
        let put_off = verdict == Verdict::Held(HoldReason::Withheld(Withheld::Deadline));
        let (reason, next) = (verdict.reason(), Counts { put_off, ..next });
        Self { verdict, reason, next, counted: false, earlier: None }
    }
}
