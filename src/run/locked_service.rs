//! One service under its lock: what is remembered of it, kept and told as the tick goes on.

use std::io;
use std::sync::Arc;

use unhang_core::{Event, Moment, Observation, State, needs_unit_query};

use crate::exit::Exit;
use crate::managers::UnitStatus;
use crate::os::clock;
use crate::os::folder::Lock;
use crate::places::rights_cure;
use crate::plan::{Service, Shows};
use crate::report;
use crate::reported_faults::OwnFault;
use crate::sink::{self, Happened, SinkFailure, Taken};
use crate::store::{LoadFailure, LoadedService, SavedTo, Store, StorePlace, StoredService};
use crate::words;

use super::context::{RunContext, shows_progress};

#[derive(Debug)]
pub(crate) struct LockedService<'a> {
    pub(crate) service: &'a Service,
    pub(crate) record: StoredService,
    store: &'a Store,
    /// As it stands on disk, or in memory while the disk cannot be written.
    saved: StoredService,
    place: StorePlace,
    /// `None`: a rehearsal.
    pub(crate) lock: Option<Arc<Lock>>,
}

/// Will the next tick know?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SaveResult {
    Saved,
    NotSaved,
}

/// The services that this run may act on, and how it ends for the others. At most `most`: each holds a descriptor,
/// and whoever locks all that it can has none left to find anything out.
pub(crate) fn lock_services<'a>(
    tick: &RunContext<'a>,
    store: &'a Store,
    most: usize,
) -> (Vec<LockedService<'a>>, Vec<Exit>) {
    let mut room = most;
    partition(tick.plan.services.iter().map(|service| {
        if room == 0 {
            return Err(report_lock_failure(tick, store, service, &rustix::io::Errno::MFILE.into()));
        }
        let claimed = lock_service(tick, store, service);
        room -= usize::from(claimed.is_ok());
        claimed
    }))
}

/// Without locks.
pub(crate) fn open_services<'a>(
    tick: &RunContext<'a>,
    store: &'a Store,
) -> (Vec<LockedService<'a>>, Vec<Exit>) {
    partition(tick.plan.services.iter().map(|service| load_service(tick, store, service, None)))
}

fn partition<'a>(
    claimed: impl Iterator<Item = Result<LockedService<'a>, Exit>>,
) -> (Vec<LockedService<'a>>, Vec<Exit>) {
    let (mut watches, mut exits) = (Vec::new(), Vec::new());
    for one in claimed {
        match one {
            Ok(watch) => watches.push(watch),
            Err(exit) => exits.push(exit),
        }
    }
    (watches, exits)
}

fn lock_service<'a>(
    tick: &RunContext<'_>,
    store: &'a Store,
    service: &'a Service,
) -> Result<LockedService<'a>, Exit> {
    match store.lock_service(&service.key) {
        Ok(Some(lock)) => load_service(tick, store, service, Some(Arc::new(lock))),
        Ok(None) => {
            tell_locked(tick, service);
            Err(Exit::Locked)
        }
        Err(error) => Err(report_lock_failure(tick, store, service, &error)),
    }
}

/// Cron's next run would say so in a mail, each time that one takes long.
fn tell_locked(tick: &RunContext<'_>, service: &Service) {
    let what = format!("{}: another run is working on it; skipped in this run", service.key);
    if shows_progress(tick) { report::print_fault(what) } else { report::fault_at_terminal(what) }
}

fn report_lock_failure(tick: &RunContext<'_>, store: &Store, service: &Service, error: &io::Error) -> Exit {
    let why = words::io_error_or_cure(error, rights_cure(tick.plan.owner));
    let (key, lock) = (&service.key, store.lock_path(&service.key));
    report::print_fault(format!("{key}: cannot lock {}: {why}; skipped in this run", lock.display()));
    Exit::StateUnusable
}

fn load_service<'a>(
    tick: &RunContext<'_>,
    store: &'a Store,
    service: &'a Service,
    lock: Option<Arc<Lock>>,
) -> Result<LockedService<'a>, Exit> {
    let key = &service.key;
    match store.load(key, &tick.now) {
        Ok(LoadedService { record, place, unreadable }) => {
            if let Some(what) = unreadable {
                report::print_fault(format!("{key}: state file unreadable {what}"));
            }
            Ok(LockedService { service, saved: record.clone(), record, store, place, lock })
        }
        Err(LoadFailure::Unreadable(why)) => {
            report::print_fault(format!("{key}: cannot read {why}; skipped in this run"));
            Err(Exit::StateUnusable)
        }
        Err(LoadFailure::NewerVersion { version, file }) => {
            report::print_fault(format!(
                "{key}: {} was written by a newer unhang (version {version}); skipped: install that version, or move the file away",
                file.display()
            ));
            Err(Exit::StateUnusable)
        }
    }
}

impl LockedService<'_> {
    /// The lock's time is that of the last tick. Only `status` reads it; a tick is not worth less without.
    pub(crate) fn stamp_last_run(&self) {
        if let Some(lock) = &self.lock {
            let _ = lock.stamp();
        }
    }

    pub(crate) fn needs_unit_query(&self, tick: &RunContext<'_>, seen: &Observation) -> bool {
        let by = &self.service.restarter;
        by.shows() == Shows::Life && needs_unit_query(&self.record.state.counts, seen, by.label(), &tick.now)
    }

    /// The lock of the unit that is to be restarted, by its real name: ours may be an alias. `None`: it is no unit. An
    /// error: another has it, or it cannot be locked, which is reported.
    pub(crate) fn lock_unit(&self, status: Option<&UnitStatus>) -> Result<Option<Lock>, Exit> {
        let real = status.map(|status| status.id.as_str()).filter(|id| !id.is_empty());
        let unit = self.service.unit_name().map(|unit| real.unwrap_or(unit));
        let Some(unit) = unit else { return Ok(None) };
        match self.store.lock_unit(unit) {
            Ok(Some(lock)) => Ok(Some(lock)),
            Ok(None) => Err(Exit::Locked),
            Err(error) => {
                let (key, why) = (&self.service.key, words::io_error_text(&error));
                report::print_fault(format!("{key}: cannot lock {unit}: {why}; skipped in this run"));
                Err(Exit::StateUnusable)
            }
        }
    }

    /// What the last tick left, and that systemd was asked in this one.
    pub(crate) fn state_before(&self, status: Option<&UnitStatus>, now: &Moment) -> State {
        let State { counts, account } = self.record.state.clone();
        let counts = counts.for_fingerprint(self.service.fingerprint());
        let counts = match status {
            // A look that told nothing is to be repeated; where there is no systemd, none will.
            Some(status) if status.is_known() => counts.looked(self.service.restarter.label(), now),
            Some(_) | None => counts,
        };
        State { counts, account }
    }

    /// Saved if it changed, or if what was saved lies in memory and the disk may be well again.
    pub(crate) fn save(&mut self, state: State) -> SaveResult {
        self.record.state = state;
        if self.record == self.saved && self.place == StorePlace::Disk {
            return SaveResult::Saved;
        }
        let key = &self.service.key;
        let saved = self.store.save(key, &mut self.record);
        let told = self.record.faults.clone();
        let kept = match saved {
            SavedTo::Disk => {
                self.record.faults.clear(OwnFault::Disk);
                self.place = StorePlace::Disk;
                SaveResult::Saved
            }
            SavedTo::Memory(why) => {
                if self.record.faults.should_report(OwnFault::Disk, &clock::now()) {
                    report::print_fault(format!(
                        "{key}: cannot save the state to disk: {why}; kept in memory until the disk works (a reboot loses it)"
                    ));
                }
                self.place = StorePlace::Memory;
                SaveResult::Saved
            }
            SavedTo::Nowhere(why) => {
                report::print_fault(format!(
                    "{key}: cannot save the state anywhere: {why}; NOT WATCHED until this is fixed"
                ));
                return SaveResult::NotSaved;
            }
        };
        if self.record.faults != told {
            self.store.save(key, &mut self.record);
        }
        self.saved = self.record.clone();
        kept
    }

    /// To every sink. One that fails holds nothing up: its fault is told once, and kept.
    pub(crate) fn report(&mut self, tick: &RunContext<'_>, events: impl IntoIterator<Item = Event>) {
        for event in events {
            let at = clock::now();
            let happened = Happened { service: self.service, event: &event, at: &at, run: &tick.now };
            for taken in sink::deliver_event(&tick.sinks, &happened) {
                match taken {
                    Ok(Taken::Written(fault)) => self.record.faults.clear(fault),
                    Ok(Taken::NotForIt) => {}
                    Err(SinkFailure { fault, why }) => {
                        if self.record.faults.should_report(fault, &at) {
                            report::print_fault(format!("{}: {why}", self.service.key));
                        }
                    }
                }
            }
        }
    }

    /// What was told of our own faults is kept too.
    pub(crate) fn save_reported_faults(&mut self) {
        if self.record.faults != self.saved.faults {
            self.save(self.record.state.clone());
        }
        // Said, not left to the end of the process: a thread stuck in the kernel would keep it.
        if let Some(lock) = &self.lock {
            lock.release();
        }
    }
}
