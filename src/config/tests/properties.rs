//! What holds for every text and every span.

use proptest::prelude::*;

use super::*;

#[test]
fn spans_are_spelled_as_they_are_read() {
    let span = |text: &str| values::parse_duration(&settings::SettingValue::Text(text.to_owned().into()));
    for text in ["5s", "2m", "1h30m", "250ms", "1d", "0s", "365d", "1d2h3m4s5ms"] {
        assert_eq!(format_duration(span(text).unwrap()), text);
    }
    for text in [
        "",
        "5",
        "s",
        "5x",
        "-5s",
        "5 s",
        "99999999999999999999s",
        "18446744073709551615d",
        "366d",
        "5s5",
        "5s5s",
        "1s1m",
        "1.5s",
    ] {
        assert!(span(text).is_err(), "{text}");
    }
}

/// What an operator's hand may write, rightly and wrongly put together.
const PIECES: [&str; 40] = [
    "[",
    "]",
    "[service.",
    "[defaults]",
    "[host]",
    "a]",
    "\n",
    "\n",
    "\n",
    "=",
    " = ",
    "\"",
    "'",
    "{",
    "}",
    ",",
    ".",
    "#",
    "url",
    "unit",
    "restart",
    "headers",
    "budget",
    "window",
    "timeout",
    "status",
    "\"5s\"",
    "\"http://x\"",
    "[\"a\"]",
    "{}",
    "5",
    "-1",
    "true",
    "1e9",
    "07:32:00",
    "\u{1b}",
    "\0",
    "é",
    "\u{feff}",
    "max_failures = 0\n",
];

proptest! {
    #[test]
    fn no_text_panics_and_every_fault_is_one_line(
        pieces in prop::collection::vec(prop_oneof![9 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned), 1 => any::<String>()], 0..40),
        flag in prop::sample::select(KeyRow::all_flags().map(|(_, flag)| flag.name).collect::<Vec<_>>()),
        text in any::<String>(),
    ) {
        let typed = PlanFlags(vec![Typed { flag, variable: None, text }]);
        for plan in [&typed, &PlanFlags::default()] {
            if let Err(faults) = with(&pieces.concat(), &Sources { plan, ..cli(&[]).config_sources() }) {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.iter().all(|fault| !fault.is_empty() && !fault.contains(char::is_control)));
            }
        }
    }

    #[test]
    fn every_span_reads_back(milliseconds in 0_u64..=365 * 86_400_000) {
        let span = Duration::from_millis(milliseconds);
        prop_assert_eq!(values::parse_duration(&settings::SettingValue::Text(format_duration(span).into())).ok(), Some(span));
    }
}
