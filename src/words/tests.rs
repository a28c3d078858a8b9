//! What people read.

use std::time::Duration;

use unhang_core::Moment;

use super::*;

#[test]
fn spans_read_well() {
    for (millis, words) in [
        (0, "0 s"),
        (40, "40 ms"),
        (3_210, "3.2 s"),
        (5_000, "5 s"),
        (12_900, "12 s"),
        (90_000, "90 s"),
        (120_000, "2 min"),
        (150_000, "2 min 30 s"),
        (3_600_000, "1 h"),
        (3_900_000, "1 h 5 min"),
        (180_000_000, "2 d 2 h"),
    ] {
        assert_eq!(span(Duration::from_millis(millis)), words);
    }
}

#[test]
fn the_past_is_told_by_the_clock_of_now() {
    let at = |boot: &str, since_boot, wall| Moment {
        boot: Some(boot.to_owned()),
        since_boot: Duration::from_secs(since_boot),
        wall: Duration::from_secs(wall),
    };
    let day = 86_400;
    let now = at("a", 600, 100 * day);
    let then = day_and_clock(&at("a", 540, 100 * day - 60), &now);
    for set in [98 * day, 100 * day, 102 * day] {
        assert_eq!(past(&at("a", 540, set), &now), then, "{set}");
    }
    assert!(past(&at("b", 540, 98 * day), &now).starts_with("1970-"), "before a reboot, there is no other");
}

#[test]
fn what_comes_from_outside_stays_one_harmless_line() {
    let text = "a\nb\x1b[31m\u{9b}31m\u{202e}é\t\r\0";
    assert_eq!(escaped_json("\"é\u{9b}\u{7f}\u{2028}\""), "\"é\\u009b\\u007f\\u2028\"");
    assert_eq!(escaped(text), "a\\nb\\u{1b}[31m\\u{9b}31m\\u{202e}é\\t\\r\\u{0}");
}
