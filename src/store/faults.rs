//! Which faults of our own were already told: when they begin and then hourly, so that cron does not
//! mail the same line every two minutes. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use unhang_core::Moment;

const AGAIN: Duration = Duration::from_secs(3_600);

/// What of ours can be out of order for longer than one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Log,
    Disk,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(BTreeMap<String, Moment>);

impl Faults {
    pub(super) fn new(told: BTreeMap<String, Moment>) -> Self {
        Self(told)
    }

    /// It is so now. True: say it.
    pub(crate) fn begins_or_lasts(&mut self, fault: Fault, now: &Moment) -> bool {
        let told_lately = self.0.get(fault.code()).is_some_and(|at| now.since(at) < AGAIN);
        if !told_lately {
            self.0.insert(fault.code().to_owned(), now.clone());
        }
        !told_lately
    }

    pub(crate) fn ends(&mut self, fault: Fault) {
        self.0.remove(fault.code());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Moment)> {
        self.0.iter().map(|(kind, at)| (kind.as_str(), at))
    }
}

impl Fault {
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
        let mut faults = Faults::default();
        let told: Vec<u64> =
            (0..180).step_by(2).filter(|minute| faults.begins_or_lasts(Fault::Log, &at(*minute))).collect();
        assert_eq!(told, [0, 60, 120]);
        faults.ends(Fault::Log);
        assert!(faults.begins_or_lasts(Fault::Log, &at(122)), "it ended, and begins anew");
        assert!(faults.begins_or_lasts(Fault::Disk, &at(122)), "each on its own");
    }
}
