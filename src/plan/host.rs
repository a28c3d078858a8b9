//! The host's part of the plan: how long a run may take, and what of the host holds restarts.

use std::time::Duration;

use unhang_core::BudgetRule;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// The whole tick ends by then.
    pub deadline: Duration,
    /// While PID 1 is younger than this, nothing is restarted.
    pub boot_grace: Duration,
    /// While dpkg or apt is at work, everything is paused.
    pub pause_on_dpkg: bool,
    /// For the restarts, most in vain, of services that began to fail together.
    pub budget: BudgetRule,
    pub hold_when: PressureLimits,
}

/// What the host must be busier with for restarts to be held; most name none.
pub(crate) type PressureLimits = Vec<(PressureKind, u32)>;

/// What tasks wait for, as the kernel counts it (Documentation/accounting/psi.rst): the share of the last
/// minute in which some of them, or all, did, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PressureKind {
    MemorySome,
    MemoryFull,
    CpuSome,
    IoSome,
    IoFull,
}

impl PressureKind {
    /// Its key of `hold_when`.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::MemorySome => "memory_some_avg60",
            Self::MemoryFull => "memory_full_avg60",
            Self::CpuSome => "cpu_some_avg60",
            Self::IoSome => "io_some_avg60",
            Self::IoFull => "io_full_avg60",
        }
    }
}

impl HostSettings {
    /// Kept of the deadline for the last look, saving and telling.
    pub(crate) const TIME_TO_FINISH: Duration = Duration::from_secs(2);
}
