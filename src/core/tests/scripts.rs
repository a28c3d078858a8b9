//! Histories, a tick every two minutes: what each shows, and the reason each must give.

use super::*;

/// One service in a small world, whose restarts end as the script says.
struct World {
    policy: Policy,
    state: Counts,
    told: Account,
    seconds: u64,
    life: u32,
    own_restarts: u32,
    /// Seconds since the life began.
    age: u64,
    boot: u32,
}

impl World {
    fn new(policy: Policy) -> Self {
        Self {
            policy,
            state: Counts { evidence: HealthRecord::WasHealthy, ..Counts::default() },
            told: Account::default(),
            seconds: 100_000,
            life: 1,
            own_restarts: 0,
            age: 9_999,
            boot: 0,
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.seconds += seconds;
        self.age += seconds;
    }

    /// Another life, begun by a person (or us) or by systemd itself.
    fn begin(&mut self, own_restarts: u32, age: u64) {
        (self.life, self.own_restarts, self.age) = (self.life + 1, own_restarts, age);
    }

    fn unit(&self) -> UnitSnapshot {
        let age = Some(s(self.age));
        UnitSnapshot { own_restarts: self.own_restarts, age, ..running(&self.life.to_string()) }
    }

    /// One tick: `sign` is what it meets. Returns the reason, and after a `/` what became known of an
    /// earlier restart.
    fn tick(&mut self, sign: char) -> String {
        let now = at(&self.boot.to_string(), self.seconds, 1_000_000 + self.seconds);
        let seen = match sign {
            '.' => Observation::Healthy,
            '?' => Observation::Unknown(Doubt::NoRoute),
            'z' => Observation::Unhealthy(Cause::Status(500)),
            '4' => Observation::Unhealthy(Cause::Status(404)),
            _ => bad(),
        };
        let unit = match sign {
            'u' => UnitFacts::QueryFailed(Doubt::UnitUnknown("no answer".to_string())),
            's' => UnitFacts::Known(stopped(&self.life.to_string())),
            'b' => UnitFacts::Known(UnitSnapshot { active: ActiveState::Changing, age: None, ..self.unit() }),
            'g' => UnitFacts::Known(UnitSnapshot { age: Some(s(5)), ..self.unit() }),
            'd' | 'K' => UnitFacts::Known(crashed(&self.life.to_string())),
            _ => UnitFacts::Known(self.unit()),
        };
        let (host, policy) = (host(), self.policy.clone());
        let before = self.state.clone();
        let case = Facts {
            now: &now,
            host: &host,
            policy: &policy,
            before: &before,
            seen: &seen,
            unit: &unit,
            pause: &PauseState::None,
            upstream: None,
            common_cause: None,
        };
        let decision = crate::decide(&case, &self.told);
        State { counts: self.state, account: self.told } = decision.next.clone();
        if decision.verdict.kind() == VerdictKind::Restart {
            self.state = self.restart(&decision.next.counts, &seen, &now, sign);
        }
        let earlier = match decision.earlier {
            None => "",
            Some(Outcome::Healed) => "/healed",
            Some(Outcome::NotHealed) => "/in_vain",
            Some(other) => panic!("{other:?}"),
        };
        let count = if decision.counted { self.state.failures.to_string() } else { String::new() };
        let acted = (decision.verdict.kind() == VerdictKind::Restart).then(|| {
            next_step(&policy, &decision.next.counts, &unit)
                .map_or("no rung", |next| letter(next.rung.kind()))
        });
        let mut told = acted.unwrap_or(decision.reason.code()).to_string();
        if decision.reason == Reason::Counting {
            told = count;
        }
        told.push_str(earlier);
        told
    }

    fn restart(&mut self, counted: &Counts, seen: &Observation, now: &Moment, sign: char) -> Counts {
        let shown = if sign == 'd' || sign == 'K' { crashed(&self.life.to_string()) } else { self.unit() };
        let Observation::Unhealthy(cause) = seen else { panic!("{seen:?}") };
        let intended = crate::record_intent(counted, cause, &self.policy, &UnitFacts::Known(shown), now, now);
        let ended = match sign {
            'h' => RestartResult::Healed,
            'o' | 'k' => RestartResult::StillRunning,
            'r' => RestartResult::Refused,
            'f' => RestartResult::NotPermitted,
            _ => RestartResult::NotHealed,
        };
        if matches!(sign, 'k' | 'K') {
            return intended; // killed before systemctl ran
        }
        let act = intended.last_restart().map(|restart| restart.act).unwrap_or_default();
        if !matches!(sign, 'r' | 'o' | 'f') && matches!(act, StepKind::Restart | StepKind::Kill) {
            self.begin(0, 35);
        }
        settle(counted, &intended, ended, &UnitFacts::Known(self.unit()), now)
    }
}

const fn letter(act: StepKind) -> &'static str {
    match act {
        StepKind::Restart => "R",
        StepKind::Reload => "L",
        StepKind::Kill => "K",
        StepKind::Command => "C",
        StepKind::Wake => "W",
    }
}

/// `.` healthy  `x` unhealthy, and a restart does not heal  `h` unhealthy, and a restart heals
/// `o` likewise, the restart still runs at the tick's end  `k` likewise, the tick dies before systemctl
/// `r` likewise, systemd refuses it  `f` likewise, we may not restart it  `?` unknown  `u` systemd does not answer  `s` somebody stopped it
/// `d` it fell  `b` busy  `g` unhealthy, and only just started.  Between ticks: `+` somebody restarted it  `*` systemd restarted it
/// `B` the host rebooted
/// `n` our running restart came to its end  `_` an hour without ticks
#[track_caller]
pub(super) fn check_with(policy: Policy, script: &str, expected: &str) {
    let mut world = World::new(policy);
    let mut told = Vec::new();
    for sign in script.chars() {
        match sign {
            '_' => world.pass(3_600),
            'B' => {
                world.boot += 1;
                world.begin(0, 35);
            }
            '+' => world.begin(0, 35),
            'n' => world.begin(0, 60),
            '*' => world.begin(world.own_restarts + 1, 35),
            sign => {
                world.pass(120);
                told.push(world.tick(sign));
            }
        }
    }
    assert_eq!(told.join(" "), expected, "script {script:?}");
}

#[track_caller]
fn check(script: &str, expected: &str) {
    check_with(policy(), script, expected);
}

#[rustfmt::skip]
#[test]
fn the_streak() {
    check("....",     "ok ok ok ok");                          // healthy is silent
    check("x.x.",     "1 recovered 1 recovered");              // a blip is forgiven
    check("xh.",      "1 R ok");                               // the second failure restarts
    check("x?h",      "1 unknown R");                          // what cannot be told is no evidence
    check("xuh",      "1 unit_unknown R");
    check("x+xh",     "1 1 R");                                // somebody's restart starts the count afresh
    check("x*xh",     "1 1 R");                                // so does systemd's
    check("xsssxh",   "1 stopped stopped stopped 2 R");        // a stop: a full count after it
    check("xbbxh",    "1 unit_busy unit_busy 2 R");
    check("x_xh",     "1 1 R");                                // an old streak is stale
    check("dd",       "1 R");                                  // a fallen service is started
    check("s.",       "stopped recovered");                    // what was told is told to be over
    check("?.",       "unknown recovered");
}

#[rustfmt::skip]
#[test]
fn the_count_goes_on_over_our_own_restarts() {
    check("xxx",      "1 R 3");
    check("xxx+x.",   "1 R 3 1 recovered");
}

#[rustfmt::skip]
#[test]
fn backoff_grows_while_restarts_do_not_help() {
    check("xzzxxzzzzxxxxxxxx", "1 R 3 R 5 R 7 backoff backoff R 9 backoff backoff backoff backoff backoff backoff");
    // Twice in a row the same answer before and after: restarting does not help, and waits as long as it may.
    check("xxxxxxxx", "1 R 3 R 5 backoff backoff backoff");
    // A flapper: each restart heals, and it hangs again at once. Else it had 5 restarts an hour for ever.
    check("xh.xh.xh.xh", "1 R ok 1 R ok 1 R ok 1 backoff");
    // Healthy long enough: the backoff goes back.
    check("xh.xh.......xh", "1 R ok 1 R ok ok ok ok ok ok ok 1 R");
    // A person's restart clears it.
    check("xxxxxxx+xxx", "1 R 3 R 5 backoff backoff 1 R 3");
}

#[rustfmt::skip]
#[test]
fn restarts_that_bring_no_proof_of_the_question_are_not_repeated() {
    let fresh = |script: &str, expected: &str| {
        let mut world = World { state: Counts::default(), ..World::new(policy()) };
        let told: Vec<String> = script.chars().map(|sign| { world.pass(120); world.tick(sign) }).collect();
        assert_eq!(told.join(" "), expected, "{script}");
    };
    fresh("xxxx",      "1 R 3 never_healthy");                        // it may be the url that is wrong
    fresh("xxxxxxxxxx", "1 R 3 never_healthy never_healthy never_healthy never_healthy never_healthy never_healthy never_healthy");
    fresh(".xxxx",     "ok 1 R 3 R");                                 // once healthy: the url is right
    fresh("xhxx",      "1 R 1 R");
    fresh("xrxxxx",    "1 R 3 R 5 never_healthy");                // one that never was is no proof
    // It answers, if not as wanted: nothing hangs, and no restart is tried at all.
    fresh("4444",      "1 never_healthy never_healthy never_healthy");
    fresh("x44x",      "1 never_healthy never_healthy R");            // until it hangs
    fresh("4xx",       "1 R 3");
    fresh(".4444",     "ok 1 R 3 same_answer");                       // once healthy: the url was right
    fresh("44.44",     "1 never_healthy recovered 1 R");
    // A 404 before and after: no restart changes that. Another answer: counted as ever.
    check("4444444",   "1 R 3 same_answer same_answer same_answer same_answer");
    check("444xx",     "1 R 3 R 5");
    check("xx4444",    "1 R 3 R 5 same_answer");
    check("444+44",    "1 R 3 1 R");                                  // somebody else's life may differ
}

#[rustfmt::skip]
#[test]
fn flapping_is_told_and_restarted_for_only_if_wanted() {
    let flaps = |then, script: &str| {
        let mut world = World::new(Policy { flapping: FlappingRule { failures: 3, of: 6, then }, ..policy() });
        let told: Vec<String> = script.chars().map(|sign| {
            world.pass(120);
            let told = world.tick(sign);
            if world.state.flapping { told + "!" } else { told }
        }).collect();
        told.join(" ")
    };
    assert_eq!(flaps(FlappingAction::ReportOnly, "x.x.x."), "1 recovered 1 recovered 1! recovered!");
    assert_eq!(flaps(FlappingAction::ReportOnly, "x.x.x......."), "1 recovered 1 recovered 1! recovered! ok! ok! ok! ok! ok ok");
    assert_eq!(flaps(FlappingAction::ReportOnly, "x.x....x.x"), "1 recovered 1 recovered ok ok ok 1 recovered 1");
    assert_eq!(flaps(FlappingAction::ReportOnly, "x?x?x"), "1 unknown R unknown 3", "one outage is no flapping");
    assert_eq!(flaps(FlappingAction::Restart, "x.x.h.x"), "1 recovered 1 recovered R ok 1");
}

#[test]
fn what_lasts_is_told_again() {
    let told = |kind: char, ticks: usize| -> Vec<usize> {
        let mut world = World::new(policy());
        let mut lines = vec![];
        for tick in 0..ticks {
            world.pass(120);
            let before = world.told.standing.clone().map(|standing| standing.told);
            world.tick(kind);
            if world.told.standing.clone().map(|standing| standing.told) != before {
                lines.push(tick);
            }
        }
        lines
    };
    assert_eq!(told('s', 80), [0, 15, 45, 75], "held: after half an hour, then hourly");
    assert_eq!(told('?', 80), [0, 2, 15, 45, 75], "not judged: after three runs, too");
    assert_eq!(told('.', 80), Vec::<usize>::new());
    let mut world = World::new(policy());
    world.tick('s');
    for _ in 0..3 {
        world.pass(120);
        world.tick('s');
    }
    let before = (world.state.clone(), world.told.clone());
    world.pass(120);
    world.tick('s');
    assert_eq!((world.state, world.told), before, "nothing to write while it lasts");
}

#[rustfmt::skip]
#[test]
fn the_budget_is_never_overdrawn_and_comes_back() {
    let none = BackoffRule { first: s(1), max: s(1) };
    let two = Policy { budget: BudgetRule { restarts: 2, window: s(3600) }, backoff: none.clone(), ..policy() };
    check_with(two.clone(), "xxxxxx", "1 R 3 R 5 budget");
    check_with(two.clone(), "xxxxxx_x", "1 R 3 R 5 budget 1");       // (an hour without ticks is also stale)
    check_with(two, "xxxx+xxx", "1 R 3 R 1 budget budget");          // a person's restart clears no budget
    let day = Policy { budget: BudgetRule { restarts: 2, window: s(720) }, backoff: none, ..policy() };
    check_with(day, "xxxxxxxxx", "1 R 3 R 5 budget budget R 7");
}

#[rustfmt::skip]
#[test]
fn crash_loops_are_left_to_systemd() {
    check("x*x*x*x",  "1 1 crash_loop crash_loop");
    check("x*x*xxx",  "1 1 crash_loop 1 R");                     // it stopped crashing, and hangs
    let eager = Policy { max_failures: 1, ..policy() };
    check_with(eager, "x*x*x", "R R crash_loop");
}

#[rustfmt::skip]
#[test]
fn a_restart_whose_end_was_not_seen() {
    check("xobn.",    "1 R unit_busy recovered/healed");         // it ended between two ticks, and healed
    check("xobnxx",   "1 R unit_busy 3/in_vain R");
    check("xo.n.",    "1 R recovered ok");                       // the old one answered after all
    check("xobb.",    "1 R unit_busy unit_busy recovered");
    check("xoB.x",    "1 R recovered 1");                        // a reboot begins a life by itself
    check("xoBxx",    "1 R 1 R");
    check("xobng+x",  "1 R unit_busy grace 1");                  // so does somebody's restart
    check("xkx",      "1 R 3/in_vain");                          // never asked: counted as used
    check("xr.",      "1 R recovered");                          // somebody else's job was first
    check("xrxxx",    "1 R 3 R 5");
    check("xffffffffffh.", "1 R R R R R R R R R R R ok");    // forbidden: none took place, and none is spent
}

#[rustfmt::skip]
#[test]
fn recovery_needs_as_many_answers_as_asked_for() {
    let two = Policy { min_successes: 2, ..policy() };
    check_with(two.clone(), "x..",   "1 recovering recovered");
    check_with(two.clone(), "x.x.x", "1 recovering 2 recovering 3"); // not in a row: never due
    check_with(two, "....", "ok ok ok ok");
    check_with(Policy { mode: Mode::Observe, ..policy() }, "xxx.", "1 observe observe recovered");
}

#[test]
fn two_runs_at_once_count_once() {
    let mut world = World::new(policy());
    world.pass(120);
    assert_eq!(world.tick('x'), "1");
    world.pass(40);
    assert_eq!(world.tick('x'), "too_soon");
    world.pass(80);
    assert_eq!(world.tick('h'), "R");
}

#[test]
fn after_a_lost_state_nothing_is_restarted_within_one_backoff() {
    let mut world = World::new(Policy { max_failures: 1, ..policy() });
    world.state = State::for_lost_file(&at("boot", world.seconds, 1_000_000 + world.seconds)).counts;
    assert_eq!(world.tick('x'), "backoff");
    world.pass(60);
    assert_eq!(world.tick('x'), "backoff");
    world.pass(60);
    assert_eq!(world.tick('h'), "R");
}

#[test]
fn a_unit_that_our_restart_left_down_is_not_taken_for_stopped() {
    let mut world = World::new(policy());
    for sign in ['d', 'K'] {
        world.pass(120);
        world.tick(sign);
    }
    // It had fallen; killed between reset-failed and restart, it looks stopped, and it was us.
    for expected in ["3/in_vain", "R"] {
        world.pass(120);
        assert_eq!(world.tick('s'), expected);
    }
    // And when the person who finds it so starts it and stops it again, that is theirs.
    world.begin(0, 35);
    world.pass(120);
    assert_eq!(world.tick('s'), "stopped");
}

#[test]
fn who_stops_it_while_our_restart_runs_is_respected() {
    check("xobss", "1 R unit_busy stopped stopped");
    check("xoss", "1 R stopped stopped");
}

#[test]
fn what_our_restart_took_down_is_brought_back_though_it_is_disabled() {
    let before = failed_and_restarted();
    let now = at("boot", 10_300, 100_300);
    let down = UnitSnapshot { disabled: true, ..crashed("b") };
    let decide_on = |life: UnitSnapshot| {
        let unit = UnitFacts::Known(life);
        with_case(&before, |case| decide(&Facts { now: &now, unit: &unit, ..case })).reason
    };
    assert_eq!(decide_on(down), Reason::Counting);
    assert_eq!(
        decide_on(UnitSnapshot { disabled: true, ..crashed("c") }),
        Reason::Disabled,
        "another life than ours"
    );
}

/// Restarted by us, in vain, as the incarnation "b".
fn failed_and_restarted() -> Counts {
    let (now, unit) = (at("boot", 10_000, 100_000), UnitFacts::Known(running("a")));
    let counted =
        Counts { incarnation: Some("a".to_string()), since: Some(now.clone()), ..Counts::default() };
    let intended = intend(&counted, &policy(), &unit, &now, &now);
    settle(&counted, &intended, RestartResult::NotHealed, &UnitFacts::Known(crashed("b")), &now)
}

#[test]
fn a_command_that_never_ends_closes_the_incident_and_gets_no_second_one_beside_it() {
    let (now, policy) = (at("boot", 10_000, 100_000), policy());
    let counted = Counts { since: Some(now.clone()), ..Counts::default() };
    let mut intended = intend(&counted, &policy, &UnitFacts::Command { running: false }, &now, &now);
    if let Some(intent) = &mut intended.intent {
        intent.process = Some(ProcessId { pid: 7, started: 7 });
    }
    let before =
        settle(&counted, &intended, RestartResult::StillRunning, &UnitFacts::Command { running: true }, &now);
    let met = |before: &Counts, seen: Observation| {
        with_case(before, |case| {
            decide(&Facts { seen: &seen, unit: &UnitFacts::Command { running: true }, ..case })
        })
    };
    let healed = met(&before, Observation::Healthy);
    assert_eq!((healed.reason, healed.earlier), (Reason::Recovered, Some(Outcome::Healed)));
    let again = met(&healed.next.counts, bad());
    assert_eq!((again.reason, again.next.counts.intent.is_some()), (Reason::UnitBusy, true));
}

#[test]
fn a_stamp_of_the_future_becomes_now() {
    let mut world = World::new(policy());
    for _ in 0..2 {
        world.pass(120);
        world.tick('x');
    }
    // A clock ten years ahead, and a reboot that set it right.
    for restart in &mut world.state.restarts {
        restart.at = Moment { boot: Some("before".into()), ..at("", 9, 999_000_000) };
    }
    world.state.backoff.as_mut().unwrap().from = at("before", 9, 999_000_000);
    world.pass(120);
    assert_eq!(world.tick('x'), "3");
    world.pass(120);
    assert_eq!(world.tick('x'), "R");
    assert!(world.state.restarts.iter().all(|restart| restart.at.wall < s(2_000_000)));
}

/// The same as with a clock that goes on: `xxB` in the scripts.
#[test]
fn a_reboot_into_the_day_before_makes_no_life_ours() {
    let unit = UnitFacts::Known(running("b"));
    let then = at("before", 10_000, 200_000);
    let counted = Counts {
        failures: 2,
        incarnation: Some("a".to_string()),
        since: Some(then.clone()),
        failed_at: Some(then.clone()),
        ..Counts::default()
    };
    let before = intend(&counted, &policy(), &UnitFacts::Known(running("a")), &then, &then);
    let now = at("boot", 10_060, 200_060 - 86_400);
    let after = |seen: Observation| {
        with_case(&before, |case| decide(&Facts { now: &now, unit: &unit, seen: &seen, ..case }))
    };
    let failed = after(bad());
    assert_eq!((failed.reason, failed.earlier), (Reason::TooSoon, None), "nobody knows how long ago");
    assert_eq!((failed.next.counts.failures, failed.next.counts.restarts.len()), (0, 1));
    let healthy = after(Observation::Healthy);
    assert_eq!((healthy.verdict, healthy.earlier), (Verdict::Recovered { failures: 2 }, None));
}

#[test]
fn a_mad_state_decides_nothing_mad() {
    let moment = |boot: Option<&str>, n| Moment { boot: boot.map(Into::into), since_boot: n, wall: n };
    for n in [Duration::ZERO, Duration::MAX] {
        for boot in [None, Some("boot"), Some("other")] {
            let mut world = World::new(policy());
            world.state = Counts {
                streak: u32::MAX,
                failures: u32::MAX,
                successes: u32::MAX,
                lives: 0,
                failed_at: Some(moment(boot, n)),
                since: Some(moment(boot, n)),
                healthy_since: Some(moment(boot, n)),
                restarts: vec![restarted(moment(boot, n), Outcome::Unknown); 9],
                backoff: Some(Backoff { step: u32::MAX, from: moment(boot, n) }),
                ..Counts::default()
            };
            for sign in ['x', '?', 'x', 'o', 's', '.', 'x'] {
                world.pass(120);
                world.tick(sign);
            }
        }
    }
}
