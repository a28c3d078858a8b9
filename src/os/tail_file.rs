//! A file that others go on appending to: opened once, and read in parts. Nothing waits for a pipe's other end.
//! Judges no content.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{self, AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::files::not_regular;

#[derive(Debug)]
pub(crate) struct Appended {
    file: File,
    device: u64,
    pub(crate) inode: u64,
    /// When it was opened.
    pub(crate) size: u64,
    /// Others than its owner and its group may read it.
    pub(crate) is_open_to_all: bool,
}

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

pub(crate) fn open(path: &Path) -> io::Result<Appended> {
    let file = match fs::openat(CWD, path, FLAGS | OFlags::NOFOLLOW, Mode::empty()) {
        Err(Errno::LOOP) => followed(path)?,
        opened => File::from(opened?),
    };
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(not_regular());
    }
    Ok(Appended {
        device: found.dev(),
        inode: found.ino(),
        size: found.size(),
        is_open_to_all: found.mode() & 0o004 != 0,
        file,
    })
}

/// Logs often lie where others may write: their links must not show them what only we may read.
fn followed(path: &Path) -> io::Result<File> {
    let link = fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?.st_uid;
    let file = File::from(fs::openat(CWD, path, FLAGS, Mode::empty())?);
    let is_trusted = [0, rustix::process::geteuid().as_raw(), file.metadata()?.uid()].contains(&link);
    if is_trusted { Ok(file) } else { Err(io::Error::other("is a link of somebody else's")) }
}

impl Appended {
    /// What lies between, and less where that is no more.
    pub(crate) fn read(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let length = usize::try_from(to.saturating_sub(from)).unwrap_or_default();
        let (mut bytes, mut at) = (vec![0; length], 0);
        while let Some(room) = bytes.get_mut(at..).filter(|room| !room.is_empty()) {
            let offset = from.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
            match self.file.read_at(room, offset) {
                Ok(0) => break,
                Ok(n) => at = at.saturating_add(n),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(at);
        Ok(bytes)
    }

    /// By whatever name.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use std::os::unix::fs::{chown, lchown, symlink};

    #[test]
    fn a_part_is_read_and_no_more_than_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        std::fs::write(&log, "0123456789").unwrap();
        let opened = open(&log).unwrap();
        assert_eq!(opened.size, 10);
        for (from, to, part) in [(0, 10, "0123456789"), (8, 20, "89"), (10, 20, ""), (5, 2, ""), (3, 5, "34")]
        {
            assert_eq!(opened.read(from, to).unwrap(), part.as_bytes(), "{from}..{to}");
        }
        assert!(opened.is_at(&log) && !opened.is_at(dir.path()) && !opened.is_at(&dir.path().join("none")));
    }

    #[test]
    fn only_a_regular_file_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("p");
        fs::mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        for path in [pipe.as_path(), dir.path(), Path::new("/dev/null")] {
            assert_eq!(open(path).unwrap_err().to_string(), "is not a regular file");
        }
        assert_eq!(open(&dir.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_link_of_somebody_else_does_not_show_him_what_is_not_his() {
        let dir = tempfile::tempdir().unwrap();
        let (log, link) = (dir.path().join("log"), dir.path().join("link"));
        std::fs::write(&log, "secret\n").unwrap();
        symlink(&log, &link).unwrap();
        assert_eq!(open(&link).unwrap().size, 7, "one's own");
        if rustix::process::geteuid().is_root() {
            lchown(&link, Some(4711), None).unwrap();
            assert_eq!(open(&link).unwrap_err().to_string(), "is a link of somebody else's");
            chown(&log, Some(4711), None).unwrap();
            assert_eq!(open(&link).unwrap().size, 7, "his own file");
        }
    }
}
