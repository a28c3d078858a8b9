//! The kinds of probe besides a URL: a line for each. What one takes is declared, and asked, in its own file.

use unhang_core::{Observation, ProbeFailure};

use crate::plan::Params;

use super::answer::{ProbeAnswer, ProbeContext, unknown_answer};
use super::kind::{ProbeKind, ProbeResult, Status};

/// In the order of the manual.
pub(crate) const KINDS: &[ProbeKind] = &[
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
pub(super) fn run_kind(kind: &str, given: &Params, ground: &ProbeContext<'_>) -> ProbeAnswer {
    let Some(kind) = KINDS.iter().find(|known| known.spec.main_key.name == kind) else {
        return unknown_answer("no such kind of probe");
    };
    let ProbeResult { is, memory } = (kind.ask)(given, ground);
    let code = kind.spec.main_key.name;
    let (observation, near, said) = match is {
        Status::Ok(words) => (Observation::Healthy, None, Some(words)),
        Status::Warning(words) => (Observation::Healthy, Some(words.clone()), Some(words)),
        Status::Failing(words) => {
            (Observation::from_probe_failure(ProbeFailure { code, words, status: 0 }), None, None)
        }
        Status::Unknown(doubt) => (Observation::Unknown(doubt), None, None),
        Status::Http(observation) => (observation, None, None),
    };
    ProbeAnswer { observation, near, said, memory, ..ProbeAnswer::default() }
}
