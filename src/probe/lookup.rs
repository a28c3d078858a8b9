//! Names to addresses. A literal address and `localhost` need no lookup and no thread; any other
//! name is looked up on a thread of its own, because getaddrinfo cannot be interrupted. Must not
//! panic when no thread can be had (ureq's own resolver does: `thread::spawn`).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use unhang_core::{Doubt, Phase};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::fault::{LocalError, classify_scarcity};
use super::name_service::address_by_getent;
use super::trace::Trace;

/// Room for getaddrinfo's own buffers; glibc's NSS modules need more than the probes' 128 KiB.
const STACK: usize = 256 * 1024;

/// What ureq's list of addresses holds; it panics on one more.
const MOST: usize = 16;

#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) trace: Arc<Trace>,
}

impl Resolver for Lookup {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        self.trace.enter(Phase::Lookup);
        let host = uri.host().ok_or_else(|| Error::BadUri(format!("{uri} has no host")))?;
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let found = resolve_addresses(host, port, *timeout.after)?;
        let mut addrs = self.empty();
        found.into_iter().take(MOST).for_each(|addr| addrs.push(addr));
        if addrs.is_empty() { Err(Error::HostNotFound) } else { Ok(addrs) }
    }
}

pub(super) fn resolve_addresses(
    host: &str,
    port: u16,
    within: Duration,
) -> Result<Vec<SocketAddr>, LocalError> {
    match literal_addresses(host) {
        Some(ips) => Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()),
        None => look_up(host, port, within),
    }
}

/// The addresses a host means by itself. RFC 6761, 6.3: localhost is loopback, whatever DNS or
/// /etc/hosts say.
fn literal_addresses(host: &str) -> Option<Vec<IpAddr>> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(ip) = bare.parse() {
        return Some(vec![ip]);
    }
    let name = bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase();
    (name == "localhost" || name.ends_with(".localhost"))
        .then(|| vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()])
}

/// The thread is left behind when time is over; it ends with the process.
fn look_up(host: &str, port: u16, within: Duration) -> Result<Vec<SocketAddr>, LocalError> {
    let began = Instant::now();
    let (found, wait) = mpsc::sync_channel(1);
    let name = host.to_owned();
    thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || found.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter)))
        .map_err(|_| LocalError(Doubt::NoThread))?;
    match wait.recv_timeout(within) {
        Ok(Ok(addrs)) => Ok(addrs),
        Ok(Err(error)) => {
            Err(LocalError(unresolved_doubt(host, &error, within.saturating_sub(began.elapsed()))))
        }
        Err(_) => Err(LocalError(Doubt::Lookup("no answer in time".into()))),
    }
}

/// Also a name that does not exist: it may be the name server that lost it, or one that only others can ask.
fn unresolved_doubt(host: &str, error: &io::Error, left: Duration) -> Doubt {
    if let Some(doubt) = classify_scarcity(error) {
        return doubt;
    }
    Doubt::Lookup(match address_by_getent(host, left) {
        Some(address) => format!(
            "getent finds {address}, by a source of /etc/nsswitch.conf that unhang cannot ask: write that address in url, and the name in headers = {{ Host = \"...\" }} and server_name, or the name in /etc/hosts"
        ),
        None => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_and_addresses_need_no_lookup() {
        let both: Vec<IpAddr> = vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
        for name in ["localhost", "LOCALHOST", "localhost.", "app.localhost"] {
            assert_eq!(literal_addresses(name), Some(both.clone()), "{name}");
        }
        assert_eq!(literal_addresses("127.0.0.1"), Some(vec![Ipv4Addr::LOCALHOST.into()]));
        assert_eq!(literal_addresses("[::1]"), Some(vec![Ipv6Addr::LOCALHOST.into()]));
        for name in ["example.com", "localhost.example.com", "notlocalhost", ""] {
            assert_eq!(literal_addresses(name), None, "{name}");
        }
    }
}
