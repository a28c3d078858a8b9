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

pub use account::{Account, Ongoing, StoredWarning};
pub use common_cause::{failed_together, shared_budget_wait};
pub use counts::{
    Backoff, Counts, HealthRecord, Intent, LastUnitQuery, Outcome, ProcessId, Restart, UnitBefore,
};
pub use decide::{blocking_hold, decide, needs_unit_query, restart_order};
pub use escalation::{NextStep, Step, StepKind, next_step};
pub use event::{
    CountedFailure, Event, RestartEnd, Resumption, events_of_decision, events_of_incident, events_of_no_help,
    events_of_warnings,
};
pub use facts::{Decision, Facts, HostFacts};
pub use failure_window::{FailureWindow, MAX_WINDOW_RUNS};
pub use fingerprint::Fingerprint;
pub use hands_off::{HandsOff, UpstreamHold};
pub use observation::{Cause, Doubt, Observation, Phase, PhaseTimes, ProbeFailure, Redirect, TlsError};
pub use outlook::{Outlook, forecast_next_run, reset_state, restart_outlook};
pub use pause::{ActivePause, PauseSource, PauseState};
pub use policy::{BackoffRule, BudgetRule, FlappingAction, FlappingRule, Mode, Policy, WhenExited};
pub use restart::{
    RestartResult, put_off, record_end, record_intent, restarts_without_effect, skip_impossible_step,
};
pub use second_look::decide_second_look;
pub use state::State;
pub use stored_cause::StoredCause;
pub use time::Moment;
pub use unit::{
    ActiveState, AfterExit, InvocationId, LoadState, RelatedUnit, Relation, ReloadSupport, UnitCondition,
    UnitFacts, UnitResult, UnitSnapshot,
};
pub use upstream::{FailingRequirement, RequirementNode, find_failing_requirement};
pub use verdict::{HeldUntil, HoldReason, NotDue, Reason, Verdict, VerdictKind};
pub use weigh::{CombinedObservation, ProbeOutcome, ProbeRole, ProbeWarning, WarningKind, combine};
pub use withheld::{MIN_TIME_FOR_RESTART, Withheld};
