//! Whether somebody holds a record lock (fcntl(2), F_SETLK) on a file. The kernel is asked by F_GETLK, which takes no lock
//! and so keeps nobody out; where this user may not open the file, by the list of all locks (proc_locks(5)).
#![expect(clippy::disallowed_methods, reason = "/proc is made of files")]

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags, Stat, major, minor, open, stat};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, fcntl_getlk};

/// A busy host has some hundred locks, each a line of some 60 bytes.
const MOST: u64 = 1024 * 1024;

/// Whether another process holds a lock to write. A file that is not there is locked by nobody.
pub(crate) fn is_locked(path: &Path) -> io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match open(path, flags, Mode::empty()) {
        // What a lock to read would wait for.
        Ok(file) => Ok(fcntl_getlk(file, &Flock::from(FlockType::ReadLock))?.is_some()),
        Err(Errno::NOENT) => Ok(false),
        // Of lock-frontend, root alone.
        Err(Errno::ACCESS | Errno::PERM) => is_listed(path),
        Err(errno) => Err(errno.into()),
    }
}

/// The same by the list of all locks, for who may not open the file.
fn is_listed(path: &Path) -> io::Result<bool> {
    let stat = match stat(path) {
        Err(rustix::io::Errno::NOENT) => return Ok(false),
        found => found?,
    };
    let mut list = Vec::new();
    File::open("/proc/locks")?.take(MOST).read_to_end(&mut list)?;
    let list = String::from_utf8_lossy(&list);
    Ok(list.lines().filter_map(|line| lock_holder(line, &stat)).any(|pid| may_be_of(pid, stat.st_uid)))
}

/// Its process, of a line such as `1: POSIX  ADVISORY  WRITE 4711 fd:01:131090 0 EOF`; one that waits has `->`
/// after its number.
fn lock_holder<'a>(line: &'a str, stat: &Stat) -> Option<&'a str> {
    let mut words = line.split_ascii_whitespace().skip(1);
    if words.next() != Some("POSIX") || words.next().is_none() || words.next() != Some("WRITE") {
        return None;
    }
    let pid = words.next()?;
    let mut place = words.next().unwrap_or_default().split(':');
    let hex = |text: Option<&str>| u32::from_str_radix(text?, 16).ok();
    let device = hex(place.next()).zip(hex(place.next()));
    let inode = place.next().and_then(|text| text.parse::<u64>().ok());
    // btrfs and overlay give each part of theirs a device number that the list does not have.
    let nameless = major(stat.st_dev) == 0;
    let device_fits = nameless || device == Some((major(stat.st_dev), minor(stat.st_dev)));
    (inode == Some(stat.st_ino) && device_fits).then_some(pid)
}

/// Where the device cannot be told, somebody else may have made a file with the same number elsewhere, to lock
/// that. (The owner of the folder /proc/PID is root's for whoever asks for it; `Uid:` is not.)
fn may_be_of(pid: &str, owner: u32) -> bool {
    let mut status = String::new();
    let read = File::open(format!("/proc/{pid}/status"))
        .and_then(|file| file.take(64 * 1024).read_to_string(&mut status));
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:")).filter(|_| read.is_ok());
    // Hidden from us, or of another name space.
    uids.is_none_or(|uids| uids.split_ascii_whitespace().any(|uid| uid.parse() == Ok(owner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_another_process_holds_is_seen() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(!is_locked(file.path()).unwrap());
        let script = "import fcntl, sys\nf = open(sys.argv[1], 'w')\nfcntl.lockf(f, fcntl.LOCK_EX)\nprint('held', flush=True)\nsys.stdin.read()";
        let mut holder = std::process::Command::new("python3")
            .args(["-c", script])
            .arg(file.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 5];
        holder.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
        assert!(is_locked(file.path()).unwrap() && is_listed(file.path()).unwrap());
        assert!(holder.kill().is_ok() && holder.wait().is_ok());
        assert!(!is_locked(file.path()).unwrap() && !is_listed(file.path()).unwrap());
        let nowhere = Path::new("/nowhere/lock");
        assert!(!is_locked(nowhere).unwrap() && !is_listed(nowhere).unwrap());
    }

    #[test]
    fn only_a_lock_to_write_of_this_very_file_counts() {
        let mut own = stat("/proc/self/exe").unwrap();
        (own.st_dev, own.st_ino) = (rustix::fs::makedev(0xfd, 1), 131_090);
        for (line, counts) in [
            ("1: POSIX  ADVISORY  WRITE 4711 fd:01:131090 0 EOF", true),
            ("1: POSIX  ADVISORY  WRITE 4711 fd:01:131091 0 EOF", false),
            ("1: POSIX  ADVISORY  WRITE 4711 fd:02:131090 0 EOF", false),
            ("1: POSIX  ADVISORY  READ 4711 fd:01:131090 0 EOF", false),
            ("1: FLOCK  ADVISORY  WRITE 4711 fd:01:131090 0 EOF", false),
            ("1: -> POSIX  ADVISORY  WRITE 4711 fd:01:131090 0 EOF", false),
            ("1: POSIX", false),
            ("", false),
        ] {
            assert_eq!(lock_holder(line, &own), counts.then_some("4711"), "{line}");
        }
        own.st_dev = rustix::fs::makedev(0, 42);
        let line = "1: POSIX  ADVISORY  WRITE 4711 fd:01:131090 0 EOF";
        assert_eq!(lock_holder(line, &own), Some("4711"), "btrfs, overlay");
    }

    #[test]
    fn a_lock_of_somebody_who_does_not_own_the_file_counts_nothing() {
        let (own, me) = (rustix::process::geteuid().as_raw(), std::process::id().to_string());
        assert!(may_be_of(&me, own));
        assert!(!may_be_of(&me, own + 1));
        assert!(may_be_of("0", own), "of a process that we cannot see");
    }
}
