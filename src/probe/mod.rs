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
use crate::plan::{ProbeTarget, UrlTarget};

use answer::unknown_answer;
pub use answer::{ProbeAnswer, ProbeContext, ProbeRequest};
pub(crate) use kinds::KINDS;
pub(crate) use tls::forget_certificates;
pub(crate) use unit::find_unknown_unit;

/// All of them side by side, in their order; at most `widest` at once, for each needs a descriptor. What
/// has not begun by `until` is not asked any more, and so not known.
pub(crate) fn probe_all(asked: &[ProbeRequest<'_>], widest: usize, until: Instant) -> Vec<ProbeAnswer> {
    let in_time = |asked: &ProbeRequest<'_>| {
        if Instant::now() < until {
            run_probe(asked)
        } else {
            unknown_answer("not probed: the run's time was over")
        }
    };
    let answers = workers::side_by_side(asked, widest, in_time);
    answers
        .into_iter()
        .map(|answer| {
            answer.unwrap_or_else(|| panicked("internal error: the answer was lost; please report it"))
        })
        .collect()
}

/// On this thread, over within the probe's time limit.
#[must_use]
pub fn run_probe(asked: &ProbeRequest<'_>) -> ProbeAnswer {
    let ProbeRequest { probe, ground } = asked;
    let limit = probe.timeout;
    // ureq panics where it is wrong about what a server may say.
    let answer = catch_panic::catch_panic(|| match &probe.asks {
        ProbeTarget::Http(question) => match &question.target {
            UrlTarget::Tcp { host, port } => port::probe_port(host, *port, limit),
            UrlTarget::Http { .. } | UrlTarget::HttpOverUnix { .. } => http::probe_url(question, limit),
        },
        ProbeTarget::Kind { kind, given } => kinds::run_kind(kind, given, &ProbeContext { limit, ..*ground }),
    });
    match answer {
        Ok(answer) => answer,
        Err(words) => panicked(&words),
    }
}

/// Never the service's fault: a healthy one must not be restarted for a mistake of ours.
fn panicked(why: &str) -> ProbeAnswer {
    unknown_answer(&format!("internal error in the probe: {}; please report it", fault::quote_error(&why)))
}
