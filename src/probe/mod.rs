//! Asks services how they are. One question in, one answer out: no memory, no decision, no word of
//! units or restarts. Whatever a server answers and whatever this host lacks, an answer comes in time.

mod body;
mod certificate;
mod cgroup;
mod command;
mod container;
mod disk;
mod fault;
mod file;
mod head;
pub mod health;
mod http;
mod kinds;
mod load;
mod log;
mod lookup;
mod memory;
mod port;
mod process;
mod socket;
mod systemctl;
mod tcp;
mod threshold;
mod tls;
mod trace;
mod unit;
mod wire;
mod with_timeout;
mod workers;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod scenes;

use std::path::Path;
use std::time::{Duration, Instant};

use unhang_core::{Doubt, Observation, Times};

use crate::os::catch_panic;
use crate::plan::{Asks, Probe, Scope};

pub(crate) use kinds::KINDS;

/// A probe, and what it may lean on besides what it was given.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub probe: &'a Probe,
    pub ground: Ground<'a>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Ground<'a> {
    /// By the wall clock, since 1970: the start of the run.
    pub(crate) now: Duration,
    /// It is over by then.
    pub(crate) limit: Duration,
    /// The service's, if it has one.
    pub(crate) unit: Option<(&'a str, Scope)>,
    /// What this run writes about the service: no evidence of anything.
    pub(crate) own_log: Option<&'a Path>,
    /// What this very probe wanted to be remembered of the run before.
    pub(crate) memory: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub observation: Observation,
    /// It is well, but over a threshold that warns.
    pub near: Option<String>,
    /// Of what is well.
    pub said: Option<String>,
    /// Of the answer, if one came.
    pub status: Option<u16>,
    pub times: Times,
    pub memory: Option<String>,
}

impl Default for Answer {
    fn default() -> Self {
        let nothing = Observation::Unknown(Doubt::Other("no answer was kept".to_owned()));
        Self {
            observation: nothing,
            near: None,
            said: None,
            status: None,
            times: Times::default(),
            memory: None,
        }
    }
}

/// All of them side by side, in their order; at most `widest` at once, for each needs a descriptor. What
/// has not begun by `until` is not asked any more, and so not known.
pub(crate) fn all(asked: &[Asked<'_>], widest: usize, until: Instant) -> Vec<Answer> {
    let in_time = |asked: &Asked<'_>| {
        if Instant::now() < until { ask(asked) } else { unknown("the run had no time left to probe it") }
    };
    let answers = workers::side_by_side(asked, widest, in_time);
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| broken("no answer was kept"))).collect()
}

/// On this thread, over within the probe's time limit.
#[must_use]
pub fn ask(asked: &Asked<'_>) -> Answer {
    let Asked { probe, ground } = asked;
    let limit = probe.timeout;
    // ureq 3.5 panics on some broken redirects ("remote to have signaled redirect").
    let answer = catch_panic::caught(|| match &probe.asks {
        Asks::Url(question) if question.is_of_address() => port::ask(question, limit),
        Asks::Url(question) => http::ask(question, limit),
        Asks::Kind { kind, given } => kinds::ask(kind, given, &Ground { limit, ..*ground }),
    });
    match answer {
        Ok(answer) => answer,
        Err(words) => broken(&words),
    }
}

/// Never the service's fault: a healthy one must not be restarted for a mistake of ours.
fn broken(why: &str) -> Answer {
    unknown(&format!("the probe broke down: {}", fault::quoted(&why)))
}

fn unknown(why: &str) -> Answer {
    Answer { observation: Observation::Unknown(Doubt::Other(why.to_owned())), ..Answer::default() }
}
