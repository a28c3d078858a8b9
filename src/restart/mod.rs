//! Restarts what a service runs in, and says how that is: a file for each means. Starts programs without a shell and
//! within a time limit; decides nothing. What a program says at its end is never taken for the outcome: the next
//! incarnation and the probe tell that.

mod asked;
pub(crate) mod command;
mod container;
pub(crate) mod hook;
mod supervisor;
pub(crate) mod unit;

use std::time::Duration;

use unhang_core::Unit;

use crate::plan::Restarter;

pub(crate) use asked::Asked;
pub(crate) use unit::Looked;

/// A look at one that systemd does not run; `None`: of its life nothing can be seen. No look takes more than so long.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// `wall`: since 1970.
pub(crate) fn look(restarter: &Restarter, wall: Duration, time_left: Duration) -> Option<Looked> {
    let limit = LOOK_LIMIT.min(time_left);
    match restarter {
        Restarter::Container(container) => Some(container::look(container, wall, limit)),
        Restarter::Supervised(supervised) => Some(supervisor::look(supervised, limit)),
        Restarter::Unit(..)
        | Restarter::Hook(_)
        | Restarter::Wake(_)
        | Restarter::Command(_)
        | Restarter::Nothing => None,
    }
}

/// Of one that systemd does not run, and that is no command. `None`: it is not restarted by asking.
pub(crate) fn restart(restarter: &Restarter, limit: Duration) -> Option<Asked> {
    match restarter {
        Restarter::Container(container) => Some(container::restart(container, limit)),
        Restarter::Supervised(supervised) => Some(supervisor::restart(supervised, limit)),
        Restarter::Unit(..)
        | Restarter::Hook(_)
        | Restarter::Wake(_)
        | Restarter::Command(_)
        | Restarter::Nothing => None,
    }
}

impl Looked {
    /// Of what systemd does not run.
    fn of(unit: Unit, id: String) -> Self {
        Self {
            unit,
            id,
            restart_limit: None,
            stop_limit: None,
            has_changed_file: false,
            is_passing_oneshot: false,
        }
    }
}
