//! What came of asking for a restart, be it systemd or a command that was asked. Not the outcome: that
//! is what the unit's next incarnation and the probe show.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RestartResponse {
    Accepted,
    /// A job of a person's, or the shutdown, was first or came between.
    Refused(String),
    Failed(String),
    /// Time was over; it goes on.
    StillRunning,
    /// Asked in part, and no answer came: nothing is known.
    NoAnswer(String),
    /// The user that we run as may not ask for it, and nothing was done.
    NotPermitted(String),
    /// Nothing was asked at all.
    NotStarted(String),
}
