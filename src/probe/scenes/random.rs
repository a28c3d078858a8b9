//! Random answers: whatever bytes come, an answer comes in time, without a panic, and healthy is only
//! what said so.

use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use unhang_core::Observation;

use super::{observe_with, question, read_head};
use crate::plan::Question;

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

/// A status line that says 200, at the start or after interim answers.
fn says_200(answer: &[u8]) -> bool {
    let lines = answer.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
    let mut heads = lines.filter(|line| line.starts_with(b"HTTP/1."));
    let last = heads.find(|line| line.get(8..10) != Some(b" 1") || line.starts_with(b"HTTP/1.1 101"));
    last.is_some_and(|line| matches!(line.get(7..12), Some(b"0 200" | b"1 200")))
}

#[test]
fn no_answer_breaks_the_probe() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/health/", listener.local_addr().unwrap());
    let said = Arc::new(Mutex::new(Vec::new()));
    let saying = Arc::clone(&said);
    // Says the same to each that comes, redirects included; ends with the process.
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            read_head(&mut stream);
            let answer: Vec<u8> = saying.lock().unwrap().clone();
            let _ = stream.write_all(&answer);
        }
    });
    let config = ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() };
    let case = (answer(), 0..3_u32, prop::sample::select(vec!["GET", "HEAD", "POST"]));
    TestRunner::new(config)
        .run(&case, |(answer, redirects, method)| {
            said.lock().unwrap().clone_from(&answer);
            let asked = Question { redirects, method: method.to_owned(), ..question(&url) };
            match observe_with(&asked) {
                Observation::Healthy => prop_assert!(says_200(&answer), "{}", answer.escape_ascii()),
                Observation::Unhealthy(_) | Observation::Unknown(_) => {}
            }
            Ok(())
        })
        .unwrap();
}
