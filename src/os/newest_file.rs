//! How large files are, and when they were last written; and the newest of a folder. Opens none of them, and
//! judges nothing.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FileType, Stat};

use super::way;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewestFile {
    pub(crate) is_regular: bool,
    /// In bytes.
    pub(crate) size: u64,
    /// Since 1970; zero for a stamp from before.
    pub(crate) modified: Duration,
}

/// Of what a link leads to.
pub(crate) fn newest_matching(path: &Path) -> io::Result<NewestFile> {
    Ok(NewestFile::from_entry(way::reach(path)?.stat()?))
}

/// Of those in `folder` whose names are wanted the one that was written last, if it is a regular file. An error,
/// rather than half of the truth, where the folder holds more than `most` names.
pub(crate) fn newest_in_folder(
    folder: &Path,
    wanted: impl Fn(&[u8]) -> bool,
    most: usize,
) -> io::Result<Option<(OsString, NewestFile)>> {
    let folder = way::reach(folder)?;
    let mut newest: Option<(OsString, NewestFile)> = None;
    for (read, entry) in folder.names()?.enumerate() {
        if read >= most {
            return Err(io::Error::other(format!("the folder holds more than {most} names")));
        }
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !wanted(name) {
            continue;
        }
        let seen = match folder.reach_below(name) {
            // Removed since the folder was read, or a link that leads nowhere.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            found => NewestFile::from_entry(found?.stat()?),
        };
        if seen.is_regular && newest.as_ref().is_none_or(|(_, newest)| seen.modified > newest.modified) {
            newest = Some((OsString::from_vec(name.to_vec()), seen));
        }
    }
    Ok(newest)
}

impl NewestFile {
    fn from_entry(stat: &Stat) -> Self {
        Self {
            is_regular: FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: Duration::new(
                u64::try_from(stat.st_mtime).unwrap_or_default(),
                u32::try_from(stat.st_mtime_nsec).unwrap_or_default(),
            ),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};
    use std::time::SystemTime;

    fn written(path: &Path, text: &str, after_1970: u64) {
        std::fs::write(path, text).unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(after_1970);
        File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
    }

    #[test]
    fn the_newest_is_the_regular_file_that_was_written_last() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let newest = |most| newest_in_folder(dir.path(), |name| name.starts_with(b"db"), most);
        assert_eq!(newest(9).unwrap(), None);
        written(&at("db_1"), "one", 3_000);
        written(&at("db_2"), "2", 1_000);
        written(&at("other"), "", 9_000);
        std::fs::create_dir(at("db_folder")).unwrap();
        symlink("/nowhere/at/all", at("db_link")).unwrap();
        let expected = NewestFile { is_regular: true, size: 3, modified: Duration::from_secs(3_000) };
        assert_eq!(newest(99).unwrap(), Some(("db_1".into(), expected)));
        assert_eq!(super::newest_matching(&at("db_1")).unwrap(), expected);
        symlink(at("other"), at("db_latest")).unwrap();
        assert_eq!(newest(99).unwrap().unwrap().0, "db_latest", "a link is what it leads to");
        // . and .. are names, too.
        assert_eq!(newest(8).unwrap().unwrap().0, "db_latest");
        assert_eq!(newest(7).unwrap_err().to_string(), "the folder holds more than 7 names");
    }

    #[test]
    fn a_link_of_somebody_else_tells_him_nothing_of_what_he_cannot_see() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let private = tempfile::tempdir().unwrap();
        std::fs::set_permissions(private.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        written(&private.path().join("key"), "secret", 1_000);
        let link = dir.path().join("link");
        symlink(private.path().join("key"), &link).unwrap();
        assert_eq!(newest_matching(&link).unwrap().size, 6, "root's own");
        lchown(&link, Some(4711), None).unwrap();
        let why = "leads over a link of somebody else's";
        assert_eq!(newest_matching(&link).unwrap_err().to_string(), why);
        assert_eq!(newest_in_folder(dir.path(), |_| true, 9).unwrap_err().to_string(), why);
    }

    #[test]
    fn what_is_not_there_is_told_from_what_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!newest_matching(dir.path()).unwrap().is_regular);
        let none = dir.path().join("none");
        assert_eq!(newest_matching(&none).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(newest_in_folder(&none, |_| true, 9).unwrap_err().kind(), io::ErrorKind::NotFound);
        written(&none, "", 1);
        assert_eq!(newest_in_folder(&none, |_| true, 9).unwrap_err().kind(), io::ErrorKind::NotADirectory);
    }
}
