//! Patterns and what comes of them, run by run; laws over random patterns.

mod laws;

use std::time::Duration;

use clap::Parser;
use unhang_core::{Outcome, Reason, RestartResult};

use super::course::{Engine, SimulatedRun};
use super::script::{MOST_RUNS, Script, Sign};
use super::shown::format_offset;
use super::timeline::MOST_ROWS;
use super::{play_script, simulation_lines};
use crate::cli::{Cli, Command};
use crate::config;
use crate::plan::Plan;

const fn s(n: u64) -> Duration {
    Duration::from_secs(n)
}

const UNIT: &str = "--unit shop --url http://localhost/";

/// As it is typed behind `unhang simulate shop`.
fn read(line: &str) -> (Script, Plan) {
    let words = ["unhang", "simulate", "shop"].into_iter().chain(line.split_whitespace());
    let cli = Cli::try_parse_from(words).unwrap();
    let plan = config::load_plan(&cli.config_sources()).unwrap();
    let Command::Simulate(asked) = &cli.command else { panic!("{line}") };
    let span = |flag, text: &str| config::parse_span_flag(flag, text).unwrap();
    let repeat = config::parse_count_flag("--repeat", &asked.repeat).unwrap();
    let (every, start_takes) = (span("--every", &asked.every), span("--start-takes", &asked.start_takes));
    (Script::new(&asked.pattern, repeat, every, start_takes).unwrap(), plan)
}

fn turns(script: &Script, plan: &Plan) -> Vec<SimulatedRun> {
    let mut course = Engine::begin_course(script, &plan.services[0], plan.host.deadline);
    let signs: Vec<Sign> = script.signs().collect();
    let next = signs.iter().skip(1).chain(signs.last());
    signs.iter().zip(next).map(|(sign, next)| course.run(*sign, *next)).collect()
}

/// The streak where one is counted; `R` for a restart, with `+` healed, `-` not, `~` not known yet; else the
/// reason. After a `/` what became known of an earlier restart.
fn told(turn: &SimulatedRun) -> String {
    let earlier = match turn.earlier {
        None => "",
        Some(Outcome::Healed) => "/+",
        Some(_) => "/-",
    };
    let reason = match &turn.restart {
        Some(restart) if restart.ended == RestartResult::Healed => "R+".to_owned(),
        Some(restart) if restart.ended == RestartResult::NotHealed => "R-".to_owned(),
        Some(_) => "R~".to_owned(),
        None if turn.reason == Reason::Counting => turn.streak.to_string(),
        None => turn.reason.code().to_owned(),
    };
    reason + earlier
}

#[track_caller]
fn check_by(restarter: &str, pattern: &str, flags: &str, expected: &str) {
    let (script, plan) = read(&format!("--pattern {pattern} {flags} {restarter}"));
    let found: Vec<String> = turns(&script, &plan).iter().map(told).collect();
    assert_eq!(found.join(" "), expected, "{pattern} {flags}");
}

#[track_caller]
fn check(pattern: &str, flags: &str, expected: &str) {
    check_by(UNIT, pattern, flags, expected);
}

#[rustfmt::skip]
#[test]
fn what_the_signs_mean() {
    check("....",     "", "ok ok ok ok");
    check("x.",       "", "1 recovered");
    check("xx.",      "", "1 R+ ok");
    check("xxx",      "", "1 R- 1");
    check("x?x?",     "", "1 unknown R- unknown");
    check("xsxx.",    "", "1 stopped 1 R+ ok");            // a full count after the stop
    check("ss..",     "", "stopped stopped recovered ok");
    check("xrx.",     "", "1 grace 1 recovered");          // somebody's restart begins the count again
    check("rx",       "", "grace 1");
    check("sr.",      "", "stopped grace recovered");
}

#[rustfmt::skip]
#[test]
fn a_restart_is_healed_if_the_next_run_meets_a_healthy_service_that_started_in_time() {
    check("xx.", "",                                                   "1 R+ ok");
    check("xx?.", "",                                                  "1 R- unknown recovered");
    check("xx", "",                                                    "1 R-");                 // the end goes on
    check("xx.", "--start-takes 30s",                                  "1 R+ ok");
    check("xx.", "--start-takes 31s",                                  "1 R- recovered");
    check("xx.", "--start-takes 90s --verify 90s",                     "1 R+ ok");              // verify is longer
    check("xx.", "--start-takes 90s --grace 90s",                      "1 R+ ok");              // or grace
    check("xx.", "--start-takes 30s --min-successes 2",                "1 R- recovering");      // and one more second
    check("xx.", "--start-takes 29s --min-successes 2",                "1 R+ ok");
    check("xx.", "--start-takes 107s --grace 5m",                      "1 R+ ok");              // up to the deadline
    check("xx.", "--start-takes 108s --grace 5m",                      "1 R~ recovered/+");     // the next run sees more
    check("xxx", "--grace 90s --deadline 60s",                         "1 R~ 1/-");
}

#[rustfmt::skip]
#[test]
fn a_grace_that_is_too_short_for_the_start_costs_restarts() {
    check("xx.....", "--start-takes 5m",            "1 R- 1 R- 1 backoff recovered");
    check("xx.....", "--start-takes 5m --grace 5m", "1 R~ grace grace recovered/+ ok ok");
    check("r...",    "--start-takes 5m",            "grace 1 R- 1");   // after somebody's restart too
    check("s....",   "--start-takes 5m",            "stopped 1 R- 1 R-");
}

#[rustfmt::skip]
#[test]
fn it_gives_up_for_a_time_and_comes_back() {
    check("xxxxxxxxx", "",                      "1 R- 1 R- 1 backoff backoff backoff backoff");
    check("xxxxxxxxx", "--backoff-max 8m",      "1 R- 1 R- 1 backoff backoff R- 1");
    check("xxxxxxx", "--budget-restarts 1 --budget-window 6m --backoff-first 1s", "1 R- 1 budget budget R- 1");
    check("xxxx.xxxx", "--max-failures 5",      "1 2 3 4 recovered 1 2 3 4");
    check("xxxx", "--mode observe",             "1 observe observe observe");
    check("xxxx", "--every 15m",                "1 1 1 1");            // stale_after is over each time
    check("xxxx", "--every 30s",                "1 too_soon R- grace");
    // A flapper: each restart heals, and each costs a longer wait, until it stayed healthy for long enough.
    check("xx.xx.xx.xx", "",                    "1 R+ ok 1 R+ ok 1 R+ ok 1 backoff");
    check("xx.xx.......xx.", "",                "1 R+ ok 1 R+ ok ok ok ok ok ok ok 1 R+ ok");
}

#[rustfmt::skip]
#[test]
fn what_unhang_cannot_see_is_not_seen_here_either() {
    let command = "--name shop --restart-command true --url http://localhost/";
    check_by(command, "xs.", "", "1 R+ ok");            // a command has no unit that somebody could have stopped
    check_by(command, "xr.", "", "1 R+ ok");
    check_by(command, "xxx", "--grace 3m", "1 R~ grace");
}

#[test]
fn a_restart_is_younger_than_its_run() {
    // That of +2m was asked for a moment later: at +6m its 4 minutes are not over.
    check(&"x".repeat(6), "--budget-restarts 1 --budget-window 4m --backoff-first 1s", "1 R- 1 budget R- 1");
}

#[test]
fn a_script_is_refused_in_one_line() {
    let refused = |pattern: &str, repeat, every| Script::new(pattern, repeat, every, s(0)).unwrap_err();
    assert!(refused("", 1, s(1)).starts_with("--pattern: is empty;"));
    assert!(refused(".x\u{e9}", 1, s(1)).starts_with("--pattern: no sign \"\u{e9}\" (place 3);"));
    assert!(refused("X", 1, s(1)).starts_with("--pattern: no sign \"X\" (place 1);"));
    assert!(refused(".", 1, Duration::from_millis(999)).starts_with("--every: must be 1s or more;"));
    assert!(refused("...", 333_334, s(1)).starts_with("--repeat: must be at most 333333 with this pattern,"));
    assert!(Script::new("...", 333_333, s(1), s(0)).is_ok());
    assert!(Script::new(".", MOST_RUNS, s(365 * 86_400), s(0)).is_ok());
}

#[test]
fn times_are_told_from_the_first_run_on() {
    for (seconds, words) in [
        (0, "+0m"),
        (30, "+0m30s"),
        (240, "+4m"),
        (3_840, "+1h04m"),
        (3_845, "+1h04m05s"),
        (86_400, "+1d00h00m"),
        (31_536_000, "+365d00h00m"),
    ] {
        assert_eq!(format_offset(s(seconds)), words);
    }
}

fn shown(line: &str) -> Vec<String> {
    let (script, plan) = read(&format!("{line} {UNIT}"));
    simulation_lines(&play_script(&script, &plan.services[0], &plan))
}

#[test]
fn runs_that_differ_in_nothing_are_one_line() {
    let lines = shown("--pattern ....xxxxxxxxxxxx --max-failures 9");
    assert_eq!(
        lines[2..6],
        [
            "+0m to +6m    . 4 times  healthy (ok)",
            "+8m to +22m   x 8 times  failing (counting)      failures 1 to 8 of 9",
            "+24m          x          restart (max_failures)  1 of 5 in the budget; not healed",
            "+26m to +30m  x 3 times  failing (counting)      failures 1 to 3 of 9",
        ]
    );
    assert!(
        shown("--pattern xx --every 30s")[3].starts_with("+0m30s  x  failing (too_soon)"),
        "another reason"
    );
    assert_eq!(
        shown("--pattern xxxx --every 15m")[2],
        "+0m to +45m  x 4 times  failing (counting)  failure 1 of 2; runs are further apart than stale_after: failures never add up"
    );
}

#[test]
fn a_hold_tells_when_it_ends() {
    let lines = shown("--pattern xxxxxxxxxx");
    assert!(lines[5].ends_with(
        "2 of 5 in the budget; not healed; two restarts in a row without effect: the longest wait follows"
    ));
    assert_eq!(lines[7], "+10m to +18m  x 5 times  held (backoff)          until +1h06m");
    assert_eq!(lines.last().unwrap(), "next:     at the next failure, not before +1h06m");
}

#[test]
fn the_summary_is_of_all_runs() {
    let lines = shown("--pattern xxxxxxxxxxxxxxxxxxxx --repeat 3");
    assert_eq!(
        lines[lines.len() - 5..],
        [
            "runs:     60, the last at +1h58m",
            "restarts: 3 (3 not healed)",
            "failed:   1 h without a restart at the longest, +6m to +1h06m",
            "budget:   2 of 5 spent within 1 h at the most",
            "next:     at the next failure, not before +2h06m",
        ]
    );
    let calm = shown("--pattern x.x.");
    assert_eq!(
        calm[calm.len() - 4..],
        [
            "restarts: none",
            "failed:   never two runs in a row without a restart",
            "budget:   0 of 5 spent within 1 h at the most",
            "next:     after 2 more failures",
        ]
    );
}

#[test]
fn a_service_that_flaps_is_told_once() {
    let lines = shown("--pattern xx.. --max-failures 3 --repeat 9");
    let told: Vec<&String> = lines.iter().filter(|line| line.contains("flapping: ")).collect();
    assert_eq!(told.len(), 1, "{lines:#?}");
    assert!(told[0].ends_with("5 of the last 12 runs failed"), "{told:?}");
}

#[test]
fn what_somebody_stopped_does_not_wait_for_a_restart() {
    let lines = shown("--pattern xssssssssx");
    assert!(lines.contains(&"failed:   never two runs in a row without a restart".to_owned()), "{lines:#?}");
}

#[test]
fn a_long_timeline_is_cut_and_says_so() {
    let lines = shown("--pattern x. --repeat 600");
    assert!(lines.contains(&format!("{} more lines are left out", 1_200 - MOST_ROWS)), "{lines:#?}");
    assert!(lines.contains(&"runs:     1200, the last at +1d15h58m".to_owned()));
    let just = shown("--pattern x. --repeat 500");
    assert!(!just.iter().any(|line| line.contains("left out")));
}

/// What ships takes a small part of that: the bound is for code that is not optimised, on a machine that has
/// other work.
#[test]
fn a_year_of_runs_is_played_while_one_waits() {
    let (script, plan) = read(&format!("--pattern xx.......x.x --repeat 21900 {UNIT}"));
    let began = std::time::Instant::now();
    let runs = play_script(&script, &plan.services[0], &plan).summary.runs;
    assert_eq!(runs, 365 * 720);
    assert!(began.elapsed() < s(60), "{:?}", began.elapsed());
}
