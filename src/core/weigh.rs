//! What several probes of one service say together: all must be answered well, but for those that only warn.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Cause, Doubt, Observation};

/// Does a bad answer count against the service?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Counts,
    /// `optional = true`
    Warns,
}

/// What one probe showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<'a> {
    /// `None`: the service's own url.
    pub name: Option<&'a str>,
    pub weight: Weight,
    pub observation: Observation,
    /// It is well, but near to where it would not be.
    pub near: Option<String>,
}

/// What people are to know, though nothing follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// `None`: of the service's own url.
    pub probe: Option<String>,
    pub of: WarningOf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarningOf {
    Near(String),
    /// Of an optional probe.
    Failing(Cause),
    Doubt(Doubt),
}

/// What was seen of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub observation: Observation,
    pub warnings: Vec<Warning>,
    /// What the other probes showed that count and are not healthy.
    pub others: Vec<Warning>,
}

/// Maintenance before any failure, a failure before a doubt, and the first of several: in the operator's order.
/// Where nothing counts, nothing can be wrong with the service; of no probe at all: unknown, since nothing was asked.
#[must_use]
pub fn weigh(answers: Vec<Answered<'_>>) -> Seen {
    let mut worst: Option<(Rank, Option<&str>, Observation)> = None;
    let (mut warnings, mut others) = (Vec::new(), Vec::new());
    let is_asked = !answers.is_empty();
    for Answered { name, weight, observation, near } in answers {
        let mut warn = |of| warnings.push(Warning { probe: name.map(ToOwned::to_owned), of });
        if let Some(near) = near {
            warn(WarningOf::Near(near));
        }
        match (weight, observation) {
            (Weight::Warns, Observation::Healthy) => {}
            (Weight::Warns, Observation::Unhealthy(cause)) => warn(WarningOf::Failing(cause)),
            (Weight::Warns, Observation::Unknown(doubt)) => warn(WarningOf::Doubt(doubt)),
            (Weight::Counts, observation) => {
                let rank = rank(&observation);
                let other = if worst.as_ref().is_none_or(|(worst, ..)| rank > *worst) {
                    worst.replace((rank, name, observation)).map(|(_, name, observation)| (name, observation))
                } else {
                    Some((name, observation))
                };
                others.extend(other.and_then(|(name, observation)| not_healthy(name, observation)));
            }
        }
    }
    let nothing = || {
        let no_probe = || Observation::Unknown(Doubt::Other(String::from("it has no probe")));
        if is_asked { Observation::Healthy } else { no_probe() }
    };
    let observation = worst.map_or_else(nothing, |(_, name, observation)| named(name, observation));
    Seen { observation, warnings, others }
}

fn not_healthy(name: Option<&str>, observation: Observation) -> Option<Warning> {
    let of = match observation {
        Observation::Healthy => return None,
        Observation::Unhealthy(cause) => WarningOf::Failing(cause),
        Observation::Unknown(doubt) => WarningOf::Doubt(doubt),
    };
    Some(Warning { probe: name.map(ToOwned::to_owned), of })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Healthy,
    Unknown,
    Unhealthy,
    Maintenance,
}

const fn rank(observation: &Observation) -> Rank {
    match observation {
        Observation::Healthy => Rank::Healthy,
        Observation::Unknown(_) => Rank::Unknown,
        Observation::Unhealthy(cause) if cause.is_maintenance() => Rank::Maintenance,
        Observation::Unhealthy(_) => Rank::Unhealthy,
    }
}

fn named(name: Option<&str>, observation: Observation) -> Observation {
    match (name, observation) {
        (Some(name), Observation::Unhealthy(cause)) => {
            Observation::Unhealthy(Cause::Of(name.to_owned(), Box::new(cause)))
        }
        (Some(name), Observation::Unknown(doubt)) => {
            Observation::Unknown(Doubt::Of(name.to_owned(), Box::new(doubt)))
        }
        (_, observation) => observation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    use Weight::{Counts, Warns};

    fn bad() -> Observation {
        Observation::Unhealthy(Cause::Refused)
    }

    fn away() -> Observation {
        Observation::Unhealthy(Cause::Maintenance(503))
    }

    fn doubtful() -> Observation {
        Observation::Unknown(Doubt::NoRoute)
    }

    fn seen(answers: &[(&'static str, Weight, Observation)]) -> Seen {
        let answered = |(name, weight, observation): &(&'static str, Weight, Observation)| Answered {
            name: (!name.is_empty()).then_some(*name),
            weight: *weight,
            observation: observation.clone(),
            near: None,
        };
        weigh(answers.iter().map(answered).collect())
    }

    fn of(name: &str, observation: Observation) -> Observation {
        named(Some(name), observation)
    }

    #[test]
    fn all_that_count_must_be_well() {
        use Observation::Healthy;
        for (answers, expected) in [
            (vec![("", Counts, Healthy)], Healthy),
            (vec![("", Counts, bad())], bad()),
            (vec![("", Counts, Healthy), ("db", Counts, bad())], of("db", bad())),
            (vec![("a", Counts, bad()), ("b", Counts, doubtful())], of("a", bad())),
            (vec![("a", Counts, doubtful()), ("b", Counts, bad())], of("b", bad())),
            (vec![("a", Counts, doubtful()), ("b", Counts, Healthy)], of("a", doubtful())),
            (vec![("a", Counts, bad()), ("b", Counts, away())], of("b", away())),
            (vec![("", Counts, Healthy), ("disk", Warns, bad())], Healthy),
            (vec![("", Counts, doubtful()), ("disk", Warns, bad())], doubtful()),
            (vec![("load", Warns, doubtful()), ("disk", Warns, bad())], Healthy),
        ] {
            assert_eq!(seen(&answers).observation, expected, "{answers:?}");
        }
    }

    #[test]
    fn what_does_not_count_warns() {
        let seen = seen(&[("", Counts, bad()), ("disk", Warns, bad()), ("swap", Warns, doubtful())]);
        let warning = |probe: &str, of| Warning { probe: Some(probe.to_owned()), of };
        let expected = [
            warning("disk", WarningOf::Failing(Cause::Refused)),
            warning("swap", WarningOf::Doubt(Doubt::NoRoute)),
        ];
        assert_eq!(seen.warnings, expected);
    }

    #[test]
    fn what_fails_besides_is_kept() {
        let failing = |probe: &str| Warning {
            probe: (!probe.is_empty()).then(|| probe.to_owned()),
            of: WarningOf::Failing(Cause::Refused),
        };
        let doubt =
            |probe: &str| Warning { probe: Some(probe.to_owned()), of: WarningOf::Doubt(Doubt::NoRoute) };
        for (answers, others) in [
            (vec![("", Counts, Observation::Healthy), ("a", Counts, bad())], vec![]),
            (vec![("", Counts, bad()), ("a", Counts, bad())], vec![failing("a")]),
            (vec![("", Counts, bad()), ("a", Counts, away())], vec![failing("")]),
            (vec![("a", Counts, doubtful()), ("b", Counts, bad()), ("c", Warns, bad())], vec![doubt("a")]),
            (vec![("a", Counts, doubtful()), ("b", Counts, doubtful())], vec![doubt("b")]),
        ] {
            assert_eq!(seen(&answers).others, others, "{answers:?}");
        }
    }

    #[test]
    fn what_is_near_is_well_and_warns() {
        let near = Some(String::from("slow"));
        let answered = Answered { name: None, weight: Counts, observation: Observation::Healthy, near };
        let seen = weigh(vec![answered]);
        assert_eq!(seen.observation, Observation::Healthy);
        assert_eq!(seen.warnings, [Warning { probe: None, of: WarningOf::Near(String::from("slow")) }]);
    }

    #[test]
    fn where_nothing_was_asked_nothing_is_healthy() {
        assert!(matches!(seen(&[]).observation, Observation::Unknown(_)));
    }
}
