//! What is new in a file: whole lines behind the place where the last run ended, over a rotation of logrotate(8),
//! be it by `create` or by `copytruncate`.
//!
//! A file is known again by its inode and by the bytes before the place: the inode alone is given to another file
//! as soon as it is free, and a truncated file may have grown again. The device is not remembered, for its number
//! may be another one after a reboot. Where it cannot be told, a line is rather missed than matched twice.

use std::io;
use std::path::Path;

use unhang_core::Doubt;

use crate::fnv::fnv1a_hash;
use crate::os::tail_file::{self, TailedFile};
use crate::probe::fault::classify_scarcity;
use crate::words;

use super::lines::MAX_LINE_BYTES;
use super::{Missed, News, Readers, Skipped};

/// Of new text, in one run; the newest of it.
const MAX_LOG_BYTES: u64 = 1024 * 1024;

/// Before the place, to know it again by.
const KNOWN_BY: u64 = 256;

/// Where the last whole line ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct LogPosition {
    inode: u64,
    offset: u64,
    mark: u64,
}

pub(super) fn read_new_lines(
    path: &Path,
    before: Option<&str>,
    own_log: Option<&Path>,
) -> Result<News, Missed> {
    let before = before.and_then(LogPosition::read);
    let log = match tail_file::open_for_tail(path) {
        Ok(log) => log,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(file_absent(path, before)),
        Err(error) => return Err(file_missed(path, &error)),
    };
    if own_log.is_some_and(|own| log.ends_at(own)) {
        return Err(Missed::because(format!(
            "{} is what unhang itself logs of this service",
            path.display()
        )));
    }
    let news = match before {
        Some(place) => news_since(path, &log, place),
        None => from_here(&log),
    };
    news.map_err(|error| file_missed(path, &error))
}

/// What comes to lie there later is all new.
fn file_absent(path: &Path, before: Option<LogPosition>) -> Missed {
    let place = before.is_none().then(|| LogPosition::default().written());
    let doubt = Doubt::Other(format!("{}: no such file", path.display()));
    Missed { doubt, place }
}

fn file_missed(path: &Path, error: &io::Error) -> Missed {
    let words = || Doubt::Other(format!("{}: {}", path.display(), words::io_error_text(error)));
    classify_scarcity(error).unwrap_or_else(words).into()
}

/// The first run: what is there already says nothing of now.
fn from_here(log: &TailedFile) -> io::Result<News> {
    let near = log.size.saturating_sub(as_u64(MAX_LINE_BYTES));
    let end = match log.read_new(near, log.size)?.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => near.saturating_add(as_u64(at)).saturating_add(1),
        // A line that has not ended yet.
        None if near == 0 => 0,
        None => log.size,
    };
    let place = LogPosition::at(log, end)?.written();
    Ok(News {
        text: Vec::new(),
        skipped: Skipped::Nothing,
        place,
        is_first: true,
        readers: Readers::of(&[log]),
    })
}

fn news_since(path: &Path, log: &TailedFile, place: LogPosition) -> io::Result<News> {
    let goes_on = place.is_in(log)?;
    let left_behind = if place.inode == log.inode { None } else { left_behind(path, place) };
    let is_it = goes_on && left_behind.is_none() && (place.inode == log.inode || place.offset > 0);
    let readers = Readers::of(&[log, left_behind.as_ref().unwrap_or(log)]);
    let fresh = LineBuffer::of(log, if is_it { place.offset } else { 0 }, MAX_LOG_BYTES)?;
    let rest = match left_behind {
        Some(old) => {
            LineBuffer::of(&old, place.offset, MAX_LOG_BYTES.saturating_sub(as_u64(fresh.text.len())))?
        }
        None => LineBuffer::default(),
    };
    let skipped = match rest.skipped.saturating_add(fresh.skipped) {
        0 => Skipped::Nothing,
        bytes => Skipped::Bytes(bytes),
    };
    let place = LogPosition::at(log, fresh.end)?.written();
    Ok(News { text: [rest.text, fresh.text].concat(), skipped, place, is_first: false, readers })
}

/// What logrotate has made of it, where it is still there, and not compressed.
fn left_behind(path: &Path, place: LogPosition) -> Option<TailedFile> {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    let old = tail_file::open_for_tail(Path::new(&name)).ok()?;
    (old.inode == place.inode && place.is_in(&old).is_ok_and(|is_in| is_in)).then_some(old)
}

impl Readers {
    fn of(logs: &[&TailedFile]) -> Self {
        if logs.iter().all(|log| log.is_open_to_all) { Self::Everybody } else { Self::Chosen }
    }
}

#[derive(Debug, Default)]
struct LineBuffer {
    text: Vec<u8>,
    skipped: u64,
    /// Of the last one.
    end: u64,
}

impl LineBuffer {
    /// Those that have ended, as far as they are in the last `most` bytes.
    fn of(log: &TailedFile, from: u64, most: u64) -> io::Result<Self> {
        let begin = from.max(log.size.saturating_sub(most));
        let mut text = log.read_new(begin, log.size)?;
        let Some(last) = text.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(Self { end: from, ..Self::default() });
        };
        text.truncate(last.saturating_add(1));
        let end = begin.saturating_add(as_u64(text.len()));
        if begin > from {
            // It may be a line cut in two.
            let first = text.iter().position(|byte| *byte == b'\n').unwrap_or_default();
            text.drain(..=first);
        }
        let skipped = end.saturating_sub(from).saturating_sub(as_u64(text.len()));
        Ok(Self { text, skipped, end })
    }
}

impl LogPosition {
    fn at(log: &TailedFile, offset: u64) -> io::Result<Self> {
        Ok(Self { inode: log.inode, offset, mark: mark_before(log, offset)? })
    }

    /// Has it been written on from there?
    fn is_in(self, log: &TailedFile) -> io::Result<bool> {
        Ok(self.offset <= log.size && mark_before(log, self.offset)? == self.mark)
    }

    fn written(self) -> String {
        format!("{:x} {:x} {:x}", self.inode, self.offset, self.mark)
    }

    fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(|number| u64::from_str_radix(number, 16).ok());
        let (inode, offset, mark) = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(Self { inode, offset, mark })
    }
}

fn mark_before(log: &TailedFile, offset: u64) -> io::Result<u64> {
    Ok(fnv1a_hash(&log.read_new(offset.saturating_sub(KNOWN_BY), offset)?))
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
