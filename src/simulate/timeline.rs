//! Run after run, where runs that differ in nothing are one row.

use std::time::Duration;

use unhang_core::{Outcome, Reason, Verdict, VerdictKind};

use super::course::{SimulatedRestart, SimulatedRun};
use super::script::Sign;

/// No more is read by anybody; the summary is of all.
pub(super) const MOST_ROWS: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// The last of them, beyond `MOST_ROWS`, is there only for the next one to be held against.
    rows: Vec<TimelineRow>,
    dropped: usize,
}

/// One run, or several that differ in nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimelineRow {
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) runs: u32,
    pub(super) sign: Sign,
    pub(super) is_starting: bool,
    pub(super) verdict: VerdictKind,
    pub(super) reason: Reason,
    /// After its first and after its last run.
    pub(super) streak: (u32, u32),
    /// When what holds it ends by itself.
    pub(super) until: Option<Duration>,
    pub(super) restart: Option<SimulatedRestart>,
    pub(super) earlier: Option<Outcome>,
    pub(super) flaps: Option<u32>,
}

impl Timeline {
    pub(super) fn add(&mut self, turn: SimulatedRun) {
        let row = TimelineRow::of(turn);
        let is_full = self.rows.len() > MOST_ROWS;
        match self.rows.last_mut() {
            Some(last) if row.continues(last) => last.extend(&row),
            Some(last) if is_full => {
                *last = row;
                self.dropped = self.dropped.saturating_add(1);
            }
            Some(_) | None => self.rows.push(row),
        }
    }

    pub(super) fn shown(&self) -> &[TimelineRow] {
        self.rows.get(..MOST_ROWS).unwrap_or(&self.rows)
    }

    pub(super) fn left_out(&self) -> usize {
        self.rows.len().saturating_sub(MOST_ROWS).saturating_add(self.dropped)
    }
}

impl TimelineRow {
    fn of(turn: SimulatedRun) -> Self {
        let left = if let Verdict::Held(hold) = &turn.verdict { hold.time_left() } else { None };
        Self {
            from: turn.at,
            to: turn.at,
            runs: 1,
            sign: turn.sign,
            is_starting: turn.is_starting,
            verdict: turn.verdict.kind(),
            reason: turn.reason,
            streak: (turn.streak, turn.streak),
            until: left.map(|left| turn.at.saturating_add(left)),
            restart: turn.restart,
            earlier: turn.earlier,
            flaps: turn.flaps,
        }
    }

    fn continues(&self, last: &Self) -> bool {
        let restarts = self.restart.is_some() || last.restart.is_some();
        let is_event = restarts || self.earlier.is_some() || self.flaps.is_some();
        let of = |row: &Self| (row.sign, row.is_starting, row.verdict, row.reason, row.until);
        // A count that begins anew is another one.
        !is_event && of(self) == of(last) && self.streak.0 >= last.streak.1
    }

    fn extend(&mut self, next: &Self) {
        self.to = next.to;
        self.runs = self.runs.saturating_add(next.runs);
        self.streak.1 = next.streak.1;
    }
}
