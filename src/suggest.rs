//! The known word that a mistyped one was probably meant to be. Pure; knows no word itself.

use strsim::{levenshtein, osa_distance};

/// No key is as long; the effort grows with the length.
const MAX_SUGGESTED_CHARS: usize = 64;

/// `None`: nothing is near enough to be worth the question.
pub(crate) fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MAX_SUGGESTED_CHARS {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let allowed = word.chars().count().div_ceil(3);
    let measured = known.into_iter().map(|known| (levenshtein(&word, &known.to_ascii_lowercase()), known));
    measured.filter(|(distance, _)| *distance <= allowed).min().map(|(_, known)| known)
}

/// Whether one letter was added, dropped or changed, or two neighbours were swapped.
pub(crate) fn is_a_slip(typed: &str, known: &str) -> bool {
    osa_distance(typed, known) <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far() {
        for (word, expected) in [
            ("max_failure", Some("max_failures")),
            ("max-failures", Some("max_failures")),
            ("tiemout", Some("timeout")),
            ("timeout_s", Some("timeout")),
            ("MODE", Some("mode")),
            ("interval", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(suggest(word, ["timeout", "max_failures", "mode"]), expected, "{word}");
        }
    }

    #[test]
    fn a_slip_is_one_letter_or_two_neighbours_swapped() {
        for (typed, is_slip) in [
            ("rnu", true),
            ("runn", true),
            ("ru", true),
            ("run", true),
            ("urn", true),
            ("nru", false),
            ("r", false),
        ] {
            assert_eq!(is_a_slip(typed, "run"), is_slip, "{typed}");
        }
    }
}
