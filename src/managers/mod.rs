//! Who runs services on this host: systemd, supervisord, and the runtimes of containers. One client for each, in the
//! manager's own program, without a shell and within a time limit: it asks how something is, and for its restart.
//! Decides nothing.

pub(crate) mod containers;
mod response;
pub(crate) mod supervisord;
pub mod systemd;

use std::time::Duration;

use unhang_core::{Doubt, UnitFacts};

pub(crate) use response::RestartResponse;

#[derive(Debug, Clone)]
pub(crate) struct UnitStatus {
    pub(crate) unit: UnitFacts,
    /// The real name, where the one asked for is an alias.
    pub(crate) id: String,
    /// How long systemd waits for stop and start together; `None`: without end, or not known.
    pub(crate) restart_limit: Option<Duration>,
    pub(crate) stop_limit: Option<Duration>,
    /// Its unit file was changed, and systemd has not read it since.
    pub(crate) has_changed_file: bool,
    /// Type=oneshot without RemainAfterExit=: inactive when all is well.
    pub(crate) is_passing_oneshot: bool,
}

impl UnitStatus {
    /// Also that there is no systemd here, which will be so at the next run.
    pub(crate) fn is_known(&self) -> bool {
        !matches!(self.unit, UnitFacts::QueryFailed(Doubt::UnitUnknown(_)))
    }

    /// Of what systemd does not run.
    fn of(unit: UnitFacts, id: String) -> Self {
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
