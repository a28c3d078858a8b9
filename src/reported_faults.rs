//! Which faults of unhang's own were already reported: when they begin and then hourly, so that cron does not
//! mail the same line every two minutes. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use unhang_core::Moment;

const REPEAT_FAULT_EVERY: Duration = Duration::from_secs(3_600);

/// A fault of unhang's own that can last longer than one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnFault {
    Log,
    Disk,
}

/// When each fault was last reported, by the fault's code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportedFaults(BTreeMap<String, Moment>);

impl ReportedFaults {
    /// The times by code, as the state file has them.
    pub(crate) fn new(told: BTreeMap<String, Moment>) -> Self {
        Self(told)
    }

    /// Whether a fault that exists now is to be reported: it is new, or was last reported an hour ago.
    pub(crate) fn should_report(&mut self, fault: OwnFault, now: &Moment) -> bool {
        let told_lately =
            self.0.get(fault.code()).is_some_and(|at| now.elapsed_since(at) < REPEAT_FAULT_EVERY);
        if !told_lately {
            self.0.insert(fault.code().to_owned(), now.clone());
        }
        !told_lately
    }

    /// Forgets a fault that is over.
    pub(crate) fn clear(&mut self, fault: OwnFault) {
        self.0.remove(fault.code());
    }

    /// Code and time of each fault, for the state file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Moment)> {
        self.0.iter().map(|(kind, at)| (kind.as_str(), at))
    }
}

impl OwnFault {
    const fn code(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Disk => "disk",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_when_it_begins_and_then_hourly() {
        let at = |minutes: u64| Moment {
            boot: None,
            since_boot: Duration::ZERO,
            wall: Duration::from_secs(9_000 + minutes * 60),
        };
        let mut faults = ReportedFaults::default();
        let told: Vec<u64> =
            (0..180).step_by(2).filter(|minute| faults.should_report(OwnFault::Log, &at(*minute))).collect();
        assert_eq!(told, [0, 60, 120]);
        faults.clear(OwnFault::Log);
        assert!(faults.should_report(OwnFault::Log, &at(122)), "it ended, and begins anew");
        assert!(faults.should_report(OwnFault::Disk, &at(122)), "each on its own");
    }
}
