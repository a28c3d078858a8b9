//! Single files that lie where a person put them: configuration to read, a log to append to. Every
//! read is bounded, and nothing waits for a pipe's other end. Judges no content.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{self, Access, AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::signals::survive_file_size_limit;

/// Who can have written something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writers {
    /// The owner's user id.
    pub(crate) owner: u32,
    /// The permission bits, as `chmod` takes them.
    pub(crate) mode: u32,
}

/// At most `max` bytes of a regular file; a longer one is an error, not a prefix. Follows links: it
/// is the person's own place, and the facts are those of the file itself.
pub(crate) fn read_bounded(path: &Path, max: u64) -> io::Result<(Vec<u8>, Writers)> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(fs::openat(CWD, path, flags, Mode::empty())?);
    let stat = fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(not_regular());
    }
    Ok((read_to_end(file, max)?, Writers::of(&stat)))
}

/// What a regular file begins with, `max` bytes at most.
pub(crate) fn read_begin(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(fs::openat(CWD, path, flags, Mode::empty())?);
    let mut bytes = Vec::new();
    file.take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file that holds a secret: whoever else may read it knows the secret, and whoever may write it chooses it.
pub(crate) fn read_secret(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let (bytes, writers) = read_bounded(path, max)?;
    if writers.mode & 0o027 != 0 {
        return Err(io::Error::other("others may read or write it (chmod 600)"));
    }
    Ok(bytes)
}

/// Names in `folder` that end with `suffix`, sorted; hidden ones (an editor's leftovers) are left out.
pub(crate) fn names_ending(folder: &Path, suffix: &str) -> io::Result<(Vec<OsString>, Writers)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = fs::openat(CWD, folder, flags, Mode::empty())?;
    let wanted =
        |name: &OsStr| !name.as_bytes().starts_with(b".") && name.as_bytes().ends_with(suffix.as_bytes());
    let mut names = Vec::new();
    for entry in Dir::read_from(&folder)? {
        let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
        if wanted(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok((names, Writers::of(&fs::fstat(&folder)?)))
}

/// Adds `line` to the end of a regular file or character device, created with mode 0644 if it is not
/// there; never through a link. In one write, so that lines of several writers do not mix.
pub(crate) fn append_line(path: &Path, line: &[u8]) -> io::Result<()> {
    survive_file_size_limit();
    open_to_append(path, OFlags::CREATE)?.write_all(line)
}

/// What `append_line` would fail for, found without making or changing anything.
pub(crate) fn may_append(path: &Path) -> io::Result<()> {
    match open_to_append(path, OFlags::empty()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => may_create_in(path.parent().unwrap_or(path)),
        opened => opened.map(drop),
    }
}

fn may_create_in(folder: &Path) -> io::Result<()> {
    match fs::access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Err(Errno::NOENT) => Err(io::Error::other(format!("there is no folder {}", folder.display()))),
        checked => Ok(checked?),
    }
}

/// Who may write what lies at `path`, be it a file or a folder.
pub(crate) fn who_may_write(path: &Path) -> io::Result<Writers> {
    Ok(Writers::of(&fs::stat(path)?))
}

/// When it was last written, since 1970; zero for a stamp from before.
pub(crate) fn modified_at(path: &Path) -> io::Result<Duration> {
    Ok(Duration::from_secs(u64::try_from(fs::stat(path)?.st_mtime).unwrap_or_default()))
}

/// Could it be started? As the kernel sees it who starts it: a regular file with leave to execute it.
pub(crate) fn is_program(path: &Path) -> io::Result<()> {
    if FileType::from_raw_mode(fs::stat(path)?.st_mode) != FileType::RegularFile {
        return Err(not_regular());
    }
    Ok(fs::accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS)?)
}

fn open_to_append(path: &Path, extra: OFlags) -> io::Result<File> {
    let flags = extra
        | OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
    let file = match fs::openat(CWD, path, flags, mode) {
        Ok(file) => File::from(file),
        Err(Errno::LOOP) => return Err(is_a_link()),
        Err(Errno::NXIO) => return Err(not_regular()), // a pipe that nobody reads, or a socket
        Err(errno) => return Err(errno.into()),
    };
    let kind = FileType::from_raw_mode(fs::fstat(&file)?.st_mode);
    if !matches!(kind, FileType::RegularFile | FileType::CharacterDevice) {
        return Err(not_regular());
    }
    Ok(file)
}

pub(super) fn read_to_end(file: File, max: u64) -> io::Result<Vec<u8>> {
    let most = max.saturating_add(1);
    let expected = file.metadata()?.len().saturating_add(1).min(most);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    file.take(most).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read > max) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

impl Writers {
    fn of(stat: &Stat) -> Self {
        Self { owner: stat.st_uid, mode: Mode::from_raw_mode(stat.st_mode).bits() }
    }
}

pub(super) fn is_a_link() -> io::Error {
    io::Error::other("is a symbolic link")
}

pub(super) fn not_regular() -> io::Error {
    io::Error::other("is not a regular file")
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_file_is_read_with_the_facts_about_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("a"), dir.path().join("l"));
        std::fs::write(&file, "text").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o664)).unwrap();
        symlink(&file, &link).unwrap();
        let owner = rustix::process::geteuid().as_raw();
        for path in [&file, &link] {
            let found = read_bounded(path, 4).unwrap();
            assert_eq!(found, (b"text".to_vec(), Writers { owner, mode: 0o664 }));
        }
        assert_eq!(read_bounded(&file, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read_bounded(&dir.path().join("b"), 3).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(read_bounded(dir.path(), 3).unwrap_err().to_string(), "is not a regular file");
    }

    #[test]
    fn a_secret_is_for_its_owner_and_a_group_that_reads() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, "secret").unwrap();
        for (mode, is_secret) in [
            (0o600, true),
            (0o400, true),
            (0o640, true),
            (0o620, false),
            (0o604, false),
            (0o602, false),
            (0o601, false),
        ] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            let read = read_secret(&file, 100).map_err(|error| error.to_string());
            let refused = || "others may read or write it (chmod 600)".to_owned();
            assert_eq!(read, if is_secret { Ok(b"secret".to_vec()) } else { Err(refused()) }, "{mode:o}");
        }
        assert_eq!(read_secret(dir.path(), 100).unwrap_err().to_string(), "is not a regular file");
    }

    #[test]
    fn a_pipe_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("p");
        fs::mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        for error in [read_bounded(&pipe, 9).unwrap_err(), append_line(&pipe, b"line\n").unwrap_err()] {
            assert_eq!(error.to_string(), "is not a regular file");
        }
        let _reader = fs::openat(CWD, &pipe, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()).unwrap();
        assert_eq!(append_line(&pipe, b"line\n").unwrap_err().to_string(), "is not a regular file");
    }

    #[test]
    fn lines_are_appended_to_files_and_devices_only() {
        let dir = tempfile::tempdir().unwrap();
        let (log, link, outside) =
            (dir.path().join("log"), dir.path().join("link"), dir.path().join("outside"));
        append_line(&log, b"one\n").unwrap();
        append_line(&log, b"two\n").unwrap();
        assert_eq!(std::fs::read(&log).unwrap(), b"one\ntwo\n");
        assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o133, 0);
        append_line(Path::new("/dev/null"), b"gone\n").unwrap();
        symlink(&outside, &link).unwrap();
        assert_eq!(append_line(&link, b"no\n").unwrap_err().to_string(), "is a symbolic link");
        assert!(!outside.exists());
        assert!(append_line(dir.path(), b"no\n").is_err());
        assert_eq!(
            append_line(Path::new("/dev/full"), b"x\n").unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
    }

    #[test]
    fn what_could_not_be_appended_to_is_known_before() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        may_append(&at("log")).unwrap();
        assert!(!at("log").exists(), "nothing was made");
        append_line(&at("log"), b"one\n").unwrap();
        may_append(&at("log")).unwrap();
        symlink(at("log"), at("link")).unwrap();
        let why = |name: &str| may_append(&at(name)).unwrap_err().to_string();
        assert_eq!(why("link"), "is a symbolic link");
        assert_eq!(why("none/log"), format!("there is no folder {}", at("none").display()));
        assert!(may_append(dir.path()).is_err() && may_append(&at("log/log")).is_err());
        assert_eq!(std::fs::read(at("log")).unwrap(), b"one\n");
    }

    #[test]
    fn a_program_is_a_file_that_may_be_executed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        assert_eq!(is_program(&file).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(is_program(&file).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        is_program(&file).unwrap();
        assert_eq!(is_program(dir.path()).unwrap_err().to_string(), "is not a regular file");
    }

    #[test]
    fn names_come_sorted_without_leftovers() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.toml", "a.toml", "10.toml", "9.toml", ".#a.toml", ".toml", "c.toml~", "d"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(names_ending(dir.path(), ".toml").unwrap().0, ["10.toml", "9.toml", "a.toml", "b.toml"]);
        let none = names_ending(&dir.path().join("none"), ".toml").unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
        assert!(names_ending(&dir.path().join("d"), ".toml").is_err());
    }
}
