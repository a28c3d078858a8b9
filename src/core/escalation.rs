//! Means beyond a restart, each once an incident, in the order of the operator's list.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{ActiveState, Counts, Policy, ReloadSupport, UnitFacts};

/// One means of the list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    Reload,
    Restart,
    /// SIGKILL to all of it, and then a restart: for what does not heed its stop.
    Kill,
    /// Program and arguments.
    Command(Vec<String>),
    /// Asks again and again, patiently: for what falls asleep when nobody asks.
    Wake,
}

/// What was done, where it is remembered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StepKind {
    #[default]
    Restart,
    Reload,
    Kill,
    Command,
    Wake,
}

/// The rung that is next, and how many are used up with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep<'a> {
    pub rung: &'a Step,
    pub used: u32,
}

/// `None`: this incident has used up all of the list. What cannot be done to this unit is passed over.
#[must_use]
pub fn next_step<'a>(policy: &'a Policy, state: &Counts, unit: &UnitFacts) -> Option<NextStep<'a>> {
    if policy.escalate.is_empty() {
        return Some(NextStep { rung: &policy.means, used: 0 });
    }
    let numbered = (1_u32..).zip(&policy.escalate).filter(|(used, _)| *used > state.rungs);
    let mut fitting = numbered.filter(|(_, rung)| match rung {
        Step::Reload => can_reload(unit),
        Step::Kill => !matches!(unit, UnitFacts::Command { .. }),
        Step::Restart | Step::Command(_) | Step::Wake => true,
    });
    fitting.next().map(|(used, rung)| NextStep { rung, used })
}

fn can_reload(unit: &UnitFacts) -> bool {
    matches!(unit, UnitFacts::Known(life) if life.active == ActiveState::Active && life.reload == ReloadSupport::Supported)
}

impl Step {
    #[must_use]
    pub const fn kind(&self) -> StepKind {
        match self {
            Self::Reload => StepKind::Reload,
            Self::Restart => StepKind::Restart,
            Self::Kill => StepKind::Kill,
            Self::Command(_) => StepKind::Command,
            Self::Wake => StepKind::Wake,
        }
    }
}

impl StepKind {
    pub const ALL: [Self; 5] = [Self::Restart, Self::Reload, Self::Kill, Self::Command, Self::Wake];

    /// Stable: in the state file and in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Reload => "reload",
            Self::Kill => "kill",
            Self::Command => "command",
            Self::Wake => "wake",
        }
    }

    /// Where it does, a unit that has the same life as before was not restarted. `None`: nobody knows.
    #[must_use]
    pub const fn starts_incarnation(self) -> Option<bool> {
        match self {
            Self::Restart | Self::Kill => Some(true),
            Self::Reload => Some(false),
            Self::Command | Self::Wake => None,
        }
    }
}
