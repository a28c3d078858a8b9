//! What several probes of one service say together: all must be answered well, but for those that only warn.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Cause, Doubt, Observation};

/// Does a bad answer count against the service?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeRole {
    Required,
    /// `optional = true`
    Optional,
}

/// What one probe showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeOutcome<'a> {
    /// `None`: the service's own url.
    pub name: Option<&'a str>,
    pub weight: ProbeRole,
    pub observation: Observation,
    /// It is well, but near to where it would not be.
    pub near: Option<String>,
}

/// What people are to know, though nothing follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeWarning {
    /// `None`: of the service's own url.
    pub probe: Option<String>,
    pub of: WarningKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarningKind {
    Threshold(String),
    /// Of an optional probe.
    Failing(Cause),
    Doubt(Doubt),
}

/// What was seen of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CombinedObservation {
    pub observation: Observation,
    pub warnings: Vec<ProbeWarning>,
    /// What the other probes showed that count and are not healthy.
    pub others: Vec<ProbeWarning>,
}

/// Maintenance before any failure, a failure before a doubt, and the first of several: in the operator's order.
/// Where nothing counts, nothing can be wrong with the service; of no probe at all: unknown, since nothing was asked.
#[must_use]
pub fn combine(answers: Vec<ProbeOutcome<'_>>) -> CombinedObservation {
    let mut worst: Option<(Severity, Option<&str>, Observation)> = None;
    let (mut warnings, mut others) = (Vec::new(), Vec::new());
    let is_asked = !answers.is_empty();
    for ProbeOutcome { name, weight, observation, near } in answers {
        let mut warn = |of| warnings.push(ProbeWarning { probe: name.map(ToOwned::to_owned), of });
        if let Some(near) = near {
            warn(WarningKind::Threshold(near));
        }
        match (weight, observation) {
            (ProbeRole::Optional, Observation::Healthy) => {}
            (ProbeRole::Optional, Observation::Unhealthy(cause)) => warn(WarningKind::Failing(cause)),
            (ProbeRole::Optional, Observation::Unknown(doubt)) => warn(WarningKind::Doubt(doubt)),
            (ProbeRole::Required, observation) => {
                let rank = severity(&observation);
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
    let observation = worst.map_or_else(nothing, |(_, name, observation)| with_probe_name(name, observation));
    CombinedObservation { observation, warnings, others }
}

fn not_healthy(name: Option<&str>, observation: Observation) -> Option<ProbeWarning> {
    let of = match observation {
        Observation::Healthy => return None,
        Observation::Unhealthy(cause) => WarningKind::Failing(cause),
        Observation::Unknown(doubt) => WarningKind::Doubt(doubt),
    };
    Some(ProbeWarning { probe: name.map(ToOwned::to_owned), of })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Healthy,
    Unknown,
    Unhealthy,
    Maintenance,
}

const fn severity(observation: &Observation) -> Severity {
    match observation {
        Observation::Healthy => Severity::Healthy,
        Observation::Unknown(_) => Severity::Unknown,
        Observation::Unhealthy(cause) if cause.is_maintenance() => Severity::Maintenance,
        Observation::Unhealthy(_) => Severity::Unhealthy,
    }
}

fn with_probe_name(name: Option<&str>, observation: Observation) -> Observation {
    match (name, observation) {
        (Some(name), Observation::Unhealthy(cause)) => {
            Observation::Unhealthy(Cause::Named(name.to_owned(), Box::new(cause)))
        }
        (Some(name), Observation::Unknown(doubt)) => {
            Observation::Unknown(Doubt::Named(name.to_owned(), Box::new(doubt)))
        }
        (_, observation) => observation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    use ProbeRole::{Optional, Required};

    fn bad() -> Observation {
        Observation::Unhealthy(Cause::Refused)
    }

    fn away() -> Observation {
        Observation::Unhealthy(Cause::Maintenance(503))
    }

    fn doubtful() -> Observation {
        Observation::Unknown(Doubt::NoRoute)
    }

    fn seen(answers: &[(&'static str, ProbeRole, Observation)]) -> CombinedObservation {
        let answered = |(name, weight, observation): &(&'static str, ProbeRole, Observation)| ProbeOutcome {
            name: (!name.is_empty()).then_some(*name),
            weight: *weight,
            observation: observation.clone(),
            near: None,
        };
        combine(answers.iter().map(answered).collect())
    }

    fn of(name: &str, observation: Observation) -> Observation {
        with_probe_name(Some(name), observation)
    }

    #[test]
    fn all_that_count_must_be_well() {
        use Observation::Healthy;
        for (answers, expected) in [
            (vec![("", Required, Healthy)], Healthy),
            (vec![("", Required, bad())], bad()),
            (vec![("", Required, Healthy), ("db", Required, bad())], of("db", bad())),
            (vec![("a", Required, bad()), ("b", Required, doubtful())], of("a", bad())),
            (vec![("a", Required, doubtful()), ("b", Required, bad())], of("b", bad())),
            (vec![("a", Required, doubtful()), ("b", Required, Healthy)], of("a", doubtful())),
            (vec![("a", Required, bad()), ("b", Required, away())], of("b", away())),
            (vec![("", Required, Healthy), ("disk", Optional, bad())], Healthy),
            (vec![("", Required, doubtful()), ("disk", Optional, bad())], doubtful()),
            (vec![("load", Optional, doubtful()), ("disk", Optional, bad())], Healthy),
        ] {
            assert_eq!(seen(&answers).observation, expected, "{answers:?}");
        }
    }

    #[test]
    fn what_does_not_count_warns() {
        let seen = seen(&[("", Required, bad()), ("disk", Optional, bad()), ("swap", Optional, doubtful())]);
        let warning = |probe: &str, of| ProbeWarning { probe: Some(probe.to_owned()), of };
        let expected = [
            warning("disk", WarningKind::Failing(Cause::Refused)),
            warning("swap", WarningKind::Doubt(Doubt::NoRoute)),
        ];
        assert_eq!(seen.warnings, expected);
    }

    #[test]
    fn what_fails_besides_is_kept() {
        let failing = |probe: &str| ProbeWarning {
            probe: (!probe.is_empty()).then(|| probe.to_owned()),
            of: WarningKind::Failing(Cause::Refused),
        };
        let doubt = |probe: &str| ProbeWarning {
            probe: Some(probe.to_owned()),
            of: WarningKind::Doubt(Doubt::NoRoute),
        };
        for (answers, others) in [
            (vec![("", Required, Observation::Healthy), ("a", Required, bad())], vec![]),
            (vec![("", Required, bad()), ("a", Required, bad())], vec![failing("a")]),
            (vec![("", Required, bad()), ("a", Required, away())], vec![failing("")]),
            (
                vec![("a", Required, doubtful()), ("b", Required, bad()), ("c", Optional, bad())],
                vec![doubt("a")],
            ),
            (vec![("a", Required, doubtful()), ("b", Required, doubtful())], vec![doubt("b")]),
        ] {
            assert_eq!(seen(&answers).others, others, "{answers:?}");
        }
    }

    #[test]
    fn what_is_near_is_well_and_warns() {
        let near = Some(String::from("slow"));
        let answered = ProbeOutcome { name: None, weight: Required, observation: Observation::Healthy, near };
        let seen = combine(vec![answered]);
        assert_eq!(seen.observation, Observation::Healthy);
        assert_eq!(
            seen.warnings,
            [ProbeWarning { probe: None, of: WarningKind::Threshold(String::from("slow")) }]
        );
    }

    #[test]
    fn where_nothing_was_asked_nothing_is_healthy() {
        assert!(matches!(seen(&[]).observation, Observation::Unknown(_)));
    }
}
