//! How far one request has come: the resolver and the transport of that request write here, and
//! whoever asked reads. Knows nothing of HTTP; never fails.

use std::sync::{Mutex, PoisonError};

use unhang_core::Phase;

/// As much of an answer as tells a person what it is.
const BEGINNING: usize = 40;

#[derive(Debug)]
pub(super) struct Trace(Mutex<Seen>);

#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// ureq names the time limit that was configured, which is always the whole; this names what the
    /// time was spent on.
    pub(super) phase: Phase,
    /// The first bytes of the (last) answer; empty before any came.
    pub(super) beginning: Vec<u8>,
}

impl Trace {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Seen { phase: Phase::Resolve, beginning: Vec::new() }))
    }

    /// A redirect enters the phases anew.
    pub(super) fn enter(&self, phase: Phase) {
        self.look(|seen| seen.phase = phase);
    }

    /// The first bytes of an answer are in.
    pub(super) fn note_beginning(&self, bytes: &[u8]) {
        let beginning = bytes.get(..BEGINNING).unwrap_or(bytes).to_vec();
        self.look(|seen| *seen = Seen { phase: Phase::Read, beginning });
    }

    pub(super) fn seen(&self) -> Seen {
        self.look(|seen| seen.clone())
    }

    fn look<T>(&self, at: impl FnOnce(&mut Seen) -> T) -> T {
        at(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
