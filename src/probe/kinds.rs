//! The kinds of probe besides a URL: a line for each. What one takes is declared, and asked, in its own file.

use unhang_core::{Doubt, Finding, Observation};

use crate::plan::{Given, Spec};

use super::{Answer, Ground};

/// In the order of the manual.
pub(crate) const KINDS: &[Kind] = &[
    super::tcp::KIND,
    super::command::KIND,
    super::unit::KIND,
    super::process::KIND,
    super::container::KIND,
    super::log::KIND,
    super::cgroup::KIND,
    super::disk::KIND,
    super::memory::KIND,
    super::load::KIND,
    super::certificate::KIND,
    super::file::KIND,
];

/// One signature for all: what was given, and within which time.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) spec: Spec,
    pub(super) ask: fn(&Given, &Ground<'_>) -> Found,
}

/// What was found, in words that may be shown: escaped, and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    is: Is,
    /// To be remembered for the next run.
    memory: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Is {
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

/// `given`: as `config` has read it by the kind's own `Spec`.
pub(super) fn ask(kind: &str, given: &Given, ground: &Ground<'_>) -> Answer {
    let Some(kind) = KINDS.iter().find(|known| known.spec.subject.name == kind) else {
        return super::unknown("no such kind of probe");
    };
    let Found { is, memory } = (kind.ask)(given, ground);
    let code = kind.spec.subject.name;
    let (observation, near, said) = match is {
        Is::Well(words) => (Observation::Healthy, None, Some(words)),
        Is::Near(words) => (Observation::Healthy, Some(words.clone()), Some(words)),
        Is::Failing(words) => (Observation::failing(Finding { code, words, status: 0 }), None, None),
        Is::NotKnown(doubt) => (Observation::Unknown(doubt), None, None),
        Is::Observed(observation) => (observation, None, None),
    };
    Answer { observation, near, said, memory, ..Answer::default() }
}
