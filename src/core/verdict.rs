//! What a tick concluded, and the stable code of why.

use alloc::string::String;
use core::time::Duration;

use crate::{Act, Doubt, FailingRequirement, Paused};

/// Each variant carries the numbers that explain it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Healthy,
    Recovering {
        successes: u32,
        of: u32,
    },
    Recovered {
        failures: u32,
    },
    Failing(Failing),
    Held(Hold),
    /// By this means.
    Restart(Act),
    Unknown(Doubt),
}

/// It failed, and nothing is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failing {
    Counting,
    /// Not counted: started too short a time ago.
    Grace {
        age: Duration,
    },
    /// Not counted: too near to the last counted failure.
    TooSoon {
        gap: Duration,
    },
}

/// Why nothing is done although it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    NotFound,
    Masked,
    NotStartable,
    /// systemd takes no restart from the user that we run as.
    NotPermitted,
    CrashLoop {
        lives: u32,
    },
    UnitBusy,
    Frozen,
    Stopped,
    Exited,
    NeverStarted,
    Condition,
    Disabled,
    Conflict(String),
    HostStopping,
    HostStarting {
        left: Duration,
    },
    Paused(Paused),
    Upstream(Upstream),
    ProbeOnly,
    Budget {
        left: Duration,
    },
    Backoff {
        left: Duration,
    },
    Deadline,
    Observe,
    /// It began to fail with many others, and restarts of some have not helped.
    CommonCause {
        left: Duration,
    },
    /// Asked so, it has never been healthy, and a restart has not changed that.
    NeverHealthy,
    /// It answers the same as before our last restart: 3xx or 4xx, which no restart changes.
    SameAnswer(u16),
    /// Each means of the operator's list was used once in this incident.
    NoRungLeft,
    /// With the pressure that is too high.
    HostPressure(String),
    /// Between the first look and the one right before the restart.
    ChangedMeanwhile(Reason),
}

/// What it needs is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// The unit was stopped by somebody, and a restart would start it.
    Stopped(String),
    Failing(FailingRequirement),
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub enum $name { $($(#[$attr])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.code() == code)
            }
        }
    };
}

codes! {
    /// The verdict's word.
    VerdictKind {
        #[default]
        Healthy = "healthy",
        Recovering = "recovering",
        Recovered = "recovered",
        Failing = "failing",
        Held = "held",
        Restart = "restart",
        Unknown = "unknown",
    }
}

codes! {
    /// Stable: in the state file, the log, and the manual. In the order of the decision table.
    Reason {
        #[default]
        Ok = "ok",
        Recovered = "recovered",
        Recovering = "recovering",
        Unknown = "unknown",
        UnitUnknown = "unit_unknown",
        NoSystemd = "no_systemd",
        NotFound = "not_found",
        Masked = "masked",
        NotStartable = "not_startable",
        NotPermitted = "not_permitted",
        CrashLoop = "crash_loop",
        UnitBusy = "unit_busy",
        Frozen = "frozen",
        Stopped = "stopped",
        Exited = "exited",
        NeverStarted = "never_started",
        Condition = "condition",
        Disabled = "disabled",
        Conflict = "conflict",
        HostStopping = "host_stopping",
        HostStarting = "host_starting",
        Paused = "paused",
        Upstream = "upstream",
        Grace = "grace",
        TooSoon = "too_soon",
        Counting = "counting",
        ProbeOnly = "probe_only",
        NoRungLeft = "no_rung_left",
        Budget = "budget",
        Backoff = "backoff",
        Deadline = "deadline",
        HostPressure = "host_pressure",
        CommonCause = "common_cause",
        NeverHealthy = "never_healthy",
        SameAnswer = "same_answer",
        Observe = "observe",
        ChangedMeanwhile = "changed_meanwhile",
        HealedItself = "healed_itself",
        MaxFailures = "max_failures",
    }
}

impl Verdict {
    #[must_use]
    pub const fn kind(&self) -> VerdictKind {
        match self {
            Self::Healthy => VerdictKind::Healthy,
            Self::Recovering { .. } => VerdictKind::Recovering,
            Self::Recovered { .. } => VerdictKind::Recovered,
            Self::Failing(_) => VerdictKind::Failing,
            Self::Held(_) => VerdictKind::Held,
            Self::Restart(_) => VerdictKind::Restart,
            Self::Unknown(_) => VerdictKind::Unknown,
        }
    }

    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Healthy => Reason::Ok,
            Self::Recovering { .. } => Reason::Recovering,
            Self::Recovered { .. } => Reason::Recovered,
            Self::Failing(Failing::Counting) => Reason::Counting,
            Self::Failing(Failing::Grace { .. }) => Reason::Grace,
            Self::Failing(Failing::TooSoon { .. }) => Reason::TooSoon,
            Self::Held(hold) => hold.reason(),
            Self::Restart(_) => Reason::MaxFailures,
            Self::Unknown(Doubt::NoSystemd(_)) => Reason::NoSystemd,
            Self::Unknown(Doubt::UnitUnknown(_)) => Reason::UnitUnknown,
            Self::Unknown(_) => Reason::Unknown,
        }
    }
}

impl Hold {
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::NotFound => Reason::NotFound,
            Self::Masked => Reason::Masked,
            Self::NotStartable => Reason::NotStartable,
            Self::NotPermitted => Reason::NotPermitted,
            Self::CrashLoop { .. } => Reason::CrashLoop,
            Self::UnitBusy => Reason::UnitBusy,
            Self::Frozen => Reason::Frozen,
            Self::Stopped => Reason::Stopped,
            Self::Exited => Reason::Exited,
            Self::NeverStarted => Reason::NeverStarted,
            Self::Condition => Reason::Condition,
            Self::Disabled => Reason::Disabled,
            Self::Conflict(_) => Reason::Conflict,
            Self::HostStopping => Reason::HostStopping,
            Self::HostStarting { .. } => Reason::HostStarting,
            Self::Paused(_) => Reason::Paused,
            Self::Upstream(_) => Reason::Upstream,
            Self::ProbeOnly => Reason::ProbeOnly,
            Self::NoRungLeft => Reason::NoRungLeft,
            Self::Budget { .. } => Reason::Budget,
            Self::Backoff { .. } => Reason::Backoff,
            Self::Deadline => Reason::Deadline,
            Self::HostPressure(_) => Reason::HostPressure,
            Self::CommonCause { .. } => Reason::CommonCause,
            Self::NeverHealthy => Reason::NeverHealthy,
            Self::SameAnswer(_) => Reason::SameAnswer,
            Self::Observe => Reason::Observe,
            Self::ChangedMeanwhile(_) => Reason::ChangedMeanwhile,
        }
    }

    /// When this hold ends by itself, if it does.
    #[must_use]
    pub const fn left(&self) -> Option<Duration> {
        match self {
            Self::Paused(paused) => paused.left,
            Self::Budget { left }
            | Self::Backoff { left }
            | Self::CommonCause { left }
            | Self::HostStarting { left } => Some(*left),
            Self::NotFound
            | Self::Masked
            | Self::NotStartable
            | Self::NotPermitted
            | Self::CrashLoop { .. }
            | Self::UnitBusy
            | Self::Frozen
            | Self::Stopped
            | Self::Exited
            | Self::NeverStarted
            | Self::Condition
            | Self::Disabled
            | Self::Conflict(_)
            | Self::HostStopping
            | Self::Upstream(_)
            | Self::ProbeOnly
            | Self::NoRungLeft
            | Self::Deadline
            | Self::HostPressure(_)
            | Self::NeverHealthy
            | Self::SameAnswer(_)
            | Self::Observe
            | Self::ChangedMeanwhile(_) => None,
        }
    }
}
