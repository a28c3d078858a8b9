//! The way to a file, gone step by step with each folder held open, so that nobody can change it underneath: who may
//! pass it, who may change it, and whose links it leads over. A file's own mode tells none of that. Costs some calls a
//! step, and so is for what others may have laid out: logs, files that are looked at, secrets.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self, CWD, Dir, FileType, Mode, OFlags, PROC_SUPER_MAGIC, Stat};
use rustix::io::Errno;

/// The most links that are followed on one way, as many as the kernel follows (path_resolution(7)).
pub(super) const MAX_LINKS: usize = 40;

/// What a path leads to, however many links there are on the way.
#[derive(Debug)]
pub(crate) struct Reached {
    /// Not open for reading.
    it: OwnedFd,
    stat: Stat,
    folder: OwnedFd,
    name: OsString,
    way: Way,
}

/// What was met so far.
#[derive(Debug, Clone, Default)]
struct Way {
    /// The path so far, with links resolved; for messages.
    path: PathBuf,
    /// A folder that not everybody may pass.
    is_closed: bool,
    /// Who made links, but for root and us.
    strangers: Vec<u32>,
    /// The first folder or link that is not in our hands alone, or root's.
    changeable: Option<PathBuf>,
    links: usize,
}

/// Follows `path` to its end.
///
/// # Errors
/// Those of open(2), as if it were opened there.
pub(crate) fn reach(path: &Path) -> io::Result<Reached> {
    let start = if path.is_absolute() { "/" } else { "." };
    let folder = fs::openat(CWD, start, FLAGS | OFlags::DIRECTORY, Mode::empty())?;
    go_on(folder, path, Way { path: PathBuf::from(start), ..Way::default() })
}

const FLAGS: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn go_on(mut at: OwnedFd, path: &Path, mut way: Way) -> io::Result<Reached> {
    let mut rest = path_parts(path);
    if path.as_os_str().is_empty() {
        return Err(Errno::NOENT.into());
    }
    let (mut folder, mut name) = (at.try_clone()?, OsString::from("."));
    while let Some(part) = rest.pop() {
        if part == "/" {
            at = fs::openat(CWD, "/", FLAGS | OFlags::DIRECTORY, Mode::empty())?;
            way.path = PathBuf::from("/");
            (folder, name) = (at.try_clone()?, OsString::from("."));
            continue;
        }
        way.note_folder(&fs::fstat(&at)?);
        let found = fs::openat(&at, &part, FLAGS, Mode::empty())?;
        let stat = fs::fstat(&found)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            if part == ".." {
                way.path.pop()
            } else {
                way.path.push(&part);
                true
            };
            (folder, name) = (std::mem::replace(&mut at, found), part);
            continue;
        }
        way.note_link(&stat, &part)?;
        // Those of /proc lead to what no text names.
        if fs::fstatfs(&found)?.f_type == PROC_SUPER_MAGIC {
            let led_to = fs::openat(&at, &part, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            (folder, name) = (std::mem::replace(&mut at, led_to), part);
            continue;
        }
        let target = fs::readlinkat(&found, "", Vec::new())?.into_bytes();
        rest.extend(path_parts(Path::new(&OsString::from_vec(target))));
    }
    let stat = fs::fstat(&at)?;
    Ok(Reached { it: at, stat, folder, name, way })
}

/// Splits a path into its parts, the last one first; `/` is one.
pub(super) fn path_parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.rev().map(|part| part.as_os_str().to_owned()).collect()
}

fn is_ours(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw()
}

impl Way {
    fn note_folder(&mut self, folder: &Stat) {
        let mode = Mode::from_raw_mode(folder.st_mode);
        self.is_closed |= !mode.contains(Mode::XOTH);
        let is_our_group = folder.st_gid == 0 || folder.st_gid == rustix::process::getegid().as_raw();
        let may_others_write = mode.contains(Mode::WOTH) || mode.contains(Mode::WGRP) && !is_our_group;
        // In a sticky one nobody moves what is somebody else's.
        if !is_ours(folder.st_uid) || may_others_write && !mode.contains(Mode::SVTX) {
            self.changeable.get_or_insert_with(|| self.path.clone());
        }
    }

    fn note_link(&mut self, link: &Stat, name: &OsStr) -> io::Result<()> {
        self.links = self.links.saturating_add(1);
        if self.links > MAX_LINKS {
            return Err(Errno::LOOP.into());
        }
        if !is_ours(link.st_uid) {
            self.strangers.push(link.st_uid);
            self.changeable.get_or_insert_with(|| self.path.join(name));
        }
        Ok(())
    }

    /// Logs often lie where others may write: their links must not show them what only we may see.
    fn refuse_strangers(&self, seen: &Stat, is_open_to_all: bool) -> io::Result<()> {
        if is_open_to_all || self.strangers.iter().all(|owner| *owner == seen.st_uid) {
            return Ok(());
        }
        Err(io::Error::other("leads over a link of somebody else's"))
    }
}

impl Reached {
    /// Size, kind and times, which everybody may see who may pass the way.
    ///
    /// # Errors
    /// Somebody's link would show him what he may not see.
    pub(crate) fn stat(&self) -> io::Result<&Stat> {
        self.way.refuse_strangers(&self.stat, !self.way.is_closed)?;
        Ok(&self.stat)
    }

    /// What lies there now, open for reading; and whether everybody may read it.
    ///
    /// # Errors
    /// Those of open(2); and somebody's link would show him what he may not read.
    pub(crate) fn open(&self) -> io::Result<(File, bool)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match fs::openat(&self.folder, &self.name, flags, Mode::empty()) {
            // One of /proc.
            Err(Errno::LOOP) => {
                fs::openat(&self.folder, &self.name, flags - OFlags::NOFOLLOW, Mode::empty())?
            }
            opened => opened?,
        };
        let stat = fs::fstat(&file)?;
        let is_open_to_all = !self.way.is_closed && Mode::from_raw_mode(stat.st_mode).contains(Mode::ROTH);
        self.way.refuse_strangers(&stat, is_open_to_all)?;
        Ok((File::from(file), is_open_to_all))
    }

    /// The names in it, if it is a folder.
    ///
    /// # Errors
    /// Those of `open`.
    pub(crate) fn names(&self) -> io::Result<Dir> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = fs::openat(&self.it, ".", flags, Mode::empty())?;
        let is_listed = Mode::from_raw_mode(self.stat.st_mode).contains(Mode::ROTH | Mode::XOTH);
        self.way.refuse_strangers(&self.stat, !self.way.is_closed && is_listed)?;
        Ok(Dir::read_from(&folder)?)
    }

    /// Follows `name` from here on.
    ///
    /// # Errors
    /// Those of `reach`.
    pub(crate) fn reach_below(&self, name: &[u8]) -> io::Result<Self> {
        go_on(self.it.try_clone()?, Path::new(OsStr::from_bytes(name)), self.way.clone())
    }

    /// The first thing on the way that a user besides root and us could replace. `None`: there is none.
    pub(crate) fn find_changeable(&self) -> Option<&Path> {
        let its_own = (!is_ours(self.stat.st_uid)).then_some(&self.way.path);
        self.way.changeable.as_ref().or(its_own).map(PathBuf::as_path)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};

    const STRANGE: &str = "leads over a link of somebody else's";

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A folder with `private/app.log` in it, which everybody may read who gets there.
    fn stage(folder_mode: u32) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        chmod(dir.path(), 0o755);
        std::fs::create_dir(dir.path().join("private")).unwrap();
        std::fs::write(dir.path().join("private/app.log"), "line\n").unwrap();
        chmod(&dir.path().join("private/app.log"), 0o644);
        chmod(&dir.path().join("private"), folder_mode);
        dir
    }

    fn is_open_to_all(path: &Path) -> io::Result<bool> {
        Ok(reach(path)?.open()?.1)
    }

    #[test]
    fn a_file_is_open_to_all_only_if_its_whole_way_is() {
        for (mode, expected) in [(0o755, true), (0o711, true), (0o750, false), (0o700, false)] {
            let dir = stage(mode);
            let at = |name: &str| dir.path().join(name);
            symlink("private", at("link")).unwrap();
            symlink(at("private/app.log"), at("absolute")).unwrap();
            symlink("link/../link/./app.log", at("winding")).unwrap();
            for name in
                ["private/app.log", "link/app.log", "absolute", "winding", "private/../private/app.log"]
            {
                assert_eq!(is_open_to_all(&at(name)).unwrap(), expected, "{name} {mode:o}");
                let mut text = String::new();
                reach(&at(name)).unwrap().open().unwrap().0.read_to_string(&mut text).unwrap();
                assert_eq!(text, "line\n");
            }
        }
        let dir = stage(0o755);
        chmod(&dir.path().join("private/app.log"), 0o640);
        assert!(!is_open_to_all(&dir.path().join("private/app.log")).unwrap());
    }

    #[test]
    fn it_fails_as_opening_would() {
        let dir = stage(0o755);
        let at = |name: &str| dir.path().join(name);
        symlink("loop", at("loop")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        for name in ["none", "none/app.log", "dangling", "private/app.log/below", "loop", "loop/below"] {
            let expected = std::fs::metadata(at(name)).unwrap_err().raw_os_error();
            assert_eq!(reach(&at(name)).unwrap_err().raw_os_error(), expected, "{name}");
        }
        assert_eq!(reach(Path::new("")).unwrap_err().kind(), io::ErrorKind::NotFound);
        for name in ["/", "/.", "/..", "/tmp/..", "/proc/self/exe", "/proc/self/fd/../exe", "/dev/null"] {
            let found = reach(Path::new(name)).unwrap();
            let expected = fs::stat(name).unwrap();
            assert_eq!((found.stat.st_dev, found.stat.st_ino), (expected.st_dev, expected.st_ino), "{name}");
        }
        let magic = tempfile::tempfile().unwrap();
        let through = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&magic));
        reach(Path::new(&through)).unwrap().open().unwrap();
    }

    /// The link is of user 4711, and leads to what nobody but root may read or see.
    #[test]
    fn a_link_of_somebody_else_shows_him_nothing_that_is_not_his() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        for (name, target) in [("file", "private/app.log"), ("folder", "private")] {
            let dir = stage(0o700);
            let at = |name: &str| dir.path().join(name);
            symlink(target, at(name)).unwrap();
            let path = if name == "file" { at("file") } else { at("folder/app.log") };
            assert!(
                reach(&path).unwrap().open().is_ok() && reach(&path).unwrap().stat().is_ok(),
                "root's own"
            );
            lchown(at(name), Some(4711), None).unwrap();
            let found = reach(&path).unwrap();
            assert_eq!(found.open().unwrap_err().to_string(), STRANGE, "{name}");
            assert_eq!(found.stat().unwrap_err().to_string(), STRANGE, "{name}");
            if name == "folder" {
                assert_eq!(reach(&at(name)).unwrap().names().unwrap_err().to_string(), STRANGE);
            }
            chown(at("private/app.log"), Some(4711), None).unwrap();
            assert!(reach(&path).unwrap().open().is_ok(), "his own file");
            chown(at("private/app.log"), Some(0), None).unwrap();
            chmod(&at("private"), 0o755);
            assert!(reach(&path).unwrap().open().is_ok(), "he may read it anyway");
            chmod(&at("private/app.log"), 0o600);
            let found = reach(&path).unwrap();
            assert!(found.stat().is_ok(), "its size is no secret");
            assert_eq!(found.open().unwrap_err().to_string(), STRANGE, "{name}");
        }
    }

    #[test]
    fn what_others_can_change_is_found_on_the_way() {
        let dir = stage(0o755);
        let at = |name: &str| dir.path().join(name);
        let changeable = || {
            let found = reach(&at("private/app.log")).unwrap();
            found.find_changeable().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        };
        // What lies above is the machine's, and sticky.
        assert_eq!(changeable(), None);
        for (mode, expected) in [(0o757, Some("private")), (0o775, None), (0o1777, None), (0o700, None)] {
            chmod(&at("private"), mode);
            assert_eq!(changeable().as_deref(), expected, "{mode:o}");
        }
        if rustix::process::geteuid().is_root() {
            chown(at("private"), None, Some(4711)).unwrap();
            chmod(&at("private"), 0o770);
            assert_eq!(changeable().as_deref(), Some("private"), "another group");
            chmod(&at("private"), 0o750);
            chown(at("private/app.log"), Some(4711), None).unwrap();
            assert_eq!(changeable().as_deref(), Some("app.log"));
            chown(at("private"), Some(4711), None).unwrap();
            assert_eq!(changeable().as_deref(), Some("private"));
        }
    }
}
