//! What pauses share: who wants one, for how long and why; and the wait for a run that is under way. A pause needs no
//! lock, but begins only after a run that began before has left the service: from then on nothing is restarted.

use std::thread;
use std::time::{Duration, Instant};

use unhang_core::{Event, Pause, PausedBy};

use crate::config;
use crate::os::clock;
use crate::places::{Places, cure};
use crate::plan::Service;
use crate::report::{self, Progress};
use crate::run::context::Tick;
use crate::sink::{self, Happened, SinkFailure};
use crate::store::{self, Note, Store};
use crate::words;

use super::context::{Refusal, name_person};

/// Who wants it, for how long, and why.
#[derive(Debug)]
pub(super) struct Pausing {
    pub(super) who: String,
    pub(super) why: Option<String>,
    pub(super) length: Duration,
}

/// After the deadline, a run has ended.
const SPARE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

impl Pausing {
    /// A pause as it was typed, by the person who typed it.
    pub(super) fn read(length: &str, reason: Option<&String>) -> Result<Self, Refusal> {
        let length = config::length("--for", length, store::LONGEST_PAUSE)?;
        Ok(Self { who: name_person(), why: reason.map(|reason| store::shown(reason)), length })
    }

    pub(super) fn note(&self, tick: &Tick<'_>) -> Note {
        let (who, why) = (self.who.clone(), self.why.clone());
        Note { who, why, since: tick.now.clone(), until: tick.now.later(self.length) }
    }

    pub(super) fn words(&self) -> String {
        words::by(&self.who, self.why.as_deref())
    }

    /// `program`: while that runs.
    pub(super) fn event(&self, note: &Note, program: Option<&str>) -> Event {
        let (until, program) = (note.until.clone(), program.map(str::to_owned));
        Event::Paused { until, who: self.who.clone(), why: self.why.clone(), program }
    }
}

pub(super) fn open(tick: &Tick<'_>, places: &Places) -> Option<Store> {
    Store::open(places)
        .map_err(|error| {
            let (locks, why) = (places.locks.display(), words::io_or_cure(&error, cure(tick.plan.owner)));
            report::fault(format!("{locks}: cannot be used for pauses: {why}; nothing was changed"));
        })
        .ok()
}

/// Services whose lock a run holds for longer than any run lasts.
pub(super) fn at_work<'a>(tick: &Tick<'a>, store: &Store) -> Vec<&'a Service> {
    let over = tick.began + tick.plan.host.deadline + SPARE;
    let mut left: Vec<&Service> = tick.plan.services.iter().collect();
    let mut waiting = None;
    loop {
        left.retain(|service| store.is_locked(&service.key).unwrap_or(true));
        if left.is_empty() || Instant::now() >= over {
            return left;
        }
        waiting.get_or_insert_with(|| Progress::begin("waiting for the run that is under way".to_owned()));
        thread::sleep(LOOK);
    }
}

pub(super) fn lasting(pause: Pause) -> Option<PausedBy> {
    match pause {
        Pause::Lasting(paused) => Some(paused.by),
        Pause::None | Pause::Over { .. } => None,
    }
}

pub(super) fn tell(tick: &Tick<'_>, service: &Service, event: &Event) {
    let happened = Happened { service, event, at: &clock::now(), run: &tick.now };
    for SinkFailure { why, .. } in sink::deliver(&tick.sinks, &happened).into_iter().filter_map(Result::err) {
        report::fault(format!("{}: {why}", service.key));
    }
}
