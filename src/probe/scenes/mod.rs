//! Real servers on real sockets, at ports of the kernel's choice, and what the probe must call them.
//!
//! | what a server does                         | plain HTTP                   | Unix socket, TLS              |
//! |--------------------------------------------|------------------------------|-------------------------------|
//! | accepts and stays silent                   | `service`: timed_out_waiting | `unix`, `tls`                 |
//! | never accepts, backlog full                | `service`: timed_out_connecting | `unix`                     |
//! | drips its head, or a body                  | `service`: timed_out_reading, what_comes_after | `unix`, `tls` |
//! | head or interim answers without end        | `service`: too_large, timed_out_reading | `tls`              |
//! | body without end, gzip bomb                | `service`: what_comes_after; of a redirect: `redirect` |     |
//! | wrong length, bad chunks                   | `service`: what_comes_after, lengths; `random` |             |
//! | breaks the rules in its headers            | `service`: a_status_that_can_be_read; `random` |             |
//! | compresses, or writes no UTF-8             | `service`: a_body_that_came_otherwise |                      |
//! | speaks another protocol, or not ours       | `service`: another_protocol  | `tls`: does_not_fit           |
//! | half-open                                  | `service`: a_connection_that_is_half_open |                  |
//! | does not read                              | `service`: a_server_that_does_not_read |                     |
//! | resets: connect, request, head, body       | `service`: refused, does_not_read, reset, what_comes_after | `unix`, `tls` |
//! | closes in the midst                        | `service`: closed            | `tls`, with and without its word |
//! | HTTP/0.9, garbage                          | `service`: not_http; `random` | `tls`                        |
//! | handshake stalls, drips, breaks off        |                              | `tls`                         |
//! | words that drive a terminal                | `service`: not_http; `redirect`; tests/scenes/causes.rs | |
//! | leads elsewhere or nowhere                 | `redirect`                   | `unix`, `tls`                 |

mod host;
mod random;
mod redirect;
mod request;
mod service;
mod tls;
mod unix;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use unhang_core::{Cause, Doubt, Observation, ProbeRole};

use crate::plan::{
    BodyRules, HttpRequest, LatencyLimits, Probe, ProbeTarget, StatusSet, TlsTrust, UrlTarget,
};

use super::{ProbeAnswer, ProbeContext, ProbeRequest};

pub(super) const TIMEOUT: Duration = Duration::from_millis(400);

/// 0.2 s are promised; the rest is what a busy test machine takes.
const SLACK: Duration = Duration::from_millis(800);

pub(super) const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

pub(super) fn question(url: &str) -> HttpRequest {
    HttpRequest {
        target: UrlTarget::parse_http(url).unwrap(),
        trust: TlsTrust::default(),
        method: "GET".to_owned(),
        headers: BTreeMap::new(),
        status: StatusSet(vec![(200, 200)]),
        status_warn: None,
        request_body: None,
        redirects: 0,
        maintenance: None,
        body: BodyRules::default(),
        latency: LatencyLimits::default(),
    }
}

/// A server for one connection: reads the request head, then does as told.
pub(super) fn serve(act: impl FnOnce(TcpStream) + Send + 'static) -> String {
    serve_heard(|_, stream| act(stream))
}

/// Likewise, and hears what it is asked.
pub(super) fn serve_heard(act: impl FnOnce(String, TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/health/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = read_head(&mut stream);
        act(head, stream);
    });
    url
}

pub(super) fn read_head(stream: &mut impl Read) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
        seen.push(byte[0]);
    }
    String::from_utf8(seen).unwrap()
}

pub(super) fn says(text: &str) -> String {
    let text = text.to_owned();
    serve(move |mut stream| {
        let _ = stream.write_all(text.as_bytes());
    })
}

/// What a healthy server was asked.
pub(super) fn heard(question: impl FnOnce(&str) -> HttpRequest) -> String {
    let (head, observed) = heard_and_observed(question);
    assert_eq!(observed, Observation::Healthy);
    head
}

pub(super) fn heard_and_observed(question: impl FnOnce(&str) -> HttpRequest) -> (String, Observation) {
    let (tell, hear) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/health/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        tell.send(read_head(&mut stream)).unwrap();
        stream.write_all(GOOD.as_bytes()).unwrap();
    });
    let observed = observe_with(&question(&url));
    (hear.recv().unwrap(), observed)
}

pub(super) fn repeats(start: &'static str, again: &'static str) -> String {
    serve(move |mut stream| {
        let _ = stream.write_all(start.as_bytes());
        while stream.write_all(again.as_bytes()).is_ok() {}
    })
}

pub(super) fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// Holds the connection until the other side has gone.
pub(super) fn hold(mut stream: TcpStream) {
    let _ = stream.read(&mut [0]);
}

/// A free port of 127.0.0.1; nobody listens there.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[track_caller]
pub(super) fn observe(url: &str) -> Observation {
    observe_with(&question(url))
}

#[track_caller]
pub(super) fn observe_with(question: &HttpRequest) -> Observation {
    observe_within(question, TIMEOUT)
}

#[track_caller]
pub(super) fn observe_within(question: &HttpRequest, timeout: Duration) -> Observation {
    let started = Instant::now();
    let answer = ask(question, timeout);
    let took = started.elapsed();
    assert!(took < timeout + SLACK, "took {took:?}");
    answer.observation
}

pub(super) fn ask(question: &HttpRequest, timeout: Duration) -> ProbeAnswer {
    super::run_probe(&ProbeRequest { probe: &probe(question, timeout), ground: ProbeContext::default() })
}

/// Side by side.
pub(super) fn all(
    questions: &[HttpRequest],
    timeout: Duration,
    widest: usize,
    until: Instant,
) -> Vec<ProbeAnswer> {
    let probes: Vec<Probe> = questions.iter().map(|question| probe(question, timeout)).collect();
    let asked = probes.iter().map(|probe| ProbeRequest { probe, ground: ProbeContext::default() });
    super::probe_all(&asked.collect::<Vec<_>>(), widest, until)
}

fn probe(question: &HttpRequest, timeout: Duration) -> Probe {
    let asks = ProbeTarget::Http(Box::new(question.clone()));
    Probe { name: None, weight: ProbeRole::Required, timeout, asks }
}

#[track_caller]
pub(super) fn cause(url: &str) -> Cause {
    let observed = observe(url);
    let Observation::Unhealthy(cause) = observed else { panic!("{observed:?}") };
    cause
}

#[track_caller]
pub(super) fn doubt(url: &str) -> Doubt {
    let observed = observe(url);
    let Observation::Unknown(doubt) = observed else { panic!("{observed:?}") };
    doubt
}

#[track_caller]
pub(super) fn not_http(url: &str) -> String {
    let cause = cause(url);
    let Cause::NotHttp(detail) = cause else { panic!("{cause:?}") };
    detail
}
