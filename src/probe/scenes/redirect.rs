//! Where an answer sends us on.

use std::io::Write;
use std::sync::mpsc;

use unhang_core::{Cause, Doubt, Observation, Phase, Redirect};

use super::{GOOD, cause, free_port, hold, observe_with, question, says, serve, serve_heard};
use crate::plan::{HttpRequest, StatusSet};

fn redirect_to(location: &str) -> String {
    says(&format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
}

#[track_caller]
pub(super) fn following(redirects: u32, url: &str) -> Observation {
    observe_with(&HttpRequest { redirects, ..question(url) })
}

fn redirect(status: u16, to: &str, needs: u32) -> Cause {
    Cause::Redirect(Redirect { status, to: to.to_owned(), needs })
}

#[test]
fn redirects_are_followed_as_far_as_allowed() {
    let good = says(GOOD);
    assert_eq!(cause(&redirect_to(&good)), redirect(302, &good, 1));
    assert_eq!(following(1, &redirect_to(&says(GOOD))), Observation::Healthy);
    let two = |there: &str| redirect_to(&redirect_to(there));
    assert_eq!(following(1, &two(&good)), Observation::Unhealthy(redirect(302, &good, 2)));
    assert_eq!(following(2, &two(&says(GOOD))), Observation::Healthy);
    let dead = redirect_to(&says("HTTP/1.1 503 X\r\n\r\n"));
    assert_eq!(following(1, &dead), Observation::Unhealthy(Cause::Status(503)));
    let refusing = redirect_to(&format!("http://127.0.0.1:{}/", free_port()));
    assert_eq!(following(1, &refusing), Observation::Unhealthy(Cause::Refused));
    let long = redirect_to(&format!("{}?{}", says(GOOD), "q".repeat(10_000)));
    assert_eq!(following(1, &long), Observation::Healthy);
    // One time limit for all of it.
    let slow = redirect_to(&serve(hold));
    assert_eq!(following(1, &slow), Observation::Unhealthy(Cause::TimedOut(Phase::FirstByte)));
}

/// They may prove who we are, and are no business of another host's.
#[test]
fn headers_go_with_a_redirect_within_the_host_only() {
    let with_key = |url: &str| {
        let headers = [("X-Key".to_owned(), "secret".to_owned())].into();
        observe_with(&HttpRequest { redirects: 1, headers, ..question(url) })
    };
    assert_eq!(with_key(&redirect_to(&says(GOOD))), Observation::Healthy, "another port of the same host");
    let other = says(GOOD).replace("127.0.0.1", "localhost");
    let Observation::Unknown(Doubt::Other(why)) = with_key(&redirect_to(&other)) else { panic!() };
    assert!(why.starts_with("redirected to localhost, where headers and request_body must not go"), "{why}");
    assert_eq!(
        following(1, &redirect_to(&other)),
        Observation::Healthy,
        "without headers, nothing is at stake"
    );
}

#[test]
fn a_redirect_to_https_that_is_not_followed_is_told_apart() {
    for status in [301, 302, 307, 308] {
        let to = |location: &str| says(&format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\n\r\n"));
        assert_eq!(cause(&to("https://shop.example/health/")), Cause::ToHttps(status));
        assert_eq!(cause(&to("HTTPS://x")), Cause::ToHttps(status));
        for elsewhere in ["http://shop.example/", "/https://x", "https:", "\u{fc}"] {
            assert_eq!(cause(&to(elsewhere)), redirect(status, elsewhere, 1), "{elsewhere}");
        }
        assert_eq!(cause(&to("/login?next=secret#top")), redirect(status, "/login", 1));
        for nowhere in ["", "#top", "?x"] {
            assert_eq!(cause(&to(nowhere)), Cause::Status(status), "{nowhere}");
        }
    }
    assert_eq!(cause(&says("HTTP/1.1 503 X\r\nlocation: https://x/\r\n\r\n")), Cause::Status(503));
    // What the first leads to may do so.
    let second = redirect_to("https://127.0.0.1/");
    assert_eq!(following(1, &redirect_to(&second)), Observation::Unhealthy(Cause::ToHttps(302)));
}

#[test]
fn a_redirect_without_a_place_is_judged_by_its_status() {
    for status in 300..=308 {
        for location in ["", "location:\r\n", "location: #top\r\n"] {
            let url = || says(&format!("HTTP/1.1 {status} X\r\n{location}content-length: 0\r\n\r\n"));
            assert_eq!(following(3, &url()), Observation::Unhealthy(Cause::Status(status)));
            let wanted =
                HttpRequest { redirects: 3, status: StatusSet(vec![(200, 399)]), ..question(&url()) };
            assert_eq!(observe_with(&wanted), Observation::Healthy);
        }
    }
}

/// It may be no URL to us alone. Where it leads stands in the message, and comes from outside.
#[test]
fn a_redirect_that_is_not_understood_is_not_known_and_told_in_one_short_harmless_line() {
    let long = "x:\t".repeat(2000);
    for location in ["ftp://127.0.0.1/", "http://[/", "http://", "//", "x:\u{7f}", "x:\t\u{9b}2J", &long] {
        let observed = following(1, &redirect_to(location));
        let Observation::Unknown(Doubt::Other(told)) = observed else { panic!("{location}: {observed:?}") };
        assert!(told.chars().count() <= 250 && !told.contains(char::is_control), "{told:?}");
    }
}

/// RFC 9110, 15.4.8: what was posted is posted there.
#[test]
fn a_post_is_sent_again_where_the_status_says_so() {
    for (status, method) in [(302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
        let (tell, hear) = mpsc::channel();
        let there = serve_heard(move |head, mut stream| {
            tell.send(head).unwrap();
            let _ = stream.write_all(GOOD.as_bytes());
        });
        let here = says(&format!("HTTP/1.1 {status} X\r\nlocation: {there}\r\n\r\n"));
        let posted = HttpRequest { redirects: 1, method: "POST".to_owned(), ..question(&here) };
        assert_eq!(observe_with(&posted), Observation::Healthy, "{status}");
        let asked = hear.recv().unwrap();
        assert!(asked.starts_with(method), "{status}: {asked}");
        assert_eq!(asked.contains("content-length: 0"), method == "POST", "{asked}");
    }
}

#[test]
fn the_body_of_a_redirect_is_not_waited_for() {
    for (framing, again) in [
        ("\r\n", "yyyyyyyyyyyyyyyy"),
        ("content-length: 18446744073709551615\r\n\r\n", "yyyyyyyyyyyyyyyy"),
        ("transfer-encoding: chunked\r\n\r\n", "8\r\nyyyyyyyy\r\n"),
        ("transfer-encoding: chunked\r\n\r\n0\r\n", ""),
        ("content-encoding: gzip\r\n\r\n\x1f", "\0\u{4}\0\0\0\0\0\0"),
    ] {
        let there = says(GOOD);
        let url = serve(move |mut stream| {
            let _ =
                stream.write_all(format!("HTTP/1.1 302 Found\r\nlocation: {there}\r\n{framing}").as_bytes());
            while !again.is_empty() && stream.write_all(again.as_bytes()).is_ok() {}
        });
        assert_eq!(following(1, &url), Observation::Healthy, "{framing}");
    }
}

#[test]
fn a_redirect_that_we_cannot_follow_is_our_fault() {
    let observed = following(1, &redirect_to("http://no-such-host.invalid/"));
    assert!(matches!(observed, Observation::Unknown(Doubt::Lookup(_))), "{observed:?}");
}
