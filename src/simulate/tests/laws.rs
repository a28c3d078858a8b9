//! Over random patterns and settings: what is promised of runs holds for those that are played.

use proptest::prelude::*;
use unhang_core::BudgetRule;

use super::*;

fn pattern() -> impl Strategy<Value = String> {
    let sign = prop_oneof![
        8 => Just('x'), 3 => Just('.'), 1 => Just('?'), 1 => Just('s'), 1 => Just('r'),
    ];
    prop::collection::vec(sign, 1..120).prop_map(|signs| signs.into_iter().collect())
}

proptest! {
    #[test]
    fn a_simulation_keeps_the_promises(
        pattern in pattern(),
        (every, start_takes) in (20..1_000_u64, 0..600_u64),
        (max_failures, min_successes) in (1..4_u32, 1..4_u32),
        (restarts, window) in (1..5_usize, 60..10_000_u64),
        (grace, first) in (0..300_u64, 1..600_u64),
    ) {
        let (_, mut plan) = read(&format!("--pattern . {UNIT}"));
        let service = &mut plan.services[0];
        service.policy.max_failures = max_failures;
        service.policy.min_successes = min_successes;
        service.policy.grace = s(grace);
        service.policy.budget = BudgetRule { restarts, window: s(window) };
        service.policy.backoff.first = s(first);
        let script = Script::new(&pattern, 1, s(every), s(start_takes)).unwrap();
        let turns = turns(&script, &plan);
        let restarted: Vec<&SimulatedRun> = turns.iter().filter(|turn| turn.restart.is_some()).collect();

        for (earlier, later) in restarted.iter().zip(restarted.iter().skip(restarts)) {
            prop_assert!(later.at >= earlier.at + s(window), "budget: {:?} {:?}", earlier.at, later.at);
        }
        for turn in &restarted {
            let failed = matches!(turn.sign, Sign::Fails | Sign::Restarted) || turn.is_starting;
            prop_assert!(failed, "restarted at {:?}", turn.at);
            prop_assert!(turn.restart.as_ref().unwrap().spent <= restarts);
        }

        let played = play_script(&script, &plan.services[0], &plan);
        let rows = played.timeline.shown();
        prop_assert_eq!(rows.iter().map(|row| row.runs).sum::<u32>() as usize, pattern.len());
        prop_assert_eq!(played.summary.restarts as usize, restarted.len());
        prop_assert!(played.summary.healed + played.summary.not_healed <= played.summary.restarts);
    }
}
