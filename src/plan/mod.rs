//! What a tick is asked to do, valid and complete: the words that `config` hands to every other room.
//! Built by `config` only; knows no file, flag or default.

mod fingerprint;
mod host;
pub(crate) mod lines;
mod method;
mod probe;
mod target;
mod unit_name;

use std::path::PathBuf;
use std::time::Duration;

use unhang_core::{Cause, Policy};

pub(crate) use host::PressureLimits;
pub use host::{HostSettings, PressureKind};
pub use method::{MethodSpec, RestartMethod, SystemdScope};
pub(crate) use method::{NOTHING, SCOPE, Shows, Steps, UNIT};
pub use probe::{
    KeyConflict, KeySpec, KindSpec, ParamValue, Params, Probe, ProbeTarget, Program, ValueType, accept_text,
};
pub(crate) use target::MAX_BODY_BYTES;
pub use target::{
    BodyRules, Client, Figure, HttpRequest, JsonAt, JsonFailLevel, JsonRules, LatencyLimits, MaintenanceRule,
    StatusSet, TlsTrust, UrlTarget,
};
pub(crate) use unit_name::{MAX_UNIT_NAME_BYTES, UnitNameFault, parse_unit_name};

/// At least one service, sorted by key; no two share a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub services: Vec<Service>,
    /// What they require besides each other, sorted by name.
    pub required: Vec<RequirementProbes>,
    pub host: HostSettings,
    /// `--state-dir`: state and locks go there and nowhere else.
    pub state_dir: Option<PathBuf>,
    pub owner: Invoker,
}

/// Whose services these are, and so where they are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invoker {
    /// /etc/unhang says so: everybody may ask about them.
    Root,
    /// A file or flags of the caller's own.
    User,
}

/// Asked only when something that requires it fails: an address, or a service that this run is not about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementProbes {
    pub(crate) name: String,
    pub(crate) probes: Vec<Probe>,
    /// Of a service that is restarted by one.
    pub(crate) unit: Option<(String, SystemdScope)>,
    pub(crate) requires: Vec<String>,
}

/// A file that pauses a service while it is there and young.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseFileRule {
    /// `None`: there is none.
    pub path: Option<PathBuf>,
    /// By its modification time; above zero.
    pub max_age: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The table's key, `[A-Za-z0-9_.@-]+`: names the files.
    pub key: String,
    /// What log lines call it.
    pub name: String,
    pub restarter: RestartMethod,
    /// One probe or more; all may be optional. The service's own url, if it has one, comes first.
    pub probes: Vec<Probe>,
    pub policy: Policy,
    /// After a restart, probe once a second until healthy or this long.
    pub verify: Duration,
    /// Names of services, or addresses: while one fails its own probe, this is not restarted.
    pub requires: Vec<String>,
    pub pause_file: PauseFileRule,
    pub log_file: PathBuf,
}

impl Service {
    /// Its own.
    pub(crate) fn main_request(&self) -> Option<&HttpRequest> {
        self.probes.first().filter(|probe| probe.name.is_none())?.http_request()
    }

    /// Of the probe that told it.
    pub(crate) fn timeout_of(&self, cause: &Cause) -> Duration {
        let told = self.probes.iter().find(|probe| probe.name.as_deref() == cause.probe_name());
        told.map_or(Duration::ZERO, |probe| probe.timeout)
    }

    /// All side by side.
    pub(crate) fn longest_timeout(&self) -> Duration {
        self.probes.iter().map(|probe| probe.timeout).max().unwrap_or_default()
    }

    pub(crate) fn unit_name(&self) -> Option<&str> {
        self.scoped_unit().map(|(unit, _)| unit)
    }

    pub(crate) fn scoped_unit(&self) -> Option<(&str, SystemdScope)> {
        self.restarter.unit()
    }
}
