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
        assert_eq!(format_duration(Duration::from_millis(millis)), words);
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
    let then = format_day_and_clock(&at("a", 540, 100 * day - 60), &now);
    for set in [98 * day, 100 * day, 102 * day] {
        assert_eq!(format_past(&at("a", 540, set), &now), then, "{set}");
    }
    assert!(
        format_past(&at("b", 540, 98 * day), &now).starts_with("1970-"),
        "before a reboot, there is no other"
    );
}

#[test]
fn what_comes_from_outside_stays_one_harmless_line() {
    let text = "a\nb\x1b[31m\u{9b}31m\u{202e}é\t\r\0";
    assert_eq!(escape_json("\"é\u{9b}\u{7f}\u{2028}\""), "\"é\\u009b\\u007f\\u2028\"");
    let tag = escape_json("\"\u{e0041}\u{61c}\"");
    assert_eq!(
        (tag.as_str(), serde_json::from_str(&tag).ok()),
        ("\"\\udb40\\udc41\\u061c\"", Some("\u{e0041}\u{61c}".to_owned()))
    );
    assert_eq!(escaped(text), "a\\nb\\u{1b}[31m\\u{9b}31m\\u{202e}é\\t\\r\\u{0}");
}

/// The properties of Unicode decide, not a list of what was tried once.
const UNSEEN: &str =
    r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}&&[^\x{FE0E}\x{FE0F}]]{1,40}";

proptest::proptest! {
    #[test]
    fn nothing_that_is_not_seen_passes(text in UNSEEN) {
        let shown = escaped(&text);
        proptest::prop_assert!(shown.is_ascii() && !shown.contains(|c: char| c.is_control()), "{shown}");
        let quoted = crate::toml_text::quote_toml(&text);
        let file = format!("a = {quoted}");
        let read = toml::de::DeTable::parse(&file).unwrap();
        proptest::prop_assert_eq!(read.get_ref()["a"].get_ref().as_str(), Some(text.as_str()));
    }

    #[test]
    fn what_is_seen_stays_as_it_is(text in r"[\p{L}\p{N}\p{P}\p{S}\p{Zs}⚠️&&[^\p{Default_Ignorable_Code_Point}]]{1,40}") {
        proptest::prop_assert_eq!(escaped(&text), text);
    }
}
