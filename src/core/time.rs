use alloc::string::String;
use core::time::Duration;

/// A point in time that survives setting the clock: for decisions. People get the wall clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moment {
    /// Names the boot (random(4)); `None` where it cannot be read.
    pub boot: Option<String>,
    /// `CLOCK_BOOTTIME`: since the kernel started, time asleep included.
    pub since_boot: Duration,
    /// The wall clock, since 1970.
    pub wall: Duration,
}

impl Moment {
    /// How long ago `earlier` was. Within one boot this is exact; across boots it is what the wall clock
    /// says. The uptime tells nothing of that: a container has boots of its own, and the machine's uptime.
    #[must_use]
    pub fn elapsed_since(&self, earlier: &Self) -> Duration {
        if self.boot.is_some() && self.boot == earlier.boot {
            self.since_boot.saturating_sub(earlier.since_boot)
        } else {
            self.wall.saturating_sub(earlier.wall)
        }
    }

    #[must_use]
    pub fn plus(&self, by: Duration) -> Self {
        Self {
            boot: self.boot.clone(),
            since_boot: self.since_boot.saturating_add(by),
            wall: self.wall.saturating_add(by),
        }
    }

    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        let same_boot = self.boot.is_some() && self.boot == other.boot;
        if same_boot { self.since_boot < other.since_boot } else { self.wall < other.wall }
    }

    /// A stamp that lies in the future becomes now, so that a clock that was wrong once cannot hold
    /// anything for years.
    pub(crate) fn clamp_to(&mut self, now: &Self) {
        if now.is_before(self) {
            self.clone_from(now);
        }
    }

    #[must_use]
    pub(crate) fn clamped_to(&self, now: &Self) -> Self {
        let mut bound = self.clone();
        bound.clamp_to(now);
        bound
    }
}
