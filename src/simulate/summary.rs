//! What counts of a whole course: how often it was restarted, what for, and how long it was left failing.

use std::time::Duration;

use unhang_core::{Outcome, RestartResult};

use super::course::SimulatedRun;
use super::script::Sign;

#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) runs: u32,
    /// From the first run to the last.
    pub(super) lasted: Duration,
    pub(super) restarts: u32,
    pub(super) healed: u32,
    pub(super) not_healed: u32,
    /// Of the budget, at its fullest.
    pub(super) most_spent: usize,
    /// The longest time, from and to, in which it failed and was not restarted. `None`: it never failed at
    /// two runs.
    pub(super) longest: Option<(Duration, Duration)>,
    failing_since: Option<Duration>,
}

impl Summary {
    pub(super) fn add_run(&mut self, turn: &SimulatedRun) {
        self.runs = self.runs.saturating_add(1);
        self.lasted = turn.at;
        self.count_wait(turn);
        self.count_run(turn);
    }

    fn count_wait(&mut self, turn: &SimulatedRun) {
        match turn.sign {
            Sign::Healthy if !turn.is_starting => self.failing_since = None,
            // What somebody stopped waits for no restart.
            Sign::Stopped => self.failing_since = None,
            Sign::Unknown => {}
            Sign::Healthy | Sign::Fails | Sign::Restarted => self.wait_on(turn),
        }
    }

    fn wait_on(&mut self, turn: &SimulatedRun) {
        let since = *self.failing_since.get_or_insert(turn.at);
        let length = |(from, to): (Duration, Duration)| to.saturating_sub(from);
        let waited = (since, turn.at);
        if length(waited) > self.longest.map_or(Duration::ZERO, length) {
            self.longest = Some(waited);
        }
        if turn.restart.is_some() {
            self.failing_since = Some(turn.at);
        }
    }

    fn count_run(&mut self, turn: &SimulatedRun) {
        let now = turn.restart.as_ref();
        let healed = now.is_some_and(|restart| restart.ended == RestartResult::Healed);
        let in_vain = now.is_some_and(|restart| restart.ended == RestartResult::NotHealed);
        let late = |outcome| turn.earlier == Some(outcome);
        self.restarts = self.restarts.saturating_add(u32::from(now.is_some()));
        for (sum, by_now, later) in [
            (&mut self.healed, healed, late(Outcome::Healed)),
            (&mut self.not_healed, in_vain, late(Outcome::NotHealed)),
        ] {
            *sum = sum.saturating_add(u32::from(by_now)).saturating_add(u32::from(later));
        }
        self.most_spent = self.most_spent.max(now.map_or(0, |restart| restart.spent));
    }

    /// Restarts of which it never became known what came of them.
    pub(super) fn unknown_outcomes(&self) -> u32 {
        self.restarts.saturating_sub(self.healed).saturating_sub(self.not_healed)
    }
}
