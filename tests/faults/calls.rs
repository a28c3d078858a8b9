//! The system calls of a run, as strace tells them, and how each can fail.

use std::collections::BTreeMap;

/// One call of the main thread: strace counts from 1, for each name by itself.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) nth: usize,
    /// As strace shows it, for people.
    pub(crate) shown: String,
}

impl Call {
    /// What memory comes from.
    pub(crate) fn is_memory(&self) -> bool {
        ["mmap", "mremap", "brk", "mprotect"].contains(&self.name.as_str())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Errno(&'static str),
    Kill,
    Stop,
}

impl Fault {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Errno(errno) => errno,
            Self::Kill => "KILL",
            Self::Stop => "STOP",
        }
    }

    /// A want of this host's that says nothing about any file.
    pub(crate) fn is_want(self) -> bool {
        matches!(self, Self::Errno("EMFILE" | "ENFILE" | "ENOMEM" | "EINTR" | "EAGAIN"))
    }
}

/// What each call can fail with, by its manual page and by what disks and hosts were seen to do. A call that is
/// not here has to do neither with files nor with sockets, processes or memory.
#[rustfmt::skip]
const CALLS: &[(&str, &[&str])] = &[
    ("open openat", &["ENOSPC", "EIO", "EROFS", "EMFILE", "ENOMEM", "EINTR", "EACCES"]),
    ("read pread64 readv", &["EIO", "EINTR", "ENOMEM", "EAGAIN"]),
    ("write writev pwrite64", &["ENOSPC", "EIO", "EINTR", "EAGAIN", "ENOMEM"]),
    // Only killed: close(2) frees the descriptor whatever it returns, and strace would leave it open.
    ("close", &[]),
    ("fstat newfstatat stat lstat statx", &["EIO", "ENOMEM", "EACCES"]),
    ("lseek", &["EIO"]),
    ("fchmod", &["EIO", "EROFS", "EACCES", "ENOMEM", "EINTR"]),
    ("fsync fdatasync", &["EIO", "ENOSPC", "EINTR", "EROFS"]),
    ("renameat renameat2 rename", &["ENOSPC", "EIO", "EROFS", "EACCES", "ENOMEM"]),
    ("unlinkat unlink", &["EIO", "EROFS", "EACCES", "ENOMEM"]),
    ("mkdirat mkdir", &["ENOSPC", "EIO", "EROFS", "EACCES", "ENOMEM"]),
    ("getdents64", &["EIO", "ENOMEM"]),
    ("readlink readlinkat", &["EIO", "ENOMEM", "EACCES"]),
    ("utimensat", &["EIO", "EROFS", "EACCES"]),
    ("flock", &["EINTR", "ENOMEM", "EAGAIN", "EIO"]),
    ("fcntl", &["EINTR", "EAGAIN", "EMFILE", "EACCES"]),
    ("ioctl", &["EIO", "ENOMEM", "EINTR"]),
    ("dup dup2 dup3", &["EMFILE", "EINTR"]),
    ("socket socketpair", &["EMFILE", "ENOMEM", "EACCES"]),
    ("connect", &["EINTR", "EAGAIN", "EACCES", "ENOMEM"]),
    ("sendto sendmsg", &["EINTR", "EAGAIN", "ENOMEM", "EACCES", "EIO"]),
    ("recvfrom recvmsg", &["EINTR", "EAGAIN", "ENOMEM", "EIO"]),
    ("getsockname getsockopt setsockopt", &["ENOMEM", "EACCES"]),
    ("poll ppoll", &["EINTR", "ENOMEM", "EAGAIN"]),
    ("pipe2", &["EMFILE", "ENOMEM"]),
    ("fork vfork clone clone3", &["EAGAIN", "ENOMEM"]),
    // That cannot fail as they are used: without waiting, and to ask for a limit.
    ("wait4 waitid", &[]),
    ("prlimit64", &[]),
    ("kill", &["EACCES"]),
    ("clock_nanosleep nanosleep", &["EINTR"]),
    ("mmap", &["ENOMEM", "EAGAIN", "EACCES"]),
    ("mprotect", &["ENOMEM", "EACCES"]),
    ("munmap mremap madvise brk", &["ENOMEM"]),
];

/// `None`: no call of those.
pub(crate) fn errnos(name: &str) -> Option<&'static [&'static str]> {
    CALLS.iter().find(|(names, _)| names.split(' ').any(|one| one == name)).map(|(_, errnos)| *errnos)
}

/// Those of a trace that can be failed, in their order. Of a program that is not static, those of its loader are
/// none of ours: what ships is static.
pub(crate) fn of_trace(trace: &str) -> Vec<Call> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    let mut is_loading = trace.contains("/libc.so");
    for line in trace.lines() {
        // The first of Rust's own.
        is_loading &= !line.starts_with("poll([{fd=0");
        let Some((name, _)) = line.split_once('(') else { continue };
        if errnos(name).is_none() {
            continue;
        }
        let nth = seen.entry(name).or_default();
        *nth += 1;
        let shown: String = line.chars().take(110).collect();
        if is_loading {
            continue;
        }
        calls.push(Call { name: name.to_owned(), nth: *nth, shown });
    }
    calls
}

/// The words that make strace do it, to its main thread only: neither to the guard nor to what the run starts.
pub(crate) fn strace(call: &Call, fault: Fault) -> Vec<String> {
    let what = match fault {
        Fault::Errno(errno) => format!("error={errno}"),
        Fault::Kill => "signal=KILL".to_owned(),
        Fault::Stop => "signal=STOP".to_owned(),
    };
    words(call, &what)
}

/// `what` strace is to do to this call.
pub(crate) fn words(call: &Call, what: &str) -> Vec<String> {
    let Call { name, nth, .. } = call;
    ["-e".to_owned(), format!("trace={name}"), "-e".to_owned(), format!("inject={name}:{what}:when={nth}")]
        .into()
}

/// Did it come by? Runs differ by a poll or two.
pub(crate) fn hit(trace: &str, fault: Fault) -> bool {
    match fault {
        Fault::Errno(_) => trace.contains("(INJECTED)"),
        Fault::Kill => trace.contains("killed by SIGKILL"),
        Fault::Stop => trace.contains("stopped by SIGSTOP"),
    }
}
