//! How a run ends, and the numbers for it.

/// Of `run`. The order is that of `merge`: the later, the more it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All healthy.
    Healthy,
    /// The service was locked by another run; 75 is EX_TEMPFAIL of sysexits(3).
    Locked,
    /// Unhealthy, held or unknown, or restarted without being healed.
    Unhealthy,
    /// A state could be neither read nor written.
    StateUnusable,
    /// Usage or configuration: nothing was probed.
    Usage,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Unhealthy => 1,
            Self::Usage => 2,
            Self::StateUnusable => 3,
            Self::Locked => 75,
        }
    }

    /// Of several services: 75 only if every one was locked. One that was is not known to be healthy.
    pub(crate) fn worst_of(exits: impl IntoIterator<Item = Self>) -> Self {
        let mut exits: Vec<Self> = exits.into_iter().collect();
        if !exits.is_empty() && exits.iter().all(|exit| *exit == Self::Locked) {
            return Self::Locked;
        }
        for exit in &mut exits {
            if *exit == Self::Locked {
                *exit = Self::Unhealthy;
            }
        }
        exits.into_iter().max().unwrap_or(Self::Healthy)
    }
}

/// The exit status of `check`, by the convention of monitoring plugins. The order is that of `worst_of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PluginLevel {
    Ok,
    Warning,
    /// It could not be told; or usage or configuration.
    Unknown,
    Critical,
}

impl PluginLevel {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    pub(crate) fn worst_of(levels: impl IntoIterator<Item = Self>) -> Self {
        levels.into_iter().max().unwrap_or(Self::Unknown)
    }
}

impl From<PluginLevel> for std::process::ExitCode {
    fn from(level: PluginLevel) -> Self {
        Self::from(level.code())
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rustfmt::skip]
    #[test]
    fn of_several_the_gravest() {
        use Exit::{Locked, StateUnusable, Unhealthy, Healthy};
        for (exits, merged) in [
            (vec![Healthy, Healthy], Healthy), (vec![Healthy, Unhealthy], Unhealthy), (vec![Unhealthy, StateUnusable, Healthy], StateUnusable),
            (vec![Locked, Locked], Locked), (vec![Locked, Healthy], Unhealthy), (vec![Locked, Unhealthy], Unhealthy), (vec![], Healthy),
        ] {
            assert_eq!(Exit::worst_of(exits.clone()), merged, "{exits:?}");
        }
    }

    #[test]
    fn the_worst_level_is_critical_then_unknown() {
        use PluginLevel::{Critical, Ok, Unknown, Warning};
        for (levels, worst) in [
            (vec![Ok, Warning], Warning),
            (vec![Unknown, Ok, Warning], Unknown),
            (vec![Unknown, Critical, Ok], Critical),
            (vec![], Unknown),
        ] {
            assert_eq!(PluginLevel::worst_of(levels.clone()), worst, "{levels:?}");
        }
        assert_eq!([Ok, Warning, Critical, Unknown].map(PluginLevel::code), [0, 1, 2, 3]);
    }
}
