//! Where an answer sends us on.

use std::io::Write;

use unhang_core::{Cause, Doubt, Observation, Phase};

use super::{GOOD, cause, free_port, hold, observe_with, question, says, serve};
use crate::plan::Question;

fn redirect_to(location: &str) -> String {
    says(&format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
}

#[track_caller]
pub(super) fn following(redirects: u32, url: &str) -> Observation {
    observe_with(&Question { redirects, ..question(url) })
}

#[test]
fn redirects_are_followed_as_far_as_allowed() {
    assert_eq!(cause(&redirect_to(&says(GOOD))), Cause::Status(302));
    assert_eq!(following(1, &redirect_to(&says(GOOD))), Observation::Healthy);
    let two = || redirect_to(&redirect_to(&says(GOOD)));
    assert_eq!(following(1, &two()), Observation::Unhealthy(Cause::Status(302)));
    assert_eq!(following(2, &two()), Observation::Healthy);
    let dead = redirect_to(&says("HTTP/1.1 503 X\r\n\r\n"));
    assert_eq!(following(1, &dead), Observation::Unhealthy(Cause::Status(503)));
    let refusing = redirect_to(&format!("http://127.0.0.1:{}/", free_port()));
    assert_eq!(following(1, &refusing), Observation::Unhealthy(Cause::Refused));
    let long = redirect_to(&format!("{}?{}", says(GOOD), "q".repeat(10_000)));
    assert_eq!(following(1, &long), Observation::Healthy);
    // One time limit for all of it.
    let slow = redirect_to(&serve(hold));
    assert_eq!(following(1, &slow), Observation::Unhealthy(Cause::TimedOut(Phase::Wait)));
}

/// They may prove who we are, and are no business of another host's.
#[test]
fn headers_go_with_a_redirect_within_the_host_only() {
    let with_key = |url: &str| {
        let headers = [("X-Key".to_owned(), "secret".to_owned())].into();
        observe_with(&Question { redirects: 1, headers, ..question(url) })
    };
    assert_eq!(with_key(&redirect_to(&says(GOOD))), Observation::Healthy, "another port of the same host");
    let other = says(GOOD).replace("127.0.0.1", "localhost");
    let Observation::Unknown(Doubt::Other(why)) = with_key(&redirect_to(&other)) else { panic!() };
    assert!(why.starts_with("redirected to localhost, where the headers must not go"), "{why}");
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
        for elsewhere in ["http://shop.example/", "/https://x", "https:", "\u{fc}", ""] {
            assert_eq!(cause(&to(elsewhere)), Cause::Status(status), "{elsewhere}");
        }
    }
    assert_eq!(cause(&says("HTTP/1.1 503 X\r\nlocation: https://x/\r\n\r\n")), Cause::Status(503));
    // What the first leads to may do so.
    let second = redirect_to("https://127.0.0.1/");
    assert_eq!(following(1, &redirect_to(&second)), Observation::Unhealthy(Cause::ToHttps(302)));
}

#[test]
fn a_redirect_to_nowhere_is_the_services_fault() {
    for location in ["ftp://127.0.0.1/", "http://[/", "http://", "//", "../../..", "x:\x7f"] {
        let observed = following(1, &redirect_to(location));
        assert!(matches!(observed, Observation::Unhealthy(_)), "{location}: {observed:?}");
    }
    let observed = following(1, &says("HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n"));
    assert!(matches!(observed, Observation::Unhealthy(Cause::NotHttp(_))), "no location: {observed:?}");
}

/// Where it leads stands in the message, and comes from outside.
#[test]
fn a_redirect_to_nowhere_is_told_in_one_short_harmless_line() {
    for location in [&b"x\xff\t\xc2\x9b2J"[..], &b"x\xff\t".repeat(2000)] {
        let head = [b"HTTP/1.1 302 Found\r\nlocation: ", location, b"\r\ncontent-length: 0\r\n\r\n"].concat();
        let url = serve(move |mut stream| {
            let _ = stream.write_all(&head);
        });
        let observed = following(1, &url);
        let Observation::Unhealthy(Cause::NotHttp(told)) = observed else { panic!("{observed:?}") };
        assert!(told.chars().count() <= 200 && !told.contains(char::is_control), "{told:?}");
    }
}

/// ureq reads it before it goes on.
#[test]
fn the_body_of_a_redirect_is_bounded_by_time() {
    let head = "HTTP/1.1 302 Found\r\nlocation: /there\r\n";
    for (framing, again) in [
        ("\r\n", "yyyyyyyyyyyyyyyy"),
        ("content-length: 18446744073709551615\r\n\r\n", "yyyyyyyyyyyyyyyy"),
        ("transfer-encoding: chunked\r\n\r\n", "8\r\nyyyyyyyy\r\n"),
        ("content-encoding: gzip\r\n\r\n\x1f", "\0\u{4}\0\0\0\0\0\0"),
    ] {
        let url = serve(move |mut stream| {
            let _ = stream.write_all(format!("{head}{framing}").as_bytes());
            while stream.write_all(again.as_bytes()).is_ok() {}
        });
        assert_ne!(following(1, &url), Observation::Healthy, "{framing}");
    }
    let silent = serve(move |mut stream| {
        let _ = stream.write_all(format!("{head}content-length: 5\r\n\r\nye").as_bytes());
        hold(stream);
    });
    assert_ne!(following(1, &silent), Observation::Healthy);
}

#[test]
fn a_redirect_that_we_cannot_follow_is_our_fault() {
    let observed = following(1, &redirect_to("http://no-such-host.invalid/"));
    assert!(matches!(observed, Observation::Unknown(Doubt::Lookup(_))), "{observed:?}");
}
