//! Pauses on disk: NAME.pause is a person's and outlives a reboot; NAME+PID.pause lies beside the locks and is
//! that of `unhang paused`, which holds it locked for as long as it runs. Neither needs the lock of a tick. One that
//! is over stays where it is: its beginning says that the failures before it tell nothing any more.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use unhang_core::{ActivePause, Moment, PauseSource, PauseState};

use super::Store;
use super::state_file::MomentForm;
use crate::os::folder::{Folder, Lock};
use crate::words;

/// `unhang pause` takes no longer one.
pub(crate) const MAX_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// The bound of a file of a pause, in bytes, for who writes it and who reads it.
const MAX_PAUSE_FILE_BYTES: u64 = 8 * 1024;

/// The most characters that are kept of who paused, and of why.
const MAX_PAUSE_TEXT_CHARS: usize = 200;

const PAUSE_FILE_VERSION: u64 = 1;

/// What a pause says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PauseRecord {
    pub(crate) who: String,
    pub(crate) why: Option<String>,
    pub(crate) since: Moment,
    pub(crate) until: Moment,
}

/// The pause of a command: lasts until dropped, or until this process ends.
#[derive(Debug)]
pub(crate) struct PauseGuard(#[expect(dead_code, reason = "dropping it ends the pause")] Lock);

#[derive(Debug, Serialize, Deserialize)]
struct PauseForm {
    version: u64,
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    since: MomentForm,
    until: MomentForm,
}

/// All that were there when it was asked.
#[derive(Debug)]
pub(crate) struct CommandPauses<'a> {
    store: &'a Store,
    /// By NAME.
    of_commands: BTreeMap<String, Vec<CommandPause<'a>>>,
}

#[derive(Debug)]
struct CommandPause<'a> {
    folder: &'a Folder,
    file: String,
    pid: u32,
}

impl CommandPauses<'_> {
    /// The weightiest: one that lasts longest, else the last that began. An error: one could not be looked at.
    pub(crate) fn pause_of(&self, key: &str, now: &Moment) -> io::Result<PauseState> {
        let mut found = Vec::new();
        for folder in self.store.pause_folders() {
            found.extend(read_person_pause(folder, key, now)?);
        }
        for CommandPause { folder, file, pid } in self.of_commands.get(key).into_iter().flatten() {
            let note = match read_note(folder, file) {
                // What others may not read is root's; it shows in the state all the same.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => continue,
                read => read?,
            };
            let Some(note) = note else { continue };
            let left = note.time_left(now).filter(|_| folder.is_locked(file).unwrap_or(true));
            found.push(match left {
                Some(left) => {
                    let by = PauseSource::Command { who: note.who, why: note.why, pid: *pid };
                    PauseState::Active(ActivePause { by, left: Some(left) })
                }
                None => note.as_ended(now),
            });
        }
        Ok(found.into_iter().max_by_key(|pause| pause_strength(pause, now)).unwrap_or_default())
    }
}

impl Store {
    pub(crate) fn read_pauses(&self) -> io::Result<CommandPauses<'_>> {
        let mut of_commands = BTreeMap::<String, Vec<CommandPause<'_>>>::new();
        for folder in self.command_pause_folders() {
            for (key, pid, file) in command_pause_files(folder)? {
                of_commands.entry(key).or_default().push(CommandPause { folder, file, pid });
            }
        }
        Ok(CommandPauses { store: self, of_commands })
    }

    /// The pause of a person that lasts now; of two, the one that ends later.
    pub(crate) fn pause_of_person(&self, key: &str, now: &Moment) -> io::Result<Option<ActivePause>> {
        let mut longest: Option<ActivePause> = None;
        for folder in self.pause_folders() {
            let Some(PauseState::Active(found)) = read_person_pause(folder, key, now)? else { continue };
            if longest.as_ref().is_none_or(|longest| found.left > longest.left) {
                longest = Some(found);
            }
        }
        Ok(longest)
    }

    /// Until the note's end; takes the place of an earlier one. On disk, or in memory where that cannot be
    /// written: then with the reason why.
    pub(crate) fn write_pause(&self, key: &str, note: &PauseRecord) -> io::Result<Option<String>> {
        let bytes = note.to_bytes();
        let on_disk = match &self.disk {
            Ok(folder) => folder
                .replace(&pause_file_name(key), &bytes, MAX_PAUSE_FILE_BYTES)
                .map_err(|error| words::io_error_text(&error)),
            Err(error) => Err(words::io_error_text(error)),
        };
        match (on_disk, self.memory_folder()) {
            (Ok(()), memory) => {
                // Else an older and longer one of there would go on.
                memory.map_or(Ok(()), |folder| folder.remove(&pause_file_name(key)))?;
                Ok(None)
            }
            (Err(why), Some(folder)) => {
                folder.replace(&pause_file_name(key), &bytes, MAX_PAUSE_FILE_BYTES).map(|()| Some(why))
            }
            (Err(why), None) => Err(io::Error::other(why)),
        }
    }

    /// A person's pause is over from now on. True: there was one.
    pub(crate) fn remove_pause(&self, key: &str, now: &Moment) -> io::Result<bool> {
        let mut ended = false;
        for folder in self.pause_folders() {
            if let Some(PauseState::Active(_)) = read_person_pause(folder, key, now)? {
                let note = read_note(folder, &pause_file_name(key))?
                    .unwrap_or_else(|| PauseRecord::for_unreadable_file(now.clone()));
                let bytes = PauseRecord { until: now.clone(), ..note }.to_bytes();
                // A full disk still lets go of a file.
                folder
                    .replace(&pause_file_name(key), &bytes, MAX_PAUSE_FILE_BYTES)
                    .or_else(|_| folder.remove(&pause_file_name(key)))?;
                ended = true;
            }
        }
        Ok(ended)
    }

    /// For as long as this process keeps it.
    pub(crate) fn hold_pause(&self, key: &str, pid: u32, note: &PauseRecord) -> io::Result<PauseGuard> {
        let mut held = Err(io::ErrorKind::NotFound.into());
        for folder in self.command_pause_folders() {
            held = Self::hold_pause_in(folder, key, pid, note);
            if held.is_ok() {
                break;
            }
        }
        held
    }

    fn hold_pause_in(folder: &Folder, key: &str, pid: u32, note: &PauseRecord) -> io::Result<PauseGuard> {
        for (_, _, file) in command_pause_files(folder)?.into_iter().filter(|(other, ..)| other == key) {
            // Left behind long ago, and looked at often enough.
            let old = read_note(folder, &file).ok().flatten();
            if old.is_none_or(|old| old.until.is_before(&note.since)) && !folder.is_locked(&file)? {
                folder.remove(&file)?;
            }
        }
        folder
            .create_locked(&format!("{key}+{pid}.pause"), &note.to_bytes(), MAX_PAUSE_FILE_BYTES)
            .map(PauseGuard)
    }

    fn pause_folders(&self) -> impl Iterator<Item = &Folder> {
        self.disk.as_ref().ok().into_iter().chain(self.memory_folder())
    }

    /// Where commands hold their pauses. Memory, where it is another place, only if there is no room: that
    /// of a user comes and goes with their logins, and a command may outlive them.
    fn command_pause_folders(&self) -> impl Iterator<Item = &Folder> {
        let memory = self.memory_folder().filter(|_| self.at.fallback.as_ref() != Some(&self.at.locks));
        self.locks.as_ref().into_iter().chain(memory)
    }
}

/// NAME, process and file: a NAME holds no `+`.
fn command_pause_files(folder: &Folder) -> io::Result<Vec<(String, u32, String)>> {
    let parts = |file: &str| {
        let (key, pid) = file.strip_suffix(".pause")?.split_once('+')?;
        Some((key.to_owned(), pid.parse().ok()?))
    };
    let names = folder.list_names()?;
    Ok(names.into_iter().filter_map(|file| parts(&file).map(|(key, pid)| (key, pid, file))).collect())
}

fn pause_file_name(key: &str) -> String {
    format!("{key}.pause")
}

fn read_person_pause(folder: &Folder, key: &str, now: &Moment) -> io::Result<Option<PauseState>> {
    let note = read_note(folder, &pause_file_name(key))?;
    Ok(note.map(|note| match note.time_left(now) {
        Some(left) => {
            let by = PauseSource::Person { who: note.who, why: note.why };
            PauseState::Active(ActivePause { by, left: Some(left) })
        }
        None => note.as_ended(now),
    }))
}

/// Somebody meant hands off, also where the file does not say so in our words, or in too many; then for a day at the
/// most. `None`: there is no such file.
fn read_note(folder: &Folder, file: &str) -> io::Result<Option<PauseRecord>> {
    let note = match folder.read(file, MAX_PAUSE_FILE_BYTES) {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => PauseRecord::from_bytes(&bytes),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => None,
        Err(error) => return Err(error),
    };
    if note.is_some() {
        return Ok(note);
    }
    let wall = folder.modified_at(file)?.unwrap_or_default();
    Ok(Some(PauseRecord::for_unreadable_file(Moment { wall, ..Moment::default() })))
}

/// Who wants a pause, or why, as it is kept and shown: it came from a command line, and may be a log of many lines.
pub(crate) fn shorten_text(text: &str) -> String {
    words::escaped(text).chars().take(MAX_PAUSE_TEXT_CHARS).collect()
}

fn pause_strength(pause: &PauseState, now: &Moment) -> (u8, Duration) {
    match pause {
        PauseState::None => (0, Duration::ZERO),
        PauseState::Ended { since } => (1, Duration::MAX.saturating_sub(now.elapsed_since(since))),
        PauseState::Active(paused) => (2, paused.left.unwrap_or(Duration::MAX)),
    }
}

impl PauseRecord {
    /// `None`: it is over. No longer than it was meant to be, whatever the clock has done meanwhile.
    fn time_left(&self, now: &Moment) -> Option<Duration> {
        let whole = self.until.elapsed_since(&self.since).min(MAX_PAUSE);
        let left = self.until.elapsed_since(now).min(whole);
        Some(left).filter(|left| !left.is_zero())
    }

    fn as_ended(&self, now: &Moment) -> PauseState {
        // Of a clock that was wrong: it says nothing.
        if now.is_before(&self.since) {
            PauseState::None
        } else {
            PauseState::Ended { since: self.since.clone() }
        }
    }

    /// A pause by an unknown person, for as long as a pause may last.
    fn for_unreadable_file(since: Moment) -> Self {
        Self { who: "somebody".to_owned(), why: None, until: since.plus(MAX_PAUSE), since }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let (since, until) = (MomentForm::from_moment(&self.since), MomentForm::from_moment(&self.until));
        let (by, reason) = (shorten_text(&self.who), self.why.as_deref().map(shorten_text));
        let file = PauseForm { version: PAUSE_FILE_VERSION, by, reason, since, until };
        // Cannot fail: every key is a string and no number is infinite.
        let mut bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// `None`: it says nothing that we understand.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let file: PauseForm = serde_json::from_slice(bytes).ok()?;
        (file.version == PAUSE_FILE_VERSION).then(|| Self {
            who: shorten_text(&file.by),
            why: file.reason.as_deref().map(shorten_text),
            since: file.since.into_moment(),
            until: file.until.into_moment(),
        })
    }
}

#[cfg(test)]
mod tests;
