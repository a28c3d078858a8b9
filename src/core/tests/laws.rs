//! The promises as laws over random histories: hangs, stops, crashes, restarts by others, clocks that
//! step, reboots, ticks that die. The real course of things is kept beside, and never shown to the core.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
struct Turn {
    /// Real seconds since the tick before.
    pass: u64,
    seen: Seen,
    again: Seen,
    unit: Shown,
    /// Somebody restarts it before the tick; systemd does; the host reboots.
    between: Between,
    /// The wall clock is set by so much.
    step: i64,
    host: u8,
    guard: Guard,
    end: End,
}

/// What else may speak for hands off.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Guard {
    Nothing,
    Paused,
    /// Within the time since the tick before.
    PauseEnded,
    Requirement,
    Maintenance,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    Healthy,
    Unhealthy,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shown {
    Running,
    Young,
    Stopped,
    Exited,
    Done,
    Fallen,
    Busy,
    Masked,
    Frozen,
    Silent,
    Upstream,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Between {
    Nothing,
    Person,
    Systemd,
    Reboot,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Healed,
    InVain,
    Open,
    Refused,
    NeverRan,
    Forbidden,
    DiesBefore,
    DiesAfter,
}

fn turn() -> impl Strategy<Value = Turn> {
    let seen = || prop_oneof![2 => Just(Seen::Healthy), 7 => Just(Seen::Unhealthy), 1 => Just(Seen::Unknown)];
    let unit = prop_oneof![
        18 => Just(Shown::Running), 1 => Just(Shown::Young), 1 => Just(Shown::Stopped), 1 => Just(Shown::Exited), 1 => Just(Shown::Done),
        2 => Just(Shown::Fallen), 1 => Just(Shown::Busy), 1 => Just(Shown::Masked), 1 => Just(Shown::Frozen),
        1 => Just(Shown::Silent), 1 => Just(Shown::Upstream),
    ];
    let between = prop_oneof![
        16 => Just(Between::Nothing), 1 => Just(Between::Person), 2 => Just(Between::Systemd), 1 => Just(Between::Reboot),
    ];
    let end = prop_oneof![
        2 => Just(End::Healed), 4 => Just(End::InVain), 1 => Just(End::Open), 1 => Just(End::Refused),
        1 => Just(End::NeverRan), 1 => Just(End::Forbidden), 1 => Just(End::DiesBefore), 1 => Just(End::DiesAfter),
    ];
    let pass = prop_oneof![8 => Just(120_u64), 2 => 1..200_u64, 1 => 500..5_000_u64];
    // Backwards only: what a clock set forward over a reboot can do stands in `a_boot_with_a_wrong_clock`.
    let step = prop_oneof![8 => Just(0_i64), 1 => -90_000..0_i64];
    let guard = prop_oneof![
        20 => Just(Guard::Nothing), 1 => Just(Guard::Paused), 1 => Just(Guard::PauseEnded),
        1 => Just(Guard::Requirement), 1 => Just(Guard::Maintenance),
    ];
    (pass, seen(), seen(), unit, between, step, 0..24_u8, (guard, end)).prop_map(
        |(pass, seen, again, unit, between, step, host, (guard, end))| Turn {
            pass,
            seen,
            again,
            unit,
            between,
            step,
            host,
            guard,
            end,
        },
    )
}

/// None, or some means, each once.
fn ladder() -> impl Strategy<Value = Vec<Step>> {
    let command = Step::Command(vec!["failover".to_string()]);
    let all = vec![Step::Reload, Step::Restart, Step::Kill, command];
    prop_oneof![Just(vec![]), prop::sample::subsequence(all, 1..=4)]
}

/// What really is, and what a tick is shown of it.
struct Course {
    real: u64,
    booted: u64,
    boots: u32,
    skew: i64,
    life: u32,
    own_restarts: u32,
}

impl Course {
    fn go(&mut self, turn: &Turn) {
        self.real += turn.pass;
        self.skew += turn.step;
        match turn.between {
            Between::Nothing => {}
            Between::Person => self.begin(0),
            Between::Systemd => self.begin(self.own_restarts + 1),
            Between::Reboot => {
                self.boots += 1;
                self.booted = self.real.saturating_sub(30);
                self.begin(0);
            }
        }
    }

    fn begin(&mut self, own_restarts: u32) {
        self.life += 1;
        self.own_restarts = own_restarts;
    }

    fn now(&self) -> Moment {
        at(&self.boots.to_string(), self.real - self.booted, self.real.saturating_add_signed(self.skew))
    }

    fn unit(&self, shown: Shown) -> UnitFacts {
        let id = self.life.to_string();
        let life = UnitSnapshot { own_restarts: self.own_restarts, ..running(&id) };
        let db = RelatedUnit {
            unit: "db".to_string(),
            relation: Relation::Wanted,
            condition: UnitCondition::Stopped,
        };
        UnitFacts::Known(match shown {
            Shown::Silent => return UnitFacts::QueryFailed(Doubt::UnitUnknown(String::new())),
            Shown::Running => life,
            Shown::Young => UnitSnapshot { age: Some(s(3)), ..life },
            Shown::Stopped => stopped(&id),
            Shown::Exited => exited(&id),
            Shown::Done => UnitSnapshot { after_exit: AfterExit::IsDone, ..exited(&id) },
            Shown::Fallen => crashed(&id),
            Shown::Busy => UnitSnapshot { active: ActiveState::Changing, ..life },
            Shown::Masked => UnitSnapshot { load: LoadState::Masked, ..life },
            Shown::Frozen => UnitSnapshot { active: ActiveState::Frozen, ..life },
            Shown::Upstream => UnitSnapshot { neighbours: vec![db], ..life },
        })
    }
}

fn observe(seen: Seen, guard: Guard) -> Observation {
    match seen {
        Seen::Unhealthy if guard == Guard::Maintenance => Observation::Unhealthy(Cause::Maintenance(503)),
        Seen::Healthy => Observation::Healthy,
        Seen::Unhealthy => bad(),
        Seen::Unknown => Observation::Unknown(Doubt::NoRoute),
    }
}

/// A state that explains its own end: a stop that an open intent accounts for is no person's.
fn is_hands_off(turn: &Turn, before: &Counts) -> bool {
    match turn.unit {
        Shown::Stopped | Shown::Done => {
            before.intent.as_ref().is_none_or(|intent| intent.was == UnitBefore::Up)
                || turn.between != Between::Nothing
        }
        Shown::Busy | Shown::Masked | Shown::Frozen | Shown::Upstream => true,
        Shown::Running | Shown::Young | Shown::Fallen | Shown::Exited | Shown::Silent => false,
    }
}

/// More cases than proptest's usual 256, and as many as `PROPTEST_CASES` asks for.
fn at_least(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(cases), ..usual }
}

proptest! {
    #![proptest_config(at_least(500))]

    #[test]
    fn promises_1_to_6_hold_over_any_history(turns in prop::collection::vec(turn(), 1..150), eager in 1..4_u32, escalate in ladder()) {
        let budget = BudgetRule { restarts: 3, window: s(3600) };
        let policy = Policy { max_failures: eager, budget, backoff: BackoffRule { first: s(60), max: s(600) }, escalate, ..policy() };
        let mut used: Vec<StepKind> = vec![];
        let mut course = Course { real: 1_000_000, booted: 0, boots: 0, skew: 0, life: 1, own_restarts: 0 };
        let mut state = Counts { evidence: HealthRecord::WasHealthy, ..Counts::default() };
        let mut restarts: Vec<u64> = vec![];
        // Counted by hand: failures in a row of one life with no reason to keep hands off.
        let (mut row, mut row_life) = (0_u32, 0_u32);
        for turn in turns {
            course.go(&turn);
            let now = course.now();
            // Somebody else may be at work on it: it may begin anew.
            if state.since.is_none() || turn.between != Between::Nothing {
                used.clear();
            }
            let host = HostFacts { stopping: turn.host == 0, starting: (turn.host == 1).then_some(s(5)), time_left: s(if turn.host == 2 { 9 } else { 90 }), pressure: None };
            let (seen, unit, before) = (observe(turn.seen, turn.guard), course.unit(turn.unit), state.clone());
            let pause = match turn.guard {
                Guard::Paused => paused(),
                Guard::PauseEnded => PauseState::Ended { since: now.clone() },
                Guard::Nothing | Guard::Requirement | Guard::Maintenance => PauseState::None,
            };
            let failing = FailingRequirement { name: "db".to_string(), cause: StoredCause::from(&Cause::Refused), through: None };
            let upstream = (turn.guard == Guard::Requirement).then_some(&failing);
            let case = Facts { now: &now, host: &host, policy: &policy, before: &before, seen: &seen, unit: &unit, pause: &pause, upstream, common_cause: None };
            let first = decide(&case);

            let told = blocking_hold(&case).map(|hold| hold.reason());
            match &first.verdict {
                Verdict::Restart(_) => prop_assert_eq!(told, None, "what is said to be in the way is"),
                Verdict::Held(hold) => {
                    prop_assert_eq!(told, Some(hold.reason()));
                    let until = hold.reason().held_until();
                    prop_assert_eq!(matches!(hold, HoldReason::HandsOff(_)), until == Some(HeldUntil::HandsAreOff), "rows 4 to 10");
                }
                _ => {}
            }
            let foreseen = foresee(&case);
            let too_soon = matches!(foreseen.verdict, Verdict::Failing(NotDue::TooSoon { .. }));
            prop_assert!(!too_soon, "the next tick keeps its distance");
            if before.failed_at.as_ref().is_none_or(|at| now.elapsed_since(at) >= policy.min_gap) {
                prop_assert_eq!(&foreseen, &first, "what the next tick would do is what it does");
            }

            let guarded = matches!(turn.guard, Guard::Paused | Guard::Requirement | Guard::Maintenance);
            let hands_off = is_hands_off(&turn, &before) || turn.host <= 1 || guarded;
            if turn.guard == Guard::PauseEnded && turn.seen == Seen::Unhealthy && turn.unit != Shown::Silent {
                row = 0;
            }
            match turn.seen {
                Seen::Healthy => row = 0,
                Seen::Unhealthy if turn.unit == Shown::Silent => {}
                Seen::Unhealthy if hands_off => row = 0,
                Seen::Unhealthy => {
                    row = if row_life == course.life { row + 1 } else { 1 };
                    row_life = course.life;
                }
                Seen::Unknown => {}
            }
            if turn.seen == Seen::Unknown || (turn.seen == Seen::Unhealthy && turn.unit == Shown::Silent) {
                let kept = |state: &Counts| (state.streak, state.failures, state.restarts.len(), state.intent.clone());
                prop_assert_eq!(kept(&first.next.counts), kept(&before), "promise 5");
            }
            prop_assert!(first.verdict.kind() != VerdictKind::Restart || turn.seen == Seen::Unhealthy);
            state = first.next.counts.clone();
            if first.verdict.kind() == VerdictKind::Restart {
                let again = observe(turn.again, turn.guard);
                let second = look_again(&first, &Facts { seen: &again, ..case });
                state = second.next.counts.clone();
                if second.verdict.kind() == VerdictKind::Restart {
                    prop_assert!(turn.again == Seen::Unhealthy, "promise 1: it was looked at again");
                    prop_assert!(row >= policy.max_failures, "promise 1: a full streak of one life, not {}", row);
                    prop_assert!(!hands_off, "promise 4");
                    let intended = intend(&second.next.counts, &policy, &unit, &now, &now);
                    let act = intended.last_restart().map(|restart| restart.act).unwrap_or_default();
                    prop_assert!(policy.escalate.is_empty() || !used.contains(&act), "each rung once an incident");
                    if !matches!(turn.end, End::Refused | End::NeverRan | End::Forbidden) {
                        used.push(act);
                    }
                    let real = course.real;
                    let mut begin = || if matches!(act, StepKind::Restart | StepKind::Kill) { course.begin(0) };
                    let ended = match turn.end {
                        End::DiesBefore => None,
                        End::DiesAfter => { restarts.push(real); begin(); None }
                        End::NeverRan => Some(RestartResult::NotStarted),
                        End::Forbidden => Some(RestartResult::NotPermitted),
                        End::Refused => Some(RestartResult::Refused),
                        End::Open => { restarts.push(real); Some(RestartResult::StillRunning) }
                        End::Healed => { restarts.push(real); begin(); Some(RestartResult::Healed) }
                        End::InVain => { restarts.push(real); begin(); Some(RestartResult::NotHealed) }
                    };
                    let after = course.unit(Shown::Running);
                    state = ended.map_or(intended.clone(), |ended| settle(&second.next.counts, &intended, ended, &after, &now));
                    row = if matches!(turn.end, End::NeverRan | End::Forbidden) { row } else { 0 };
                }
            }
            prop_assert!(state.restarts.len() <= policy.budget.restarts, "the state stays small");
        }
        for at in &restarts {
            let near = restarts.iter().filter(|other| *other <= at && at - *other < 3600).count();
            prop_assert!(near <= 3, "promise 3: {:?}", restarts);
        }
    }

    /// Promise 3, the other half: what hangs for ever is restarted again and again, within its bounds.
    #[test]
    fn never_for_ever(ticks in 100..400_u64, budget in 1..6_usize) {
        let policy = Policy { budget: BudgetRule { restarts: budget, window: s(3600) }, ..policy() };
        let mut state = Counts { evidence: HealthRecord::WasHealthy, ..Counts::default() };
        let mut last = 0;
        for tick in 0..ticks {
            let (now, host) = (at("boot", 100_000 + tick * 120, 1_000_000 + tick * 120), host());
            let unit = UnitFacts::Known(running(&state.restarts.len().to_string()));
            let decision = decide(&Facts { now: &now, host: &host, policy: &policy, before: &state, seen: &bad(), unit: &unit, pause: &PauseState::None, upstream: None, common_cause: None });
            state = decision.next.counts.clone();
            if decision.verdict.kind() == VerdictKind::Restart {
                let intended = intend(&decision.next.counts, &policy, &unit, &now, &now);
                state = settle(&decision.next.counts, &intended, RestartResult::NotHealed, &unit, &now);
                last = tick;
            }
            prop_assert!(tick - last <= 34, "no restart for more than an hour, at tick {}", tick);
        }
    }
}
