//! `warn` and `fail`: from where on a figure warns, and fails. Pure.

use crate::plan::{Clash, Given, Key, Word};

use super::kind::Found;

/// More is worse: a disk, memory. `words` tell the figure.
pub(super) fn over(given: &Given, (warn, fail): (&Key, &Key), figure: u64, words: &str) -> Found {
    let passed =
        |key: &Key| given.number(key).filter(|limit| figure >= *limit).map(|limit| bound(key, limit));
    match (passed(fail), passed(warn)) {
        (Some(fail), _) => Found::failing(format!("{words} ({fail})")),
        (None, Some(warn)) => Found::near(format!("{words} ({warn})")),
        (None, None) => Found::well(words),
    }
}

/// The first warning must come before the failure.
pub(super) fn upward(given: &Given, warn: &Key, fail: &Key) -> Option<Clash> {
    let (least, most) = (given.number(warn)?, given.number(fail)?);
    let what = || format!("must be more than {}, got {}", bound(warn, least), shown(fail, most));
    (most <= least).then(|| Clash { key: fail.name, what: what(), cure: "warn first, fail later" })
}

/// `warn 90%`
fn bound(key: &Key, limit: u64) -> String {
    format!("{} {}", key.name, shown(key, limit))
}

/// As an operator writes it.
pub(super) fn shown(key: &Key, number: u64) -> String {
    match key.word {
        Word::Share => format!("{number}%"),
        Word::Hundredths => format!("{}.{:02}", number / 100, number % 100),
        Word::Size
        | Word::Count
        | Word::Text(_)
        | Word::Path
        | Word::Pattern
        | Word::Span
        | Word::Command
        | Word::Address
        | Word::OneOf(_) => number.to_string(),
    }
}

#[cfg(test)]
pub(super) fn given(numbers: &[(&'static str, u64)]) -> Given {
    let mut given = Given::default();
    given.0.extend(numbers.iter().map(|(key, number)| (*key, crate::plan::Value::Number(*number))));
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    const WARN: Key = Key { name: "warn", word: Word::Hundredths, default: None };
    const FAIL: Key = Key { name: "fail", word: Word::Hundredths, default: None };

    #[test]
    fn a_figure_is_judged_by_the_bound_that_it_reaches() {
        let both = given(&[("warn", 150), ("fail", 205)]);
        for (figure, expected) in [
            (149, Found::well("load")),
            (150, Found::near("load (warn 1.50)")),
            (205, Found::failing("load (fail 2.05)")),
        ] {
            assert_eq!(over(&both, (&WARN, &FAIL), figure, "load"), expected);
        }
        assert_eq!(
            over(&given(&[("warn", 1)]), (&WARN, &FAIL), 900, "load"),
            Found::near("load (warn 0.01)")
        );
        assert_eq!(over(&given(&[]), (&WARN, &FAIL), 900, "load"), Found::well("load"));
    }

    #[test]
    fn a_warning_comes_before_the_failure() {
        let clash = |warn, fail| upward(&given(&[("warn", warn), ("fail", fail)]), &WARN, &FAIL);
        assert!(clash(150, 151).is_none());
        assert_eq!(clash(150, 150).unwrap().what, "must be more than warn 1.50, got 1.50");
    }
}
