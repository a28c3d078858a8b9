//! Hands off, because somebody says so: a person, a command that runs, a file, the packages, or the service.

use alloc::string::String;
use core::time::Duration;

use crate::Moment;

/// What is known of the pauses of one service. Only the weightiest counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PauseState {
    #[default]
    None,
    /// One that began then is over: whoever paused was at work, so what failed before tells nothing any more.
    Ended {
        since: Moment,
    },
    Active(ActivePause),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivePause {
    pub by: PauseSource,
    /// Until it ends by itself, if that is known.
    pub left: Option<Duration>,
}

/// Who says so, in words that may come from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PauseSource {
    Person {
        who: String,
        why: Option<String>,
    },
    /// `unhang paused`, while its command runs.
    Command {
        who: String,
        why: Option<String>,
        pid: u32,
    },
    /// `pause_file`
    File(String),
    /// dpkg or apt holds its lock.
    PackageManager,
    /// Its health answer says `maintenance`.
    MaintenanceAnswer,
}
