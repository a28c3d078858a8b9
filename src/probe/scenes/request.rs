//! What is sent besides headers, and what an answer is that only warns.

use std::io::{Read, Write};
use std::sync::mpsc;

use unhang_core::{Cause, Observation};

use super::{GOOD, TIMEOUT, ask, observe_with, question, says, serve_heard};
use crate::plan::{BodyRules, HttpRequest, StatusSet};
use crate::probe::ProbeAnswer;

/// The server lives, though it does not want to be asked so often.
#[test]
fn a_status_that_warns_is_healthy() {
    let warns = |status: u16| {
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").leak();
        let contains = BodyRules { contains: vec!["x".to_owned()], ..BodyRules::default() };
        let status_warn = Some(StatusSet(vec![(429, 429)]));
        ask(&HttpRequest { status_warn, body: contains, ..question(&says(answer)) }, TIMEOUT)
    };
    let ProbeAnswer { observation, near, .. } = warns(429);
    assert_eq!((observation, near.as_deref()), (Observation::Healthy, Some("HTTP 429 (status_warn)")));
    assert_eq!(warns(503).observation, Observation::Unhealthy(Cause::Status(503)));
    assert!(
        matches!(warns(200).observation, Observation::Unhealthy(Cause::Probe(_))),
        "its body is looked at"
    );
}

#[test]
fn a_request_has_the_body_that_was_said() {
    for (method, length) in [("POST", 5), ("PUT", 5), ("POST", 16 * 1024)] {
        let body = "x".repeat(length);
        let (told, server) = mpsc::channel();
        let url = serve_heard(move |head, mut stream| {
            let mut read = vec![0; length];
            let whole = stream.read_exact(&mut read).is_ok();
            let _ = told.send((head, whole, read));
            let _ = stream.write_all(GOOD.as_bytes());
        });
        let request_body = Some(body.clone());
        let observed =
            observe_with(&HttpRequest { method: method.to_owned(), request_body, ..question(&url) });
        let (head, whole, read) = server.recv().unwrap();
        assert_eq!((observed, whole, read), (Observation::Healthy, true, body.into_bytes()));
        let head = head.to_lowercase();
        assert!(head.starts_with(&method.to_lowercase()), "{head}");
        assert_eq!(head.matches(&format!("content-length: {length}\r\n")).count(), 1, "{head}");
        assert!(!head.contains("transfer-encoding") && !head.contains("expect"), "{head}");
    }
}
