//! How far one request has come: the resolver and the transport of that request write here, and
//! whoever asked reads. Knows nothing of HTTP; never fails.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use unhang_core::{Phase, PhaseTimes};

/// As much of an answer as tells a person what it is.
const MAX_FIRST_BYTES: usize = 40;

#[derive(Debug)]
pub(super) struct Trace(Mutex<TracePath>);

/// What was seen, and where the time went.
#[derive(Debug)]
struct TracePath {
    seen: TraceResult,
    /// `None`: ureq has not begun yet.
    entered: Option<Instant>,
    times: PhaseTimes,
}

#[derive(Debug, Clone)]
pub(super) struct TraceResult {
    /// ureq names the time limit that was configured, which is always the whole; this names what the
    /// time was spent on.
    pub(super) phase: Phase,
    /// The first bytes of the (last) answer; empty before any came.
    pub(super) beginning: Vec<u8>,
    /// False: the head does not say where the body ends, or says it twice.
    pub(super) is_length_clear: bool,
}

impl Trace {
    pub(super) fn new() -> Self {
        let seen = TraceResult { phase: Phase::Lookup, beginning: Vec::new(), is_length_clear: true };
        Self(Mutex::new(TracePath { seen, entered: None, times: PhaseTimes::default() }))
    }

    /// A redirect enters the phases anew.
    pub(super) fn enter(&self, phase: Phase) {
        self.with_way(|way| way.enter(phase));
    }

    /// The first bytes of an answer are in.
    pub(super) fn note_beginning(&self, bytes: &[u8]) {
        let beginning = bytes.get(..MAX_FIRST_BYTES).unwrap_or(bytes).to_vec();
        self.with_way(|way| {
            way.enter(Phase::Rest);
            way.seen.beginning = beginning;
        });
    }

    /// The head of the final answer is in.
    pub(super) fn note_length(&self, is_clear: bool) {
        self.with_way(|way| way.seen.is_length_clear = is_clear);
    }

    pub(super) fn result(&self) -> TraceResult {
        self.with_way(|way| way.seen.clone())
    }

    /// Up to now.
    pub(super) fn times(&self) -> PhaseTimes {
        self.with_way(|way| {
            way.enter(way.seen.phase);
            way.times
        })
    }

    fn with_way<T>(&self, at: impl FnOnce(&mut TracePath) -> T) -> T {
        at(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TracePath {
    fn enter(&mut self, phase: Phase) {
        let now = Instant::now();
        if let Some(entered) = self.entered {
            self.times.add(self.seen.phase, now.saturating_duration_since(entered));
        }
        (self.seen.phase, self.entered) = (phase, Some(now));
    }
}
