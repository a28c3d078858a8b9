//! How far one request has come: the resolver and the transport of that request write here, and
//! whoever asked reads. Knows nothing of HTTP; never fails.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use unhang_core::{Phase, Times};

/// As much of an answer as tells a person what it is.
const BEGINNING: usize = 40;

#[derive(Debug)]
pub(super) struct Trace(Mutex<Way>);

/// What was seen, and where the time went.
#[derive(Debug)]
struct Way {
    seen: Seen,
    /// `None`: ureq has not begun yet.
    entered: Option<Instant>,
    times: Times,
}

#[derive(Debug, Clone)]
pub(super) struct Seen {
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
        let seen = Seen { phase: Phase::Resolve, beginning: Vec::new(), is_length_clear: true };
        Self(Mutex::new(Way { seen, entered: None, times: Times::default() }))
    }

    /// A redirect enters the phases anew.
    pub(super) fn enter(&self, phase: Phase) {
        self.look(|way| way.enter(phase));
    }

    /// The first bytes of an answer are in.
    pub(super) fn note_beginning(&self, bytes: &[u8]) {
        let beginning = bytes.get(..BEGINNING).unwrap_or(bytes).to_vec();
        self.look(|way| {
            way.enter(Phase::Read);
            way.seen.beginning = beginning;
        });
    }

    /// The head of the final answer is in.
    pub(super) fn note_length(&self, is_clear: bool) {
        self.look(|way| way.seen.is_length_clear = is_clear);
    }

    pub(super) fn seen(&self) -> Seen {
        self.look(|way| way.seen.clone())
    }

    /// Up to now.
    pub(super) fn times(&self) -> Times {
        self.look(|way| {
            way.enter(way.seen.phase);
            way.times
        })
    }

    fn look<T>(&self, at: impl FnOnce(&mut Way) -> T) -> T {
        at(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Way {
    fn enter(&mut self, phase: Phase) {
        let now = Instant::now();
        if let Some(entered) = self.entered {
            self.times.spend(self.seen.phase, now.saturating_duration_since(entered));
        }
        (self.seen.phase, self.entered) = (phase, Some(now));
    }
}
