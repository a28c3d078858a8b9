//! `tcp = "127.0.0.1:6379"`: does it take connections, and, with `greeting`, does it say who it is?

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::time::Instant;

use unhang_core::Phase;
use ureq::Error;

use crate::plan::{KeySpec, KindSpec, Params, ValueType, accept_text};

use super::answer::ProbeContext;
use super::body;
use super::fault::{classify_error, quote_error};
use super::kind::{ProbeKind, ProbeResult};
use super::port;
use super::socket::{Bounded, Deadline};
use super::trace::Trace;

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(ADDRESS, &[GREETING, body::MAX]).validate(body::limit_conflict),
    ask: probe_tcp,
};

const ADDRESS: KeySpec =
    KeySpec::new("tcp", ValueType::Address).help("An address: well if it takes a connection");
const GREETING: KeySpec =
    KeySpec::new("greeting", ValueType::Text(accept_text)).help("What it must send without being asked");

fn probe_tcp(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    let (address, wanted) = (given.text(&ADDRESS), given.text(&GREETING));
    let limit = body::limit_of(given);
    let deadline = Deadline(Instant::now() + ground.limit);
    let trace = Trace::new();
    let said = port::connect_to(address, deadline, &trace).and_then(|socket| {
        trace.enter(Phase::FirstByte);
        if wanted.is_empty() { Ok(Vec::new()) } else { Ok(read_beginning(&socket, deadline, wanted, limit)?) }
    });
    match said {
        Ok(_) if wanted.is_empty() => ProbeResult::ok("connected"),
        Ok(said) if contains_bytes(&said, wanted) => ProbeResult::ok("connected, and greeted"),
        Ok(said) if said.len() >= limit => {
            let limit = body::format_limit(limit);
            ProbeResult::unknown(format!(
                "its greeting is longer than {limit}, and so far has no \"{}\": raise body.max",
                quote_error(&wanted)
            ))
        }
        Ok(said) => ProbeResult::failing(format!(
            "its greeting is \"{}\", expected \"{}\"",
            quote_error(&said.escape_ascii()),
            quote_error(&wanted)
        )),
        Err(error) => ProbeResult::from_observation(classify_error(&error, &trace.result())),
    }
}

/// Until what is wanted is in, it ends, or enough was said.
fn read_beginning(
    socket: &OwnedFd,
    deadline: Deadline,
    wanted: &str,
    limit: usize,
) -> Result<Vec<u8>, Error> {
    let mut socket = Bounded { socket, deadline };
    let mut said = Vec::new();
    let mut some = [0; 1024];
    while said.len() < limit {
        // What is wanted may begin in what came before.
        let from = said.len().saturating_sub(wanted.len());
        match socket.read(&mut some) {
            Ok(0) => break,
            Ok(n) => said.extend_from_slice(some.get(..n).unwrap_or_default()),
            // What it has said by then is told.
            Err(error) if error.kind() == io::ErrorKind::TimedOut && !said.is_empty() => break,
            Err(error) => return Err(error.into()),
        }
        if contains_bytes(said.get(from..).unwrap_or_default(), wanted) {
            break;
        }
    }
    Ok(said)
}

fn contains_bytes(said: &[u8], wanted: &str) -> bool {
    said.windows(wanted.len().max(1)).any(|some| some == wanted.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ParamValue;
    use std::io::Write;
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    fn greeted(greeting: String, wanted: &str) -> ProbeResult {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut given = Params::default();
        given.0.insert("tcp", ParamValue::Text(listener.local_addr().unwrap().to_string()));
        given.0.insert("greeting", ParamValue::Text(wanted.to_owned()));
        given.0.insert("body.max", ParamValue::Number(64 * 1024));
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.write_all(greeting.as_bytes());
        });
        let found =
            probe_tcp(&given, &ProbeContext { limit: Duration::from_secs(5), ..ProbeContext::default() });
        server.join().unwrap();
        found
    }

    #[test]
    fn a_greeting_is_looked_for_up_to_the_limit() {
        assert_eq!(greeted("220 mail\r\n".to_owned(), "220"), ProbeResult::ok("connected, and greeted"));
        let late = greeted(format!("{}220 mail\r\n", "notice\r\n".repeat(1000)), "220 mail");
        assert_eq!(late, ProbeResult::ok("connected, and greeted"));
        let never = greeted("554 no\r\n".to_owned(), "220");
        assert_eq!(never, ProbeResult::failing(r#"its greeting is "554 no\r\n", expected "220""#));
        let longer = "its greeting is longer than 64K, and so far has no \"220\": raise body.max";
        assert_eq!(greeted("x".repeat(200_000), "220"), ProbeResult::unknown(longer));
    }
}
