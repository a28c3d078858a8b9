//! Scripts: one line a case. Laws: over random histories, in `laws.rs`.

#![allow(clippy::wildcard_enum_match_arm, clippy::needless_pass_by_value, reason = "shorter tables")]

mod laws;
mod rows;
mod scripts;

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::*;

const fn s(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn policy() -> Policy {
    Policy {
        max_failures: 2,
        min_successes: 1,
        grace: s(30),
        min_gap: s(45),
        stale_after: s(600),
        budget: Budget { restarts: 5, window: s(3600) },
        backoff: BackoffLimits { first: s(120), max: s(3600) },
        mode: Mode::Act,
        held_too_long: s(1800),
        flapping: Flapping { failures: 5, of: 12, then: OnFlapping::Tell },
    }
}

fn host() -> Host {
    Host { stopping: false, starting: None, time_left: s(100), pressure: None }
}

fn bad() -> Observation {
    Observation::Unhealthy(Cause::Status(502))
}

fn paused() -> Pause {
    let by = PausedBy::Person { who: "anna".to_string(), why: None };
    Pause::Lasting(Paused { by, left: Some(s(900)) })
}

fn at(boot: &str, up: u64, wall: u64) -> Moment {
    Moment { boot: Some(boot.to_string()), since_boot: s(up), wall: s(wall) }
}

/// Active, long since, and nothing is queued.
fn running(incarnation: &str) -> Life {
    Life {
        load: Load::Loaded,
        active: Active::Active,
        result: UnitResult::Success,
        incarnation: Some(incarnation.to_string()),
        own_restarts: 0,
        disabled: false,
        condition_unmet: false,
        inactive_exit: s(10),
        active_enter: s(10),
        active_exit: s(0),
        main_exit: Some(s(0)),
        runtime_limited: false,
        age: Some(s(5000)),
        neighbours: vec![],
    }
}

fn ended(incarnation: &str, active: Active, result: UnitResult, exit: u64, main: u64) -> Life {
    Life { active, result, active_exit: s(exit), main_exit: Some(s(main)), age: None, ..running(incarnation) }
}

/// As a hung service ends that somebody stops.
fn stopped(incarnation: &str) -> Life {
    ended(incarnation, Active::Failed, UnitResult::Timeout, 20, 21)
}

fn crashed(incarnation: &str) -> Life {
    ended(incarnation, Active::Failed, UnitResult::ExitCode, 21, 20)
}
