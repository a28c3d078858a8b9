//! Restart method: a service that sleeps is asked again and again until it answers. Asking is `probe`'s, so that the
//! run carries it out.

use std::time::Duration;

use unhang_core::Step;

use crate::plan::{KeyConflict, KeySpec, MethodSpec, Params, Steps, ValueType};
use crate::toml_text::format_duration;

use super::{Method, RestartCourse};

const PINGS: KeySpec = KeySpec::new("wake.pings", ValueType::Number { from: 1, to: 20 })
    .help("Ask this many times, patiently, instead of a restart");
const DEFAULT_PING_EVERY: KeySpec =
    KeySpec::new("wake.every", ValueType::Span).default(COLD_START).help("Time from one ping to the next");
const TIMEOUT: KeySpec =
    KeySpec::new("wake.timeout", ValueType::Span).default(COLD_START).help("Time limit of one ping");

/// What hosting services take for a cold start, and those who wake them wait between two pings.
const COLD_START: &str = "30s";

/// `core` begins no restart with less of the deadline, and a look comes before.
const TIME_BESIDES: Duration = Duration::from_secs(31);

pub(super) const METHOD: Method = Method {
    spec: MethodSpec {
        steps: Steps::None("cannot stand together with wake"),
        step: || Step::Wake,
        validate: fits_one_run,
        ..MethodSpec::unseen(
            "none; it is woken by being asked",
            PINGS,
            &[DEFAULT_PING_EVERY, TIMEOUT],
            |_| "nothing",
        )
    },
    look: None,
    course: RestartCourse::Pings(Pings::of),
    obstacle: |_| None,
};

/// The pings of one wake-up, until one of them is answered well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pings {
    pub count: u32,
    /// From the beginning of one to that of the next.
    pub every: Duration,
    /// For each: a cold start takes its time.
    pub timeout: Duration,
}

impl Pings {
    #[must_use]
    pub fn of(given: &Params) -> Self {
        let count = given.number(&PINGS).and_then(|count| u32::try_from(count).ok()).unwrap_or_default();
        let span = |key| given.span(key).unwrap_or_default();
        Self { count, every: span(&DEFAULT_PING_EVERY), timeout: span(&TIMEOUT) }
    }

    /// If none is answered.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let before = self.every.max(self.timeout).saturating_mul(self.count.saturating_sub(1));
        before.saturating_add(self.timeout)
    }
}

fn fits_one_run(given: &Params, deadline: Duration) -> Option<KeyConflict> {
    let pings = Pings::of(given);
    let longest = pings.longest();
    (longest.saturating_add(TIME_BESIDES) >= deadline).then(|| KeyConflict {
        key: PINGS.name,
        what: format!(
            "too long: {} pings may take {}, and with 31s for the rest they must fit in host.deadline ({})",
            pings.count,
            format_duration(longest),
            format_duration(deadline)
        ),
        cure: "make host.deadline longer, or the pings fewer",
    })
}
