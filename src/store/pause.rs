//! Pauses on disk: NAME.pause is a person's and outlives a reboot; NAME+PID.pause lies beside the locks and is
//! that of `unhang paused`, which holds it locked for as long as it runs. Neither needs the lock of a tick. One that
//! is over stays where it is: its beginning says that the failures before it tell nothing any more.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use unhang_core::{Moment, Pause, Paused, PausedBy};

use super::Store;
use super::state_file::Stamp;
use crate::os::folder::{Folder, Lock};
use crate::words;

/// `unhang pause` takes no longer one.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Of the file of a pause, written or read, in bytes.
const LONGEST_FILE: u64 = 8 * 1024;

/// Of who wants a pause, and of why, in characters.
const LONGEST_TEXT: usize = 200;

const VERSION: u64 = 1;

/// What a pause says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) who: String,
    pub(crate) why: Option<String>,
    pub(crate) since: Moment,
    pub(crate) until: Moment,
}

/// The pause of a command: lasts until dropped, or until this process ends.
#[derive(Debug)]
pub(crate) struct Held(#[expect(dead_code, reason = "dropping it ends the pause")] Lock);

#[derive(Debug, Serialize, Deserialize)]
struct File {
    version: u64,
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    since: Stamp,
    until: Stamp,
}

/// All that were there when it was asked.
#[derive(Debug)]
pub(crate) struct Pauses<'a> {
    store: &'a Store,
    /// By NAME.
    of_commands: BTreeMap<String, Vec<OfCommand<'a>>>,
}

#[derive(Debug)]
struct OfCommand<'a> {
    folder: &'a Folder,
    file: String,
    pid: u32,
}

impl Pauses<'_> {
    /// The weightiest: one that lasts longest, else the last that began. An error: one could not be looked at.
    pub(crate) fn of(&self, key: &str, now: &Moment) -> io::Result<Pause> {
        let mut found = Vec::new();
        for folder in self.store.folders() {
            found.extend(of_person(folder, key, now)?);
        }
        for OfCommand { folder, file, pid } in self.of_commands.get(key).into_iter().flatten() {
            let note = match read_note(folder, file) {
                // What others may not read is root's; it shows in the state all the same.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => continue,
                read => read?,
            };
            let Some(note) = note else { continue };
            let left = note.left(now).filter(|_| folder.is_locked(file).unwrap_or(true));
            found.push(match left {
                Some(left) => {
                    let by = PausedBy::Command { who: note.who, why: note.why, pid: *pid };
                    Pause::Lasting(Paused { by, left: Some(left) })
                }
                None => note.over(now),
            });
        }
        Ok(found.into_iter().max_by_key(|pause| weight(pause, now)).unwrap_or_default())
    }
}

impl Store {
    pub(crate) fn pauses(&self) -> io::Result<Pauses<'_>> {
        let mut of_commands = BTreeMap::<String, Vec<OfCommand<'_>>>::new();
        for folder in self.beside_the_locks() {
            for (key, pid, file) in files_of_commands(folder)? {
                of_commands.entry(key).or_default().push(OfCommand { folder, file, pid });
            }
        }
        Ok(Pauses { store: self, of_commands })
    }

    /// The pause of a person that lasts now; of two, the one that ends later.
    pub(crate) fn pause_of_person(&self, key: &str, now: &Moment) -> io::Result<Option<Paused>> {
        let mut longest: Option<Paused> = None;
        for folder in self.folders() {
            let Some(Pause::Lasting(found)) = of_person(folder, key, now)? else { continue };
            if longest.as_ref().is_none_or(|longest| found.left > longest.left) {
                longest = Some(found);
            }
        }
        Ok(longest)
    }

    /// Until the note's end; takes the place of an earlier one. On disk, or in memory where that cannot be
    /// written: then with the reason why.
    pub(crate) fn begin_pause(&self, key: &str, note: &Note) -> io::Result<Option<String>> {
        let bytes = note.written();
        let on_disk = match &self.disk {
            Ok(folder) => folder.replace(&name(key), &bytes, LONGEST_FILE).map_err(|error| words::io(&error)),
            Err(error) => Err(words::io(error)),
        };
        match (on_disk, self.in_memory()) {
            (Ok(()), memory) => {
                // Else an older and longer one of there would go on.
                memory.map_or(Ok(()), |folder| folder.remove(&name(key)))?;
                Ok(None)
            }
            (Err(why), Some(folder)) => folder.replace(&name(key), &bytes, LONGEST_FILE).map(|()| Some(why)),
            (Err(why), None) => Err(io::Error::other(why)),
        }
    }

    /// A person's pause is over from now on. True: there was one.
    pub(crate) fn end_pause(&self, key: &str, now: &Moment) -> io::Result<bool> {
        let mut ended = false;
        for folder in self.folders() {
            if let Some(Pause::Lasting(_)) = of_person(folder, key, now)? {
                let note = read_note(folder, &name(key))?.unwrap_or_else(|| Note::unknown(now.clone()));
                let bytes = Note { until: now.clone(), ..note }.written();
                // A full disk still lets go of a file.
                folder.replace(&name(key), &bytes, LONGEST_FILE).or_else(|_| folder.remove(&name(key)))?;
                ended = true;
            }
        }
        Ok(ended)
    }

    /// For as long as this process keeps it.
    pub(crate) fn hold_pause(&self, key: &str, pid: u32, note: &Note) -> io::Result<Held> {
        let mut held = Err(io::ErrorKind::NotFound.into());
        for folder in self.beside_the_locks() {
            held = Self::hold_in(folder, key, pid, note);
            if held.is_ok() {
                break;
            }
        }
        held
    }

    fn hold_in(folder: &Folder, key: &str, pid: u32, note: &Note) -> io::Result<Held> {
        for (_, _, file) in files_of_commands(folder)?.into_iter().filter(|(other, ..)| other == key) {
            // Left behind long ago, and looked at often enough.
            let old = read_note(folder, &file).ok().flatten();
            if old.is_none_or(|old| old.until.is_before(&note.since)) && !folder.is_locked(&file)? {
                folder.remove(&file)?;
            }
        }
        folder.hold(&format!("{key}+{pid}.pause"), &note.written(), LONGEST_FILE).map(Held)
    }

    fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.disk.as_ref().ok().into_iter().chain(self.in_memory())
    }

    /// Where commands hold their pauses. Memory, where it is another place, only if there is no room: that
    /// of a user comes and goes with their logins, and a command may outlive them.
    fn beside_the_locks(&self) -> impl Iterator<Item = &Folder> {
        let memory = self.in_memory().filter(|_| self.at.fallback.as_ref() != Some(&self.at.locks));
        self.locks.as_ref().into_iter().chain(memory)
    }
}

/// NAME, process and file: a NAME holds no `+`.
fn files_of_commands(folder: &Folder) -> io::Result<Vec<(String, u32, String)>> {
    let parts = |file: &str| {
        let (key, pid) = file.strip_suffix(".pause")?.split_once('+')?;
        Some((key.to_owned(), pid.parse().ok()?))
    };
    let names = folder.names()?;
    Ok(names.into_iter().filter_map(|file| parts(&file).map(|(key, pid)| (key, pid, file))).collect())
}

fn name(key: &str) -> String {
    format!("{key}.pause")
}

fn of_person(folder: &Folder, key: &str, now: &Moment) -> io::Result<Option<Pause>> {
    let note = read_note(folder, &name(key))?;
    Ok(note.map(|note| match note.left(now) {
        Some(left) => {
            let by = PausedBy::Person { who: note.who, why: note.why };
            Pause::Lasting(Paused { by, left: Some(left) })
        }
        None => note.over(now),
    }))
}

/// Somebody meant hands off, also where the file does not say so in our words, or in too many; then for a day at the
/// most. `None`: there is no such file.
fn read_note(folder: &Folder, file: &str) -> io::Result<Option<Note>> {
    let note = match folder.read(file, LONGEST_FILE) {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => Note::read(&bytes),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => None,
        Err(error) => return Err(error),
    };
    if note.is_some() {
        return Ok(note);
    }
    let wall = folder.modified(file)?.unwrap_or_default();
    Ok(Some(Note::unknown(Moment { wall, ..Moment::default() })))
}

/// Who wants a pause, or why, as it is kept and shown: it came from a command line, and may be a log of many lines.
pub(crate) fn shown(text: &str) -> String {
    words::escaped(text).chars().take(LONGEST_TEXT).collect()
}

fn weight(pause: &Pause, now: &Moment) -> (u8, Duration) {
    match pause {
        Pause::None => (0, Duration::ZERO),
        Pause::Over { since } => (1, Duration::MAX.saturating_sub(now.since(since))),
        Pause::Lasting(paused) => (2, paused.left.unwrap_or(Duration::MAX)),
    }
}

impl Note {
    /// `None`: it is over. No longer than it was meant to be, whatever the clock has done meanwhile.
    fn left(&self, now: &Moment) -> Option<Duration> {
        let whole = self.until.since(&self.since).min(LONGEST);
        let left = self.until.since(now).min(whole);
        Some(left).filter(|left| !left.is_zero())
    }

    fn over(&self, now: &Moment) -> Pause {
        // Of a clock that was wrong: it says nothing.
        if now.is_before(&self.since) { Pause::None } else { Pause::Over { since: self.since.clone() } }
    }

    /// Of somebody, for as long as a pause may last.
    fn unknown(since: Moment) -> Self {
        Self { who: "somebody".to_owned(), why: None, until: since.later(LONGEST), since }
    }

    fn written(&self) -> Vec<u8> {
        let (since, until) = (Stamp::of(&self.since), Stamp::of(&self.until));
        let (by, reason) = (shown(&self.who), self.why.as_deref().map(shown));
        let file = File { version: VERSION, by, reason, since, until };
        // Cannot fail: every key is a string and no number is infinite.
        let mut bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// `None`: it says nothing that we understand.
    fn read(bytes: &[u8]) -> Option<Self> {
        let file: File = serde_json::from_slice(bytes).ok()?;
        (file.version == VERSION).then(|| Self {
            who: shown(&file.by),
            why: file.reason.as_deref().map(shown),
            since: file.since.into_moment(),
            until: file.until.into_moment(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::Places;
    use crate::store::tests::copies::without_roots_rights;
    use std::os::unix::fs::PermissionsExt;
    use std::time::UNIX_EPOCH;

    fn at(boot: &str, up: u64, wall: u64) -> Moment {
        Moment {
            boot: Some(boot.to_owned()),
            since_boot: Duration::from_secs(up),
            wall: Duration::from_secs(1_700_000_000 + wall),
        }
    }

    fn note(minutes: u64) -> Note {
        let since = at("a", 1_000, 1_000);
        let until = since.later(Duration::from_secs(minutes * 60));
        Note { who: "anna".to_owned(), why: Some("deploy".to_owned()), since, until }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let places = Places { state: at("disk"), fallback: Some(at("memory")), locks: at("memory") };
        let store = Store::open(&places).unwrap();
        (dir, store)
    }

    fn pause(store: &Store, key: &str, now: &Moment) -> Pause {
        store.pauses().unwrap().of(key, now).unwrap()
    }

    fn left(pause: &Pause) -> Option<u64> {
        match pause {
            Pause::Lasting(paused) => paused.left.map(|left| left.as_secs()),
            Pause::None | Pause::Over { .. } => None,
        }
    }

    #[test]
    fn a_pause_lasts_as_long_as_it_was_meant_to_whatever_the_clock_does() {
        let note = note(15);
        for (now, expected) in [
            (at("a", 1_000, 1_000), Some(900)),
            (at("a", 1_600, 1_600), Some(300)),
            (at("a", 1_900, 1_900), None),
            (at("a", 1_600, 90_000), Some(300)),
            (at("a", 1_600, 0), Some(300)),
            (at("b", 30, 1_600), Some(300)),
            (at("b", 30, 1_900), None),
            (at("b", 30, 0), Some(900)), // no clock in the machine: never longer than it was meant
        ] {
            assert_eq!(note.left(&now).map(|left| left.as_secs()), expected, "{now:?}");
        }
        assert_eq!(note.over(&at("b", 30, 0)), Pause::None);
        let endless = Note { until: note.since.later(Duration::from_secs(1 << 40)), ..note };
        assert_eq!(endless.left(&endless.since), Some(LONGEST), "a file says what it likes");
    }

    #[test]
    fn it_is_there_until_somebody_ends_it_and_leaves_when_it_began() {
        let (_dir, store) = store();
        let now = at("a", 1_060, 1_060);
        assert_eq!(pause(&store, "shop", &now), Pause::None);
        assert_eq!(store.begin_pause("shop", &note(15)).unwrap(), None);
        assert_eq!(left(&pause(&store, "shop", &now)), Some(840));
        let of_person = store.pause_of_person("shop", &now).unwrap().and_then(|paused| paused.left);
        assert_eq!(of_person, Some(Duration::from_secs(840)));
        assert_eq!(store.pause_of_person("shop", &at("a", 9_000, 9_000)).unwrap(), None);
        assert_eq!(pause(&store, "sho", &now), Pause::None);
        assert!(store.end_pause("shop", &now).unwrap() && !store.end_pause("shop", &now).unwrap());
        assert_eq!(pause(&store, "shop", &now), Pause::Over { since: note(15).since });
    }

    #[test]
    fn that_of_a_command_ends_with_its_process() {
        let (dir, store) = store();
        let now = at("a", 1_060, 1_060);
        let held = store.hold_pause("shop", 7, &note(15)).unwrap();
        let other = store.hold_pause("shop", 8, &note(5)).unwrap();
        let first = pause(&store, "shop", &now);
        assert!(matches!(first, Pause::Lasting(Paused { by: PausedBy::Command { pid: 7, .. }, .. })));
        drop(held);
        assert_eq!(left(&pause(&store, "shop", &now)), Some(240), "the other lasts");
        drop(store.hold_pause("shop", 10, &note(5)).unwrap());
        assert!(dir.path().join("memory/shop+7.pause").exists(), "its beginning still says something");
        let after = at("a", 1_301, 1_301);
        assert_eq!(left(&pause(&store, "shop", &after)), None, "its end is the backstop");
        drop(other);
        assert_eq!(pause(&store, "shop", &now), Pause::Over { since: note(5).since });
        let late = Note { since: at("a", 9_000, 9_000), until: at("a", 9_900, 9_900), ..note(1) };
        let _held = store.hold_pause("shop", 9, &late).unwrap();
        let names: Vec<_> = std::fs::read_dir(dir.path().join("memory")).unwrap().collect();
        assert_eq!(names.len(), 1, "what was left behind is gone: {names:?}");
    }

    #[test]
    fn the_end_of_a_login_ends_no_pause_of_a_command() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let logged_in =
            Places { state: state.clone(), fallback: Some(dir.path().join("run")), locks: state.clone() };
        let by_cron = Places { fallback: None, ..logged_in.clone() };
        let now = at("a", 1_060, 1_060);
        // Where the disk has no room, memory is the second choice.
        let in_the_way = state.join(".shop+8.pause.new/in the way");
        std::fs::create_dir_all(in_the_way).unwrap();
        let store = Store::open(&logged_in).unwrap();
        let held = store.hold_pause("shop", 8, &note(15)).unwrap();
        assert_eq!(left(&pause(&store, "shop", &now)), Some(840));
        assert!(Store::open(&by_cron).unwrap().hold_pause("shop", 8, &note(15)).is_err());
        drop((held, store));
        for (holds, looks) in [(&logged_in, &by_cron), (&by_cron, &logged_in)] {
            let (holder, run) = (Store::open(holds).unwrap(), Store::open(looks).unwrap());
            let held = holder.hold_pause("shop", 7, &note(15)).unwrap();
            assert_eq!(left(&pause(&run, "shop", &now)), Some(840), "{holds:?}");
            drop(held);
            assert_eq!(left(&pause(&run, "shop", &now)), None);
        }
    }

    #[test]
    fn what_a_command_holds_and_cannot_be_read_is_no_leave_to_restart() {
        let (dir, store) = store();
        std::fs::create_dir(dir.path().join("memory/shop+7.pause")).unwrap();
        let now = at("a", 1_060, 1_060);
        assert!(store.pauses().unwrap().of("shop", &now).is_err());
        assert_eq!(pause(&store, "other", &now), Pause::None);
    }

    #[test]
    fn a_disk_that_cannot_be_written_takes_no_pause_away() {
        let (dir, store) = store();
        drop(store);
        std::fs::remove_dir(dir.path().join("disk")).unwrap();
        std::fs::write(dir.path().join("disk"), "").unwrap();
        let at_ = |name: &str| dir.path().join(name);
        let places = Places { state: at_("disk"), fallback: Some(at_("memory")), locks: at_("memory") };
        let store = Store::open(&places).unwrap();
        assert!(store.begin_pause("shop", &note(15)).unwrap().is_some_and(|why| why.contains("directory")));
        let now = at("a", 1_060, 1_060);
        assert_eq!(left(&pause(&store, "shop", &now)), Some(840));
        assert!(store.end_pause("shop", &now).unwrap());
    }

    #[test]
    fn what_cannot_be_read_is_a_pause_all_the_same_for_a_day() {
        let (dir, store) = store();
        let file = dir.path().join("disk/shop.pause");
        std::fs::write(&file, "{").unwrap();
        let written = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(written).unwrap();
        for (age, expected) in [(0, Some(86_400)), (86_399, Some(1)), (86_400, None), (999_999, None)] {
            assert_eq!(left(&pause(&store, "shop", &at("a", 1, age))), expected, "{age}");
        }
        let now = at("a", 1, 5);
        assert!(store.end_pause("shop", &now).unwrap());
        assert_eq!(left(&pause(&store, "shop", &now)), None);
        assert!(Note::read(br#"{"version":2}"#).is_none());
    }

    #[test]
    fn what_is_somebody_elses_to_read_shows_nothing_and_stops_nobody() {
        let (dir, store) = store();
        let _held = store.hold_pause("shop", 7, &note(15)).unwrap();
        let file = dir.path().join("memory/shop+7.pause");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
        let now = at("a", 1_060, 1_060);
        assert_eq!(without_roots_rights(|| store.pauses().unwrap().of("shop", &now).unwrap()), Pause::None);
    }

    /// A `git log` in it, which no file of a pause could hold.
    #[test]
    fn a_long_reason_is_kept_as_far_as_it_is_shown() {
        let (_dir, store) = store();
        let why = "é".repeat(100_000);
        store.begin_pause("shop", &Note { why: Some(why), ..note(15) }).unwrap();
        let shown = pause(&store, "shop", &at("a", 1_060, 1_060));
        let Pause::Lasting(Paused { by: PausedBy::Person { who, why }, .. }) = shown else { panic!() };
        assert_eq!((who.as_str(), why), ("anna", Some("é".repeat(200))));
        assert!(store.end_pause("shop", &at("a", 1_060, 1_060)).unwrap());
    }

    /// As a release wrote it that did not cut the reason.
    #[test]
    fn a_pause_that_is_too_long_to_be_read_is_one_and_can_be_ended() {
        let (dir, store) = store();
        for file in ["disk/shop.pause", "memory/shop+7.pause"] {
            let file = dir.path().join(file);
            std::fs::write(&file, "x".repeat(9_000)).unwrap();
            let written = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
            std::fs::File::options().write(true).open(&file).unwrap().set_modified(written).unwrap();
        }
        let now = at("a", 1, 400);
        assert_eq!(left(&pause(&store, "shop", &now)), Some(86_000));
        assert!(store.end_pause("shop", &now).unwrap());
        assert_eq!(left(&pause(&store, "shop", &now)), None);
    }

    proptest::proptest! {
        #[test]
        fn any_note_that_is_written_is_read_back(
            who in "\\PC{0,400}",
            why in proptest::option::of(proptest::collection::vec(proptest::char::any(), 0..4_000)),
            boot in proptest::option::of(".{0,500}"),
        ) {
            let since = Moment { boot, ..at("a", 1_000, 1_000) };
            let why = why.map(|why| why.into_iter().collect::<String>());
            let note = Note { who, why, until: since.later(LONGEST), since };
            let bytes = note.written();
            proptest::prop_assert!(u64::try_from(bytes.len()).unwrap() <= LONGEST_FILE);
            let read = Note::read(&bytes).unwrap();
            proptest::prop_assert_eq!((&read.who, read.why), (&shown(&note.who), note.why.as_deref().map(shown)));
        }
    }

    #[test]
    fn a_reason_cannot_drive_a_terminal() {
        let note = Note { why: Some("a\u{1b}[2J\n".to_owned()), ..note(1) };
        let read = Note::read(&note.written()).unwrap();
        assert_eq!(read.why.as_deref(), Some(r"a\u{1b}[2J\n"));
    }
}
