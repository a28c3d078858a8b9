//! Random answers: whatever bytes come, an answer comes in time, without a panic, and healthy is only
//! what said so.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use unhang_core::{Cause, Observation};

use super::{TIMEOUT, hold, observe_within, question, read_head, reset};
use crate::plan::HttpRequest;

/// Good and nearly good answers, as ground to grow nonsense on.
const SEEDS: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nlocation: /a/../b?c#d\r\ncontent-length: 3\r\n\r\nabc",
    b"HTTP/1.1 307 Temporary\r\nlocation: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    b"HTTP/1.1 301 M\r\nlocation: ?\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\nbody until close",
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
    b"HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n\x00\x01",
    b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\nx: \xff\xfe\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08",
    b"SSH-2.0-OpenSSH_9.2p1\r\n",
];

/// No name among these that would have to be looked up.
const BITS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b": ",
    b"0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 000 X\r\n\r\n",
    b"content-length: ",
    b"18446744073709551616",
    b"transfer-encoding: chunked\r\n",
    b"location: http://[/\r\n",
    b"location: :\r\n",
    b"location: //127.0.0.1:1/\r\n",
    b"location: \r\n",
    b"-1",
    b"\0",
];

#[derive(Debug, Clone)]
enum Change {
    Put(u8),
    Cut,
    Insert(usize),
    Remove(usize),
    Repeat(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<u8>().prop_map(Change::Put),
        Just(Change::Cut),
        (0..BITS.len()).prop_map(Change::Insert),
        (1..12_usize).prop_map(Change::Remove),
        (1..40_usize).prop_map(Change::Repeat),
    ]
}

fn answer() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), change()), 0..5);
    let grown = (0..SEEDS.len(), changes).prop_map(|(seed, changes)| {
        changes.into_iter().fold(SEEDS[seed].to_vec(), |bytes, (at, change)| changed(bytes, at, &change))
    });
    prop_oneof![9 => grown, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn changed(mut bytes: Vec<u8>, at: prop::sample::Index, change: &Change) -> Vec<u8> {
    let at = at.index(bytes.len() + 1);
    let until = |n: &usize| (at + n).min(bytes.len());
    match change {
        Change::Put(byte) => bytes.get_mut(at).into_iter().for_each(|old| *old = *byte),
        Change::Cut => bytes.truncate(at),
        Change::Insert(bit) => drop(bytes.splice(at..at, BITS[*bit].iter().copied())),
        Change::Remove(n) => drop(bytes.drain(at..until(n))),
        Change::Repeat(n) => {
            let again = bytes[at..until(n)].to_vec();
            bytes.splice(at..at, again);
        }
    }
    bytes
}

/// How an answer is said, and what follows it.
#[derive(Debug, Clone, Copy)]
enum End {
    Close,
    Pieces,
    Reset,
    Silence,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        20 => Just(End::Close),
        5 => Just(End::Pieces),
        5 => Just(End::Reset),
        1 => Just(End::Silence),
    ]
}

fn say(answer: &[u8], end: End, mut stream: TcpStream) {
    let pieces = if matches!(end, End::Pieces) { 3 } else { answer.len().max(1) };
    let _ = answer.chunks(pieces).try_for_each(|piece| stream.write_all(piece));
    match end {
        End::Close | End::Pieces => {}
        End::Reset => reset(stream),
        End::Silence => hold(stream),
    }
}

/// A well-formed status line of HTTP/1 with 200, and a head that ends, after none but interim answers.
fn says_200(answer: &[u8]) -> bool {
    let is_empty = |line: &&[u8]| matches!(*line, b"\r\n" | b"\n");
    let mut lines = answer.split_inclusive(|byte| *byte == b'\n');
    loop {
        // Empty lines before a status line are overlooked, as RFC 9112, 2.2 has it of requests.
        let Some(status) = lines.by_ref().find(|line| !is_empty(line)).and_then(status_of) else {
            return false;
        };
        if !lines.by_ref().any(|line| is_empty(&line)) {
            return false; // the head does not end
        }
        if status / 100 != 1 || status == 101 {
            return status == 200;
        }
    }
}

fn status_of(line: &[u8]) -> Option<u16> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (begins, rest) = line.split_at_checked(b"HTTP/1.".len())?;
    let (minor, rest) = rest.split_first()?;
    let is_http = begins.eq_ignore_ascii_case(b"HTTP/1.") && minor.is_ascii_digit();
    let blanks = rest.iter().take_while(|byte| b" \t".contains(byte)).count();
    let (digits, reason) = rest[blanks..].split_at_checked(3)?;
    let ends = reason.first().is_none_or(|byte| b" \t".contains(byte));
    let is_status = is_http && blanks > 0 && ends && digits.iter().all(u8::is_ascii_digit);
    is_status.then(|| str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// 600, or as many as are asked for: `RANDOM_ANSWERS=10000 cargo test random`
fn cases() -> u32 {
    std::env::var("RANDOM_ANSWERS").ok().map_or(600, |cases| cases.parse().unwrap())
}

#[test]
fn no_answer_breaks_the_probe() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/health/", listener.local_addr().unwrap());
    let said = Arc::new(Mutex::new((Vec::new(), End::Close)));
    let saying = Arc::clone(&said);
    // Says the same to each that comes, redirects included; ends with the process.
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            read_head(&mut stream);
            let (answer, end) = saying.lock().unwrap().clone();
            say(&answer, end, stream);
        }
    });
    let config = ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() };
    let case = (answer(), end(), 0..3_u32, prop::sample::select(vec!["GET", "HEAD", "POST"]));
    TestRunner::new(config)
        .run(&case, |(answer, end, redirects, method)| {
            *said.lock().unwrap() = (answer.clone(), end);
            let timeout = TIMEOUT / 4;
            let asked = HttpRequest { redirects, method: method.to_owned(), ..question(&url) };
            match observe_within(&asked, timeout) {
                Observation::Healthy => prop_assert!(says_200(&answer), "{}", answer.escape_ascii()),
                // Silence, and a reset that overtakes what was said.
                Observation::Unhealthy(Cause::TimedOut(_) | Cause::Reset) => {}
                // Whatever stands in the headers.
                observed => prop_assert!(!says_200(&answer), "{}: {observed:?}", answer.escape_ascii()),
            }
            Ok(())
        })
        .unwrap();
}
