//! The shape of a state file on disk, version 1, and its way into `core`'s types and back. Pure. A
//! change that an older unhang would misread takes a new version.

mod bounds;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use unhang_core::{
    Account, Backoff, Counts, FailureWindow, Fingerprint, HealthRecord, Intent, LastUnitQuery, Moment,
    Ongoing, Outcome, ProcessId, Reason, Restart, State, StepKind, StoredCause, StoredWarning, UnitBefore,
    VerdictKind,
};

use self::bounds::{cut_some, cut_text, most};
use super::StoredService;
use crate::reported_faults::ReportedFaults;
use crate::words;

pub(super) const VERSION: u64 = 1;

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StateReadError {
    /// We could not look, for want of descriptors or memory: it may be good.
    Io(String),
    /// Of a newer unhang.
    NewerVersion(u64),
    Damaged(String),
}

pub(super) fn read_record(bytes: &[u8]) -> Result<StoredService, StateReadError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let broken = |error: serde_json::Error| StateReadError::Damaged(error.to_string());
    let Versioned { version } = serde_json::from_slice(bytes).map_err(broken)?;
    match version {
        VERSION => {}
        0 => return Err(StateReadError::Damaged("version 0 never was".to_owned())),
        newer => return Err(StateReadError::NewerVersion(newer)),
    }
    let file: StateForm = serde_json::from_slice(bytes).map_err(broken)?;
    file.into_record()
        .ok_or_else(|| StateReadError::Damaged("a code or a time in it has no meaning".to_owned()))
}

pub(super) fn write_state(record: &StoredService) -> Vec<u8> {
    // Cannot fail: every key is a string and no number is infinite.
    let mut bytes = serde_json::to_vec_pretty(&StateForm::from_record(record)).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[derive(Debug, Serialize, Deserialize)]
struct StateForm {
    version: u64,
    sequence: u64,
    verdict: String,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<CauseForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    streak: u32,
    failures: u32,
    #[serde(default)]
    successes: u32,
    #[serde(default)]
    lives: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<MomentForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed_at: Option<MomentForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    healthy_since: Option<MomentForm>,
    #[serde(default)]
    restarts: Vec<RestartForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intent: Option<IntentForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backoff: Option<BackoffForm>,
    #[serde(default, skip_serializing_if = "is_zero")]
    rungs: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    put_off: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    looked: Option<UnitQueryForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<FingerprintForm>,
    /// `x..x`: what the last runs saw, the newest last, from the oldest failure on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    recent: String,
    #[serde(default, skip_serializing_if = "is_false")]
    flapping: bool,
    /// `None`: as an older unhang wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standing: Option<OngoingForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    together: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distress: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<WarningForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<WarningForm>,
    /// What a probe wants to know of the run before, in its own words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    memory: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    faults: BTreeMap<String, MomentForm>,
}

/// `wall` for people and across boots, the others within one boot.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MomentForm {
    wall: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_id: Option<String>,
    /// CLOCK_BOOTTIME in milliseconds.
    boottime_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct OngoingForm {
    runs: u32,
    since: MomentForm,
    told: MomentForm,
}

#[derive(Debug, Serialize, Deserialize)]
struct RestartForm {
    #[serde(flatten)]
    at: MomentForm,
    /// `None`: a restart, as an older unhang wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act: Option<String>,
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<CauseForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<String>,
}

/// Sixteen hexadecimal digits each: JSON's numbers are too short for many a reader.
#[derive(Debug, Serialize, Deserialize)]
struct FingerprintForm {
    asked: String,
    restarted: String,
    /// `None`: there is no list of steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    escalation: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CauseForm {
    /// `None`: the service's own url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probe: Option<String>,
    code: String,
    /// 0: none was answered.
    #[serde(default, skip_serializing_if = "is_no_status")]
    http: u16,
}

#[derive(Debug, Serialize, Deserialize)]
struct IntentForm {
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
struct BackoffForm {
    step: u32,
    #[serde(flatten)]
    from: MomentForm,
}

#[derive(Debug, Serialize, Deserialize)]
struct WarningForm {
    /// `None`: the service's own url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probe: Option<String>,
    words: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct UnitQueryForm {
    unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_id: Option<String>,
}

impl StateForm {
    fn from_record(record: &StoredService) -> Self {
        let state = &record.state;
        let stamp = |at: &Option<Moment>| at.as_ref().map(MomentForm::from_moment);
        let prose = |text: &Option<String>| cut_some(text.as_deref(), most::PROSE);
        let mut faults = BTreeMap::new();
        let told = record.faults.iter().take(most::ENTRIES);
        faults.extend(told.map(|(kind, at)| (cut_text(kind, most::NAME), MomentForm::from_moment(at))));
        let mut memory = BTreeMap::new();
        let remembered = record.memory.iter().take(most::ENTRIES);
        memory.extend(
            remembered.map(|(probe, what)| (cut_text(probe, most::NAME), cut_text(what, most::MEMORY))),
        );
        // The newest stand last.
        let restarts = state.counts.restarts.iter().rev().take(most::RESTARTS).rev();
        Self {
            version: VERSION,
            sequence: record.sequence,
            verdict: state.account.verdict.code().to_owned(),
            reason: state.account.reason.code().to_owned(),
            cause: state.account.cause.as_ref().map(CauseForm::of),
            said: prose(&state.account.said),
            streak: state.counts.streak,
            failures: state.counts.failures,
            successes: state.counts.successes,
            lives: state.counts.lives,
            incarnation: cut_some(state.counts.incarnation.as_deref(), most::IDENTITY),
            since: stamp(&state.counts.since),
            failed_at: stamp(&state.counts.failed_at),
            healthy_since: stamp(&state.counts.healthy_since),
            restarts: restarts.map(RestartForm::from_restart).collect(),
            intent: state.counts.intent.as_ref().map(|intent| IntentForm {
                incarnation: cut_some(intent.incarnation.as_deref(), most::IDENTITY),
                boot_id: cut_some(intent.boot.as_deref(), most::IDENTITY),
                was_down: intent.was == UnitBefore::Down,
                pid: intent.process.map(|process| process.pid),
                pid_started: intent.process.map(|process| process.started),
            }),
            backoff: state.counts.backoff.as_ref().map(|backoff| BackoffForm {
                step: backoff.step,
                from: MomentForm::from_moment(&backoff.from),
            }),
            rungs: state.counts.rungs,
            put_off: state.counts.put_off,
            looked: state.counts.looked.as_ref().map(|looked| UnitQueryForm {
                unit: cut_text(&looked.unit, most::PROSE),
                boot_id: cut_some(looked.boot.as_deref(), most::IDENTITY),
            }),
            recent: window_text(state.counts.recent),
            flapping: state.counts.flapping,
            evidence: Some(health_record_code(state.counts.evidence).to_owned()),
            standing: state.account.standing.as_ref().map(|standing| OngoingForm {
                runs: standing.runs,
                since: MomentForm::from_moment(&standing.since),
                told: MomentForm::from_moment(&standing.told),
            }),
            together: prose(&state.account.together),
            distress: prose(&state.account.distress),
            because: prose(&state.account.because),
            warnings: WarningForm::of(&state.account.warnings),
            others: WarningForm::of(&state.account.others),
            memory,
            fingerprint: state.counts.fingerprint.map(FingerprintForm::of),
            faults,
        }
    }

    fn into_record(self) -> Option<StoredService> {
        let moment = |stamp: Option<MomentForm>| stamp.map(MomentForm::into_moment);
        let was_healthy =
            if self.healthy_since.is_some() { HealthRecord::WasHealthy } else { HealthRecord::NeverHealthy };
        let known = [HealthRecord::NeverHealthy, HealthRecord::NotEvenAfterRestart, HealthRecord::WasHealthy];
        let evidence = match self.evidence {
            None => was_healthy,
            Some(code) => known.into_iter().find(|known| health_record_code(*known) == code)?,
        };
        let counts = Counts {
            streak: self.streak,
            failures: self.failures,
            successes: self.successes,
            lives: self.lives,
            incarnation: self.incarnation,
            failed_at: moment(self.failed_at),
            since: moment(self.since),
            healthy_since: moment(self.healthy_since),
            restarts: self.restarts.into_iter().map(RestartForm::into_restart).collect::<Option<_>>()?,
            intent: self.intent.map(|intent| Intent {
                incarnation: intent.incarnation,
                boot: intent.boot_id,
                was: if intent.was_down { UnitBefore::Down } else { UnitBefore::Up },
                process: intent.pid.zip(intent.pid_started).map(|(pid, started)| ProcessId { pid, started }),
            }),
            backoff: self
                .backoff
                .map(|backoff| Backoff { step: backoff.step, from: backoff.from.into_moment() }),
            rungs: self.rungs,
            looked: self.looked.map(|looked| LastUnitQuery { unit: looked.unit, boot: looked.boot_id }),
            fingerprint: match self.fingerprint {
                None => None,
                Some(form) => Some(form.into_fingerprint()?),
            },
            recent: parse_window(&self.recent)?,
            flapping: self.flapping,
            evidence,
            put_off: self.put_off,
        };
        let account = Account {
            verdict: known_code(&self.verdict, VerdictKind::from_code, VerdictKind::Unknown)?,
            reason: known_code(&self.reason, Reason::from_code, Reason::Unknown)?,
            cause: self.cause.map(CauseForm::into_cause),
            said: self.said.map(|said| words::escaped(&said)),
            standing: self.standing.map(|standing| Ongoing {
                runs: standing.runs,
                since: standing.since.into_moment(),
                told: standing.told.into_moment(),
            }),
            together: self.together.map(|text| words::escaped(&text)),
            distress: self.distress.map(|text| words::escaped(&text)),
            because: self.because.map(|text| words::escaped(&text)),
            warnings: self.warnings.into_iter().map(WarningForm::into_warning).collect(),
            others: self.others.into_iter().map(WarningForm::into_warning).collect(),
        };
        let state = State { counts, account };
        let mut faults = BTreeMap::new();
        faults.extend(self.faults.into_iter().map(|(kind, at)| (kind, at.into_moment())));
        Some(StoredService {
            sequence: self.sequence,
            state,
            memory: self.memory,
            faults: ReportedFaults::new(faults),
        })
    }
}

const MAX_TIME: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;

impl MomentForm {
    pub(super) fn from_moment(moment: &Moment) -> Self {
        let seconds = i64::try_from(moment.wall.as_secs()).unwrap_or(i64::MAX);
        let wall = Utc.timestamp_opt(seconds, moment.wall.subsec_nanos()).single().unwrap_or(MAX_TIME);
        let boottime_ms = u64::try_from(moment.since_boot.as_millis()).unwrap_or(u64::MAX);
        Self { wall, boot_id: cut_some(moment.boot.as_deref(), most::IDENTITY), boottime_ms }
    }

    /// A wall clock before 1970 is no better than 1970, and one after the last date that can be written than that.
    pub(super) fn into_moment(self) -> Moment {
        let millis = u64::try_from(self.wall.min(MAX_TIME).timestamp_millis()).unwrap_or(0);
        Moment {
            boot: self.boot_id,
            since_boot: Duration::from_millis(self.boottime_ms),
            wall: Duration::from_millis(millis),
        }
    }
}

impl FingerprintForm {
    fn of(fingerprint: Fingerprint) -> Self {
        let Fingerprint { asked, restarted, escalation } = fingerprint;
        let text = |hash: u64| format!("{hash:016x}");
        Self { asked: text(asked), restarted: text(restarted), escalation: escalation.map(text) }
    }

    /// `None`: these are no hashes.
    fn into_fingerprint(self) -> Option<Fingerprint> {
        let hash = |text: &str| u64::from_str_radix(text, 16).ok();
        let escalation = match &self.escalation {
            None => None,
            Some(text) => Some(hash(text)?),
        };
        Some(Fingerprint { asked: hash(&self.asked)?, restarted: hash(&self.restarted)?, escalation })
    }
}

impl CauseForm {
    fn of(cause: &StoredCause) -> Self {
        let StoredCause { probe, code, http } = cause;
        Self { probe: cut_some(probe.as_deref(), most::NAME), code: cut_text(code, most::NAME), http: *http }
    }

    /// Shown as it stands; ours are codes and names that `config` has checked.
    fn into_cause(self) -> StoredCause {
        let probe = self.probe.map(|probe| words::escaped(&probe));
        StoredCause { probe, code: words::escaped(&self.code), http: self.http }
    }
}

impl WarningForm {
    fn of(all: &[StoredWarning]) -> Vec<Self> {
        let of_one = |StoredWarning { probe, words }: &StoredWarning| Self {
            probe: cut_some(probe.as_deref(), most::NAME),
            words: cut_text(words, most::WARNING),
        };
        all.iter().take(most::ENTRIES).map(of_one).collect()
    }

    fn into_warning(self) -> StoredWarning {
        StoredWarning {
            probe: self.probe.map(|probe| words::escaped(&probe)),
            words: words::escaped(&self.words),
        }
    }
}

impl RestartForm {
    fn from_restart(restart: &Restart) -> Self {
        let outcome = outcome_code(restart.outcome).to_owned();
        let cause = restart.cause.as_ref().map(CauseForm::of);
        let incarnation = cut_some(restart.incarnation.as_deref(), most::IDENTITY);
        let act = (restart.act != StepKind::Restart).then(|| restart.act.code().to_owned());
        Self { at: MomentForm::from_moment(&restart.at), act, outcome, cause, incarnation }
    }

    fn into_restart(self) -> Option<Restart> {
        let outcome = |code: &str| {
            let known = [Outcome::Healed, Outcome::NotHealed, Outcome::Unknown, Outcome::Refused];
            known.into_iter().find(|outcome| outcome_code(*outcome) == code)
        };
        let act = |code: &str| StepKind::ALL.into_iter().find(|act| act.code() == code);
        let outcome = known_code(&self.outcome, outcome, Outcome::Unknown)?;
        let cause = self.cause.map(CauseForm::into_cause);
        let act = match self.act {
            None => StepKind::Restart,
            Some(code) => known_code(&code, act, StepKind::Restart)?,
        };
        Some(Restart { at: self.at.into_moment(), act, outcome, cause, incarnation: self.incarnation })
    }
}

/// What a code means; `unknown` for one that only another release knows, so that nothing that was counted is lost.
/// `None`: it is no code at all.
fn known_code<T>(code: &str, from_code: impl Fn(&str) -> Option<T>, unknown: T) -> Option<T> {
    let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    from_code(code).or_else(|| is_code.then_some(unknown))
}

const fn health_record_code(evidence: HealthRecord) -> &'static str {
    match evidence {
        HealthRecord::NeverHealthy => "none",
        HealthRecord::NotEvenAfterRestart => "not_by_restart",
        HealthRecord::WasHealthy => "healthy",
    }
}

fn window_text(recent: FailureWindow) -> String {
    let FailureWindow(bits) = recent;
    let from = u64::BITS.saturating_sub(bits.leading_zeros());
    (0..from).rev().map(|at| if bits >> at & 1 == 1 { 'x' } else { '.' }).collect()
}

fn parse_window(text: &str) -> Option<FailureWindow> {
    let bits = text.chars().try_fold(0_u64, |bits, c| match c {
        'x' => Some(bits << 1 | 1),
        '.' => Some(bits << 1),
        _ => None,
    });
    bits.filter(|_| text.len() <= 64).map(FailureWindow)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_false(truth: &bool) -> bool {
    !*truth
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_no_status(status: &u16) -> bool {
    *status == 0
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
pub(super) fn time_for_file_name(now: &Moment) -> String {
    MomentForm::from_moment(now).wall.format("%Y%m%dT%H%M%S").to_string()
}

#[cfg(test)]
mod tests;
