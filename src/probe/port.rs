//! Does an address take connections? Nothing is said or read: what answers there is not asked who it is.

use std::time::{Duration, Instant};

use unhang_core::{Doubt, Observation, Phase};
use ureq::Error;
use ureq::http::Uri;
use ureq::http::uri::InvalidUri;

use crate::plan::Question;

use super::Answer;
use super::fault::{Ours, classify};
use super::lookup::addresses;
use super::socket::Deadline;
use super::trace::Trace;
use super::wire::first_that_answers;

/// In all within `question.timeout`.
pub(super) fn ask(question: &Question) -> Answer {
    let trace = Trace::new();
    let observation = match connect(question, &trace) {
        Ok(()) => Observation::Healthy,
        Err(error) => classify(&error, &trace.seen()),
    };
    Answer { observation, status: None, times: trace.times() }
}

fn connect(question: &Question, trace: &Trace) -> Result<(), Error> {
    let over = Instant::now() + question.timeout.min(LONGEST);
    let uri: Uri = question.url.parse().map_err(|error: InvalidUri| Error::Http(error.into()))?;
    let place = uri.host().zip(uri.port_u16());
    let (host, port) = place.ok_or_else(|| Ours(Doubt::Other("it is no HOST:PORT".to_owned())))?;
    trace.enter(Phase::Resolve);
    let found = addresses(host, port, over.saturating_duration_since(Instant::now()))?;
    trace.enter(Phase::Connect);
    Ok(first_that_answers(&found, Deadline(over)).map(drop)?)
}

/// Instants cannot be added to without end; `config` bounds every span to less.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 3600);
