//! The pure half of unhang: what was seen goes in, what to do comes out.
//!
//! `no_std` and no dependency make that a rule of the compiler: no file, socket, process, clock,
//! environment or log can be named here. No function returns `Result`, and none panics. Nothing here
//! is serialised; `store` owns the shape on disk.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod decide;
mod observation;
mod outlook;
mod pause;
mod policy;
mod restart;
mod state;
#[cfg(test)]
mod tests;
mod time;
mod unit;
mod upstream;
mod verdict;

pub use decide::{
    Case, Decision, Host, TIME_TO_RESTART, asks_systemd, decide, in_the_way, look_again, restart_order,
};
pub use observation::{Cause, Doubt, Observation, Phase, Times, TlsFault};
pub use outlook::{Outlook, foresee, outlook, reset};
pub use pause::{Pause, Paused, PausedBy};
pub use policy::{BackoffLimits, Budget, Mode, Policy};
pub use restart::{Ended, intend, settle};
pub use state::{Backoff, Intent, Looked, Outcome, Process, Restart, State, Was};
pub use time::Moment;
pub use unit::{Active, Condition, Incarnation, Life, Load, Neighbour, Relation, Unit, UnitResult};
pub use upstream::{FailingRequirement, Node, failing_requirement};
pub use verdict::{Failing, Hold, Reason, Upstream, Verdict, VerdictKind};
