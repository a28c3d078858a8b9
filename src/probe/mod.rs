//! Asks services how they are. One question in, one answer out: no memory, no decision, no word of
//! units or restarts. Whatever a server answers and whatever this host lacks, an answer comes in time.

mod answer;
mod answer_head;
mod body;
mod body_text;
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
mod kind;
mod kinds;
mod load;
mod log;
mod lookup;
mod memory;
mod name_service;
mod port;
mod process;
mod redirect;
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

use std::time::Instant;

use crate::os::catch_panic;
use crate::plan::{Asks, Target};

use answer::unknown;
pub use answer::{Answer, Asked, Ground};
pub(crate) use kinds::KINDS;
pub(crate) use tls::forget_certificates;
pub(crate) use unit::find_unknown_unit;

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
    // ureq panics where it is wrong about what a server may say.
    let answer = catch_panic::caught(|| match &probe.asks {
        Asks::Url(question) => match &question.target {
            Target::Tcp { host, port } => port::ask(host, *port, limit),
            Target::Http { .. } | Target::HttpOverUnix { .. } => http::ask(question, limit),
        },
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
