//! A connected stream socket, TCP or Unix, each wait of which ends at a deadline. Knows nothing of
//! what goes over it.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use ureq::unversioned::transport::NextTimeout;

/// A point in time that all waits of one step share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(pub(super) Instant);

impl Deadline {
    pub(super) fn of(timeout: NextTimeout) -> Self {
        // Instants cannot be added to without end; `config` bounds every span to less.
        const LONGEST: Duration = Duration::from_secs(400 * 24 * 3600);
        Self(Instant::now() + (*timeout.after).min(LONGEST))
    }

    /// Never zero, which the kernel would read as "wait for ever".
    pub(super) fn left(&self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left < Duration::from_micros(1) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

/// std cannot bound this connect, and it lasts for as long as the backlog is full, which is just what a
/// hung server's is. With `SO_SNDTIMEO` the kernel ends it with EAGAIN (unix(7), socket(7)).
pub(super) fn connect_unix(path: &Path, deadline: Deadline) -> io::Result<OwnedFd> {
    let address = SocketAddrUnix::new(path)?;
    let socket = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    retry_interrupted(&socket, Timeout::Send, deadline, || net::connect(&socket, &address))?;
    Ok(socket)
}

/// A socket until a deadline.
#[derive(Debug)]
pub(super) struct Bounded<'a> {
    pub(super) socket: &'a OwnedFd,
    pub(super) deadline: Deadline,
}

impl Read for Bounded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        retry_interrupted(self.socket, Timeout::Recv, self.deadline, || {
            net::recv(self.socket, &mut *into, RecvFlags::empty()).map(|(read, _)| read)
        })
    }
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        retry_interrupted(self.socket, Timeout::Send, self.deadline, || {
            net::send(self.socket, bytes, SendFlags::NOSIGNAL)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asks again when interrupted: SIGCONT does that to sockets that have a time limit, whatever
/// `SA_RESTART` says (signal(7)).
fn retry_interrupted<T>(
    socket: &OwnedFd,
    side: Timeout,
    deadline: Deadline,
    mut call: impl FnMut() -> rustix::io::Result<T>,
) -> io::Result<T> {
    loop {
        sockopt::set_socket_timeout(socket, side, Some(deadline.left()?))?;
        match call() {
            Err(Errno::INTR) => {}
            // What a socket's time limit says when it is over.
            Err(Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
            result => return Ok(result?),
        }
    }
}
