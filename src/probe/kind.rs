//! What a kind of probe is, and what it can find.

use unhang_core::{Doubt, Observation};

use crate::plan::{KindSpec, Params};

use super::answer::Ground;

/// One signature for all: what was given, and within which time.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) spec: KindSpec,
    pub(super) ask: fn(&Params, &Ground<'_>) -> Found,
}

/// What was found, in words that may be shown: escaped, and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) is: Is,
    /// To be remembered for the next run.
    pub(super) memory: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Is {
    Well(String),
    Near(String),
    Failing(String),
    NotKnown(Doubt),
    /// What the room has words for already.
    Observed(Observation),
}

impl Found {
    pub(super) fn well(words: impl Into<String>) -> Self {
        Self::of(Is::Well(words.into()))
    }

    /// Well, but over a threshold that warns.
    pub(super) fn near(words: impl Into<String>) -> Self {
        Self::of(Is::Near(words.into()))
    }

    pub(super) fn failing(words: impl Into<String>) -> Self {
        Self::of(Is::Failing(words.into()))
    }

    /// It could not be carried out: no evidence for or against the service.
    pub(super) fn not_known(words: impl Into<String>) -> Self {
        Self::doubt(Doubt::Other(words.into()))
    }

    pub(super) const fn doubt(doubt: Doubt) -> Self {
        Self::of(Is::NotKnown(doubt))
    }

    pub(super) const fn observed(observation: Observation) -> Self {
        Self::of(Is::Observed(observation))
    }

    pub(super) fn remembering(self, memory: String) -> Self {
        Self { memory: Some(memory), ..self }
    }

    const fn of(is: Is) -> Self {
        Self { is, memory: None }
    }

    #[cfg(test)]
    pub(super) const fn is_well(&self) -> bool {
        matches!(self.is, Is::Well(_))
    }

    #[cfg(test)]
    pub(super) const fn is_not_known(&self) -> bool {
        matches!(self.is, Is::NotKnown(_))
    }

    #[cfg(test)]
    pub(super) fn in_parts(self) -> (Self, Option<String>) {
        (Self::of(self.is), self.memory)
    }
}
