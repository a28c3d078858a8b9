//! What speaks for hands off besides the unit and the host: pauses, and what the service requires. Looked for
//! only where something failed, and again right before a restart.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Instant;

use unhang_core::{Doubt, FailingRequirement, Moment, Observation, Pause, Paused, PausedBy};

use crate::os::proc::locks;
use crate::os::{files, time_limit};
use crate::plan::{Plan, Service};
use crate::store::Store;
use crate::words;

use super::context::Tick;
use super::requirements::Requirements;

/// Where dpkg, and apt before it, say that they are at work (dpkg(1), apt(8)).
const PACKAGE_LOCKS: [&str; 2] = ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"];

/// Of one service.
#[derive(Debug, Clone, Default)]
pub(crate) struct HandsOff {
    pub(crate) pause: Pause,
    pub(crate) upstream: Option<FailingRequirement>,
    /// It could not be looked for: then nothing can be judged.
    pub(crate) doubt: Option<Doubt>,
}

/// What a look needs besides the services.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) store: &'a Store,
    pub(crate) now: &'a Moment,
    pub(crate) widest: usize,
    pub(crate) until: Instant,
}

impl<'a> Ground<'a> {
    /// `locks`: what the tick holds open besides.
    pub(crate) fn of(tick: &'a Tick<'a>, store: &'a Store, widest: usize, locks: usize) -> Self {
        let widest = widest.saturating_sub(locks).max(1);
        Self { plan: tick.plan, store, now: &tick.now, widest, until: tick.until() }
    }
}

/// Of those services that failed, by key. `seen`: all that was asked in this tick.
pub(crate) fn look_for(ground: Ground<'_>, seen: &[(&Service, &Observation)]) -> BTreeMap<String, HandsOff> {
    let failed: Vec<&Service> = seen
        .iter()
        .filter(|(_, seen)| matches!(seen, Observation::Unhealthy(_)))
        .map(|(service, _)| *service)
        .collect();
    if failed.is_empty() {
        return BTreeMap::new();
    }
    let mut requirements = Requirements::of(ground.plan);
    for (service, seen) in seen {
        requirements.saw(&service.key, seen);
    }
    let keys: Vec<&str> = failed.iter().map(|service| service.key.as_str()).collect();
    requirements.ask_for(&keys, ground.now, ground.widest, ground.until);
    let packages = packages(ground.plan);
    let pauses = ground.store.pauses();
    let of_one = |service: &Service| {
        let key = &service.key;
        let upstream = requirements.failing(key);
        let pause = pauses
            .as_ref()
            .map_err(words::io)
            .and_then(|pauses| pauses.of(key, ground.now).map_err(|error| words::io(&error)))
            .and_then(|pause| heavier(pause, service, &packages, ground.now));
        match pause {
            Ok(pause) => HandsOff { pause, upstream, doubt: None },
            Err(why) => {
                let doubt = Doubt::Other(format!("cannot tell whether it is paused: {why}"));
                HandsOff { pause: Pause::None, upstream, doubt: Some(doubt) }
            }
        }
    };
    let mut found = BTreeMap::new();
    found.extend(failed.into_iter().map(|service| (service.key.clone(), of_one(service))));
    found
}

/// For who only asks how things are. What cannot be looked at is not told.
pub(crate) fn pauses<'a>(plan: &'a Plan, store: &'a Store, now: &'a Moment) -> impl Fn(&Service) -> Pause {
    let packages = packages(plan);
    let pauses = store.pauses().ok();
    move |service| {
        let pause = pauses.as_ref().and_then(|pauses| pauses.of(&service.key, now).ok()).unwrap_or_default();
        heavier(pause, service, &packages, now).unwrap_or_default()
    }
}

/// A person's pause says more than a file or a lock does.
fn heavier(
    pause: Pause,
    service: &Service,
    packages: &Result<Option<Paused>, String>,
    now: &Moment,
) -> Result<Pause, String> {
    if matches!(pause, Pause::Lasting(_)) {
        return Ok(pause);
    }
    let other = by_file(service, now)?;
    let other = if other.is_some() { other } else { packages.clone()? };
    Ok(other.map_or(pause, Pause::Lasting))
}

/// While it is young; of a clock that was set, it is young within its age on both sides.
fn by_file(service: &Service, now: &Moment) -> Result<Option<Paused>, String> {
    let Some(path) = &service.pause_file.path else { return Ok(None) };
    let written = match time_limit::touch_within(path, files::modified) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        written => written.map_err(|error| format!("{}: {}", path.display(), words::io(&error)))?,
    };
    let left = service.pause_file.max_age.checked_sub(now.wall.abs_diff(written));
    let by = PausedBy::File(path.display().to_string());
    Ok(left.filter(|left| !left.is_zero()).map(|left| Paused { by, left: Some(left) }))
}

/// At work, where the plan cares.
fn packages(plan: &Plan) -> Result<Option<Paused>, String> {
    for path in PACKAGE_LOCKS.iter().filter(|_| plan.host.pause_on_dpkg) {
        if locks::is_locked(Path::new(path)).map_err(|error| format!("{path}: {}", words::io(&error)))? {
            return Ok(Some(Paused { by: PausedBy::Packages, left: None }));
        }
    }
    Ok(None)
}
