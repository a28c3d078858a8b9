//! The shape of a state file on disk, version 1, and its way into `core`'s types and back. Pure. A
//! change that an older unhang would misread takes a new version.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use unhang_core::{Backoff, Intent, Looked, Moment, Outcome, Process, Reason, Restart, State, VerdictKind};

use super::Record;
use super::faults::Faults;

pub(super) const VERSION: u64 = 1;

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// Of a newer unhang.
    Newer(u64),
    Broken(String),
}

pub(super) fn read(bytes: &[u8]) -> Result<Record, Unusable> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let broken = |error: serde_json::Error| Unusable::Broken(error.to_string());
    let Versioned { version } = serde_json::from_slice(bytes).map_err(broken)?;
    match version {
        VERSION => {}
        newer if newer > VERSION => return Err(Unusable::Newer(newer)),
        other => return Err(Unusable::Broken(format!("version {other} never was"))),
    }
    let file: File = serde_json::from_slice(bytes).map_err(broken)?;
    file.into_record().ok_or_else(|| Unusable::Broken("a code or a time in it has no meaning".to_owned()))
}

pub(super) fn written(record: &Record) -> Vec<u8> {
    // Cannot fail: every key is a string and no number is infinite.
    let mut bytes = serde_json::to_vec_pretty(&File::of(record)).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    version: u64,
    sequence: u64,
    verdict: String,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    streak: u32,
    failures: u32,
    #[serde(default)]
    successes: u32,
    #[serde(default)]
    lives: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed_at: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    healthy_since: Option<Stamp>,
    #[serde(default)]
    restarts: Vec<Restarted>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intent: Option<Intended>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backoff: Option<BackedOff>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    looked: Option<LookedAt>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    faults: BTreeMap<String, Stamp>,
}

/// `wall` for people and across boots, the others within one boot.
#[derive(Debug, Serialize, Deserialize)]
struct Stamp {
    wall: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_id: Option<String>,
    /// CLOCK_BOOTTIME in milliseconds.
    boottime_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Restarted {
    #[serde(flatten)]
    at: Stamp,
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Intended {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pid_started: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct BackedOff {
    step: u32,
    #[serde(flatten)]
    from: Stamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct LookedAt {
    unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_id: Option<String>,
}

impl File {
    fn of(record: &Record) -> Self {
        let state = &record.state;
        let stamp = |at: &Option<Moment>| at.as_ref().map(Stamp::of);
        Self {
            version: VERSION,
            sequence: record.sequence,
            verdict: state.verdict.code().to_owned(),
            reason: state.reason.code().to_owned(),
            cause: state.cause.clone(),
            streak: state.streak,
            failures: state.failures,
            successes: state.successes,
            lives: state.lives,
            incarnation: state.incarnation.clone(),
            since: stamp(&state.since),
            failed_at: stamp(&state.failed_at),
            healthy_since: stamp(&state.healthy_since),
            restarts: state.restarts.iter().map(Restarted::of).collect(),
            intent: state.intent.as_ref().map(|intent| Intended {
                incarnation: intent.incarnation.clone(),
                pid: intent.process.map(|process| process.pid),
                pid_started: intent.process.map(|process| process.started),
            }),
            backoff: state
                .backoff
                .as_ref()
                .map(|backoff| BackedOff { step: backoff.step, from: Stamp::of(&backoff.from) }),
            looked: state
                .looked
                .as_ref()
                .map(|looked| LookedAt { unit: looked.unit.clone(), boot_id: looked.boot.clone() }),
            faults: record.faults.iter().map(|(kind, at)| (kind.to_owned(), Stamp::of(at))).collect(),
        }
    }

    fn into_record(self) -> Option<Record> {
        let moment = |stamp: Option<Stamp>| stamp.map(Stamp::into_moment);
        let state = State {
            streak: self.streak,
            failures: self.failures,
            successes: self.successes,
            lives: self.lives,
            incarnation: self.incarnation,
            failed_at: moment(self.failed_at),
            since: moment(self.since),
            healthy_since: moment(self.healthy_since),
            restarts: self.restarts.into_iter().map(Restarted::into_restart).collect::<Option<_>>()?,
            intent: self.intent.map(|intent| Intent {
                incarnation: intent.incarnation,
                process: intent.pid.zip(intent.pid_started).map(|(pid, started)| Process { pid, started }),
            }),
            backoff: self
                .backoff
                .map(|backoff| Backoff { step: backoff.step, from: backoff.from.into_moment() }),
            verdict: VerdictKind::from_code(&self.verdict)?,
            reason: Reason::from_code(&self.reason)?,
            cause: self.cause,
            looked: self.looked.map(|looked| Looked { unit: looked.unit, boot: looked.boot_id }),
        };
        let faults = self.faults.into_iter().map(|(kind, at)| (kind, at.into_moment())).collect();
        Some(Record { sequence: self.sequence, state, faults: Faults::new(faults) })
    }
}

impl Stamp {
    fn of(moment: &Moment) -> Self {
        let seconds = i64::try_from(moment.wall.as_secs()).unwrap_or(i64::MAX);
        let wall = Utc.timestamp_opt(seconds, moment.wall.subsec_nanos()).single().unwrap_or_default();
        let boottime_ms = u64::try_from(moment.since_boot.as_millis()).unwrap_or(u64::MAX);
        Self { wall, boot_id: moment.boot.clone(), boottime_ms }
    }

    /// A wall clock before 1970 is no better than 1970.
    fn into_moment(self) -> Moment {
        let millis = u64::try_from(self.wall.timestamp_millis()).unwrap_or(0);
        Moment {
            boot: self.boot_id,
            since_boot: Duration::from_millis(self.boottime_ms),
            wall: Duration::from_millis(millis),
        }
    }
}

impl Restarted {
    fn of(restart: &Restart) -> Self {
        let outcome = outcome_code(restart.outcome).to_owned();
        Self { at: Stamp::of(&restart.at), outcome, incarnation: restart.incarnation.clone() }
    }

    fn into_restart(self) -> Option<Restart> {
        let known = [Outcome::Healed, Outcome::NotHealed, Outcome::Unknown, Outcome::Refused];
        let outcome = known.into_iter().find(|outcome| outcome_code(*outcome) == self.outcome)?;
        Some(Restart { at: self.at.into_moment(), outcome, incarnation: self.incarnation })
    }
}

const fn outcome_code(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Healed => "healed",
        Outcome::NotHealed => "not_healed",
        Outcome::Unknown => "unknown",
        Outcome::Refused => "refused",
    }
}

/// For the name of a file that was set aside: `20260207T170200`.
pub(super) fn stamp_for_name(now: &Moment) -> String {
    Stamp::of(now).wall.format("%Y%m%dT%H%M%S").to_string()
}
