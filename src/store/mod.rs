//! What is remembered between two ticks: one small file for each service, replaced as a whole and only
//! when it changed, under a lock of its own. A disk that cannot be written does not blind us: the state
//! then goes to memory, and of two copies the higher sequence number counts. Decides nothing.
//!
//! Each file has one bound, in bytes, for who writes it and for who reads it:
//!
//! | file | holds | bound |
//! |---|---|---|
//! | `NAME.json`, on disk and in memory | a state | `places::MAX_STATE_BYTES`; each text and list in it has one too |
//! | `NAME.pause`, on disk and in memory | a person's pause | `pause::LONGEST_FILE`; who and why are cut |
//! | `NAME+PID.pause` | a command's pause | the same |
//! | `NAME.lock`, `unit+UNIT.lock` | nothing | not read, not written |
//! | `NAME.json.corrupt-TIME` | what could not be read | renamed, and not read again |

mod pause;
mod state_file;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use unhang_core::{Moment, State};

use crate::os::folder::{Folder, Lock};
use crate::places::{MAX_STATE_BYTES, StatePlaces};
use crate::reported_faults::ReportedFaults;
use crate::words;
pub(crate) use pause::{MAX_PAUSE as LONGEST_PAUSE, PauseGuard, PauseRecord, shorten_text};
use state_file::StateReadError;

/// Of the files set aside as corrupt, for each service.
const MAX_DAMAGED_FILES: usize = 3;

#[derive(Debug)]
pub struct Store {
    disk: io::Result<Folder>,
    /// `None`: there is to be none.
    fallback: Option<io::Result<Folder>>,
    locks: Option<Folder>,
    at: StatePlaces,
    access: StoreAccess,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoreAccess {
    ReadWrite,
    /// Makes nothing, and sets nothing aside.
    ReadOnly,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredService {
    /// Grows with each save.
    sequence: u64,
    pub state: State,
    /// Of probes, by name: where in a log the last run has stopped reading.
    pub memory: BTreeMap<String, String>,
    pub faults: ReportedFaults,
}

/// What was found of a service.
#[derive(Debug)]
pub struct LoadedService {
    pub record: StoredService,
    pub place: StorePlace,
    /// A file could not be read: what became of it, and what we go on with.
    pub unreadable: Option<String>,
}

/// Why a service has no state to go on with, and is left alone.
#[derive(Debug, PartialEq, Eq)]
pub enum LoadFailure {
    /// The file was written by a newer unhang, of this version of its shape.
    NewerVersion { version: u64, file: PathBuf },
    /// We could not look at it now, through no fault of the file: which, and why.
    Unreadable(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorePlace {
    Disk,
    /// The disk could not be written when this was saved.
    Memory,
}

#[derive(Debug)]
pub enum SavedTo {
    Disk,
    /// With the reason why not on disk.
    Memory(String),
    /// With the reason. Nothing may be done that must be remembered.
    Nowhere(String),
}

impl Store {
    /// An error: without locks two runs could act at once.
    pub fn open(places: &StatePlaces) -> io::Result<Self> {
        let locks = Some(Folder::create(&places.locks)?);
        let fallback = places.fallback.as_deref().map(Folder::create);
        Ok(Self {
            disk: Folder::create(&places.state),
            fallback,
            locks,
            at: places.clone(),
            access: StoreAccess::ReadWrite,
        })
    }

    pub(crate) fn open_read_only(places: &StatePlaces) -> Self {
        let open = |path: &Path| Folder::open(path).ok();
        let fallback = places.fallback.as_deref().map(Folder::open);
        let (disk, locks) = (Folder::open(&places.state), open(&places.locks));
        Self { disk, fallback, locks, at: places.clone(), access: StoreAccess::ReadOnly }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.at.state
    }

    /// When the last tick was, since 1970: the lock's time.
    pub(crate) fn last_run_age(&self, name: &str) -> Option<Duration> {
        self.locks.as_ref()?.modified_at(&lock_file_name(name)).ok()?
    }

    /// That of a service, by its NAME, as its state is. `None`: another run has it.
    pub(crate) fn lock_service(&self, name: &str) -> io::Result<Option<Lock>> {
        self.try_lock(&lock_file_name(name))
    }

    /// That of what is restarted: services of other names may have the same unit. `None`: another run has it.
    pub(crate) fn lock_unit(&self, unit: &str) -> io::Result<Option<Lock>> {
        // A NAME holds no `+`.
        self.try_lock(&format!("unit+{unit}.lock"))
    }

    fn try_lock(&self, file: &str) -> io::Result<Option<Lock>> {
        match &self.locks {
            Some(folder) => folder.try_lock(file),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Does another run have it? Asked without making one: its time would be that of a tick.
    pub(crate) fn is_locked(&self, name: &str) -> io::Result<bool> {
        self.locks.as_ref().map_or(Ok(false), |folder| folder.is_locked(&lock_file_name(name)))
    }

    /// Where it lies, for those who are told of it.
    pub(crate) fn lock_path(&self, name: &str) -> PathBuf {
        self.at.locks.join(lock_file_name(name))
    }

    pub fn load(&self, key: &str, now: &Moment) -> Result<LoadedService, LoadFailure> {
        let file = state_file_name(key);
        let lost = self.unusable_folders();
        if let Some((at, want)) = lost.iter().find(|(_, error)| is_resource_shortage(error)) {
            return Err(LoadFailure::Unreadable(format!(
                "{}: {}",
                at.join(&file).display(),
                words::io_error_text(want)
            )));
        }
        let mut unreadable = None;
        let mut copy = |folder: Option<&Folder>, at: &Path| match folder
            .map_or(Ok(None), |folder| read_state(folder, &file))
        {
            Ok(record) => Ok(record),
            Err(StateReadError::NewerVersion(version)) => {
                Err(LoadFailure::NewerVersion { version, file: at.join(&file) })
            }
            Err(StateReadError::Io(why)) => {
                Err(LoadFailure::Unreadable(format!("{}: {why}", at.join(&file).display())))
            }
            Err(StateReadError::Damaged(why)) => {
                let became = match (folder, self.access) {
                    (Some(folder), StoreAccess::ReadWrite) => set_damaged_file_aside(folder, &file, now),
                    (None, _) | (_, StoreAccess::ReadOnly) => "left as it is".to_owned(),
                };
                unreadable = Some(format!("({why}): {became}"));
                Ok(None)
            }
        };
        let disk = copy(self.disk.as_ref().ok(), &self.at.state)?;
        let memory = copy(self.memory_folder(), self.at.fallback.as_deref().unwrap_or(Path::new("")))?;
        if let (Err(error), None) = (&self.disk, &memory)
            && error.kind() != io::ErrorKind::NotFound
        {
            if self.access == StoreAccess::ReadOnly && error.kind() == io::ErrorKind::PermissionDenied {
                return Err(LoadFailure::Unreadable(describe_read_error(error)));
            }
            // A folder that is there and cannot be used: what it holds is not known, and not "nothing".
            unreadable.get_or_insert_with(|| {
                format!("({}): its folder cannot be used", words::io_error_text(error))
            });
        }
        let newest = match (disk, memory) {
            (Some(disk), Some(memory)) if memory.sequence > disk.sequence => {
                Some((memory, StorePlace::Memory))
            }
            (Some(disk), _) => Some((disk, StorePlace::Disk)),
            (None, memory) => memory.map(|memory| (memory, StorePlace::Memory)),
        };
        let going_on = if newest.is_some() { "going on with the other copy" } else { "counting from zero" };
        let (mut record, place) = newest.unwrap_or_else(|| {
            let state = if unreadable.is_some() { State::for_lost_file(now) } else { State::default() };
            (StoredService { state, ..StoredService::default() }, StorePlace::Disk)
        });
        if !lost.is_empty() {
            // Should the folder come back, what is counted from now on is the newer.
            record.sequence = record.sequence.max(now.wall.as_secs());
        }
        Ok(LoadedService { record, place, unreadable: unreadable.map(|what| format!("{what}; {going_on}")) })
    }

    pub fn save(&self, key: &str, record: &mut StoredService) -> SavedTo {
        let file = state_file_name(key);
        record.sequence = record.sequence.saturating_add(1);
        let bytes = state_file::write_state(record);
        let disk = match &self.disk {
            Ok(folder) => {
                folder.replace(&file, &bytes, MAX_STATE_BYTES).map_err(|error| words::io_error_text(&error))
            }
            Err(error) => Err(words::io_error_text(error)),
        };
        let Err(why) = disk else {
            // A leftover there has a lower number; it would only confuse a reader.
            let _ = self.memory_folder().map(|folder| folder.remove(&file));
            return SavedTo::Disk;
        };
        match self.memory_folder().map(|folder| folder.replace(&file, &bytes, MAX_STATE_BYTES)) {
            Some(Ok(())) => SavedTo::Memory(why),
            Some(Err(other)) => {
                SavedTo::Nowhere(format!("{why}; nor in memory: {}", words::io_error_text(&other)))
            }
            None => SavedTo::Nowhere(why),
        }
    }

    /// Folders that are there and cannot be used: what they hold is not known.
    fn unusable_folders(&self) -> Vec<(&Path, &io::Error)> {
        let memory = self.at.fallback.as_deref().zip(self.fallback.as_ref());
        let both = [Some((self.at.state.as_path(), &self.disk)), memory].into_iter().flatten();
        let errors = both.filter_map(|(at, folder)| Some((at, folder.as_ref().err()?)));
        errors.filter(|(_, error)| error.kind() != io::ErrorKind::NotFound).collect()
    }

    fn memory_folder(&self) -> Option<&Folder> {
        self.fallback.as_ref()?.as_ref().ok()
    }
}

fn lock_file_name(name: &str) -> String {
    format!("{name}.lock")
}

fn state_file_name(key: &str) -> String {
    format!("{key}.json")
}

fn read_state(folder: &Folder, file: &str) -> Result<Option<StoredService>, StateReadError> {
    match folder.read(file, MAX_STATE_BYTES) {
        Ok(None) => Ok(None),
        Ok(Some(bytes)) => state_file::read_record(&bytes).map(Some),
        Err(error) if is_resource_shortage(&error) => Err(StateReadError::Io(words::io_error_text(&error))),
        // It may be as good as ever: nothing to set aside, and nothing to count from.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(StateReadError::Io(describe_read_error(&error)))
        }
        Err(error) => Err(StateReadError::Damaged(words::io_error_text(&error))),
    }
}

fn describe_read_error(error: &io::Error) -> String {
    format!("{}: run it as root, or as the user that cron runs it as", words::io_error_text(error))
}

/// No descriptors or no memory: says nothing about the file.
fn is_resource_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::INTR | Errno::AGAIN)
    )
}

/// Renamed, so that a person can look at it; only the newest few are kept.
fn set_damaged_file_aside(folder: &Folder, file: &str, now: &Moment) -> String {
    let corrupt = format!("{file}.corrupt-");
    let aside = format!("{corrupt}{}", state_file::time_for_file_name(now));
    if let Err(error) = folder.rename(file, &aside) {
        return format!("cannot be set aside: {}", words::io_error_text(&error));
    }
    let mut others = folder.list_names().unwrap_or_default();
    others.retain(|name| name.starts_with(&corrupt));
    let over = others.len().saturating_sub(MAX_DAMAGED_FILES);
    for name in others.into_iter().take(over) {
        let _ = folder.remove(&name);
    }
    format!("kept as {aside}")
}

#[cfg(test)]
mod tests {
    pub(super) mod copies;
    mod year;

    use super::*;
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    use unhang_core::Counts;

    fn now() -> Moment {
        Moment {
            boot: Some("boot".into()),
            since_boot: Duration::from_secs(9),
            wall: Duration::from_secs(1_700_000_000),
        }
    }

    struct Host {
        dir: tempfile::TempDir,
    }

    impl Host {
        fn new() -> Self {
            Self { dir: tempfile::tempdir().unwrap() }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn places(&self) -> StatePlaces {
            StatePlaces {
                state: self.at("disk"),
                fallback: Some(self.at("memory")),
                locks: self.at("memory"),
            }
        }

        fn store(&self) -> Store {
            Store::open(&self.places()).unwrap()
        }

        /// A disk that cannot be written: a file stands where the folder should be.
        fn break_disk(&self) {
            let _ = fs::remove_dir_all(self.at("disk"));
            fs::write(self.at("disk"), "").unwrap();
        }

        fn mend_disk(&self) {
            fs::remove_file(self.at("disk")).unwrap();
        }
    }

    fn streak(store: &Store) -> (u32, StorePlace) {
        let loaded = store.load("app", &now()).unwrap();
        assert_eq!(loaded.unreadable, None);
        (loaded.record.state.counts.streak, loaded.place)
    }

    fn record(sequence: u64, streak: u32) -> StoredService {
        StoredService {
            sequence,
            state: State { counts: Counts { streak, ..Counts::default() }, ..State::default() },
            ..StoredService::default()
        }
    }

    #[test]
    fn a_missing_state_is_a_first_run() {
        let host = Host::new();
        assert_eq!(streak(&host.store()), (0, StorePlace::Disk));
    }

    #[test]
    fn a_disk_that_cannot_be_written_does_not_blind_us() {
        let host = Host::new();
        host.break_disk();
        let store = host.store();
        assert!(
            matches!(store.save("app", &mut record(4, 1)), SavedTo::Memory(why) if why.contains("not a directory"))
        );
        assert_eq!(streak(&store), (1, StorePlace::Memory));
        host.mend_disk();
        let store = host.store();
        let mut loaded = store.load("app", &now()).unwrap();
        assert_eq!(loaded.place, StorePlace::Memory, "until it has moved back");
        assert!(matches!(store.save("app", &mut loaded.record), SavedTo::Disk));
        assert_eq!(streak(&store), (1, StorePlace::Disk));
        assert!(!host.at("memory/app.json").exists());
    }

    #[test]
    fn of_two_copies_the_higher_sequence_number_counts() {
        for (disk, memory, expected) in
            [(7, 3, (1, StorePlace::Disk)), (3, 7, (2, StorePlace::Memory)), (3, 3, (1, StorePlace::Disk))]
        {
            let host = Host::new();
            let store = host.store();
            fs::write(host.at("disk/app.json"), state_file::write_state(&record(disk, 1))).unwrap();
            fs::write(host.at("memory/app.json"), state_file::write_state(&record(memory, 2))).unwrap();
            assert_eq!(streak(&store), expected, "{disk} {memory}");
        }
    }

    #[test]
    fn a_corrupt_copy_gives_way_to_the_other() {
        let host = Host::new();
        let store = host.store();
        fs::write(host.at("disk/app.json"), "{").unwrap();
        fs::write(host.at("memory/app.json"), state_file::write_state(&record(7, 2))).unwrap();
        let loaded = store.load("app", &now()).unwrap();
        assert_eq!((loaded.record.state.counts.streak, loaded.place), (2, StorePlace::Memory));
        assert!(loaded.unreadable.unwrap().ends_with("going on with the other copy"));
    }

    #[test]
    fn a_folder_that_cannot_be_opened_for_want_of_descriptors_is_not_taken_for_an_empty_one() {
        let want = || Err(rustix::io::Errno::MFILE.into());
        let host = Host::new();
        let without_disk = Store { disk: want(), ..host.store() };
        let without_memory = Store { fallback: Some(want()), ..host.store() };
        for store in [without_disk, without_memory] {
            assert!(matches!(store.load("app", &now()), Err(LoadFailure::Unreadable(_))));
        }
    }

    #[test]
    fn what_is_counted_while_memory_cannot_be_looked_into_is_the_newer() {
        let host = Host::new();
        let blind = Store { fallback: Some(Err(rustix::io::Errno::IO.into())), ..host.store() };
        fs::write(host.at("disk/app.json"), state_file::write_state(&record(3, 1))).unwrap();
        fs::write(host.at("memory/app.json"), state_file::write_state(&record(7, 0))).unwrap();
        let mut loaded = blind.load("app", &now()).unwrap();
        loaded.record.state.counts.streak = 2;
        assert!(matches!(blind.save("app", &mut loaded.record), SavedTo::Disk));
        assert_eq!(streak(&host.store()), (2, StorePlace::Disk));
    }

    #[test]
    fn without_any_place_nothing_is_saved() {
        let host = Host::new();
        let places = StatePlaces { fallback: None, ..host.places() };
        host.break_disk();
        assert!(matches!(Store::open(&places).unwrap().save("app", &mut record(1, 1)), SavedTo::Nowhere(_)));
    }

    #[test]
    fn a_full_disk_keeps_the_old_state_and_memory_the_new() {
        // A real small disk; only root can mount one.
        let host = Host::new();
        fs::create_dir(host.at("disk")).unwrap();
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16k,mode=755", "none"])
            .arg(host.at("disk"))
            .output();
        if !mount.is_ok_and(|mount| mount.status.success()) {
            return;
        }
        let store = host.store();
        let saved = store.save("app", &mut record(1, 1));
        let mut filler = 0;
        while fs::write(host.at(&format!("disk/filler{filler}")), [0; 4096]).is_ok() {
            filler += 1;
        }
        let full = store.save("app", &mut record(2, 2));
        let kept = streak(&store);
        drop(store);
        std::process::Command::new("umount").arg("-l").arg(host.at("disk")).status().unwrap();
        assert!(matches!(saved, SavedTo::Disk));
        assert!(matches!(&full, SavedTo::Memory(why) if why == "No space left on device"), "{full:?}");
        assert_eq!(kept, (2, StorePlace::Memory));
    }
}
