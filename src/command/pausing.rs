//! What pauses share: who wants one, for how long and why; and the wait for a run that is under way. A pause needs no
//! lock, but begins only after a run that began before has left the service: from then on nothing is restarted.

use std::thread;
use std::time::{Duration, Instant};

use unhang_core::{Event, PauseSource, PauseState};

use crate::config;
use crate::os::clock;
use crate::places::{StatePlaces, rights_cure};
use crate::plan::Service;
use crate::report::{self, ProgressLine};
use crate::run::context::RunContext;
use crate::sink::{self, Happened, SinkFailure};
use crate::store::{self, PauseRecord, Store};
use crate::words;

use super::context::{Refusal, name_person};

/// Who wants it, for how long, and why.
#[derive(Debug)]
pub(super) struct PauseRequest {
    pub(super) who: String,
    pub(super) why: Option<String>,
    pub(super) length: Duration,
}

/// After the deadline, a run has ended.
const RUN_END_MARGIN: Duration = Duration::from_secs(5);
const LOCK_POLL_EVERY: Duration = Duration::from_millis(50);

impl PauseRequest {
    /// A pause as it was typed, by the person who typed it.
    pub(super) fn read(length: &str, reason: Option<&String>) -> Result<Self, Refusal> {
        let length = config::parse_pause_length("--for", length, store::LONGEST_PAUSE)?;
        Ok(Self { who: name_person(), why: reason.map(|reason| store::shorten_text(reason)), length })
    }

    pub(super) fn to_record(&self, tick: &RunContext<'_>) -> PauseRecord {
        let (who, why) = (self.who.clone(), self.why.clone());
        PauseRecord { who, why, since: tick.now.clone(), until: tick.now.plus(self.length) }
    }

    pub(super) fn describe(&self) -> String {
        words::by_text(&self.who, self.why.as_deref())
    }

    /// `program`: while that runs.
    pub(super) fn event(&self, note: &PauseRecord, program: Option<&str>) -> Event {
        let (until, program) = (note.until.clone(), program.map(str::to_owned));
        Event::Paused { until, who: self.who.clone(), why: self.why.clone(), program }
    }
}

pub(super) fn open_store(tick: &RunContext<'_>, places: &StatePlaces) -> Option<Store> {
    Store::open(places)
        .map_err(|error| {
            let (locks, why) =
                (places.locks.display(), words::io_error_or_cure(&error, rights_cure(tick.plan.owner)));
            report::print_fault(format!("{locks}: cannot be used for pauses: {why}; nothing was changed"));
        })
        .ok()
}

/// Services whose lock a run holds for longer than any run lasts.
pub(super) fn services_in_a_run<'a>(tick: &RunContext<'a>, store: &Store) -> Vec<&'a Service> {
    let over = tick.began + tick.plan.host.deadline + RUN_END_MARGIN;
    let mut left: Vec<&Service> = tick.plan.services.iter().collect();
    let mut waiting = None;
    loop {
        left.retain(|service| store.is_locked(&service.key).unwrap_or(true));
        if left.is_empty() || Instant::now() >= over {
            return left;
        }
        waiting.get_or_insert_with(|| ProgressLine::start("waiting for the current run to end".to_owned()));
        thread::sleep(LOCK_POLL_EVERY);
    }
}

pub(super) fn active_pause_text(pause: PauseState) -> Option<PauseSource> {
    match pause {
        PauseState::Active(paused) => Some(paused.by),
        PauseState::None | PauseState::Ended { .. } => None,
    }
}

pub(super) fn log_line(tick: &RunContext<'_>, service: &Service, event: &Event) {
    let happened = Happened { service, event, at: &clock::now(), run: &tick.now };
    for SinkFailure { why, .. } in
        sink::deliver_event(&tick.sinks, &happened).into_iter().filter_map(Result::err)
    {
        report::print_fault(format!("{}: {why}", service.key));
    }
}
