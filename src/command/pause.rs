//! A pause, by hand: begun, ended, or held while a command runs. Needs no lock, but does not return while a run
//! that began before is still at work on the service: from then on nothing is restarted.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use unhang_core::{Event, Pause, PausedBy, Resumption};

use crate::exit::Exit;
use crate::log::Echo;
use crate::os::{clock, foreground_child};
use crate::places::{Places, cure};
use crate::plan::{Plan, Service};
use crate::report::{self, Progress};
use crate::restart::command;
use crate::sink::{self, Happened, SinkFailure};
use crate::store::{Held, Note, Store};
use crate::words;

use crate::run::context::Tick;

/// Who wants it, for how long, and why.
#[derive(Debug)]
pub(crate) struct Pausing {
    pub(crate) who: String,
    pub(crate) why: Option<String>,
    pub(crate) length: Duration,
}

/// After the deadline, a run has ended.
const SPARE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

impl Pausing {
    fn note(&self, tick: &Tick<'_>) -> Note {
        let (who, why) = (self.who.clone(), self.why.clone());
        Note { who, why, since: tick.now.clone(), until: tick.now.later(self.length) }
    }

    fn words(&self) -> String {
        words::by(&self.who, self.why.as_deref())
    }

    /// `program`: while that runs.
    fn event(&self, note: &Note, program: Option<&str>) -> Event {
        let (until, program) = (note.until.clone(), program.map(str::to_owned));
        Event::Paused { until, who: self.who.clone(), why: self.why.clone(), program }
    }
}

/// Every service of the plan, until then.
pub(crate) fn pause(plan: &Plan, places: &Places, pausing: &Pausing) -> Exit {
    let tick = Tick::begin(plan, Echo::Silent);
    let Some(store) = open(&tick, places) else { return Exit::StateUnusable };
    let note = pausing.note(&tick);
    let until = words::day_and_clock(&note.until, &tick.now);
    let begin = |service: &Service| match store.begin_pause(&service.key, &note) {
        Ok(not_on_disk) => {
            if let Some(why) = not_on_disk {
                let key = &service.key;
                report::fault(format!(
                    "{key}: cannot write the pause: {why}; kept in memory, which a reboot loses"
                ));
            }
            let by = pausing.words();
            tell(&tick, service, &pausing.event(&note, None));
            report::line(words::escaped(&format!("{}: no restarts until {until}: {by}", service.key)));
            Exit::Well
        }
        Err(error) => {
            let (key, why) = (&service.key, words::io_or_cure(&error, cure(plan.owner)));
            report::fault(format!("{key}: cannot write the pause: {why}; it is not paused"));
            Exit::StateUnusable
        }
    };
    let mut exits: Vec<Exit> = plan.services.iter().map(begin).collect();
    // Who may not write here cannot tell a run's lock either.
    if exits.contains(&Exit::Well) {
        exits.extend(at_work(&tick, &store).into_iter().map(|service| {
            report::fault(format!(
                "{}: a run is under way and may still restart it; look again",
                service.key
            ));
            Exit::Unwell
        }));
    }
    Exit::merge(exits)
}

/// Those of persons; one that a command holds ends with it.
pub(crate) fn resume(plan: &Plan, places: &Places, who: &str) -> Exit {
    let tick = Tick::begin(plan, Echo::Silent);
    let Some(store) = open(&tick, places) else { return Exit::StateUnusable };
    let end = |service: &Service| {
        let key = &service.key;
        let ended = store.end_pause(key, &tick.now);
        let still = store.pauses().and_then(|pauses| pauses.of(key, &tick.now));
        match (ended, still) {
            (Ok(ended), Ok(still)) => {
                let still = lasting(still);
                if ended {
                    let by = Resumption::Person { who: who.to_owned() };
                    tell(&tick, service, &Event::Resumed { by, still: still.clone() });
                }
                let still = still.map(|by| words::paused(&by));
                let said = match (&still, ended) {
                    (None, true) => "resumed".to_owned(),
                    (None, false) => "was not paused".to_owned(),
                    (Some(by), true) => format!("resumed, but still {by}"),
                    (Some(by), false) => format!("still {by}"),
                };
                report::line(words::escaped(&format!("{key}: {said}")));
                if still.is_some() { Exit::Unwell } else { Exit::Well }
            }
            (Err(error), _) | (_, Err(error)) => {
                let why = words::io_or_cure(&error, cure(plan.owner));
                report::fault(format!("{key}: cannot end the pause: {why}; it stays as it is"));
                Exit::StateUnusable
            }
        }
    };
    Exit::merge(plan.services.iter().map(end))
}

/// env(1), nohup(1) and timeout(1) end with 125 where they themselves failed.
pub(crate) const NOT_BEGUN: u8 = 125;

/// While `words` run. Without a pause they do not begin.
pub(crate) fn paused(
    plan: &Plan,
    places: &Places,
    pausing: &Pausing,
    command_words: &[OsString],
) -> ExitCode {
    let tick = Tick::begin(plan, Echo::Silent);
    let program = command_words.first().map(|word| Path::new(word).display().to_string()).unwrap_or_default();
    let Some(store) = open(&tick, places) else { return ExitCode::from(NOT_BEGUN) };
    let Some(held) = hold_all(&tick, &store, pausing, &program) else { return ExitCode::from(NOT_BEGUN) };
    let (began, ended) = (Instant::now(), command::attend(command_words));
    drop(held);
    let how = match &ended {
        Ok(status) => command::how_it_ended(*status),
        Err((_, why)) => why.clone(),
    };
    let lasted = began.elapsed();
    let after = words::span(lasted);
    let others = store.pauses().ok();
    for service in &plan.services {
        let other = others.as_ref().and_then(|others| others.of(&service.key, &clock::now()).ok());
        let still = other.and_then(lasting);
        let by = Resumption::ProgramEnded { program: program.clone(), how: how.clone(), after: lasted };
        tell(&tick, service, &Event::Resumed { by, still });
    }
    if lasted > pausing.length {
        let length = words::span(pausing.length);
        report::fault(format!("paused: {program} took {after}, the pause {length}; give it a longer --for"));
    }
    match ended {
        Ok(status) => ExitCode::from(foreground_child::end_as(status)),
        Err((code, why)) => {
            report::fault(format!("paused: {program}: {why}; nothing was run"));
            ExitCode::from(code)
        }
    }
}

fn hold_all(tick: &Tick<'_>, store: &Store, pausing: &Pausing, program: &str) -> Option<Vec<Held>> {
    let note = pausing.note(tick);
    let mut held = Vec::new();
    for service in &tick.plan.services {
        match store.hold_pause(&service.key, std::process::id(), &note) {
            Ok(one) => held.push(one),
            Err(error) => {
                let (key, why) = (&service.key, words::io_or_cure(&error, cure(tick.plan.owner)));
                report::fault(format!("{key}: cannot write the pause: {why}; {program} was not begun"));
                return None;
            }
        }
    }
    if let Some(service) = at_work(tick, store).first() {
        let key = &service.key;
        report::fault(format!("{key}: a run is under way and may still restart it; {program} was not begun"));
        return None;
    }
    for service in &tick.plan.services {
        tell(tick, service, &pausing.event(&note, Some(program)));
    }
    Some(held)
}

fn open(tick: &Tick<'_>, places: &Places) -> Option<Store> {
    Store::open(places)
        .map_err(|error| {
            let (locks, why) = (places.locks.display(), words::io_or_cure(&error, cure(tick.plan.owner)));
            report::fault(format!("{locks}: cannot be used for pauses: {why}; nothing was changed"));
        })
        .ok()
}

/// Services whose lock a run holds for longer than any run lasts.
fn at_work<'a>(tick: &Tick<'a>, store: &Store) -> Vec<&'a Service> {
    let over = tick.began + tick.plan.host.deadline + SPARE;
    let mut left: Vec<&Service> = tick.plan.services.iter().collect();
    let mut waiting = None;
    loop {
        left.retain(|service| store.is_locked(service.lock()).unwrap_or(true));
        if left.is_empty() || Instant::now() >= over {
            return left;
        }
        waiting.get_or_insert_with(|| Progress::begin("waiting for the run that is under way".to_owned()));
        thread::sleep(LOOK);
    }
}

fn lasting(pause: Pause) -> Option<PausedBy> {
    match pause {
        Pause::Lasting(paused) => Some(paused.by),
        Pause::None | Pause::Over { .. } => None,
    }
}

fn tell(tick: &Tick<'_>, service: &Service, event: &Event) {
    let happened = Happened { service, event, at: &clock::now(), run: &tick.now };
    for SinkFailure { why, .. } in sink::deliver(&tick.sinks, &happened).into_iter().filter_map(Result::err) {
        report::fault(format!("{}: {why}", service.key));
    }
}
