//! Means beyond a restart, each once an incident, in the order of the operator's list.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Active, Counts, Policy, Reload, Unit};

/// One means of the list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Rung {
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
pub enum Act {
    #[default]
    Restart,
    Reload,
    Kill,
    Command,
    Wake,
}

/// The rung that is next, and how many are used up with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextRung<'a> {
    pub rung: &'a Rung,
    pub used: u32,
}

/// `None`: this incident has used up all of the list. What cannot be done to this unit is passed over.
#[must_use]
pub fn next_rung<'a>(policy: &'a Policy, state: &Counts, unit: &Unit) -> Option<NextRung<'a>> {
    if policy.escalate.is_empty() {
        return Some(NextRung { rung: &policy.means, used: 0 });
    }
    let numbered = (1_u32..).zip(&policy.escalate).filter(|(used, _)| *used > state.rungs);
    let mut fitting = numbered.filter(|(_, rung)| match rung {
        Rung::Reload => can_reload(unit),
        Rung::Kill => !matches!(unit, Unit::Command { .. }),
        Rung::Restart | Rung::Command(_) | Rung::Wake => true,
    });
    fitting.next().map(|(used, rung)| NextRung { rung, used })
}

fn can_reload(unit: &Unit) -> bool {
    matches!(unit, Unit::Seen(life) if life.active == Active::Active && life.reload == Reload::Possible)
}

impl Rung {
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Reload => Act::Reload,
            Self::Restart => Act::Restart,
            Self::Kill => Act::Kill,
            Self::Command(_) => Act::Command,
            Self::Wake => Act::Wake,
        }
    }
}

impl Act {
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
    pub const fn begins_a_life(self) -> Option<bool> {
        match self {
            Self::Restart | Self::Kill => Some(true),
            Self::Reload => Some(false),
            Self::Command | Self::Wake => None,
        }
    }
}
