//! What was tried and what came of it: progress on a terminal, each failure as it happens, a table at the end.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::laws::Laws;

#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    /// What could not be tried here.
    pub(crate) left_out: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) scene: &'static str,
    pub(crate) calls: usize,
    pub(crate) tried: usize,
    /// The call did not come by.
    pub(crate) missed: usize,
    pub(crate) laws: usize,
    pub(crate) failures: usize,
    pub(crate) took: Duration,
}

impl Row {
    /// `shown`: what was done, for people.
    pub(crate) fn add(&mut self, name: &str, shown: &str, laws: Option<Laws>, took: Duration) {
        self.took += took;
        let Some(laws) = laws else {
            self.missed += 1;
            return;
        };
        self.tried += 1;
        self.laws += laws.checked;
        if laws.broken.is_empty() {
            return;
        }
        self.failures += 1;
        clear();
        println!("FAILED {name}   {shown}");
        for broken in laws.broken {
            println!("  {}", broken.trim_end().replace('\n', "\n    "));
        }
        println!("  again: cargo test --test faults -- --only {name}");
    }
}

impl Table {
    pub(crate) fn row(&mut self, scene: &'static str) -> &mut Row {
        let at = self.rows.iter().position(|row| row.scene == scene).unwrap_or(self.rows.len());
        if at == self.rows.len() {
            self.rows.push(Row { scene, ..Row::default() });
        }
        &mut self.rows[at]
    }

    pub(crate) fn progress(&self, of: usize) {
        if std::io::stderr().is_terminal() {
            let done: usize = self.rows.iter().map(|row| row.tried + row.missed).sum();
            eprint!("\r\x1b[K{done} done; {of} here");
            let _ = std::io::stderr().flush();
        }
    }

    pub(crate) fn print(&self, took: Duration) {
        clear();
        println!(
            "{:<16}{:>8}{:>10}{:>8}{:>10}{:>10}{:>9}",
            "scene", "calls", "injected", "missed", "laws", "failures", "work (s)"
        );
        for row in &self.rows {
            let Row { scene, calls, tried, missed, laws, failures, took } = row;
            println!(
                "{scene:<16}{calls:>8}{tried:>10}{missed:>8}{laws:>10}{failures:>10}{:>9.1}",
                took.as_secs_f64()
            );
        }
        let sum = |of: fn(&Row) -> usize| self.rows.iter().map(of).sum::<usize>();
        let (calls, tried, missed) = (sum(|row| row.calls), sum(|row| row.tried), sum(|row| row.missed));
        let (laws, failures) = (sum(|row| row.laws), sum(|row| row.failures));
        println!("{:<16}{calls:>8}{tried:>10}{missed:>8}{laws:>10}{failures:>10}", "all");
        println!("in {:.0} s; work is that of all workers side by side", took.as_secs_f64());
        for what in &self.left_out {
            println!("left out: {what}");
        }
    }

    /// A part in which nothing was tried is no success.
    pub(crate) fn is_good(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.failures == 0 && row.tried > row.missed)
    }
}

fn clear() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}
