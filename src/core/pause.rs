//! Hands off, because somebody says so: a person, a command that runs, a file, the packages, or the service.

use alloc::string::String;
use core::time::Duration;

use crate::Moment;

/// What is known of the pauses of one service. Only the weightiest counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Pause {
    #[default]
    None,
    /// One that began then is over: whoever paused was at work, so what failed before tells nothing any more.
    Over {
        since: Moment,
    },
    Lasting(Paused),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    pub by: PausedBy,
    /// Until it ends by itself, if that is known.
    pub left: Option<Duration>,
}

/// Who says so, in words that may come from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PausedBy {
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
    Packages,
    /// Its health answer says `maintenance`.
    Service,
}
