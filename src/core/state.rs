//! All that is remembered of one service between two runs, in two halves.

use crate::{Account, Backoff, Counts, HealthRecord, Moment};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// What is decided upon.
    pub counts: Counts,
    /// What people are told.
    pub account: Account,
}

impl State {
    /// What takes the place of a state that was lost: counting from zero, but no restart before one
    /// backoff has passed, since we cannot know how many there were.
    #[must_use]
    pub fn for_lost_file(now: &Moment) -> Self {
        let counts = Counts {
            backoff: Some(Backoff { step: 1, from: now.clone() }),
            healthy_since: Some(now.clone()),
            // It may have been healthy for years.
            evidence: HealthRecord::WasHealthy,
            ..Counts::default()
        };
        Self { counts, ..Self::default() }
    }
}
