//! Every way a service can answer, well and badly.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use unhang_core::{Cause, Doubt, Observation, Phase};

use super::{
    GOOD, cause, doubt, free_port, heard, heard_and_observed, hold, not_http, observe, observe_with,
};
use super::{TIMEOUT, ask, observe_within, question, read_head, repeats, reset, says, serve};
use crate::plan::{BodyRules, HttpRequest, JsonRules, MaintenanceRule, StatusSet};
use crate::probe::ProbeAnswer;

#[test]
fn healthy_is_a_status_that_is_wanted() {
    assert_eq!(observe(&says(GOOD)), Observation::Healthy);
    assert_eq!(observe(&says("HTTP/1.0 200\r\n\r\n")), Observation::Healthy);
    assert_eq!(
        observe(&says(&format!("HTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\n{GOOD}"))),
        Observation::Healthy
    );
    for status in [201, 204, 301, 304, 404, 429, 500, 502, 503, 999] {
        let url = says(&format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n"));
        assert_eq!(cause(&url), Cause::Status(status));
    }
    let wide = StatusSet(vec![(200, 299), (404, 404)]);
    for (status, healthy) in [(204, true), (404, true), (300, false), (403, false)] {
        let url = says(&format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n"));
        let observed = observe_with(&HttpRequest { status: wide.clone(), ..question(&url) });
        assert_eq!(observed == Observation::Healthy, healthy, "{status}: {observed:?}");
    }
}

#[test]
fn a_body_is_not_waited_for() {
    let url = serve(|mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nab").unwrap();
        hold(stream);
    });
    assert_eq!(observe(&url), Observation::Healthy);
    assert_eq!(observe(&repeats("HTTP/1.1 200 OK\r\n\r\n", "zzzzzzzzzzzzzzzz")), Observation::Healthy);
}

#[test]
fn what_comes_after_a_good_head_changes_nothing() {
    let said = |head: &str, body: &[u8]| {
        let answer = [b"HTTP/1.1 200 OK\r\n", head.as_bytes(), b"\r\n\r\n", body].concat();
        move |mut stream: TcpStream| {
            let _ = stream.write_all(&answer);
            stream
        }
    };
    for (head, body) in [
        ("content-length: 5", &b"hel"[..]),
        ("content-length: 5", b"hello, and more"),
        ("content-length: 18446744073709551615", b""),
        ("transfer-encoding: chunked", b"zz\r\nhello"),
        ("transfer-encoding: chunked", b"5\r\nhel"),
        ("transfer-encoding: chunked", b"ffffffffffffffffff\r\n"),
        ("content-encoding: gzip\r\ncontent-length: 3", b"\x1f\x8b\xff"),
    ] {
        for end in [drop, hold, reset] {
            let said = said(head, body);
            assert_eq!(observe(&serve(move |stream| end(said(stream)))), Observation::Healthy, "{head}");
        }
    }
    let drip = said("content-length: 1000000", b"");
    let drips = serve(move |stream| {
        let mut stream = drip(stream);
        while stream.write_all(b"y").is_ok() {
            thread::sleep(Duration::from_millis(15));
        }
    });
    assert_eq!(observe(&drips), Observation::Healthy);
    // A gzip bomb: a stored block of zeros, and another, for ever.
    let bomb = repeats("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f", "\0\u{4}\0\0\0\0\0\0");
    assert_eq!(observe(&bomb), Observation::Healthy);
}

/// Where the body ends nobody can tell then, and only a rule about the body asks.
#[test]
fn lengths_that_cannot_be_leave_the_status_and_no_body() {
    let contains = BodyRules { contains: vec!["hello".to_owned()], ..BodyRules::default() };
    for head in [
        "content-length: -1",
        "content-length: x",
        "content-length: 18446744073709551616",
        "content-length: 5\r\ncontent-length: 6",
        "transfer-encoding: gzip, chunked",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nhello");
        assert_eq!(observe(&says(&answer)), Observation::Healthy, "{head}");
        let observed = observe_with(&HttpRequest { body: contains.clone(), ..question(&says(&answer)) });
        let Observation::Unknown(Doubt::Other(why)) = observed else { panic!("{head}: {observed:?}") };
        assert!(why.contains("where its body ends"), "{why}");
        let down = says(&answer.replace("200", "503"));
        assert_eq!(cause(&down), Cause::Status(503), "{head}");
    }
}

/// Whatever stands in the headers: curl, browsers and other checks take these too.
#[test]
fn a_status_that_can_be_read_is_judged() {
    let large = format!("set-cookie: {}", "y".repeat(20_000));
    let many = "x: y\r\n".repeat(1000);
    for head in [
        "x-a: b\r\n folded",
        "x-a: b\r\n\tfolded\r\n  again",
        "x-a : b",
        "X-(A): b",
        ": b",
        "no header",
        "x-a: \u{1}b",
        "x-a: \u{0}b",
        "x-\u{fc}: \u{fc}",
        &large,
        &many,
    ] {
        for (status, expected) in
            [(200, Observation::Healthy), (503, Observation::Unhealthy(Cause::Status(503)))]
        {
            let answer = format!("HTTP/1.1 {status} X\r\n{head}\r\ncontent-length: 2\r\n\r\nok");
            assert_eq!(observe(&says(&answer)), expected, "{head:.40}");
            let contains = BodyRules { contains: vec!["ok".to_owned()], ..BodyRules::default() };
            let observed = observe_with(&HttpRequest { body: contains, ..question(&says(&answer)) });
            assert_eq!(observed, expected, "its body: {head:.40}");
        }
    }
    let folded = "HTTP/1.1 302 X\r\nlocation:\r\n  https://x/\r\n\r\n";
    assert_eq!(cause(&says(folded)), Cause::ToHttps(302));
    let maintenance =
        MaintenanceRule { status: StatusSet(vec![(503, 503)]), header: Some("x-maintenance".to_owned()) };
    let url = says("HTTP/1.1 503 X\r\nX-Maintenance : on\r\n\r\n");
    let observed = observe_with(&HttpRequest { maintenance: Some(maintenance), ..question(&url) });
    assert_eq!(observed, Observation::Unhealthy(Cause::Maintenance(503)));
}

/// A protocol that we do not speak says nothing about the service.
#[test]
fn another_protocol_is_named_with_the_cure() {
    for (answer, cure) in [
        (&b"\x15\x03\x01\x00\x02\x02\x46"[..], "https://"),
        (b"\x16\x03\x03", "https://"),
        (b"\0\0\x12\x04\0\0\0\0\0\0\x03", "HTTP/2"),
        (b"\0\0\x08\x07\0\0\0\0\0\0\0", "HTTP/2"),
    ] {
        let url = serve(move |mut stream| {
            let _ = stream.write_all(answer);
            hold(stream);
        });
        let Doubt::Other(why) = doubt(&url) else { panic!("{cure}") };
        assert!(why.contains(cure), "{why}");
    }
}

#[test]
fn a_body_that_came_otherwise_than_it_was_asked_for_is_read() {
    let text = "the shop is ge\u{f6}ffnet";
    let packed = miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 6);
    let gzip = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &packed, &[0; 8]].concat();
    let contains = BodyRules {
        contains: vec!["ge\u{f6}ffnet".to_owned()],
        lacks: vec!["Traceback".to_owned()],
        ..BodyRules::default()
    };
    let judged = |head: &'static str, body: Vec<u8>| {
        let url = serve(move |mut stream| {
            let _ = stream.write_all(&[b"HTTP/1.1 200 OK\r\n", head.as_bytes(), b"\r\n\r\n", &body].concat());
        });
        observe_with(&HttpRequest { body: contains.clone(), ..question(&url) })
    };
    assert_eq!(judged("content-encoding: gzip", gzip.clone()), Observation::Healthy);
    assert_eq!(
        judged("content-type: text/html; charset=iso-8859-1", b"ge\xf6ffnet".to_vec()),
        Observation::Healthy
    );
    for (head, body) in [
        ("content-encoding: br", gzip.clone()),
        ("content-encoding: gzip", gzip[..20].to_vec()),
        ("content-type: text/html; charset=utf-16", b"?".to_vec()),
        ("transfer-encoding: chunked", b"zz\r\nhello".to_vec()),
    ] {
        let observed = judged(head, body);
        assert!(matches!(observed, Observation::Unknown(Doubt::Other(_))), "{head}: {observed:?}");
    }
    let cut = judged("content-length: 100", b"ge".to_vec());
    assert_eq!(cut, Observation::Unhealthy(Cause::Closed(Phase::Rest)), "half an answer is none");
}

#[test]
fn a_connection_that_is_half_open() {
    use std::net::Shutdown;
    let half = |side: Shutdown| {
        serve(move |stream| {
            stream.shutdown(side).unwrap();
            hold(stream);
        })
    };
    assert_eq!(cause(&half(Shutdown::Write)), Cause::Closed(Phase::FirstByte));
    // It has gone, and nobody tells us: silence.
    assert_eq!(
        cause(&serve(|stream| {
            stream.shutdown(Shutdown::Read).unwrap();
            thread::sleep(2 * TIMEOUT);
        })),
        Cause::TimedOut(Phase::FirstByte)
    );
}

/// More than the kernel keeps for one that does not read.
fn long_question(url: &str) -> HttpRequest {
    let headers = (0..2000).map(|n| (format!("x-{n}"), "y".repeat(4000))).collect();
    HttpRequest { headers, ..question(url) }
}

/// To write 8 MB takes its time on a busy machine.
const TO_WRITE: Duration = Duration::from_secs(2);

#[test]
fn a_server_that_does_not_read() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let observed = observe_within(&long_question(&url), TO_WRITE);
    assert_eq!(observed, Observation::Unhealthy(Cause::TimedOut(Phase::FirstByte)));
    drop(listener);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || reset(listener.accept().unwrap().0));
    assert_eq!(observe_within(&long_question(&url), TO_WRITE), Observation::Unhealthy(Cause::Reset));
}

#[test]
fn what_is_asked() {
    let head = heard(question);
    let version = env!("CARGO_PKG_VERSION");
    assert!(head.starts_with("GET /health/ HTTP/1.1\r\n"), "{head}");
    for line in [
        format!("user-agent: unhang/{version}"),
        "connection: close".into(),
        "host: 127.0.0.1:".into(),
        "accept: */*".into(),
        "accept-encoding: identity".into(),
    ] {
        assert_eq!(head.matches(&format!("\r\n{line}")).count(), 1, "{head}");
    }
    let json = || BodyRules { json: Some(JsonRules::default()), ..BodyRules::default() };
    let (head, _) = heard_and_observed(|url| HttpRequest { body: json(), ..question(url) });
    assert!(head.contains("\r\naccept: application/json\r\n"), "{head}");
    let own = BTreeMap::from([("Accept".to_owned(), "text/plain".to_owned())]);
    let (head, _) = heard_and_observed(|url| HttpRequest { body: json(), headers: own, ..question(url) });
    assert!(head.contains("\r\naccept: text/plain\r\n") && !head.contains("application/json"), "{head}");
    let ours = [("Host", "shop.example"), ("User-Agent", "probe"), ("X-Token", "a b")];
    let headers: BTreeMap<_, _> = ours.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let head = heard(|url| HttpRequest { headers, method: "HEAD".into(), ..question(url) });
    assert!(head.starts_with("HEAD /health/ HTTP/1.1\r\n"), "{head}");
    for (name, value) in ours {
        let name = name.to_lowercase();
        assert_eq!(head.matches(&format!("\r\n{name}: ")).count(), 1, "{head}");
        assert!(head.contains(&format!("\r\n{name}: {value}\r\n")), "{head}");
    }
    let head = heard(|url| HttpRequest { method: "POST".into(), ..question(url) });
    assert!(head.contains("\r\ncontent-length: 0\r\n") && !head.contains("chunked"), "{head}");
    let head = heard(|url| question(&url.replace("http://", "http://user:pass@")));
    assert!(head.contains("\r\nauthorization: Basic dXNlcjpwYXNz\r\n"), "{head}");
    let long = BTreeMap::from([("x-long".to_owned(), "y".repeat(20_000))]);
    let head = heard(|url| HttpRequest { headers: long, ..question(&format!("{url}?{}", "q".repeat(5000))) });
    assert!(head.len() > 25_000);
    assert!(heard(|url| HttpRequest { method: "PURGE".into(), ..question(url) }).starts_with("PURGE /"));
}

#[test]
fn localhost_is_found_on_either_family() {
    for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
        let Ok(listener) = TcpListener::bind((ip, 0)) else { continue }; // no IPv6 here
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            read_head(&mut stream);
            stream.write_all(GOOD.as_bytes()).unwrap();
        });
        assert_eq!(observe(&format!("http://localhost:{port}/")), Observation::Healthy, "{ip}");
    }
}

#[test]
fn refused() {
    let port = free_port();
    assert_eq!(cause(&format!("http://127.0.0.1:{port}/")), Cause::Refused);
    assert_eq!(cause(&format!("http://localhost:{port}/")), Cause::Refused);
}

#[test]
fn reset_before_and_in_mid_head() {
    assert_eq!(cause(&serve(reset)), Cause::Reset);
    let url = serve(|mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-").unwrap();
        reset(stream);
    });
    assert_eq!(cause(&url), Cause::Reset);
    let url = serve(|mut stream| {
        stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").unwrap();
        reset(stream);
    });
    assert_eq!(cause(&url), Cause::Reset);
}

#[test]
fn closed_without_answer_and_in_mid_head() {
    assert_eq!(cause(&serve(drop)), Cause::Closed(Phase::FirstByte));
    assert_eq!(cause(&says("HTTP/1.1 200 OK\r\ncontent-")), Cause::Closed(Phase::Rest));
    assert_eq!(cause(&says("HT")), Cause::Closed(Phase::Rest));
    assert_eq!(cause(&says("HTTP/1.1 100 Continue\r\n\r\n")), Cause::Closed(Phase::Rest));
}

#[test]
fn timed_out_connecting() {
    // A full accept queue drops the SYN: what a hung server looks like after a while.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let at = listener.local_addr().unwrap();
    let _queue: Vec<_> = (0..4).map(|_| TcpStream::connect_timeout(&at, Duration::from_millis(20))).collect();
    assert_eq!(cause(&format!("http://{at}/")), Cause::TimedOut(Phase::Connect));
    assert_eq!(cause(&format!("http://localhost:{}/", at.port())), Cause::TimedOut(Phase::Connect));
}

#[test]
fn timed_out_waiting() {
    assert_eq!(cause(&serve(hold)), Cause::TimedOut(Phase::FirstByte));
    // Nobody accepts, but the queue has room: the kernel connects, and reads the request.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(
        cause(&format!("http://{}/", listener.local_addr().unwrap())),
        Cause::TimedOut(Phase::FirstByte)
    );
}

#[test]
fn timed_out_reading() {
    // A byte at a time, for ever: the whole request has one time limit.
    let drip = serve(|mut stream| {
        for byte in b"HTTP/1.1 200 OK\r\nx: ".iter().chain(std::iter::repeat(&b'y')) {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(15));
        }
    });
    assert_eq!(cause(&drip), Cause::TimedOut(Phase::Rest));
    let hints = serve(|mut stream| {
        while stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").is_ok() {
            thread::sleep(Duration::from_millis(15));
        }
    });
    assert_eq!(cause(&hints), Cause::TimedOut(Phase::Rest));
}

#[test]
fn not_http_is_shown_as_it_begins() {
    assert_eq!(
        not_http(&says("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
        r#"it begins "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n""#
    );
    assert_eq!(not_http(&says("<html>HTTP/0.9</html>")), r#"it begins "<html>HTTP/0.9</html>""#);
    assert_eq!(not_http(&says(&"\u{1b}[2J".repeat(99))).len(), 12 + 10 * 7);
    assert!(not_http(&says("HTTP/1.1 abc\r\n\r\n")).contains("status"));
    assert!(not_http(&says("HTTP/2 200\r\n\r\n")).starts_with("it begins"));
    not_http(&says("HTTP/1.1 000 X\r\n\r\n"));
    not_http(&repeats("", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"));
}

#[test]
fn too_large_however_the_head_is_cut() {
    assert_eq!(
        cause(&repeats("HTTP/1.1 200 OK\r\nx: ", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy")),
        Cause::TooLarge
    );
    assert_eq!(cause(&repeats("HTTP/1.1 200 OK\r\n", "x: y\r\n".repeat(50).leak())), Cause::TooLarge);
    let fat = "x-filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\
        yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n";
    assert_eq!(cause(&repeats("HTTP/1.1 200 OK\r\n", fat)), Cause::TooLarge);
    assert_eq!(cause(&repeats("HTTP/1.1 200 ", "OKOKOKOKOKOKOKOKOKOKOKOKOK")), Cause::TooLarge);
    let hint = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    assert_eq!(cause(&repeats(hint, hint)), Cause::TooLarge, "all of them together");
}

#[test]
fn a_head_of_900_kib_is_read() {
    let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "y".repeat(900 * 1024));
    assert_eq!(observe(&says(&head)), Observation::Healthy);
}

#[test]
fn the_time_is_told_by_phase() {
    let slow = serve(|mut stream| {
        thread::sleep(Duration::from_millis(60));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        thread::sleep(Duration::from_millis(120));
        let _ = stream.write_all(b"content-length: 0\r\n\r\n");
    });
    let ProbeAnswer { observation, status, times, .. } = ask(&question(&slow), TIMEOUT);
    assert_eq!((observation, status), (Observation::Healthy, Some(200)));
    // What a busy machine is late to see of the beginning, it takes from the rest.
    assert!(times.wait >= Duration::from_millis(60) && !times.read.is_zero(), "{times:?}");
    assert!(times.wait + times.read >= Duration::from_millis(175), "{times:?}");
    assert!(times.tls.is_zero() && times.connect < times.wait, "{times:?}");
    let hung = ask(&question(&serve(hold)), TIMEOUT);
    assert_eq!((hung.status, hung.times.wait >= TIMEOUT.mul_f32(0.9)), (None, true), "{:?}", hung.times);
    let refused = ask(&question(&format!("http://127.0.0.1:{}/", free_port())), TIMEOUT);
    assert_eq!(
        (refused.status, refused.times.wait, refused.times.read),
        (None, Duration::ZERO, Duration::ZERO)
    );
}
