//! Asks services how they are. One question in, one answer out: no memory, no decision, no word of
//! units or restarts. Whatever a server answers and whatever this host lacks, an answer comes in time.

mod fault;
mod head;
mod http;
mod lookup;
mod port;
mod socket;
mod tls;
mod trace;
mod wire;
mod workers;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod scenes;

use std::time::Instant;

use unhang_core::{Doubt, Observation, Times};

use crate::os::quiet;
use crate::plan::Question;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) observation: Observation,
    /// Of the answer, if one came.
    pub(crate) status: Option<u16>,
    pub(crate) times: Times,
}

/// All of them side by side, in their order; at most `widest` at once, for each needs a descriptor. What
/// has not begun by `until` is not asked any more, and so not known.
pub(crate) fn all(questions: &[&Question], widest: usize, until: Instant) -> Vec<Answer> {
    let in_time = |question: &&Question| {
        if Instant::now() < until { ask(question) } else { unknown("the run had no time left to probe it") }
    };
    let answers = workers::side_by_side(questions, widest, in_time);
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| broken("no answer was kept"))).collect()
}

/// On this thread, over within `question.timeout`.
pub(crate) fn ask(question: &Question) -> Answer {
    // ureq 3.5 panics on some broken redirects ("remote to have signaled redirect").
    let asked =
        quiet::caught(|| if question.is_of_address() { port::ask(question) } else { http::ask(question) });
    match asked {
        Ok(answer) => answer,
        Err(words) => broken(&words),
    }
}

/// Never the service's fault: a healthy one must not be restarted for a mistake of ours.
fn broken(why: &str) -> Answer {
    unknown(&format!("the probe broke down: {}", fault::quoted(&why)))
}

fn unknown(why: &str) -> Answer {
    let observation = Observation::Unknown(Doubt::Other(why.to_owned()));
    Answer { observation, status: None, times: Times::default() }
}
