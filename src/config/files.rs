//! Where configuration lies on this host, and its text. The only file of the crate that asks the
//! environment by hand (clap asks for the flags), and of `config` the only one that touches the disk.
//! Writes nothing, judges no text.
#![expect(clippy::disallowed_methods, reason = "reads configuration and where it lies, bounded")]

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, Stat};

use super::settings::Wrong;

/// Where to look, and how strictly.
#[derive(Debug)]
pub(super) struct Places {
    /// `None`: root, or no home is known.
    pub(super) user: Option<PathBuf>,
    pub(super) main: PathBuf,
    pub(super) folder: PathBuf,
    /// What root reads decides what root starts: nobody else may write it.
    pub(super) as_root: bool,
}

#[derive(Debug)]
pub(super) enum Unread {
    Missing,
    Refused(Wrong),
}

impl Places {
    pub(super) fn of_this_host() -> Self {
        let as_root = rustix::process::geteuid().is_root();
        Self {
            user: if as_root { None } else { user_file() },
            main: PathBuf::from("/etc/unhang/unhang.toml"),
            folder: PathBuf::from("/etc/unhang/conf.d"),
            as_root,
        }
    }

    pub(super) fn read(&self, path: &Path) -> Result<String, Unread> {
        // NONBLOCK: a pipe must not make us wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?);
        let stat = rustix::fs::fstat(&file).map_err(io::Error::from)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Unread::Refused("is not a regular file".into()));
        }
        self.trusts(&stat, path)?;
        let mut bytes = Vec::new();
        file.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
            return Err(Unread::Refused("is larger than 1 MiB".into()));
        }
        String::from_utf8(bytes).map_err(|error| {
            let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let line = before.filter(|byte| **byte == b'\n').count().saturating_add(1);
            Unread::Refused(format!("line {line} is not UTF-8").into())
        })
    }

    /// The files of a folder that end in .toml, in name order, without hidden ones (an editor's).
    pub(super) fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, Unread> {
        let stat = rustix::fs::stat(folder).map_err(io::Error::from)?;
        self.trusts(&stat, folder)?;
        let names = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name()));
        let mut names = names.collect::<io::Result<Vec<_>>>()?;
        names.retain(|name| {
            let name = name.as_encoded_bytes();
            name.ends_with(b".toml") && !name.starts_with(b".")
        });
        names.sort();
        Ok(names.iter().map(|name| folder.join(name)).collect())
    }

    fn trusts(&self, stat: &Stat, path: &Path) -> Result<(), Unread> {
        match distrust(stat.st_uid, stat.st_mode) {
            Some(why) if self.as_root => {
                let path = path.display();
                let what = format!("{why} could make root start anything");
                Err(Unread::Refused(Wrong::cure(what, format!("chown root {path} && chmod go-w {path}"))))
            }
            _ => Ok(()),
        }
    }
}

impl Unread {
    /// Another place was looked at before.
    pub(super) fn nor(self, path: &Path) -> Self {
        match self {
            Self::Missing => Self::Refused(missing(&format!("no such file, nor {}", path.display()))),
            refused @ Self::Refused(_) => refused,
        }
    }

    pub(super) fn wrong(self) -> Wrong {
        match self {
            Self::Refused(wrong) => wrong,
            Self::Missing => missing("no such file"),
        }
    }
}

fn missing(what: &str) -> Wrong {
    let sample = "two lines in it are enough: [service.NAME] and url = \"http://localhost:8000/health/\"";
    Wrong::cure(what, sample)
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            return Self::Missing;
        }
        let text = error.to_string();
        let reason = text.split(" (os error").next().unwrap_or_default();
        Self::Refused(format!("cannot be read: {reason}").into())
    }
}

const LARGEST: u64 = 1024 * 1024;

fn distrust(owner: u32, mode: u32) -> Option<String> {
    let others = Mode::from_raw_mode(mode) & (Mode::WGRP | Mode::WOTH);
    if owner != 0 {
        Some(format!("its owner, user {owner},"))
    } else if others.is_empty() {
        None
    } else {
        Some(format!("others may write it (mode {:04o}), who", mode & 0o7777))
    }
}

/// The XDG rules: a relative `XDG_CONFIG_HOME` counts as none.
fn user_file() -> Option<PathBuf> {
    let absolute = |variable| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(base.join("unhang/unhang.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_write_what_root_reads() {
        for (owner, mode, trusted) in [
            (0, 0o100_644, true),
            (0, 0o100_600, true),
            (0, 0o40_755, true),
            (0, 0o100_664, false),
            (0, 0o100_646, false),
            (0, 0o41_777, false),
            (1000, 0o100_644, false),
        ] {
            assert_eq!(distrust(owner, mode).is_none(), trusted, "{owner} {mode:o}");
        }
    }
}
