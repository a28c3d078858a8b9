//! The way to the service: a TCP or Unix socket under ureq, with TLS or without, and every wait bounded.
//! ureq's own connector gives up at the first address when the kernel has no IPv6 at all, grants each
//! wait a grace of its own, and knows no Unix socket.

use std::io::{self, Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustls::{ClientConnection, Stream};
use unhang_core::{Cause, Doubt, Observation, Phase};
use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use crate::os::rights;
use crate::plan::TlsTrust;

use super::answer_head::{AnswerHead, HeadProgress};
use super::fault::{LocalError, Theirs, classify_io, no_status_line};
use super::head::HeadBuffers;
use super::socket::{Bounded, Deadline, connect_unix};
use super::tls;
use super::trace::Trace;

/// Bytes of the answer that are read at once, at most.
const INPUT: usize = 16 * 1024;

/// Opens the socket.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) trace: Arc<Trace>,
    /// `None`: the way is TCP.
    pub(super) socket: Option<OwnSocket>,
    pub(super) trust: TlsTrust,
    /// A header of the answer that is looked for, in lower case.
    pub(super) header: Option<String>,
    /// What the request's own headers take.
    pub(super) headers: usize,
}

/// A Unix socket and the URL that is asked there.
#[derive(Debug)]
pub(super) struct OwnSocket {
    pub(super) path: PathBuf,
    pub(super) uri: Uri,
}

impl OwnSocket {
    /// Whether a request for `uri` goes there too. A redirect may lead to another host, or to https.
    fn serves(&self, uri: &Uri) -> bool {
        uri.scheme() == self.uri.scheme() && uri.authority() == self.uri.authority()
    }
}

impl Connector for Dialer {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Wire>, Error> {
        let (uri, deadline) = (details.uri, Deadline::of(details.timeout));
        self.trace.enter(Phase::Connect);
        let socket = match &self.socket {
            Some(own) if own.serves(uri) => {
                connect_unix(&own.path, deadline).map_err(|error| missing_right(&own.path, error))?
            }
            Some(_) | None => first_that_answers(&details.addrs, deadline)?,
        };
        let mut tls = None;
        if details.needs_tls() {
            self.trace.enter(Phase::Tls);
            let mut socket = Bounded { socket: &socket, deadline };
            tls = Some(tls::start_tls(&self.trust, uri.host().unwrap_or_default(), &mut socket)?);
        }
        self.trace.enter(Phase::FirstByte);
        let buffers = HeadBuffers::new(INPUT, self.headers + request_line_and_own_headers(uri));
        let head = Some(AnswerHead::new(self.header.clone()));
        Ok(Some(Wire { socket, tls, buffers, head, silent: true, trace: Arc::clone(&self.trace) }))
    }
}

/// A right on the way to the socket, or on itself, is missing: which one.
fn missing_right(path: &Path, error: io::Error) -> Error {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return error.into();
    }
    let missing = rights::missing_at_socket(path);
    LocalError(Doubt::Forbidden(format!(" to {}: {missing}", path.display()))).into()
}

/// The URI stands in the request line, its host in the Host header, its user in Authorization.
fn request_line_and_own_headers(uri: &Uri) -> usize {
    let path = uri.path_and_query().map_or(1, |path| path.as_str().len());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    256 + path + 3 * authority
}

/// Tries each address with an equal share of the time that is left.
pub(super) fn first_that_answers(addrs: &[SocketAddr], deadline: Deadline) -> io::Result<OwnedFd> {
    let mut failed = Vec::new();
    for (tried, addr) in addrs.iter().enumerate() {
        let share = deadline.left()? / u32::try_from(addrs.len() - tried).unwrap_or(u32::MAX);
        match connect_only(addr, share.max(Duration::from_millis(1))) {
            Ok(stream) => return Ok(stream.into()),
            Err(error) => failed.push((error_origin(addr, &error), error)),
        }
    }
    let telling = failed.into_iter().max_by_key(|(weight, _)| *weight);
    Err(telling.map_or_else(|| io::ErrorKind::AddrNotAvailable.into(), |(_, error)| error))
}

fn connect_only(addr: &SocketAddr, within: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(addr, within)?;
    // At a free port out of the range that the kernel hands out, it may connect a socket to itself.
    if stream.local_addr().is_ok_and(|own| own == *addr) {
        return Err(Errno::CONNREFUSED.into());
    }
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// How much the failure of one address says about the service, when none answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ErrorOrigin {
    /// There is no way to it from here: without IPv6, `localhost` is refused if 127.0.0.1 is.
    NoWay,
    /// What a peer said: refused, reset, silence.
    OfTheService,
    /// It was not asked for want of something of ours, and might have been the healthy one.
    NotAsked,
}

fn error_origin(addr: &SocketAddr, error: &io::Error) -> ErrorOrigin {
    match classify_io(error, Phase::Connect) {
        Observation::Unhealthy(_) => ErrorOrigin::OfTheService,
        Observation::Unknown(Doubt::NoRoute) => ErrorOrigin::NoWay,
        // With IPv4 it is the ports that have run out.
        Observation::Unknown(Doubt::NoPort) if addr.is_ipv6() => ErrorOrigin::NoWay,
        Observation::Unknown(_) | Observation::Healthy => ErrorOrigin::NotAsked,
    }
}

fn receive_answer(
    socket: &OwnedFd,
    tls: &mut Option<Box<ClientConnection>>,
    deadline: Deadline,
    room: &mut [u8],
) -> io::Result<usize> {
    let mut socket = Bounded { socket, deadline };
    match tls {
        None => socket.read(room),
        Some(tls) => Stream::new(tls.as_mut(), &mut socket).read(room),
    }
}

/// A connected socket as ureq wants it.
#[derive(Debug)]
pub(super) struct Wire {
    socket: OwnedFd,
    /// `None`: plain.
    tls: Option<Box<ClientConnection>>,
    buffers: HeadBuffers,
    /// `None`: the head of the answer is in, and what follows is its body.
    head: Option<AnswerHead>,
    /// Nothing was answered yet.
    silent: bool,
    trace: Arc<Trace>,
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let mut socket = Bounded { socket: &self.socket, deadline: Deadline::of(timeout) };
        let bytes = self.buffers.output().get(..amount).unwrap_or_default();
        match &mut self.tls {
            None => socket.write_all(bytes)?,
            Some(tls) => {
                let mut tls = Stream::new(tls.as_mut(), &mut socket);
                tls.write_all(bytes)?;
                tls.flush()?;
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let deadline = Deadline::of(timeout);
        while let Some(head) = &mut self.head {
            let room = self.buffers.input_append_buf();
            let amount = receive_answer(&self.socket, &mut self.tls, deadline, room)?;
            if amount == 0 {
                return Ok(false);
            }
            if mem::take(&mut self.silent) {
                self.trace.note_beginning(room.get(..amount).unwrap_or_default());
            }
            self.buffers.input_appended(amount);
            match head.read(self.buffers.input()) {
                HeadProgress::More => self.buffers.input_consume(amount),
                HeadProgress::Ended { used, head } => {
                    self.trace.note_length(head.is_length_clear);
                    self.buffers.replace_head(used, head.text);
                    self.head = None;
                    return Ok(true);
                }
                HeadProgress::NoStatusLine(line) => {
                    return Err(no_status_line(&line, &self.trace.result().beginning));
                }
                HeadProgress::TooLarge => return Err(Theirs(Cause::TooLarge).into()),
            }
        }
        let room = self.buffers.input_append_buf();
        if room.is_empty() {
            // A read of nothing would look like the end of the stream.
            return Err(io::Error::from(io::ErrorKind::OutOfMemory).into());
        }
        let amount = receive_answer(&self.socket, &mut self.tls, deadline, room)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        false // one request, one connection: never kept for another
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn what_the_service_said_outweighs_a_missing_way_but_not_a_missing_question() {
        let (four, six) = (([127, 0, 0, 1], 1).into(), SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 1)));
        let weigh = |addr: &SocketAddr, errno: Errno| error_origin(addr, &errno.into());
        for addr in [four, six] {
            assert_eq!(weigh(&addr, Errno::CONNREFUSED), ErrorOrigin::OfTheService);
            assert_eq!(error_origin(&addr, &io::ErrorKind::TimedOut.into()), ErrorOrigin::OfTheService);
            assert_eq!(weigh(&addr, Errno::NETUNREACH), ErrorOrigin::NoWay);
            for ours in [Errno::MFILE, Errno::NOMEM, Errno::ACCESS, Errno::INVAL] {
                assert_eq!(weigh(&addr, ours), ErrorOrigin::NotAsked);
            }
        }
        for (errno, addr, weight) in [
            (Errno::ADDRNOTAVAIL, six, ErrorOrigin::NoWay),
            (Errno::AFNOSUPPORT, six, ErrorOrigin::NoWay),
            (Errno::ADDRNOTAVAIL, four, ErrorOrigin::NotAsked),
        ] {
            assert_eq!(weigh(&addr, errno), weight, "{errno:?} {addr}");
        }
        assert!(
            ErrorOrigin::NoWay < ErrorOrigin::OfTheService
                && ErrorOrigin::OfTheService < ErrorOrigin::NotAsked
        );
    }

    #[test]
    fn the_next_address_is_tried_after_a_failed_connect_only() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let refusing = SocketAddr::from(([127, 0, 0, 1], 1));
        let unroutable = SocketAddr::from(([255, 255, 255, 255], 1));
        let deadline = || Deadline(Instant::now() + Duration::from_secs(1));
        let found = TcpStream::from(first_that_answers(&[unroutable, refusing, good], deadline()).unwrap());
        assert_eq!(found.peer_addr().unwrap(), good);
        let failed = first_that_answers(&[refusing, unroutable], deadline()).unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::ConnectionRefused);
        let over = Deadline(Instant::now());
        assert_eq!(first_that_answers(&[good], over).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
