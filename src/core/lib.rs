//! The pure half of unhang: what was seen goes in, what to do comes out.
//!
//! `no_std` and no dependency make that a rule of the compiler: no file, socket, process, clock,
//! environment or log can be named here. No function returns `Result`, and none panics. Nothing here
//! is serialised; `store` owns the shape on disk.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod account;
mod common_cause;
mod conclude;
mod counts;
mod decide;
mod escalation;
mod event;
mod facts;
mod failure_window;
mod fingerprint;
mod hands_off;
mod judgement;
mod observation;
mod outlook;
mod pause;
mod policy;
mod restart;
mod second_look;
mod state;
mod stored_cause;
#[cfg(test)]
mod tests;
mod time;
mod unit;
mod upstream;
mod verdict;
mod weigh;
mod withheld;

pub use account::{Account, Standing, Warned};
pub use common_cause::{failing_together, in_vain_until};
pub use counts::{Backoff, Counts, Evidence, Intent, Looked, Outcome, Process, Restart, Was};
pub use decide::{asks_systemd, decide, in_the_way, restart_order};
pub use escalation::{Act, NextRung, Rung, next_rung};
pub use event::{
    Counted, Event, RestartEnd, Resumption, events_of_decision, events_of_incident, events_of_no_help,
    events_of_warnings,
};
pub use facts::{Case, Decision, Host};
pub use failure_window::{LONGEST_RECENT, Recent};
pub use fingerprint::Fingerprint;
pub use hands_off::{HandsOff, Upstream};
pub use observation::{Cause, Doubt, Finding, Observation, Phase, Redirect, Times, TlsFault};
pub use outlook::{Outlook, foresee, outlook, reset};
pub use pause::{Pause, Paused, PausedBy};
pub use policy::{BackoffLimits, Budget, Flapping, Mode, OnFlapping, Policy, WhenExited};
pub use restart::{Ended, does_not_help, give_way, intend, put_off, settle};
pub use second_look::look_again;
pub use state::State;
pub use stored_cause::StoredCause;
pub use time::Moment;
pub use unit::{
    Active, AfterExit, Condition, Incarnation, Life, Load, Neighbour, Relation, Reload, Unit, UnitResult,
};
pub use upstream::{FailingRequirement, Node, failing_requirement};
pub use verdict::{Failing, HeldUntil, Hold, Reason, Verdict, VerdictKind};
pub use weigh::{Answered, Seen, Warning, WarningOf, Weight, weigh};
pub use withheld::{TIME_TO_RESTART, Withheld};
