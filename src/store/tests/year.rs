//! A year of ticks, every two minutes, each loading what the last one saved: what is remembered does not grow, and
//! can be read at its end. Plain `cargo test` lives through some days; `YEAR_TICKS=262800` is the whole year.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use unhang_core::{
    Account, ActiveState, AfterExit, Backoff, BackoffRule, BudgetRule, Cause, Counts, Doubt, Facts,
    FailureWindow, Fingerprint, FlappingAction, FlappingRule, HealthRecord, HostFacts, Intent, LastUnitQuery,
    LoadState, Mode, Moment, Observation, Ongoing, Outcome, PauseState, Policy, ProcessId, Reason,
    ReloadSupport, Restart, RestartResult, State, Step, StepKind, StoredCause, StoredWarning, UnitBefore,
    UnitFacts, UnitResult, UnitSnapshot, Verdict, VerdictKind, WhenExited, decide, record_end, record_intent,
};

use super::super::{LoadedService, SavedTo, Store, StorePlace, StoredService, state_file};
use crate::places::{MAX_STATE_BYTES, StatePlaces};
use crate::reported_faults::{OwnFault, ReportedFaults};
use crate::words;

const EVERY: Duration = Duration::from_secs(120);

/// What `config` allows at the most.
const LARGEST_BUDGET: usize = 100;

const MOST_PROBES: usize = 20;

/// Of a probe.
const LONGEST_MEMORY: usize = 200;

/// A large budget over so long a time that it is spent.
fn policy(restarts: usize) -> Policy {
    let window = if restarts == LARGEST_BUDGET { 365 * 24 * 3_600 } else { 3_600 };
    Policy {
        max_failures: 2,
        min_successes: 1,
        grace: Duration::from_secs(30),
        min_gap: Duration::from_secs(45),
        stale_after: Duration::from_secs(600),
        budget: BudgetRule { restarts, window: Duration::from_secs(window) },
        backoff: BackoffRule { first: Duration::from_secs(120), max: Duration::from_secs(3_600) },
        mode: Mode::Act,
        held_too_long: Duration::from_secs(1_800),
        flapping: FlappingRule { failures: 5, of: 12, then: FlappingAction::ReportOnly },
        when_exited: WhenExited::Restart,
        escalate: vec![],
        means: Step::Restart,
    }
}

/// A state file in which nothing is missing and everything is as long as it gets.
fn longest(restarts: usize) -> usize {
    let text = |length| Some("x".repeat(length));
    let at = Moment {
        boot: text(36),
        since_boot: Duration::from_millis(u64::MAX),
        wall: Duration::from_millis(4_102_444_800_123),
    };
    let code = |codes: &[&str]| codes.iter().map(|code| code.len()).max();
    let code = "x".repeat(code(Cause::CODES).max(code(Doubt::CODES)).unwrap());
    let cause = Some(StoredCause { probe: text(64), code, http: 599 });
    let outcome = Outcome::NotHealed;
    let restart = Restart {
        at: at.clone(),
        act: StepKind::Command,
        outcome,
        cause: cause.clone(),
        incarnation: text(32),
    };
    let counts = Counts {
        streak: u32::MAX,
        failures: u32::MAX,
        successes: u32::MAX,
        lives: u32::MAX,
        incarnation: text(32),
        failed_at: Some(at.clone()),
        since: Some(at.clone()),
        healthy_since: Some(at.clone()),
        restarts: vec![restart; restarts],
        intent: Some(Intent {
            incarnation: text(32),
            boot: text(36),
            was: UnitBefore::Up,
            process: Some(ProcessId { pid: u32::MAX, started: u64::MAX }),
        }),
        backoff: Some(Backoff { step: u32::MAX, from: at.clone() }),
        rungs: u32::MAX,
        put_off: true,
        looked: Some(LastUnitQuery { unit: "x".repeat(255), boot: text(36) }),
        fingerprint: Some(Fingerprint { asked: u64::MAX, restarted: u64::MAX, escalation: Some(u64::MAX) }),
        recent: FailureWindow(u64::MAX),
        flapping: true,
        evidence: HealthRecord::NotEvenAfterRestart,
    };
    let account = Account {
        verdict: VerdictKind::Recovering,
        reason: Reason::ALL.iter().copied().max_by_key(|reason| reason.code().len()).unwrap(),
        cause,
        standing: Some(Ongoing { since: at.clone(), runs: u32::MAX, told: at.clone() }),
        together: text(words::MAX_STATE_TEXT_CHARS),
        distress: text(words::MAX_STATE_TEXT_CHARS),
        because: text(words::MAX_STATE_TEXT_CHARS),
        said: text(words::MAX_WARNING_CHARS),
        warnings: vec![
            StoredWarning { probe: text(64), words: "\u{ffff}".repeat(words::MAX_WARNING_CHARS) };
            MOST_PROBES
        ],
        // A probe stands in one of the two.
        others: Vec::new(),
    };
    let state = State { counts, account };
    let mut faults = ReportedFaults::default();
    faults.should_report(OwnFault::Disk, &at);
    faults.should_report(OwnFault::Log, &at);
    let mut memory = BTreeMap::new();
    memory.extend((0..MOST_PROBES).map(|n| (format!("{n:064}"), "x".repeat(LONGEST_MEMORY))));
    state_file::write_state(&StoredService { sequence: u64::MAX, state, memory, faults }).len()
}

#[test]
fn the_longest_state_there_can_be_is_one_that_is_read() {
    assert!(
        u64::try_from(longest(LARGEST_BUDGET)).unwrap() <= MAX_STATE_BYTES,
        "{}",
        longest(LARGEST_BUDGET)
    );
}

/// Numbers that are the same in every year.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// A host with one service, and what befalls them.
struct World {
    dir: tempfile::TempDir,
    dice: Dice,
    now: Moment,
    boots: u64,
    /// Ticks until it is well again by itself; a restart may be quicker.
    hangs_for: u64,
    disk_is_broken_for: u64,
    life: u64,
    born: Duration,
    policy: Policy,
    came: Came,
}

/// How often each thing happened.
#[derive(Debug, Default)]
struct Came {
    failures: u64,
    restarts: u64,
    healed: u64,
    reboots: u64,
    lost: u64,
    broken_disks: u64,
    saves: u64,
    longest: u64,
}

/// Once in so many ticks, on average.
const HANG: u64 = 100;
const REBOOT: u64 = 700;
const CRON_OFF: u64 = 500;
const STATE_LOST: u64 = 900;
const DISK_BROKEN: u64 = 800;
const LOG_BROKEN: u64 = 50;

impl World {
    fn new(budget: usize) -> Self {
        // In memory where there is some: a year of flushing would be for the disk's patience.
        let memory = std::path::Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self {
            dir: dir.unwrap(),
            dice: Dice(0x9e37_79b9_7f4a_7c15),
            now: Moment {
                boot: Some("00000000-0000-0000-0000-000000000000".to_owned()),
                since_boot: Duration::from_secs(1_000),
                wall: Duration::from_secs(1_800_000_000),
            },
            boots: 0,
            hangs_for: 0,
            disk_is_broken_for: 0,
            life: 1,
            born: Duration::ZERO,
            policy: policy(budget),
            came: Came::default(),
        }
    }

    fn store(&self) -> Store {
        let at = |name: &str| self.dir.path().join(name);
        let places = StatePlaces { state: at("disk"), fallback: Some(at("memory")), locks: at("memory") };
        let store = Store::open(&places).unwrap();
        if self.disk_is_broken_for == 0 {
            return store;
        }
        Store { disk: Err(rustix::io::Errno::ROFS.into()), ..store }
    }

    /// What happens between two ticks.
    fn befall(&mut self) {
        self.now = self.now.plus(EVERY);
        if self.dice.one_in(CRON_OFF) {
            let hours = 1 + self.dice.below(48);
            self.now = self.now.plus(Duration::from_secs(3_600 * hours));
        }
        if self.dice.one_in(REBOOT) {
            self.came.reboots += 1;
            self.boots += 1;
            self.now.boot = Some(format!("{:08}-0000-0000-0000-000000000000", self.boots));
            self.now.since_boot = Duration::from_secs(200);
            let _ = fs::remove_dir_all(self.dir.path().join("memory"));
            (self.life, self.born, self.hangs_for) = (self.life + 1, Duration::from_secs(20), 0);
        }
        self.hangs_for = match self.hangs_for {
            0 if self.dice.one_in(HANG) => 1 + self.dice.below(120),
            ticks => ticks.saturating_sub(1),
        };
        self.disk_is_broken_for = match self.disk_is_broken_for {
            0 if self.dice.one_in(DISK_BROKEN) => {
                self.came.broken_disks += 1;
                1 + self.dice.below(60)
            }
            ticks => ticks.saturating_sub(1),
        };
        if self.dice.one_in(STATE_LOST) {
            self.came.lost += 1;
            fs::write(self.dir.path().join("disk/app.json"), "{\"version\": 1, \"seq").unwrap();
        }
    }

    fn seen(&mut self) -> Observation {
        match self.hangs_for {
            _ if self.dice.one_in(400) => {
                Observation::Unknown(Doubt::Other("too many open files".to_owned()))
            }
            0 => Observation::Healthy,
            _ => Observation::Unhealthy(Cause::Status(502)),
        }
    }

    fn unit(&self) -> UnitFacts {
        UnitFacts::Known(UnitSnapshot {
            load: LoadState::Loaded,
            active: ActiveState::Active,
            result: UnitResult::Success,
            incarnation: Some(format!("{:032x}", self.life)),
            own_restarts: 0,
            disabled: false,
            condition_unmet: false,
            inactive_exit: self.born,
            active_enter: self.born,
            active_exit: Duration::ZERO,
            main_exit: Some(Duration::ZERO),
            reload: ReloadSupport::Supported,
            after_exit: AfterExit::StaysDown,
            runtime_limited: false,
            age: Some(self.now.since_boot.saturating_sub(self.born)),
            neighbours: Vec::new(),
        })
    }

    /// As `tick` does it: loaded, judged, kept if it changed, and restarted if due.
    fn tick(&mut self) {
        let store = self.store();
        let LoadedService { mut record, place, .. } = store.load("app", &self.now).unwrap();
        let saved = record.clone();
        let State { counts, account } = record.state.clone();
        let fingerprint = Fingerprint { asked: 1, restarted: 2, escalation: None };
        let before = counts.for_fingerprint(fingerprint).looked("app.service", &self.now);
        let (seen, unit) = (self.seen(), self.unit());
        let host = HostFacts {
            stopping: false,
            starting: None,
            time_left: Duration::from_secs(100),
            pressure: None,
        };
        let policy = self.policy.clone();
        let case = Facts {
            now: &self.now,
            host: &host,
            policy: &policy,
            before: &before,
            seen: &seen,
            unit: &unit,
            pause: &PauseState::None,
            upstream: None,
            common_cause: None,
        };
        let decision = decide(&case, &account);
        self.came.failures += u64::from(decision.counted);
        record.state = decision.next.clone();
        if self.dice.one_in(LOG_BROKEN) {
            record.faults.should_report(OwnFault::Log, &self.now);
        } else {
            record.faults.clear(OwnFault::Log);
        }
        if record != saved || place != StorePlace::Disk {
            self.save(&store, &mut record);
        }
        if matches!(decision.verdict, Verdict::Restart(_)) {
            let counted = &decision.next.counts;
            record.state.counts =
                record_intent(counted, &Cause::Status(502), &policy, &unit, &self.now, &self.now);
            self.save(&store, &mut record);
            record.state = self.restart(&decision.next, &record.state.counts);
            self.save(&store, &mut record);
        }
    }

    fn restart(&mut self, counted: &State, intended: &Counts) -> State {
        self.came.restarts += 1;
        let ended = match self.dice.below(8) {
            0..4 => RestartResult::Healed,
            4..6 => RestartResult::NotHealed,
            6 => RestartResult::StillRunning,
            _ => RestartResult::Refused,
        };
        if ended != RestartResult::Refused {
            (self.life, self.born) = (self.life + 1, self.now.since_boot);
        }
        if ended == RestartResult::Healed {
            self.came.healed += 1;
            self.hangs_for = 0;
        }
        record_end(counted, intended, ended, &self.unit(), &self.now)
    }

    fn save(&mut self, store: &Store, record: &mut StoredService) {
        self.came.saves += 1;
        let saved = store.save("app", record);
        assert!(
            matches!((&saved, self.disk_is_broken_for), (SavedTo::Disk, 0) | (SavedTo::Memory(_), 1..)),
            "{saved:?}"
        );
    }

    /// What lies in the folders is what a tick left there, and no more.
    fn look_round(&mut self) {
        let (mut kept, mut aside) = (0, 0);
        for folder in ["disk", "memory"] {
            for entry in fs::read_dir(self.dir.path().join(folder)).into_iter().flatten().flatten() {
                let name = entry.file_name().into_string().unwrap();
                if name == "app.json" {
                    kept += 1;
                    self.came.longest = self.came.longest.max(entry.metadata().unwrap().len());
                } else {
                    assert!(name.starts_with("app.json.corrupt-"), "{folder}/{name}");
                    aside += 1;
                }
            }
        }
        assert!(kept <= 2 && aside <= 3, "{kept} kept, {aside} aside");
    }
}

fn live(ticks: u64, budget: usize) -> World {
    let mut world = World::new(budget);
    for _ in 0..ticks {
        world.tick();
        world.look_round();
        world.befall();
    }
    world
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it lives is for whoever runs it")]
fn a_year_leaves_no_more_behind_than_a_day() {
    let ticks = std::env::var("YEAR_TICKS").map_or(2_500, |ticks| ticks.parse().unwrap());
    for budget in [5, LARGEST_BUDGET] {
        let world = live(ticks, budget);
        let came = &world.came;
        println!("{ticks} ticks, budget {budget}: {came:?}, at most {} bytes", longest(budget));
        assert!(came.longest <= u64::try_from(longest(budget)).unwrap(), "{came:?}");
        assert!(
            came.failures > 20
                && came.restarts > 5
                && came.lost > 0
                && came.reboots > 0
                && came.broken_disks > 0,
            "{came:?}"
        );
        let end = world.store().load("app", &world.now).unwrap();
        assert_eq!(end.record, world.store().load("app", &world.now).unwrap().record);
        assert!(end.record.state.counts.restarts.len() <= budget);
    }
}
