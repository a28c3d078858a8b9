//! What a tick concluded, and the stable code of why.

use core::time::Duration;

use crate::{Doubt, HandsOff, StepKind, Withheld};

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
    Failing(NotDue),
    Held(HoldReason),
    /// By this means.
    Restart(StepKind),
    Unknown(Doubt),
}

/// It failed, and nothing is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDue {
    Counting,
    /// Not counted: started too short a time ago.
    InGrace {
        age: Duration,
    },
    /// Not counted: too near to the last counted failure.
    TooSoon {
        gap: Duration,
    },
}

/// Why nothing is done although it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldReason {
    /// Rows 4 to 10.
    HandsOff(HandsOff),
    /// Rows 14 and 15.
    Withheld(Withheld),
    /// Row 16: the second look did not show what the first one had, but this.
    ChangedBeforeRestart(Reason),
}

/// What a held service waits for, as far as the reason tells that was kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldUntil {
    /// Nobody's hands are on it any more; then a full count begins.
    HandsAreOff,
    TimeHasPassed,
    /// It was healthy in between: the incident is over.
    IncidentIsOver,
    /// It was healthy once, as it is asked.
    HealthyOnce,
    AnswersOtherwise,
    /// The host, its other services or our rights are no longer as they were.
    SituationChanges,
    NextRun,
    ConfigurationChanges,
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
        EscalationExhausted = "escalation_exhausted",
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
            Self::Failing(NotDue::Counting) => Reason::Counting,
            Self::Failing(NotDue::InGrace { .. }) => Reason::Grace,
            Self::Failing(NotDue::TooSoon { .. }) => Reason::TooSoon,
            Self::Held(hold) => hold.reason(),
            Self::Restart(_) => Reason::MaxFailures,
            Self::Unknown(Doubt::NoSystemd(_)) => Reason::NoSystemd,
            Self::Unknown(Doubt::UnitUnknown(_)) => Reason::UnitUnknown,
            Self::Unknown(_) => Reason::Unknown,
        }
    }
}

impl Reason {
    /// `None`: a service is not held for this reason.
    #[must_use]
    pub const fn held_until(self) -> Option<HeldUntil> {
        Some(match self {
            Self::NotFound
            | Self::Masked
            | Self::NotStartable
            | Self::CrashLoop
            | Self::UnitBusy
            | Self::Frozen
            | Self::Stopped
            | Self::Exited
            | Self::NeverStarted
            | Self::Condition
            | Self::Disabled
            | Self::Conflict
            | Self::HostStopping
            | Self::HostStarting
            | Self::Paused
            | Self::Upstream => HeldUntil::HandsAreOff,
            Self::Budget | Self::Backoff => HeldUntil::TimeHasPassed,
            Self::EscalationExhausted => HeldUntil::IncidentIsOver,
            Self::NeverHealthy => HeldUntil::HealthyOnce,
            Self::SameAnswer => HeldUntil::AnswersOtherwise,
            Self::NotPermitted | Self::HostPressure | Self::CommonCause => HeldUntil::SituationChanges,
            Self::Deadline | Self::ChangedMeanwhile => HeldUntil::NextRun,
            Self::ProbeOnly | Self::Observe => HeldUntil::ConfigurationChanges,
            Self::Ok
            | Self::Recovered
            | Self::Recovering
            | Self::Unknown
            | Self::UnitUnknown
            | Self::NoSystemd
            | Self::Grace
            | Self::TooSoon
            | Self::Counting
            | Self::HealedItself
            | Self::MaxFailures => return None,
        })
    }
}

impl HeldUntil {
    /// Does a reset by hand end it, too? It does where what holds the service is remembered of that itself.
    #[must_use]
    pub(crate) const fn ends_with_reset(self) -> bool {
        match self {
            Self::TimeHasPassed | Self::IncidentIsOver | Self::HealthyOnce | Self::AnswersOtherwise => true,
            Self::HandsAreOff | Self::SituationChanges | Self::NextRun | Self::ConfigurationChanges => false,
        }
    }
}

impl HoldReason {
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::HandsOff(hands_off) => hands_off.reason(),
            Self::Withheld(withheld) => withheld.reason(),
            Self::ChangedBeforeRestart(_) => Reason::ChangedMeanwhile,
        }
    }

    /// When this hold ends by itself, if it does.
    #[must_use]
    pub const fn time_left(&self) -> Option<Duration> {
        match self {
            Self::HandsOff(hands_off) => hands_off.time_left(),
            Self::Withheld(withheld) => withheld.time_left(),
            Self::ChangedBeforeRestart(_) => None,
        }
    }
}
