//! The kinds of probe besides a URL: a line for each. What one takes is declared, and asked, in its own file.

use unhang_core::{Finding, Observation};

use crate::plan::Params;

use super::answer::{Answer, Ground, unknown};
use super::kind::{Found, Is, Kind};

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

/// `given`: as `config` has read it by the kind's own `KindSpec`.
pub(super) fn ask(kind: &str, given: &Params, ground: &Ground<'_>) -> Answer {
    let Some(kind) = KINDS.iter().find(|known| known.spec.main_key.name == kind) else {
        return unknown("no such kind of probe");
    };
    let Found { is, memory } = (kind.ask)(given, ground);
    let code = kind.spec.main_key.name;
    let (observation, near, said) = match is {
        Is::Well(words) => (Observation::Healthy, None, Some(words)),
        Is::Near(words) => (Observation::Healthy, Some(words.clone()), Some(words)),
        Is::Failing(words) => (Observation::failing(Finding { code, words, status: 0 }), None, None),
        Is::NotKnown(doubt) => (Observation::Unknown(doubt), None, None),
        Is::Observed(observation) => (observation, None, None),
    };
    Answer { observation, near, said, memory, ..Answer::default() }
}
