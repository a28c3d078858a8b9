//! One folder of ours, held open: small files in it are read whole, replaced atomically and locked.
//! Nothing in it is reached through a symbolic link, itself only through one that systemd makes, and nothing outside it is touched. Knows nothing
//! of what the files hold.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use rustix::fs::{
    self, AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT,
};
use rustix::io::Errno;

use super::files::{is_a_link, not_regular, read_to_end};
use super::signals::survive_file_size_limit;

/// Everybody may read; secrets have no place in these files.
const FILE: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP).union(Mode::ROTH);
const FOLDER: Mode = FILE.union(Mode::XUSR).union(Mode::XGRP).union(Mode::XOTH);
const LOCK: Mode = Mode::RUSR.union(Mode::WUSR);

#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

/// Held until dropped; the kernel frees it with the process, however that ends.
#[derive(Debug)]
#[must_use]
pub(crate) struct Lock(File);

impl Folder {
    /// Refuses a folder that is a link, or that others may write: what lies there is believed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::open_at(CWD, path)
    }

    /// Opens it, and makes what is missing of its path, with mode 0755 whatever the umask.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        match Self::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        let Some(name) = path.file_name() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let above = existing_or_created(parent.unwrap_or(Path::new(".")))?;
        let made = match fs::mkdirat(&above, name, FOLDER) {
            Ok(()) => true,
            Err(Errno::EXIST) => false, // another run was first, or it is a link: open says which
            Err(errno) => return Err(errno.into()),
        };
        let folder = Self::open_at(&above, Path::new(name))?;
        if made {
            fs::fchmod(&folder.0, FOLDER)?;
            // Else a power cut takes the folder away again with all that was flushed into it.
            fs::fsync(&above)?;
        }
        Ok(folder)
    }

    /// At most `max` bytes; a longer file is an error, not a prefix. `None`: no such file.
    pub(crate) fn read(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        match self.open_regular(name, OFlags::RDONLY, Mode::empty()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(file) => read_to_end(file, max).map(Some),
        }
    }

    /// Beside and renamed, with both flushed: after a power cut there is the old content or the new,
    /// never half. The caller holds the lock, so the name beside is free or a leftover. Mode 0644. `max` is that of
    /// `read`: what could not be read back is not written.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8], max: u64) -> io::Result<()> {
        refuse_longer(bytes, max)?;
        let beside = format!(".{name}.new");
        let written = self.create_anew(&beside, FILE).and_then(|mut file| {
            fs::fchmod(&file, FILE)?;
            survive_file_size_limit();
            file.write_all(bytes)?;
            file.sync_all()
        });
        let moved = written.and_then(|()| self.rename(&beside, name));
        if moved.is_err() {
            let _ = self.remove(&beside); // a full disk keeps no half file
        }
        moved?;
        Ok(fs::fsync(&self.0)?)
    }

    /// Takes the place of `to`, if there is one.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// One that is gone already is no error.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// All that lies here, sorted; hidden names and names that are not UTF-8 are not ours.
    pub(crate) fn list_names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            match entry?.file_name().to_str() {
                Ok(name) if !name.starts_with('.') => names.push(name.to_owned()),
                Ok(_) | Err(_) => {}
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// When it was last written, since 1970. `None`: no such file.
    pub(crate) fn modified_at(&self, name: &str) -> io::Result<Option<Duration>> {
        match fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
            // Zero for a stamp from before 1970.
            Ok(stat) => Ok(Some(Duration::from_secs(u64::try_from(stat.st_mtime).unwrap_or_default()))),
        }
    }

    /// `None`: another process holds it.
    pub(crate) fn try_lock(&self, name: &str) -> io::Result<Option<Lock>> {
        let file = self.open_regular(name, OFlags::RDWR | OFlags::CREATE, LOCK)?;
        match fs2::FileExt::try_lock_exclusive(&file) {
            Ok(()) => Ok(Some(Lock(file))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A new file with this content, locked before it has its name. Nobody else may open it, not even while
    /// it is made: whoever could, could lock it too. `max` as for `replace`.
    pub(crate) fn create_locked(&self, name: &str, bytes: &[u8], max: u64) -> io::Result<Lock> {
        refuse_longer(bytes, max)?;
        let beside = format!(".{name}.new");
        let mut file = self.create_anew(&beside, LOCK)?;
        file.write_all(bytes)?;
        fs2::FileExt::try_lock_exclusive(&file)?;
        self.rename(&beside, name)?;
        Ok(Lock(file))
    }

    /// Does a process hold it? Looked at, which keeps nobody out. One that is gone is held by nobody.
    pub(crate) fn is_locked(&self, name: &str) -> io::Result<bool> {
        let file = match self.open_regular(name, OFlags::RDONLY, Mode::empty()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        match fs2::FileExt::try_lock_shared(&file) {
            Ok(()) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn open_at(above: impl std::os::fd::AsFd, path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = match fs::openat(&above, path, flags, Mode::empty()) {
            // What a link gives with these flags, too.
            Err(Errno::NOTDIR | Errno::LOOP) => match private_of_systemd(&above, path)? {
                Some(private) => fs::openat(&above, &private, flags, Mode::empty())?,
                None => return Err(io::Error::other("is a symbolic link or not a directory")),
            },
            opened => opened?,
        };
        let stat = fs::fstat(&folder)?;
        let others = Mode::from_raw_mode(stat.st_mode) & (Mode::WGRP | Mode::WOTH);
        if !others.is_empty() || !owned_by_us_or_root(&stat) {
            return Err(io::Error::other(
                "others may write to it; it must be a folder of its own, which nobody else may write",
            ));
        }
        Ok(Self(folder))
    }

    fn create_anew(&self, name: &str, mode: Mode) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        match self.open_regular(name, flags, mode) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.remove(name)?;
                self.open_regular(name, flags, mode)
            }
            opened => opened,
        }
    }

    /// NONBLOCK: opening a pipe somebody put there must not wait for its other end.
    fn open_regular(&self, name: &str, flags: OFlags, mode: Mode) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match fs::openat(&self.0, name, flags, mode) {
            Err(Errno::LOOP) => return Err(is_a_link()),
            opened => opened?,
        };
        if FileType::from_raw_mode(fs::fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(not_regular());
        }
        Ok(File::from(file))
    }
}

impl Lock {
    /// Makes now the file's modification time.
    pub(crate) fn stamp(&self) -> io::Result<()> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let untouched = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        Ok(fs::futimens(&self.0, &Timestamps { last_access: untouched, last_modification: now })?)
    }

    /// Said, not left to the close: a thread that is stuck in the kernel keeps the file open.
    pub(crate) fn release(&self) {
        let _ = fs2::FileExt::unlock(&self.0);
    }
}

/// See `release`.
impl Drop for Lock {
    fn drop(&mut self) {
        self.release();
    }
}

/// Where a link leads that systemd makes for StateDirectory= and LogsDirectory= with DynamicUser=: `unhang` to
/// `private/unhang`, `a/b` to `../private/a/b`. `None`: it is no such link. What it leads to is judged as any folder.
fn private_of_systemd(above: impl std::os::fd::AsFd, path: &Path) -> io::Result<Option<PathBuf>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let link = fs::openat(&above, path, flags, Mode::empty())?;
    let stat = fs::fstat(&link)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink || !owned_by_us_or_root(&stat) {
        return Ok(None);
    }
    let target = fs::readlinkat(&link, "", Vec::new())?;
    let target = Path::new(OsStr::from_bytes(target.as_bytes()));
    let mut parts = target.components().skip_while(|part| *part == Component::ParentDir);
    let is_private = parts.next() == Some(Component::Normal(OsStr::new("private")))
        && parts.clone().all(|part| matches!(part, Component::Normal(_)))
        && parts.last() == path.components().next_back();
    Ok(is_private.then(|| path.parent().unwrap_or(Path::new("")).join(target)))
}

fn refuse_longer(bytes: &[u8], max: u64) -> io::Result<()> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= max) {
        return Ok(());
    }
    Err(io::ErrorKind::FileTooLarge.into())
}

/// The way there may lead over links; it is the host's, not ours.
fn existing_or_created(path: &Path) -> io::Result<OwnedFd> {
    match fs::openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOENT) => Ok(Folder::create(path)?.0),
        opened => Ok(opened?),
    }
}

fn owned_by_us_or_root(stat: &Stat) -> bool {
    stat.st_uid == 0 || stat.st_uid == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::SystemTime;

    /// More than any file of these tests has.
    const MAX: u64 = 1 << 20;

    fn folder() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        (dir, folder)
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_was_written_is_read() {
        let (dir, folder) = folder();
        assert_eq!(folder.read("a", 9).unwrap(), None);
        for text in ["one", "two"] {
            folder.replace("a", text.as_bytes(), MAX).unwrap();
            assert_eq!(folder.read("a", 3).unwrap().unwrap(), text.as_bytes());
        }
        assert_eq!(mode(&dir.path().join("a")), 0o644);
        assert_eq!(folder.read("a", 2).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside");
    }

    #[test]
    fn a_leftover_of_a_crash_is_no_hindrance() {
        let (dir, folder) = folder();
        std::fs::write(dir.path().join(".a.new"), "half").unwrap();
        folder.replace("a", b"whole", MAX).unwrap();
        assert_eq!(folder.read("a", 9).unwrap().unwrap(), b"whole");
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let (dir, folder) = folder();
        folder.replace("a", b"old", 4).unwrap();
        for error in [
            folder.replace("a", b"longer", 4).unwrap_err(),
            folder.create_locked("a", b"longer", 4).unwrap_err(),
            folder.read("a", 2).unwrap_err(),
        ] {
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
        assert_eq!(folder.read("a", 4).unwrap().unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_replaced_leaves_nothing_beside() {
        let (dir, folder) = folder();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        assert!(folder.replace("a", b"new", MAX).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    /// As systemd 252 and 257 leave it.
    #[test]
    fn the_link_of_a_dynamic_user_is_followed_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("private/unhang")).unwrap();
        std::fs::create_dir_all(at("private/a/b")).unwrap();
        std::fs::create_dir(at("a")).unwrap();
        symlink("private/unhang", at("unhang")).unwrap();
        symlink("../private/a/b", at("a/b")).unwrap();
        for name in ["unhang", "a/b"] {
            Folder::create(&at(name)).unwrap().replace("x", name.as_bytes(), MAX).unwrap();
            assert_eq!(std::fs::read(at("private").join(name).join("x")).unwrap(), name.as_bytes());
        }
        std::fs::create_dir(at("private/open")).unwrap();
        std::fs::set_permissions(at("private/open"), std::fs::Permissions::from_mode(0o777)).unwrap();
        symlink("private/open", at("open")).unwrap();
        symlink("private/unhang", at("other")).unwrap();
        symlink(at("private/unhang"), at("absolute")).unwrap();
        symlink("private/../unhang", at("x")).unwrap();
        for name in ["open", "other", "absolute", "x"] {
            assert!(Folder::open(&at(name)).is_err() && Folder::create(&at(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn links_and_pipes_are_refused() {
        let (dir, folder) = folder();
        let outside = tempfile::NamedTempFile::new().unwrap();
        symlink(outside.path(), dir.path().join("a")).unwrap();
        fs::mkfifoat(CWD, dir.path().join("p"), LOCK).unwrap();
        assert_eq!(folder.read("a", 9).unwrap_err().to_string(), "is a symbolic link");
        assert_eq!(folder.read("p", 9).unwrap_err().to_string(), "is not a regular file");
        assert!(folder.try_lock("a").is_err() && folder.try_lock("p").is_err());
        folder.replace("a", b"new", MAX).unwrap(); // replaces the link itself
        assert_eq!(std::fs::read(outside.path()).unwrap(), b"");
        let link = dir.path().join("folder");
        symlink(dir.path(), &link).unwrap();
        assert!(Folder::open(&link).is_err() && Folder::create(&link).is_err());
    }

    #[test]
    fn a_folder_that_others_may_write_is_refused() {
        let (dir, _folder) = folder();
        for bits in [0o775, 0o757, 0o1777] {
            std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(bits)).unwrap();
            assert!(Folder::open(dir.path()).is_err() && Folder::create(dir.path()).is_err(), "{bits:o}");
        }
    }

    #[test]
    fn a_missing_path_is_made_for_all_to_read() {
        let (dir, _folder) = folder();
        let deep = dir.path().join("a/b/c");
        assert_eq!(Folder::open(&deep).unwrap_err().kind(), io::ErrorKind::NotFound);
        Folder::create(&deep).unwrap().replace("x", b"1", MAX).unwrap();
        for made in ["a", "a/b", "a/b/c"] {
            assert_eq!(mode(&dir.path().join(made)), 0o755, "{made}");
        }
        assert!(Folder::create(&deep).unwrap().read("x", 1).unwrap().is_some(), "again is no error");
        symlink(dir.path().join("nowhere"), dir.path().join("dangling")).unwrap();
        assert!(Folder::create(&dir.path().join("dangling")).is_err());
        assert!(!dir.path().join("nowhere").exists());
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert!(Folder::create(&dir.path().join("file")).is_err());
        assert!(Folder::create(&dir.path().join("file/below")).is_err());
        assert!(Folder::create(Path::new("")).is_err());
    }

    #[test]
    fn names_are_sorted_renamed_and_removed() {
        let (dir, folder) = folder();
        for name in ["b", "a", "c"] {
            folder.replace(name, b"", MAX).unwrap();
        }
        std::fs::write(dir.path().join(".hidden"), "").unwrap();
        assert_eq!(folder.list_names().unwrap(), ["a", "b", "c"]);
        folder.rename("a", "d").unwrap();
        folder.remove("b").unwrap();
        folder.remove("b").unwrap();
        assert_eq!(folder.list_names().unwrap(), ["c", "d"]);
        assert_eq!(folder.list_names().unwrap(), ["c", "d"], "a second look begins at the start");
    }

    #[test]
    fn one_lock_at_a_time() {
        let (dir, folder) = folder();
        let lock = folder.try_lock("l").unwrap().unwrap();
        assert_eq!(mode(&dir.path().join("l")), 0o600);
        assert!(folder.try_lock("l").unwrap().is_none());
        assert!(folder.try_lock("other").unwrap().is_some());
        let stuck = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(folder.try_lock("l").unwrap().is_some(), "free although a thread has it open");
        drop(stuck);
    }

    #[test]
    fn a_stamp_is_the_present() {
        let (dir, folder) = folder();
        let lock = folder.try_lock("l").unwrap().unwrap();
        let path = dir.path().join("l");
        File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        lock.stamp().unwrap();
        let age = path.metadata().unwrap().modified().unwrap().elapsed().unwrap_or_default();
        assert!(age < Duration::from_secs(5), "{age:?}");
    }

    #[test]
    fn a_full_disk_keeps_the_old_file() {
        // A real small tmpfs, which only root can mount.
        let dir = tempfile::tempdir().unwrap();
        let mount = |args: &[&str]| {
            std::process::Command::new(args[0])
                .args(&args[1..])
                .arg(dir.path())
                .status()
                .is_ok_and(|s| s.success())
        };
        if !mount(&["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none"]) {
            return;
        }
        let folder = Folder::open(dir.path()).unwrap();
        folder.replace("a", b"old", MAX).unwrap();
        let error = folder.replace("a", &vec![0; 100 * 1024], MAX).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(folder.read("a", 9).unwrap().unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        drop(folder);
        assert!(mount(&["umount"]));
    }
}
