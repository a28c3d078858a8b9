//! The shape of a state file on disk, version 1, and its way into `core`'s types and back. Pure. A
//! change that an older unhang would misread takes a new version.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use unhang_core::{
    Backoff, Evidence, Intent, Looked, Moment, Outcome, Process, Reason, Recent, Restart, Standing, State,
    VerdictKind, Was,
};

use super::Record;
use super::faults::Faults;
use crate::words;

pub(super) const VERSION: u64 = 1;

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// We could not look, for want of descriptors or memory: it may be good.
    NotRead(String),
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
        0 => return Err(Unusable::Broken("version 0 never was".to_owned())),
        newer => return Err(Unusable::Newer(newer)),
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// `x..x`: what the last runs saw, the newest last, from the oldest failure on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    recent: String,
    #[serde(default, skip_serializing_if = "is_false")]
    flapping: bool,
    /// `None`: as an older unhang wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standing: Option<Stands>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    together: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distress: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    faults: BTreeMap<String, Stamp>,
}

/// `wall` for people and across boots, the others within one boot.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stamp {
    wall: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_id: Option<String>,
    /// CLOCK_BOOTTIME in milliseconds.
    boottime_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stands {
    runs: u32,
    since: Stamp,
    told: Stamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct Restarted {
    #[serde(flatten)]
    at: Stamp,
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Intended {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_id: Option<String>,
    /// The unit was down already when we set out to restart it.
    #[serde(default)]
    was_down: bool,
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
                boot_id: intent.boot.clone(),
                was_down: intent.was == Was::Down,
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
            recent: recent_text(state.recent),
            flapping: state.flapping,
            evidence: Some(evidence_code(state.evidence).to_owned()),
            standing: state.standing.as_ref().map(|standing| Stands {
                runs: standing.runs,
                since: Stamp::of(&standing.since),
                told: Stamp::of(&standing.told),
            }),
            together: state.together.clone(),
            distress: state.distress.clone(),
            about: state.about.clone(),
            faults: record.faults.iter().map(|(kind, at)| (kind.to_owned(), Stamp::of(at))).collect(),
        }
    }

    fn into_record(self) -> Option<Record> {
        let moment = |stamp: Option<Stamp>| stamp.map(Stamp::into_moment);
        let was_healthy = if self.healthy_since.is_some() { Evidence::Healthy } else { Evidence::None };
        let known = [Evidence::None, Evidence::NotByRestart, Evidence::Healthy];
        let evidence = match self.evidence {
            None => was_healthy,
            Some(code) => known.into_iter().find(|known| evidence_code(*known) == code)?,
        };
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
                boot: intent.boot_id,
                was: if intent.was_down { Was::Down } else { Was::Up },
                process: intent.pid.zip(intent.pid_started).map(|(pid, started)| Process { pid, started }),
            }),
            backoff: self
                .backoff
                .map(|backoff| Backoff { step: backoff.step, from: backoff.from.into_moment() }),
            verdict: VerdictKind::from_code(&self.verdict)?,
            reason: Reason::from_code(&self.reason)?,
            // Shown as it stands; ours are codes.
            cause: self.cause.map(|cause| words::escaped(&cause)),
            looked: self.looked.map(|looked| Looked { unit: looked.unit, boot: looked.boot_id }),
            about: self.about,
            recent: recent(&self.recent)?,
            flapping: self.flapping,
            evidence,
            standing: self.standing.map(|standing| Standing {
                runs: standing.runs,
                since: standing.since.into_moment(),
                told: standing.told.into_moment(),
            }),
            together: self.together.map(|text| words::escaped(&text)),
            distress: self.distress.map(|text| words::escaped(&text)),
        };
        let faults = self.faults.into_iter().map(|(kind, at)| (kind, at.into_moment())).collect();
        Some(Record { sequence: self.sequence, state, faults: Faults::new(faults) })
    }
}

const LAST: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;

impl Stamp {
    pub(super) fn of(moment: &Moment) -> Self {
        let seconds = i64::try_from(moment.wall.as_secs()).unwrap_or(i64::MAX);
        let wall = Utc.timestamp_opt(seconds, moment.wall.subsec_nanos()).single().unwrap_or(LAST);
        let boottime_ms = u64::try_from(moment.since_boot.as_millis()).unwrap_or(u64::MAX);
        Self { wall, boot_id: moment.boot.clone(), boottime_ms }
    }

    /// A wall clock before 1970 is no better than 1970, and one after the last date that can be written than that.
    pub(super) fn into_moment(self) -> Moment {
        let millis = u64::try_from(self.wall.min(LAST).timestamp_millis()).unwrap_or(0);
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
        let (cause, incarnation) = (restart.cause.clone(), restart.incarnation.clone());
        Self { at: Stamp::of(&restart.at), outcome, cause, incarnation }
    }

    fn into_restart(self) -> Option<Restart> {
        let known = [Outcome::Healed, Outcome::NotHealed, Outcome::Unknown, Outcome::Refused];
        let outcome = known.into_iter().find(|outcome| outcome_code(*outcome) == self.outcome)?;
        let cause = self.cause.map(|cause| words::escaped(&cause));
        Some(Restart { at: self.at.into_moment(), outcome, cause, incarnation: self.incarnation })
    }
}

const fn evidence_code(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::None => "none",
        Evidence::NotByRestart => "not_by_restart",
        Evidence::Healthy => "healthy",
    }
}

fn recent_text(recent: Recent) -> String {
    let Recent(bits) = recent;
    let from = u64::BITS.saturating_sub(bits.leading_zeros());
    (0..from).rev().map(|at| if bits >> at & 1 == 1 { 'x' } else { '.' }).collect()
}

fn recent(text: &str) -> Option<Recent> {
    let bits = text.chars().try_fold(0_u64, |bits, c| match c {
        'x' => Some(bits << 1 | 1),
        '.' => Some(bits << 1),
        _ => None,
    });
    bits.filter(|_| text.len() <= 64).map(Recent)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_false(truth: &bool) -> bool {
    !*truth
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment() -> impl Strategy<Value = Moment> {
        (proptest::option::of("[a-f0-9-]{0,36}"), 0..1_u64 << 50, 0..4_000_000_000_000_u64).prop_map(
            |(boot, since_boot, wall)| Moment {
                boot,
                since_boot: Duration::from_millis(since_boot),
                wall: Duration::from_millis(wall),
            },
        )
    }

    fn record() -> impl Strategy<Value = Record> {
        let outcome = prop_oneof![
            Just(Outcome::Healed),
            Just(Outcome::NotHealed),
            Just(Outcome::Unknown),
            Just(Outcome::Refused),
        ];
        let id = || proptest::option::of("[ -~é✅]{0,40}");
        let restart = (moment(), outcome, id()).prop_map(|(at, outcome, incarnation)| Restart {
            at,
            outcome,
            cause: incarnation.clone(),
            incarnation,
        });
        let process = proptest::option::of(
            (any::<u32>(), any::<u64>()).prop_map(|(pid, started)| Process { pid, started }),
        );
        let intent =
            (id(), id(), any::<bool>(), process).prop_map(|(incarnation, boot, was_down, process)| Intent {
                incarnation,
                boot,
                was: if was_down { Was::Down } else { Was::Up },
                process,
            });
        let counts = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
        let times =
            (proptest::option::of(moment()), proptest::option::of(moment()), proptest::option::of(moment()));
        let reason = proptest::sample::select(Reason::ALL);
        let verdict = proptest::sample::select(VerdictKind::ALL);
        let backoff =
            proptest::option::of((any::<u32>(), moment()).prop_map(|(step, from)| Backoff { step, from }));
        let rest = (
            proptest::collection::vec(restart, 0..5),
            proptest::option::of(intent),
            backoff,
            verdict,
            reason,
            id(),
        );
        (any::<u64>(), counts, times, rest).prop_map(|(sequence, counts, times, rest)| {
            let (streak, failures, successes, lives) = counts;
            let (failed_at, since, healthy_since) = times;
            let (restarts, intent, backoff, verdict, reason, cause) = rest;
            let looked = cause.clone().map(|unit| Looked { unit, boot: None });
            let incarnation = cause.clone();
            let about = cause.clone();
            let (together, distress) = (cause.clone(), cause.clone());
            let standing = since.clone().zip(failed_at.clone());
            let standing = standing.map(|(since, told)| Standing { since, told, runs: lives });
            let evidence = [Evidence::None, Evidence::NotByRestart, Evidence::Healthy];
            let evidence = evidence[usize::try_from(streak % 3).unwrap()];
            let state = State {
                streak,
                failures,
                successes,
                lives,
                incarnation,
                failed_at,
                since,
                healthy_since,
                restarts,
                intent,
                backoff,
                verdict,
                reason,
                cause,
                looked,
                about,
                recent: Recent(sequence),
                flapping: successes % 2 == 0,
                evidence,
                standing,
                together,
                distress,
            };
            Record { sequence, state, faults: Faults::default() }
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(record in record()) {
            prop_assert_eq!(read(&written(&record)), Ok(record));
        }

        /// Cut anywhere it is broken, never misread; changed anywhere it never panics.
        #[test]
        fn a_torn_or_changed_file_is_not_misread(record in record(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let whole = written(&record);
            let text = whole.trim_ascii_end();
            let at = at.index(text.len());
            prop_assert!(matches!(read(&text[..at]), Err(Unusable::Broken(_))));
            let mut changed = whole.clone();
            changed[at] = byte;
            let _ = read(&changed);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(matches!(read(&bytes), Err(Unusable::Broken(_))));
        }
    }

    #[test]
    fn the_shape_of_version_1_stays_readable() {
        let file = r#"{"version":1,"sequence":7,"verdict":"held","reason":"backoff","cause":"status 502","streak":2,"failures":5,
            "since":{"wall":"2026-02-07T17:00:00Z","boot_id":"b","boottime_ms":5000},
            "restarts":[{"wall":"2026-02-07T17:02:00Z","boot_id":"b","boottime_ms":125000,"outcome":"not_healed","incarnation":"i"}],
            "backoff":{"step":1,"wall":"2026-02-07T17:02:00Z","boottime_ms":125000},
            "something of a later release":true}"#;
        let record = read(file.as_bytes()).unwrap();
        assert_eq!((record.sequence, record.state.streak, record.state.reason), (7, 2, Reason::Backoff));
        assert_eq!(record.state.restarts[0].outcome, Outcome::NotHealed);
        assert_eq!(record.state.backoff.unwrap().from.boot, None);
        assert_eq!(read(br#"{"version":2}"#), Err(Unusable::Newer(2)));
        assert_eq!(read(br#"{"version":0}"#), Err(Unusable::Broken("version 0 never was".to_owned())));
    }

    #[test]
    fn times_out_of_all_reason_are_read_as_they_were_written() {
        for wall in ["+262142-12-31T23:59:60Z", "-262143-01-01T00:00:00Z", "2026-12-31T23:59:60Z"] {
            let file = format!(
                r#"{{"version":1,"sequence":1,"verdict":"failing","reason":"counting","streak":1,"failures":1,
                "since":{{"wall":"{wall}","boottime_ms":18446744073709551615}}}}"#
            );
            let record = read(file.as_bytes()).unwrap();
            assert_eq!(read(&written(&record)), Ok(record), "{wall}");
        }
    }

    #[test]
    fn what_says_nothing_is_not_written() {
        let text = String::from_utf8(written(&Record::default())).unwrap();
        assert!(!text.contains("flapping") && !text.contains("null"), "{text}");
    }

    #[test]
    fn nothing_in_it_can_drive_a_terminal() {
        let file = r#"{"version":1,"sequence":1,"verdict":"failing","reason":"counting","cause":"a\u001b[2J\u202e\n","streak":1,"failures":1}"#;
        let record = read(file.as_bytes()).unwrap();
        assert_eq!(record.state.cause.as_deref(), Some(r"a\u{1b}[2J\u{202e}\n"));
        assert_eq!(read(&written(&record)), Ok(record));
    }
}
