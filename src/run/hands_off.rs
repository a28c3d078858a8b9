//! What speaks for hands off besides the unit and the host: pauses, and what the service requires. Looked for
//! only where something failed, and again right before a restart.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Instant;

use unhang_core::{ActivePause, Doubt, FailingRequirement, Moment, Observation, PauseSource, PauseState};

use crate::os::proc::locks;
use crate::os::{files, time_limit};
use crate::plan::{Plan, Service};
use crate::store::Store;
use crate::words;

use super::context::RunContext;
use super::requirements::RequirementGraph;

/// Where dpkg, and apt before it, say that they are at work (dpkg(1), apt(8)).
const PACKAGE_LOCKS: [&str; 2] = ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"];

/// Of one service.
#[derive(Debug, Clone, Default)]
pub(crate) struct HoldFacts {
    pub(crate) pause: PauseState,
    pub(crate) upstream: Option<FailingRequirement>,
    /// It could not be looked for: then nothing can be judged.
    pub(crate) doubt: Option<Doubt>,
}

/// What a look needs besides the services.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HoldContext<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) store: &'a Store,
    pub(crate) now: &'a Moment,
    pub(crate) widest: usize,
    pub(crate) until: Instant,
}

impl<'a> HoldContext<'a> {
    /// `locks`: what the tick holds open besides.
    pub(crate) fn new(tick: &'a RunContext<'a>, store: &'a Store, widest: usize, locks: usize) -> Self {
        let widest = widest.saturating_sub(locks).max(1);
        Self { plan: tick.plan, store, now: &tick.now, widest, until: tick.probing_deadline() }
    }
}

/// Of those services that failed, by key. `seen`: all that was asked in this tick.
pub(crate) fn collect_hold_facts(
    ground: HoldContext<'_>,
    seen: &[(&Service, &Observation)],
) -> BTreeMap<String, HoldFacts> {
    let failed: Vec<&Service> = seen
        .iter()
        .filter(|(_, seen)| matches!(seen, Observation::Unhealthy(_)))
        .map(|(service, _)| *service)
        .collect();
    if failed.is_empty() {
        return BTreeMap::new();
    }
    let mut requirements = RequirementGraph::for_plan(ground.plan);
    for (service, seen) in seen {
        requirements.record_observation(&service.key, seen);
    }
    let keys: Vec<&str> = failed.iter().map(|service| service.key.as_str()).collect();
    requirements.probe_missing(&keys, ground.now, ground.widest, ground.until);
    let packages = pause_by_package_manager(ground.plan);
    let pauses = ground.store.read_pauses();
    let of_one = |service: &Service| {
        let key = &service.key;
        let upstream = requirements.find_failing(key);
        let pause = pauses
            .as_ref()
            .map_err(words::io_error_text)
            .and_then(|pauses| pauses.pause_of(key, ground.now).map_err(|error| words::io_error_text(&error)))
            .and_then(|pause| stronger_pause(pause, service, &packages, ground.now));
        match pause {
            Ok(pause) => HoldFacts { pause, upstream, doubt: None },
            Err(why) => {
                let doubt = Doubt::Other(format!("cannot tell whether it is paused: {why}"));
                HoldFacts { pause: PauseState::None, upstream, doubt: Some(doubt) }
            }
        }
    };
    let mut found = BTreeMap::new();
    found.extend(failed.into_iter().map(|service| (service.key.clone(), of_one(service))));
    found
}

/// For who only asks how things are. What cannot be looked at is not told.
pub(crate) fn current_pauses<'a>(
    plan: &'a Plan,
    store: &'a Store,
    now: &'a Moment,
) -> impl Fn(&Service) -> PauseState {
    let packages = pause_by_package_manager(plan);
    let pauses = store.read_pauses().ok();
    move |service| {
        let pause =
            pauses.as_ref().and_then(|pauses| pauses.pause_of(&service.key, now).ok()).unwrap_or_default();
        stronger_pause(pause, service, &packages, now).unwrap_or_default()
    }
}

/// A person's pause says more than a file or a lock does.
fn stronger_pause(
    pause: PauseState,
    service: &Service,
    packages: &Result<Option<ActivePause>, String>,
    now: &Moment,
) -> Result<PauseState, String> {
    if matches!(pause, PauseState::Active(_)) {
        return Ok(pause);
    }
    let other = pause_by_file(service, now)?;
    let other = if other.is_some() { other } else { packages.clone()? };
    Ok(other.map_or(pause, PauseState::Active))
}

/// While it is young; of a clock that was set, it is young within its age on both sides.
fn pause_by_file(service: &Service, now: &Moment) -> Result<Option<ActivePause>, String> {
    let Some(path) = &service.pause_file.path else { return Ok(None) };
    let written = match time_limit::touch_within(path, files::modified_at) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        written => {
            written.map_err(|error| format!("{}: {}", path.display(), words::io_error_text(&error)))?
        }
    };
    let left = service.pause_file.max_age.checked_sub(now.wall.abs_diff(written));
    let by = PauseSource::File(path.display().to_string());
    Ok(left.filter(|left| !left.is_zero()).map(|left| ActivePause { by, left: Some(left) }))
}

/// At work, where the plan cares.
fn pause_by_package_manager(plan: &Plan) -> Result<Option<ActivePause>, String> {
    for path in PACKAGE_LOCKS.iter().filter(|_| plan.host.pause_on_dpkg) {
        if locks::is_locked(Path::new(path))
            .map_err(|error| format!("{path}: {}", words::io_error_text(&error)))?
        {
            return Ok(Some(ActivePause { by: PauseSource::PackageManager, left: None }));
        }
    }
    Ok(None)
}
