//! What the last runs saw, as far back as matters to tell whether a service flaps.

/// A bit for each run, the newest lowest: 1 for a failure. Zero once nothing but healthy answers are left, so
/// that a healthy service has nothing to remember.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recent(pub u64);

/// How many runs can be remembered.
pub const LONGEST_RECENT: u32 = 64;

impl Recent {
    #[must_use]
    pub fn healthy(self, of: u32) -> Self {
        self.after(0, of)
    }

    #[must_use]
    pub fn failed(self, of: u32) -> Self {
        self.after(1, of)
    }

    fn after(self, bit: u64, of: u32) -> Self {
        let kept = u64::MAX >> LONGEST_RECENT.saturating_sub(of.clamp(1, LONGEST_RECENT));
        Self(self.0.wrapping_shl(1) & kept | bit)
    }

    #[must_use]
    pub const fn failures(self) -> u32 {
        self.0.count_ones()
    }

    /// Outages, each of one or more failures in a row: one alone is no flapping.
    #[must_use]
    pub const fn outages(self) -> u32 {
        (self.0 & !(self.0 << 1)).count_ones()
    }
}
