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
mod tests;
