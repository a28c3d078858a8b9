//! What was written is read, and nothing else is misread for it.

use super::*;
use crate::places::MAX_STATE_BYTES;
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

fn cause(text: &str) -> StoredCause {
    let http = u16::try_from(text.len()).unwrap();
    StoredCause { probe: text.chars().next().map(String::from), code: text.to_owned(), http }
}

fn record() -> impl Strategy<Value = StoredService> {
    let outcome = prop_oneof![
        Just(Outcome::Healed),
        Just(Outcome::NotHealed),
        Just(Outcome::Unknown),
        Just(Outcome::Refused),
    ];
    let id = || proptest::option::of("[ -~é✅]{0,20}");
    let act = proptest::sample::select(&StepKind::ALL[..]);
    let restart = (moment(), act, outcome, id()).prop_map(|(at, act, outcome, incarnation)| Restart {
        at,
        act,
        outcome,
        cause: incarnation.as_deref().map(cause),
        incarnation,
    });
    let process = proptest::option::of(
        (any::<u32>(), any::<u64>()).prop_map(|(pid, started)| ProcessId { pid, started }),
    );
    let intent = (id(), id(), any::<bool>(), process).prop_map(|(incarnation, boot, was_down, process)| {
        Intent { incarnation, boot, was: if was_down { UnitBefore::Down } else { UnitBefore::Up }, process }
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
        let looked = cause.clone().map(|unit| LastUnitQuery { unit, boot: None });
        let incarnation = cause.clone();
        let escalation = Some(sequence).filter(|n| n % 2 == 0);
        let fingerprint = cause.as_ref().map(|_| Fingerprint { asked: sequence, restarted: 7, escalation });
        let (together, distress, because) = (cause.clone(), cause.clone(), cause.clone());
        let warnings = cause.iter().map(|words| StoredWarning {
            probe: looked.as_ref().map(|looked| looked.unit.clone()),
            words: words.clone(),
        });
        let warnings: Vec<StoredWarning> = warnings.collect();
        let mut memory = BTreeMap::new();
        memory.extend(cause.iter().map(|words| (words.clone(), words.clone())));
        let standing = since.clone().zip(failed_at.clone());
        let standing = standing.map(|(since, told)| Ongoing { since, told, runs: lives });
        let evidence =
            [HealthRecord::NeverHealthy, HealthRecord::NotEvenAfterRestart, HealthRecord::WasHealthy];
        let evidence = evidence[usize::try_from(streak % 3).unwrap()];
        let counts = Counts {
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
            rungs: lives,
            put_off: failures % 2 == 0,
            looked,
            fingerprint,
            recent: FailureWindow(sequence),
            flapping: successes % 2 == 0,
            evidence,
        };
        let account = Account {
            verdict,
            reason,
            said: cause.clone(),
            cause: cause.as_deref().map(self::cause),
            standing,
            together,
            distress,
            because,
            others: warnings.iter().rev().cloned().collect(),
            warnings,
        };
        let state = State { counts, account };
        StoredService { sequence, state, memory, faults: ReportedFaults::default() }
    })
}

/// The same with this text wherever one may stand, and everything that there can be several of so many times more.
fn lengthened(mut record: StoredService, text: &str, many: usize) -> StoredService {
    let long = || Some(text.to_owned());
    let at = Moment { boot: long(), ..Moment::default() };
    let StoredService { state: State { counts, account }, memory, .. } = &mut record;
    let cause = Some(StoredCause { probe: long(), code: text.to_owned(), http: 599 });
    (counts.incarnation, counts.since, counts.failed_at) = (long(), Some(at.clone()), Some(at.clone()));
    for restart in &mut counts.restarts {
        (restart.incarnation, restart.cause, restart.at.boot) = (long(), cause.clone(), long());
    }
    if let Some(last) = counts.restarts.last().cloned() {
        counts.restarts.extend(std::iter::repeat_n(last, many));
    }
    counts.intent = Some(Intent { incarnation: long(), boot: long(), was: UnitBefore::Up, process: None });
    counts.backoff = Some(Backoff { step: 1, from: at.clone() });
    counts.looked = Some(LastUnitQuery { unit: text.to_owned(), boot: long() });
    (account.said, account.together, account.distress, account.because) = (long(), long(), long(), long());
    account.cause = cause;
    account.standing = Some(Ongoing { since: at.clone(), told: at, runs: 1 });
    account.warnings.extend((0..many).map(|_| StoredWarning { probe: long(), words: text.to_owned() }));
    memory.extend((0..many).map(|n| (format!("{n}{text}"), text.to_owned())));
    record
}

proptest! {
    #[test]
    fn what_was_written_is_read(record in record()) {
        prop_assert_eq!(read_record(&write_state(&record)), Ok(record));
    }

    /// Whatever is in it, however long: what cannot be read back is never written.
    #[test]
    fn nothing_is_written_that_is_too_long_to_be_read(record in record(), text in ".{0,80}", longer in 0..9_000_usize) {
        let record = lengthened(record, &text.repeat(longer / text.len().max(1)), longer / 20);
        let bytes = write_state(&record);
        prop_assert!(bytes.len() <= usize::try_from(MAX_STATE_BYTES).unwrap(), "{}", bytes.len());
        let read = super::read_record(&bytes).unwrap();
        prop_assert!(super::read_record(&write_state(&read)).is_ok(), "nor is what it was read as");
        let (kept, had) = (&read.state.counts, &record.state.counts);
        prop_assert_eq!((kept.streak, kept.failures, kept.rungs), (had.streak, had.failures, had.rungs));
        prop_assert_eq!(kept.restarts.len(), had.restarts.len().min(100));
        prop_assert_eq!(kept.restarts.last().map(|last| last.at.wall), had.restarts.last().map(|last| last.at.wall));
    }

    /// Cut anywhere it is broken, never misread; changed anywhere it never panics.
    #[test]
    fn a_torn_or_changed_file_is_not_misread(record in record(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let whole = write_state(&record);
        let text = whole.trim_ascii_end();
        let at = at.index(text.len());
        prop_assert!(matches!(read_record(&text[..at]), Err(StateReadError::Damaged(_))));
        let mut changed = whole.clone();
        changed[at] = byte;
        let _ = read_record(&changed);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(matches!(read_record(&bytes), Err(StateReadError::Damaged(_))));
    }
}

#[test]
fn the_shape_of_version_1_stays_readable() {
    let file = r#"{"version":1,"sequence":7,"verdict":"held","reason":"backoff","cause":{"code":"status","http":502},"streak":2,"failures":5,
        "since":{"wall":"2026-02-07T17:00:00Z","boot_id":"b","boottime_ms":5000},
        "restarts":[{"wall":"2026-02-07T17:02:00Z","boot_id":"b","boottime_ms":125000,"outcome":"not_healed","incarnation":"i"}],
        "backoff":{"step":1,"wall":"2026-02-07T17:02:00Z","boottime_ms":125000},
        "something of a later release":true}"#;
    let record = read_record(file.as_bytes()).unwrap();
    assert_eq!(
        (record.sequence, record.state.counts.streak, record.state.account.reason),
        (7, 2, Reason::Backoff)
    );
    assert_eq!(record.state.counts.restarts[0].outcome, Outcome::NotHealed);
    assert_eq!(record.state.counts.backoff.unwrap().from.boot, None);
    assert_eq!(read_record(br#"{"version":2}"#), Err(StateReadError::NewerVersion(2)));
    assert_eq!(
        read_record(br#"{"version":0}"#),
        Err(StateReadError::Damaged("version 0 never was".to_owned()))
    );
}

#[test]
fn times_out_of_all_reason_are_read_as_they_were_written() {
    for wall in ["+262142-12-31T23:59:60Z", "-262143-01-01T00:00:00Z", "2026-12-31T23:59:60Z"] {
        let file = format!(
            r#"{{"version":1,"sequence":1,"verdict":"failing","reason":"counting","streak":1,"failures":1,
            "since":{{"wall":"{wall}","boottime_ms":18446744073709551615}}}}"#
        );
        let record = read_record(file.as_bytes()).unwrap();
        assert_eq!(read_record(&write_state(&record)), Ok(record), "{wall}");
    }
}

#[test]
fn what_says_nothing_is_not_written() {
    let text = String::from_utf8(write_state(&StoredService::default())).unwrap();
    assert!(!text.contains("flapping") && !text.contains("null"), "{text}");
}

#[test]
fn nothing_in_it_can_drive_a_terminal() {
    let file = r#"{"version":1,"sequence":1,"verdict":"failing","reason":"counting","cause":{"code":"a\u001b[2J\u202e\n"},"streak":1,"failures":1}"#;
    let record = read_record(file.as_bytes()).unwrap();
    assert_eq!(
        record.state.account.cause.as_ref().map(|cause| cause.code.as_str()),
        Some(r"a\u{1b}[2J\u{202e}\n")
    );
    assert_eq!(read_record(&write_state(&record)), Ok(record));
}

/// An older release after a newer one: a word that it lacks must not cost what was counted.
#[test]
fn a_code_that_is_not_known_costs_nothing_that_was_counted() {
    let file = r#"{"version":1,"sequence":7,"verdict":"dozing","reason":"of_tomorrow","streak":2,"failures":5,
        "restarts":[{"wall":"2026-02-07T17:02:00Z","boot_id":"b","boottime_ms":125000,"outcome":"half_healed","act":"replace"}],
        "backoff":{"step":1,"wall":"2026-02-07T17:02:00Z","boottime_ms":125000}}"#;
    let State { counts, account } = read_record(file.as_bytes()).unwrap().state;
    assert_eq!((account.verdict, account.reason), (VerdictKind::Unknown, Reason::Unknown));
    assert_eq!((counts.streak, counts.failures, counts.restarts.len()), (2, 5, 1));
    assert_eq!((counts.restarts[0].outcome, counts.restarts[0].act), (Outcome::Unknown, StepKind::Restart));
    assert_eq!(counts.backoff.unwrap().step, 1);
    for (code, broken) in [("dozing", "\\u001b[2J"), ("of_tomorrow", ""), ("half_healed", "Half healed")] {
        let read = read_record(file.replace(code, broken).as_bytes());
        assert!(matches!(read, Err(StateReadError::Damaged(_))), "{code}");
    }
}
