//! What a kind of probe is, and what it can find.

use unhang_core::{Doubt, Observation};

use crate::plan::{KindSpec, Params};

use super::answer::ProbeContext;

/// One signature for all: what was given, and within which time.
#[derive(Debug)]
pub(crate) struct ProbeKind {
    pub(crate) spec: KindSpec,
    pub(super) ask: fn(&Params, &ProbeContext<'_>) -> ProbeResult,
}

/// What was found, in words that may be shown: escaped, and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProbeResult {
    pub(super) is: Status,
    /// To be remembered for the next run.
    pub(super) memory: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    Ok(String),
    Warning(String),
    Failing(String),
    Unknown(Doubt),
    /// What the room has words for already.
    Http(Observation),
}

impl ProbeResult {
    pub(super) fn ok(words: impl Into<String>) -> Self {
        Self::new(Status::Ok(words.into()))
    }

    /// Well, but over a threshold that warns.
    pub(super) fn warning(words: impl Into<String>) -> Self {
        Self::new(Status::Warning(words.into()))
    }

    pub(super) fn failing(words: impl Into<String>) -> Self {
        Self::new(Status::Failing(words.into()))
    }

    /// It could not be carried out: no evidence for or against the service.
    pub(super) fn unknown(words: impl Into<String>) -> Self {
        Self::from_doubt(Doubt::Other(words.into()))
    }

    pub(super) const fn from_doubt(doubt: Doubt) -> Self {
        Self::new(Status::Unknown(doubt))
    }

    pub(super) const fn from_observation(observation: Observation) -> Self {
        Self::new(Status::Http(observation))
    }

    pub(super) fn with_cursor(self, memory: String) -> Self {
        Self { memory: Some(memory), ..self }
    }

    const fn new(is: Status) -> Self {
        Self { is, memory: None }
    }

    #[cfg(test)]
    pub(super) const fn is_well(&self) -> bool {
        matches!(self.is, Status::Ok(_))
    }

    #[cfg(test)]
    pub(super) const fn is_not_known(&self) -> bool {
        matches!(self.is, Status::Unknown(_))
    }

    #[cfg(test)]
    pub(super) fn in_parts(self) -> (Self, Option<String>) {
        (Self::new(self.is), self.memory)
    }
}
