//! What a server answers, over a real socket: in time, without a panic, and healthy only where the head of an
//! answer says 200; and never ill where it does, as long as nobody asks for the body. The first byte tells how it is said: see `How`.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use tempfile::TempDir;
use unhang_core::{Cause, Observation, ProbeRole};

use super::scratch;
use unhang::plan::{
    BodyRules, HttpRequest, JsonRules, LatencyLimits, Probe, ProbeTarget, StatusSet, TlsTrust, UrlTarget,
};
use unhang::probe;
use unhang::words;

/// Short, for an answer that ends in silence takes it whole.
const TIMEOUT: Duration = Duration::from_millis(30);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(2);

/// The longest text that may come of an answer, in characters: with a name before it, a log line is cut at 500.
const LONGEST: usize = 300;

struct Stage {
    socket: PathBuf,
    /// Redirects may lead anywhere, so that they are followed only where there is no way out.
    follows: bool,
    _dir: TempDir,
}

static SAID: Mutex<(How, Vec<u8>)> = Mutex::new((How(0), Vec::new()));

/// Bits 0 and 1: the method; 2 and 3: redirects; 4 and 5: how it ends; 6: what the body says of its health counts. `0` to `?` are said at once and closed.
#[derive(Debug, Clone, Copy)]
struct How(u8);

impl How {
    fn method(self) -> &'static str {
        match self.0 & 3 {
            1 => "HEAD",
            2 => "POST",
            _ => "GET",
        }
    }

    fn body(self) -> BodyRules {
        BodyRules { json: (self.0 & 0x40 != 0).then(JsonRules::default), ..BodyRules::default() }
    }

    fn reads_body(self) -> bool {
        self.body().json.is_some()
    }

    fn redirects(self) -> u32 {
        u32::from(self.0 >> 2 & 3)
    }

    fn says(self, answer: &[u8], mut stream: UnixStream) {
        let _ = match self.0 >> 4 & 3 {
            2 => answer.chunks(3).try_for_each(|piece| stream.write_all(piece)),
            _ => stream.write_all(answer),
        };
        match self.0 >> 4 & 3 {
            0 => drop(set_socket_linger(&stream, Some(Duration::ZERO))),
            1 => drop(stream.read(&mut [0])),
            _ => {}
        }
    }
}

fn stage() -> &'static Stage {
    static STAGE: LazyLock<Stage> = LazyLock::new(|| {
        let dir = scratch();
        let socket = dir.path().join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                read_head(&mut stream);
                let (how, answer) = SAID.lock().unwrap().clone();
                how.says(&answer, stream);
            }
        });
        let devices = fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
        let follows = devices.lines().skip(2).all(|device| device.trim_start().starts_with("lo:"));
        Stage { socket, follows, _dir: dir }
    });
    &STAGE
}

fn read_head(stream: &mut UnixStream) {
    let (mut head, mut bytes) = (Vec::new(), [0; 1024]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(read) => head.extend(&bytes[..read]),
        }
    }
}

pub fn holds(bytes: &[u8]) {
    let Some((how, answer)) = bytes.split_first() else { return };
    let (how, stage) = (How(*how), stage());
    *SAID.lock().unwrap() = (how, answer.to_vec());
    let question = HttpRequest {
        target: UrlTarget::HttpOverUnix { socket: stage.socket.clone(), path: "/health/".into() },
        trust: TlsTrust::default(),
        method: how.method().into(),
        headers: std::collections::BTreeMap::new(),
        status: StatusSet(vec![(200, 200)]),
        status_warn: None,
        request_body: None,
        redirects: if stage.follows { how.redirects() } else { 0 },
        maintenance: None,
        body: how.body(),
        latency: LatencyLimits::default(),
    };
    let probe = Probe {
        name: None,
        weight: ProbeRole::Required,
        timeout: TIMEOUT,
        asks: ProbeTarget::Http(Box::new(question)),
    };
    let began = Instant::now();
    let answered =
        probe::run_probe(&probe::ProbeRequest { probe: &probe, ground: probe::ProbeContext::default() });
    let took = began.elapsed();
    assert!(took < TIMEOUT + SLACK, "took {took:?}");
    let told = match &answered.observation {
        Observation::Healthy => {
            assert_eq!(answered.status, Some(200));
            return assert!(says_200(answer), "healthy by accident");
        }
        Observation::Unhealthy(cause) => {
            let came_too_late = matches!(cause, Cause::TimedOut(_) | Cause::Reset);
            assert!(
                came_too_late || how.reads_body() || !says_200(answer),
                "a good status, whatever stands behind it"
            );
            words::cause_text(cause, TIMEOUT).unwrap_or_default()
        }
        Observation::Unknown(doubt) => words::doubt_text(doubt),
    };
    // Also where it is not escaped once more, as in JSON.
    assert_eq!(words::escaped(&told), told, "it drives a terminal");
    assert!(told.chars().count() <= LONGEST, "{told}");
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
