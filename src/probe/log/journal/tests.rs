//! What journalctl 252 said of a unit that logs all kinds of things (`recorded.json`), cut and turned about.

use proptest::prelude::{any, proptest};
use proptest::sample::Index;

use super::*;

const RECORDED: &[u8] = include_bytes!("recorded.json");

/// Of the recorded one with this number.
fn cursor(number: &str) -> String {
    let said = String::from_utf8_lossy(RECORDED);
    let all = said.match_indices("\"__CURSOR\":\"").map(|(at, key)| &said[at + key.len()..]);
    all.filter_map(|rest| rest.split('"').next())
        .find(|one| one.contains(&format!(";i={number};")))
        .unwrap()
        .to_owned()
}

fn text(entries: &Entries) -> String {
    String::from_utf8_lossy(&entries.text).into_owned()
}

#[test]
fn every_line_of_every_message_but_for_those_of_unhang() {
    let entries = Entries::of(RECORDED, false, &cursor("92d1")).unwrap();
    let said = text(&entries).replace(&"y".repeat(5000), "y");
    let expected = [
        "Starting rec.service...",
        "\u{1b}[31mERROR red\u{1b}[0m",
        "caf\u{fffd} not UTF-8",
        "one of two",
        "ERROR two of two",
        "Traceback (most recent call last)",
        "  File \"a.py\", line 1",
        "ValueError: x",
        "y",
        "rec.service: Deactivated successfully.",
        "Finished rec.service.",
        "",
    ];
    assert_eq!(said, expected.join("\n"));
    assert_eq!(entries.last, Some(cursor("92da")));
}

#[test]
fn an_answer_without_its_beginning_or_its_end_is_read_as_far_as_it_goes() {
    let cut = Entries::of(&RECORDED[100..RECORDED.len() - 10], true, "").unwrap();
    assert!(cut.is_cut && text(&cut).starts_with("plain line\n"));
    assert_eq!(cut.last, Some(cursor("92d9")));
    assert_eq!(Entries::of(b"", false, ""), Ok(Entries::default()));
}

#[test]
fn what_is_not_understood_is_never_taken_for_nothing_new() {
    for odd in [
        "-- cursor: s=1\n",
        "{}\n",
        "{\"__CURSOR\":\"s=1\",\"MESSAGE\":null}\n",
        "{\"__CURSOR\":\"s=1\",\"MESSAGE\":[300]}\n",
        "{\"__CURSOR\":\"s=1\",\"MESSAGE\":[1.5]}\n",
        "{\"__CURSOR\":\"s=1\",\"MESSAGE\":{}}\n",
        "{\"__CURSOR\":\"s 1\",\"MESSAGE\":\"a\"}\n",
    ] {
        let why = Entries::of(odd.as_bytes(), false, "").unwrap_err();
        assert!(why.starts_with("the answer of journalctl is not understood: "), "{why}");
    }
}

/// As a field stands that an entry has twice.
#[test]
fn a_message_may_be_several() {
    let said = b"{\"__CURSOR\":\"s=1\",\"MESSAGE\":[\"a\",[98,99]]}\n";
    assert_eq!(text(&Entries::of(said, false, "").unwrap()), "a\nbc\n");
}

#[test]
fn why_journalctl_fails_is_told() {
    let cursor = "\nFailed to seek to cursor: Invalid argument\n";
    assert_eq!(refusal_text(cursor), "journalctl: Failed to seek to cursor: Invalid argument");
    assert_eq!(refusal_text("No journal files were opened due to insufficient permissions.\n"), NO_LEAVE);
    assert_eq!(refusal_text(""), "journalctl failed, and did not say why");
}

#[test]
fn a_cursor_is_no_other_word() {
    assert!(is_cursor(&cursor("92d1")));
    for bad in ["", "s=1 --file", "s=\n", "é", &"a".repeat(181)] {
        assert!(!is_cursor(bad), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_answer_breaks_it(said in proptest::collection::vec(any::<u8>(), 0..300), is_cut in any::<bool>()) {
        let _ = Entries::of(&said, is_cut, "");
    }

    #[test]
    fn nor_a_recorded_one_with_a_byte_changed(at in any::<Index>(), byte in any::<u8>()) {
        let mut said = RECORDED.to_vec();
        let at = at.index(said.len());
        said[at] = byte;
        if let Ok(Entries { last: Some(last), .. }) = Entries::of(&said, false, "") {
            assert!(is_cursor(&last));
        }
    }
}
