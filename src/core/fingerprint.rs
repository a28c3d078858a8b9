//! Which configuration the counts of a service belong to.

/// Hashes of it, since a URL may hold a secret. `plan` computes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// What is asked of the service.
    pub asked: u64,
    /// What restarts it.
    pub restarted: u64,
    /// The operator's list of steps; `None`: there is none.
    pub escalation: Option<u64>,
}
