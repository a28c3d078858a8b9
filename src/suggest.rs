//! The known word that a mistyped one was probably meant to be. Pure; knows no word itself.

/// No key is as long; the effort grows with the length.
const LONGEST: usize = 64;

/// `None`: nothing is near enough to be worth the question.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let allowed = word.chars().count().div_ceil(3);
    let measured = known.into_iter().map(|known| (distance(&word, &known.to_ascii_lowercase()), known));
    measured.filter(|(distance, _)| *distance <= allowed).min().map(|(_, known)| known)
}

/// Is it one letter too many, too few or wrong, or two of them swapped?
pub(crate) fn is_a_slip(typed: &str, known: &str) -> bool {
    let count = |word: &str, letter| word.chars().filter(|other| *other == letter).count();
    let swapped =
        || typed.chars().chain(known.chars()).all(|letter| count(typed, letter) == count(known, letter));
    distance(typed, known) <= 1 || (swapped() && distance(typed, known) <= 2)
}

/// Letters to add, drop or change (Levenshtein), one row of the table at a time.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut next = vec![index.saturating_add(1)];
        for ((diagonal, above), other) in row.iter().zip(row.iter().skip(1)).zip(&to) {
            let left = next.last().copied().unwrap_or_default();
            let changed = diagonal.saturating_add(usize::from(letter != *other));
            next.push(changed.min(above.saturating_add(1)).min(left.saturating_add(1)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
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
            assert_eq!(nearest(word, ["timeout", "max_failures", "mode"]), expected, "{word}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
