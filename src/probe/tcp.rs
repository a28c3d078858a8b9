//! `tcp = "127.0.0.1:6379"`: does it take connections, and, with `greeting`, does it say who it is?

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::time::Instant;

use unhang_core::Phase;
use ureq::Error;

use crate::plan::{KeySpec, KindSpec, Params, ValueType, any_text};

use super::answer::Ground;
use super::fault::{classify, quoted};
use super::kind::{Found, Kind};
use super::port;
use super::socket::{Bounded, Deadline};
use super::trace::Trace;

pub(super) const KIND: Kind = Kind { spec: KindSpec::new(ADDRESS, &[GREETING]), ask };

const ADDRESS: KeySpec =
    KeySpec::new("tcp", ValueType::Address).help("An address: well if it takes a connection");
const GREETING: KeySpec = KeySpec::new("greeting", ValueType::Text(any_text))
    .help("What the first 1024 bytes that it sends must hold");

/// Read of what it says by itself.
const KEPT: usize = 1024;

fn ask(given: &Params, ground: &Ground<'_>) -> Found {
    let (address, wanted) = (given.text(&ADDRESS), given.text(&GREETING));
    let deadline = Deadline(Instant::now() + ground.limit);
    let trace = Trace::new();
    let said = port::connect_to(address, deadline, &trace).and_then(|socket| {
        trace.enter(Phase::Wait);
        if wanted.is_empty() { Ok(Vec::new()) } else { Ok(beginning(&socket, deadline, wanted)?) }
    });
    match said {
        Ok(_) if wanted.is_empty() => Found::well("connected"),
        Ok(said) if holds(&said, wanted) => Found::well("connected, and greeted"),
        Ok(said) => Found::failing(format!(
            "it greets with \"{}\", not with \"{}\"",
            quoted(&said.escape_ascii()),
            quoted(&wanted)
        )),
        Err(error) => Found::observed(classify(&error, &trace.seen())),
    }
}

/// Until what is wanted is in, it ends, or enough was said.
fn beginning(socket: &OwnedFd, deadline: Deadline, wanted: &str) -> Result<Vec<u8>, Error> {
    let mut socket = Bounded { socket, deadline };
    let mut said = Vec::new();
    let mut some = [0; KEPT];
    while !holds(&said, wanted) && said.len() < KEPT {
        match socket.read(&mut some) {
            Ok(0) => break,
            Ok(n) => said.extend_from_slice(some.get(..n).unwrap_or_default()),
            // What it has said by then is told.
            Err(error) if error.kind() == io::ErrorKind::TimedOut && !said.is_empty() => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(said)
}

fn holds(said: &[u8], wanted: &str) -> bool {
    said.windows(wanted.len().max(1)).any(|some| some == wanted.as_bytes())
}
