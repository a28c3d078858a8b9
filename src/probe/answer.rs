//! What is asked, with what it may lean on; and what came back.

use std::path::Path;
use std::time::Duration;

use unhang_core::{Doubt, Observation, PhaseTimes};

use crate::plan::{Probe, SystemdScope};

/// A probe, and what it may lean on besides what it was given.
#[derive(Debug, Clone, Copy)]
pub struct ProbeRequest<'a> {
    pub probe: &'a Probe,
    pub ground: ProbeContext<'a>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ProbeContext<'a> {
    /// By the wall clock, since 1970: the start of the run.
    pub(crate) now: Duration,
    /// It is over by then.
    pub(crate) limit: Duration,
    /// The service's, if it has one.
    pub(crate) unit: Option<(&'a str, SystemdScope)>,
    /// What this run writes about the service: no evidence of anything.
    pub(crate) own_log: Option<&'a Path>,
    /// What this very probe wanted to be remembered of the run before.
    pub(crate) memory: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeAnswer {
    pub observation: Observation,
    /// It is well, but over a threshold that warns.
    pub near: Option<String>,
    /// Of what is well.
    pub said: Option<String>,
    /// Of the answer, if one came.
    pub status: Option<u16>,
    pub times: PhaseTimes,
    pub memory: Option<String>,
}

impl Default for ProbeAnswer {
    fn default() -> Self {
        let nothing = Observation::Unknown(Doubt::Other(
            "internal error: the answer was lost; please report it".to_owned(),
        ));
        Self {
            observation: nothing,
            near: None,
            said: None,
            status: None,
            times: PhaseTimes::default(),
            memory: None,
        }
    }
}

pub(super) fn unknown_answer(why: &str) -> ProbeAnswer {
    ProbeAnswer { observation: Observation::Unknown(Doubt::Other(why.to_owned())), ..ProbeAnswer::default() }
}
