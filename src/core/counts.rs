//! What is decided upon: all that must be remembered of one service for the next run to judge it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{FailureWindow, Fingerprint, InvocationId, Moment, PauseState, StepKind, StoredCause};

/// Core decides from this half of the state alone: see `Account` for the other one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Counted failures in a row of this incarnation: what decides.
    pub streak: u32,
    /// Counted failures in a row since the last healthy answer: what the log prints as `Failure 3/2`.
    /// Goes on over our own restarts, and begins again with a restart by somebody else.
    pub failures: u32,
    /// Healthy answers in a row within an open incident.
    pub successes: u32,
    /// Failed ticks in a row that each found a new incarnation which systemd itself had begun.
    pub lives: u32,
    /// At the last failed tick.
    pub incarnation: Option<InvocationId>,
    /// The last failure that counted or was due.
    pub failed_at: Option<Moment>,
    /// When the open incident began.
    pub since: Option<Moment>,
    /// When the last incident was closed.
    pub healthy_since: Option<Moment>,
    /// Newest last; no more than the budget allows, but two at least.
    pub restarts: Vec<Restart>,
    /// Our newest restart has not been seen to end.
    pub intent: Option<Intent>,
    pub backoff: Option<Backoff>,
    /// Of the policy's list of means, so many are used up by the open incident.
    pub rungs: u32,
    /// It was due, and its run had no time left: it comes first in the next.
    pub put_off: bool,
    /// The unit that systemd was last asked about while all was well, and in which boot.
    pub looked: Option<LastUnitQuery>,
    pub recent: FailureWindow,
    /// It was told that it flaps, and has not been steadily healthy since.
    pub flapping: bool,
    pub evidence: HealthRecord,
    /// Of the configuration that all this was counted under; `None`: the next run says.
    pub fingerprint: Option<Fingerprint>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    pub at: Moment,
    pub act: StepKind,
    pub outcome: Outcome,
    /// What was answered when it was asked for.
    pub cause: Option<StoredCause>,
    /// What it brought forth, or while that is not known, what it set out to end.
    pub incarnation: Option<InvocationId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Healed,
    NotHealed,
    /// Still running, still starting, or we ended before it did.
    Unknown,
    /// systemd gave way to somebody else's job.
    Refused,
}

/// On disk before the restart is asked for, so that a tick which dies costs one restart and causes none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The incarnation to be ended.
    pub incarnation: Option<InvocationId>,
    /// In which boot; the stamp of the restart does not say it any more once it was taken for one of the future.
    pub boot: Option<String>,
    pub was: UnitBefore,
    /// The process of a restart command, which outlives the tick.
    pub process: Option<ProcessId>,
}

/// The unit, when we set out to restart it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnitBefore {
    /// A restart of it is one job of systemd's: if it is found stopped afterwards, somebody canceled that.
    #[default]
    Up,
    /// `reset-failed` made it look stopped, or was about to.
    Down,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessId {
    pub pid: u32,
    /// Field 22 of proc(5)'s `stat`: tells this process from a later one of the same number.
    pub started: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    /// Restarts in a row with no healthy time between them that was long enough.
    pub step: u32,
    /// The start of the tick that last restarted.
    pub from: Moment,
}

/// That the question is right: asked so, it was healthy once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HealthRecord {
    #[default]
    NeverHealthy,
    /// None, and a restart brought none.
    NotEvenAfterRestart,
    WasHealthy,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUnitQuery {
    pub unit: String,
    pub boot: Option<String>,
}

impl Counts {
    #[must_use]
    pub fn last_restart(&self) -> Option<&Restart> {
        self.restarts.last()
    }

    /// Is it not yet known, and still to be found out, what came of our newest restart?
    #[must_use]
    pub fn awaits_outcome(&self) -> bool {
        let known_by = |restart: &Restart| self.intent.is_some() || restart.incarnation.is_some();
        self.last_restart().is_some_and(|restart| restart.outcome == Outcome::Unknown && known_by(restart))
    }

    /// What failed under another URL, or restarted by other means, is no evidence about this.
    #[must_use]
    pub fn for_fingerprint(self, fingerprint: Fingerprint) -> Self {
        let known = self.fingerprint.unwrap_or(fingerprint);
        if self.fingerprint == Some(fingerprint) {
            return self;
        }
        // That it was healthy once, asked so, does not depend on how it is restarted.
        let as_asked = known.asked == fingerprint.asked;
        let counted = as_asked && known.restarted == fingerprint.restarted;
        let is_list = known.escalation == fingerprint.escalation;
        Self {
            streak: if counted { self.streak } else { 0 },
            failures: if counted { self.failures } else { 0 },
            lives: if counted { self.lives } else { 0 },
            rungs: if counted && is_list { self.rungs } else { 0 },
            // A command that still runs must not get another one beside it.
            intent: self.intent.filter(|intent| counted || intent.process.is_some()),
            evidence: if as_asked { self.evidence } else { HealthRecord::NeverHealthy },
            recent: if as_asked { self.recent } else { FailureWindow::default() },
            fingerprint: Some(fingerprint),
            ..self
        }
    }

    /// What a pause leaves of the count: nothing of what failed before it, also once it is over.
    #[must_use]
    pub fn after_pause(self, pause: &PauseState, now: &Moment) -> Self {
        let failed_before = |since: &Moment| {
            self.failed_at
                .as_ref()
                .is_some_and(|failed| now.elapsed_since(failed) >= now.elapsed_since(since))
        };
        let is_over_it = match pause {
            PauseState::None => false,
            PauseState::Ended { since } => failed_before(since),
            PauseState::Active(_) => true,
        };
        if is_over_it { Self { streak: 0, ..self } } else { self }
    }

    /// A tick that asked systemd about `unit` remembers it.
    #[must_use]
    pub fn looked(self, unit: &str, now: &Moment) -> Self {
        Self { looked: Some(LastUnitQuery { unit: String::from(unit), boot: now.boot.clone() }), ..self }
    }

    /// Stamps of the future become now; see `Moment::clamp_to`.
    pub(crate) fn not_after(&self, now: &Moment) -> Self {
        let mut bound = self.clone();
        bound.stamps().for_each(|stamp| stamp.clamp_to(now));
        bound
    }

    fn stamps(&mut self) -> impl Iterator<Item = &mut Moment> {
        [&mut self.failed_at, &mut self.since, &mut self.healthy_since]
            .into_iter()
            .flatten()
            .chain(self.restarts.iter_mut().map(|restart| &mut restart.at))
            .chain(self.backoff.as_mut().map(|backoff| &mut backoff.from))
    }
}
