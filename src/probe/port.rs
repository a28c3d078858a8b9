//! Does an address take connections? Nothing is said or read: what answers there is not asked who it is.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use unhang_core::{Doubt, Observation, Phase};
use ureq::Error;

use super::answer::ProbeAnswer;
use super::fault::{LocalError, classify_error};
use super::lookup::resolve_addresses;
use super::socket::Deadline;
use super::trace::Trace;
use super::wire::first_that_answers;

/// In all within `limit`.
pub(super) fn probe_port(host: &str, port: u16, limit: Duration) -> ProbeAnswer {
    let trace = Trace::new();
    let over = Deadline(Instant::now() + limit.min(LONGEST));
    let observation = match connect_port(host, port, over, &trace) {
        Ok(_) => Observation::Healthy,
        Err(error) => classify_error(&error, &trace.result()),
    };
    ProbeAnswer { observation, times: trace.times(), ..ProbeAnswer::default() }
}

/// `place`: `HOST:PORT`, as a key of a probe has it.
pub(super) fn connect_to(place: &str, over: Deadline, trace: &Trace) -> Result<OwnedFd, Error> {
    let parts = place.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = parts.ok_or_else(|| LocalError(Doubt::Other("it is no HOST:PORT".to_owned())))?;
    connect_port(host, port, over, trace)
}

fn connect_port(host: &str, port: u16, over: Deadline, trace: &Trace) -> Result<OwnedFd, Error> {
    trace.enter(Phase::Lookup);
    let found = resolve_addresses(host, port, over.0.saturating_duration_since(Instant::now()))?;
    trace.enter(Phase::Connect);
    Ok(first_that_answers(&found, over)?)
}

/// Instants cannot be added to without end; `config` bounds every span to less.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 3600);
