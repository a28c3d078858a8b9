//! A file that others go on appending to: opened once, and read in parts. Nothing waits for a pipe's other end.
//! Judges no content.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::files::not_regular;
use super::way;

#[derive(Debug)]
pub(crate) struct TailedFile {
    file: File,
    device: u64,
    pub(crate) inode: u64,
    /// When it was opened.
    pub(crate) size: u64,
    /// Others than its owner and its group may read it, and may pass all folders on the way to it.
    pub(crate) is_open_to_all: bool,
}

pub(crate) fn open_for_tail(path: &Path) -> io::Result<TailedFile> {
    let (file, is_open_to_all) = way::reach(path)?.open()?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(not_regular());
    }
    Ok(TailedFile { device: found.dev(), inode: found.ino(), size: found.size(), is_open_to_all, file })
}

impl TailedFile {
    /// What lies between, and less where that is no more.
    pub(crate) fn read_new(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
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
    pub(crate) fn ends_at(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;

    use rustix::fs::{self, CWD, Mode};

    #[test]
    fn a_part_is_read_and_no_more_than_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        std::fs::write(&log, "0123456789").unwrap();
        let opened = open_for_tail(&log).unwrap();
        assert_eq!(opened.size, 10);
        for (from, to, part) in [(0, 10, "0123456789"), (8, 20, "89"), (10, 20, ""), (5, 2, ""), (3, 5, "34")]
        {
            assert_eq!(opened.read_new(from, to).unwrap(), part.as_bytes(), "{from}..{to}");
        }
        assert!(
            opened.ends_at(&log) && !opened.ends_at(dir.path()) && !opened.ends_at(&dir.path().join("none"))
        );
    }

    #[test]
    fn only_a_regular_file_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("p");
        fs::mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        for path in [pipe.as_path(), dir.path(), Path::new("/dev/null")] {
            assert_eq!(open_for_tail(path).unwrap_err().to_string(), "is not a regular file");
        }
        assert_eq!(open_for_tail(&dir.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
