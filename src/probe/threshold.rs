//! `warn` and `fail`: from where on a figure warns, and fails. Pure.

use crate::plan::{KeyConflict, KeySpec, Params, ValueType};

use super::kind::ProbeResult;

/// More is worse: a disk, memory. `words` tell the figure.
pub(super) fn judge_figure(
    given: &Params,
    (warn, fail): (&KeySpec, &KeySpec),
    figure: u64,
    words: &str,
) -> ProbeResult {
    let passed = |key: &KeySpec| {
        given.number(key).filter(|limit| figure >= *limit).map(|limit| bound_text(key, limit))
    };
    match (passed(fail), passed(warn)) {
        (Some(fail), _) => ProbeResult::failing(format!("{words} ({fail})")),
        (None, Some(warn)) => ProbeResult::warning(format!("{words} ({warn})")),
        (None, None) => ProbeResult::ok(words),
    }
}

/// The first warning must come before the failure.
pub(super) fn find_conflict(given: &Params, warn: &KeySpec, fail: &KeySpec) -> Option<KeyConflict> {
    let (least, most) = (given.number(warn)?, given.number(fail)?);
    let what = || format!("must be more than {}, got {}", bound_text(warn, least), format_figure(fail, most));
    (most <= least).then(|| KeyConflict { key: fail.name, what: what(), cure: "warn first, fail later" })
}

/// `warn 90%`
fn bound_text(key: &KeySpec, limit: u64) -> String {
    format!("{} {}", key.name, format_figure(key, limit))
}

/// As an operator writes it.
pub(super) fn format_figure(key: &KeySpec, number: u64) -> String {
    match key.value_type {
        ValueType::Share => format!("{number}%"),
        ValueType::Hundredths => format!("{}.{:02}", number / 100, number % 100),
        ValueType::Size
        | ValueType::Count
        | ValueType::Text(_)
        | ValueType::Unit
        | ValueType::Path
        | ValueType::File(_)
        | ValueType::Folder(_)
        | ValueType::Pattern
        | ValueType::Span
        | ValueType::Number { .. }
        | ValueType::Command
        | ValueType::CommandOrNone
        | ValueType::Address
        | ValueType::OneOf(_) => number.to_string(),
    }
}

#[cfg(test)]
pub(super) fn given(numbers: &[(&'static str, u64)]) -> Params {
    let mut given = Params::default();
    given.0.extend(numbers.iter().map(|(key, number)| (*key, crate::plan::ParamValue::Number(*number))));
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    const WARN: KeySpec = KeySpec::new("warn", ValueType::Hundredths);
    const FAIL: KeySpec = KeySpec::new("fail", ValueType::Hundredths);

    #[test]
    fn a_figure_is_judged_by_the_bound_that_it_reaches() {
        let both = given(&[("warn", 150), ("fail", 205)]);
        for (figure, expected) in [
            (149, ProbeResult::ok("load")),
            (150, ProbeResult::warning("load (warn 1.50)")),
            (205, ProbeResult::failing("load (fail 2.05)")),
        ] {
            assert_eq!(judge_figure(&both, (&WARN, &FAIL), figure, "load"), expected);
        }
        assert_eq!(
            judge_figure(&given(&[("warn", 1)]), (&WARN, &FAIL), 900, "load"),
            ProbeResult::warning("load (warn 0.01)")
        );
        assert_eq!(judge_figure(&given(&[]), (&WARN, &FAIL), 900, "load"), ProbeResult::ok("load"));
    }

    #[test]
    fn a_warning_comes_before_the_failure() {
        let clash = |warn, fail| find_conflict(&given(&[("warn", warn), ("fail", fail)]), &WARN, &FAIL);
        assert!(clash(150, 151).is_none());
        assert_eq!(clash(150, 150).unwrap().what, "must be more than warn 1.50, got 1.50");
    }
}
