//! What the last runs saw, as far back as matters to tell whether a service flaps.

/// A bit for each run, the newest lowest: 1 for a failure. Zero once nothing but healthy answers are left, so
/// that a healthy service has nothing to remember.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailureWindow(pub u64);

/// How many runs can be remembered.
pub const MAX_WINDOW_RUNS: u32 = 64;

impl FailureWindow {
    #[must_use]
    pub fn add_healthy(self, of: u32) -> Self {
        self.push(0, of)
    }

    #[must_use]
    pub fn add_failure(self, of: u32) -> Self {
        self.push(1, of)
    }

    fn push(self, bit: u64, of: u32) -> Self {
        let kept = u64::MAX >> MAX_WINDOW_RUNS.saturating_sub(of.clamp(1, MAX_WINDOW_RUNS));
        Self(self.0.wrapping_shl(1) & kept | bit)
    }

    #[must_use]
    pub const fn count_failures(self) -> u32 {
        self.0.count_ones()
    }

    /// Outages, each of one or more failures in a row: one alone is no flapping.
    #[must_use]
    pub const fn count_outages(self) -> u32 {
        (self.0 & !(self.0 << 1)).count_ones()
    }
}
