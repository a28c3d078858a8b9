//! What must hold after every run, however it was failed, and after those that follow.

use serde_json::Value;

use crate::calls::{Call, Fault};
use crate::messages;
use crate::stage::{Facts, IN_TIME, Ticked};

/// How many were looked at, and which do not hold.
#[derive(Debug, Default)]
pub(crate) struct Laws {
    pub(crate) checked: usize,
    pub(crate) broken: Vec<String>,
    /// Restarts asked for, and lines about them, that were looked at.
    pub(crate) seen: (usize, usize),
    /// What stood there before, which a run that ended early has not come to.
    pub(crate) found: [Option<Vec<u8>>; 2],
}

impl Laws {
    pub(crate) fn hold(&mut self, law: &str, holds: bool, found: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            self.broken.push(format!("{law}: {}", found()));
        }
    }

    /// The run that was failed.
    pub(crate) fn of_the_failed(&mut self, ticked: &Ticked, call: &Call, fault: Fault, says: &[&str]) {
        // Without its first memory the C library itself ends it, without a word.
        let aborted = call.is_memory() && matches!(ticked.signal(), Some(6 | 11));
        let memory: &[&str] = if aborted { messages::WITHOUT_MEMORY } else { &[] };
        let says: Vec<&str> = says.iter().chain(memory).copied().collect();
        self.of_a_run(ticked, &says);
        let ended = match (fault, ticked.code()) {
            (Fault::Kill, _) => ticked.signal() == Some(9),
            (_, Some(0 | 1 | 3)) => true,
            (_, Some(2)) => messages::matches("unhang: *.toml: cannot be read: *", &ticked.stderr),
            (_, Some(75)) => call.name == "flock",
            _ => aborted,
        };
        self.hold("a run ends with a code of the manual", ended, || {
            format!("{:?}, {}", ticked.status, ticked.stderr)
        });
    }

    /// One that came after it, and that nothing was done to.
    pub(crate) fn of_a_later(&mut self, ticked: &Ticked, says: &[&str]) {
        self.of_a_run(ticked, says);
        self.hold("what follows is an ordinary run", matches!(ticked.code(), Some(0 | 1)), || {
            format!("{:?}, {}", ticked.status, ticked.stderr)
        });
        let silent = messages::unknown_but(&ticked.stderr, says).is_none();
        self.hold("what follows has nothing to say", silent, || ticked.stderr.clone());
    }

    /// One that may have been ended at its deadline.
    pub(crate) fn of_a_run_cut_short(&mut self, ticked: &Ticked) {
        self.of_a_run(ticked, &[]);
        self.hold(
            "a run ends with a code of the manual",
            matches!(ticked.code(), Some(0 | 1) | None),
            || format!("{:?}", ticked.status),
        );
    }

    fn of_a_run(&mut self, ticked: &Ticked, says: &[&str]) {
        self.hold("every run ends in time", ticked.status.is_some(), || {
            format!("not within {} s", IN_TIME.as_secs())
        });
        self.hold("nothing on stdout", ticked.stdout.is_empty(), || ticked.stdout.clone());
        let unknown = messages::unknown(&ticked.stderr, says);
        self.hold("nothing printed but what the manual lists", unknown.is_none(), || format!("{unknown:?}"));
    }

    /// At any moment between two runs. `most`: the restarts that may have been asked for by now.
    pub(crate) fn of_the_stage(&mut self, ticked: &Ticked, facts: &Facts, most: usize) {
        self.hold("no restart beyond the one due", facts.restarts <= most, || {
            format!("{} were asked for, {most} due", facts.restarts)
        });
        self.hold("0 means healthy", ticked.code() != Some(0) || facts.healthy, || {
            "exit 0, and it hangs".into()
        });
        let as_found = |at: usize| facts.copies[at] == self.found[at];
        let readable = (0..2).all(|at| {
            as_found(at) || facts.copies[at].as_deref().is_none_or(|bytes| State::read(bytes).is_some())
        });
        self.hold("the state is readable or set aside", readable, || format!("{:?}", texts(&facts.copies)));
        let newest = newest(&facts.copies);
        let remembered = newest.as_ref().map_or(0, |state| state.restarts);
        self.hold("every restart asked for is remembered", facts.restarts < remembered + most, || {
            format!("{} asked for, {remembered} remembered", facts.restarts)
        });
        let lines = facts.log.matches('🔄').count();
        if facts.restarts > self.seen.0 {
            let intent = self::newest(&facts.at_restart).is_some_and(|state| state.has_intent);
            self.hold("the intent is kept before the restart", intent, || {
                format!("{:?}", texts(&facts.at_restart))
            });
            let told = lines > self.seen.1 || ticked.stderr.contains("cannot write");
            self.hold("every restart is in the log", told, || facts.log.clone());
        }
        self.seen = (facts.restarts, lines);
        let whole = facts.log.is_empty() || facts.log.ends_with('\n');
        let known = facts.log.lines().all(messages::is_log_line);
        self.hold("log lines are whole, and of the manual", whole && known, || facts.log.clone());
    }
}

impl Facts {
    pub(crate) fn texts(&self) -> String {
        format!("{:?}", texts(&self.copies))
    }
}

fn texts(copies: &[Option<Vec<u8>>; 2]) -> [Option<String>; 2] {
    [0, 1].map(|at| copies[at].as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

/// What of a state the laws ask for.
pub(crate) struct State {
    pub(crate) sequence: u64,
    pub(crate) restarts: usize,
    pub(crate) has_intent: bool,
    pub(crate) is_open: bool,
}

impl State {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let state: Value = serde_json::from_slice(bytes).ok()?;
        (state["version"] == 1).then_some(())?;
        Some(Self {
            sequence: state["sequence"].as_u64()?,
            restarts: state["restarts"].as_array()?.len(),
            has_intent: state["intent"].is_object(),
            is_open: state["since"].is_object(),
        })
    }
}

/// Of two copies the one with the higher number.
pub(crate) fn newest(copies: &[Option<Vec<u8>>; 2]) -> Option<State> {
    let states = copies.iter().flatten().filter_map(|bytes| State::read(bytes));
    states.max_by_key(|state| state.sequence)
}
