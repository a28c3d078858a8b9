//! What people are told: nothing in it changes what is done.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Moment, Reason, StoredCause, VerdictKind};

/// The last run's conclusion, as those who ask later shall know it. `said`, `together`, `distress`, `because` and
/// the words of `warnings` and `others` are prose: written for people, and never read back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    pub verdict: VerdictKind,
    pub reason: Reason,
    /// Why it failed, or could not be judged.
    pub cause: Option<StoredCause>,
    /// What a probe found, where a code does not say it.
    pub said: Option<String>,
    /// How long it has been held, or not judged, for its reason.
    pub standing: Option<Ongoing>,
    /// With what else it began to fail, and what they share.
    pub together: Option<String>,
    /// In what state the host was when it last failed.
    pub distress: Option<String>,
    /// What held it, or why it could not be judged, with names.
    pub because: Option<String>,
    /// What warns though it is none of the service's failures.
    pub warnings: Vec<StoredWarning>,
    /// What the other probes showed that count and were not healthy, besides that of `cause`.
    pub others: Vec<StoredWarning>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ongoing {
    pub since: Moment,
    /// Up to `UNKNOWN_RUNS_UNTIL_REPEAT`: nobody wants to know more.
    pub runs: u32,
    /// When it was last told.
    pub told: Moment,
}

/// A warning, in the words of when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWarning {
    /// `None`: the service's own url.
    pub probe: Option<String>,
    pub words: String,
}

impl Account {
    /// Warnings that were there before stay as they were told: figures that change every run are no news, and not
    /// worth a write.
    #[must_use]
    pub fn warned(self, warnings: Vec<StoredWarning>, others: Vec<StoredWarning>) -> Self {
        let as_told = |warned: StoredWarning| {
            let told = self.warnings.iter().find(|told| told.probe == warned.probe);
            told.cloned().unwrap_or(warned)
        };
        Self { warnings: warnings.into_iter().map(as_told).collect(), others, ..self }
    }

    /// Stamps of the future become now; see `Moment::clamp_to`.
    pub(crate) fn not_after(&self, now: &Moment) -> Self {
        let mut bound = self.clone();
        if let Some(standing) = &mut bound.standing {
            standing.since.clamp_to(now);
            standing.told.clamp_to(now);
        }
        bound
    }
}
