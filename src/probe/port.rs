//! Does an address take connections? Nothing is said or read: what answers there is not asked who it is.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use unhang_core::{Doubt, Observation, Phase};
use ureq::Error;
use ureq::http::Uri;
use ureq::http::uri::InvalidUri;

use crate::plan::Question;

use super::answer::Answer;
use super::fault::{Ours, classify};
use super::lookup::addresses;
use super::socket::Deadline;
use super::trace::Trace;
use super::wire::first_that_answers;

/// In all within `limit`.
pub(super) fn ask(question: &Question, limit: Duration) -> Answer {
    let trace = Trace::new();
    let over = Deadline(Instant::now() + limit.min(LONGEST));
    let observation = match connect(&question.url, over, &trace) {
        Ok(_) => Observation::Healthy,
        Err(error) => classify(&error, &trace.seen()),
    };
    Answer { observation, times: trace.times(), ..Answer::default() }
}

/// `url`: `tcp://HOST:PORT`
pub(super) fn connect(url: &str, over: Deadline, trace: &Trace) -> Result<OwnedFd, Error> {
    let uri: Uri = url.parse().map_err(|error: InvalidUri| Error::Http(error.into()))?;
    let place = uri.host().zip(uri.port_u16());
    let (host, port) = place.ok_or_else(|| Ours(Doubt::Other("it is no HOST:PORT".to_owned())))?;
    trace.enter(Phase::Resolve);
    let found = addresses(host, port, over.0.saturating_duration_since(Instant::now()))?;
    trace.enter(Phase::Connect);
    Ok(first_that_answers(&found, over)?)
}

/// Instants cannot be added to without end; `config` bounds every span to less.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 3600);
