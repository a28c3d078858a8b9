//! What speaks for hands off besides the unit and the host: pauses, and what the service requires. Looked for
//! only where something failed, and again right before a restart.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use unhang_core::{Doubt, FailingRequirement, Moment, Observation, Pause, Paused, PausedBy};

use crate::os::{files, record_locks};
use crate::plan::{Plan, Service};
use crate::store::Store;
use crate::words;

use super::requirements::Requirements;

/// Where dpkg, and apt before it, say that they are at work (dpkg(1), apt(8)).
const PACKAGE_LOCKS: [&str; 2] = ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"];

/// Of one service.
#[derive(Debug, Clone, Default)]
pub(super) struct HandsOff {
    pub(super) pause: Pause,
    pub(super) upstream: Option<FailingRequirement>,
    /// It could not be looked for: then nothing can be judged.
    pub(super) doubt: Option<Doubt>,
}

/// What a look needs besides the services.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) plan: &'a Plan,
    pub(super) store: &'a Store,
    pub(super) now: &'a Moment,
    pub(super) widest: usize,
    pub(super) until: Instant,
}

/// Of those services that failed, by key. `seen`: all that was asked in this tick.
pub(super) fn look_for(ground: Ground<'_>, seen: &[(&Service, &Observation)]) -> BTreeMap<String, HandsOff> {
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
    requirements.ask_for(&keys, ground.widest, ground.until);
    let packages = ground.plan.host.pause_on_dpkg.then(packages_at_work).flatten();
    let pauses = ground.store.pauses();
    let of_one = |service: &Service| {
        let key = &service.key;
        let upstream = requirements.failing(key);
        let pause = pauses
            .as_ref()
            .map_err(words::io)
            .and_then(|pauses| pauses.of(key, ground.now).map_err(|error| words::io(&error)));
        match pause {
            Ok(pause) => {
                let pause = heavier(pause, service, packages.as_ref(), ground.now);
                HandsOff { pause, upstream, doubt: None }
            }
            Err(why) => {
                let doubt = Doubt::Other(format!("cannot tell whether it is paused: {why}"));
                HandsOff { pause: Pause::None, upstream, doubt: Some(doubt) }
            }
        }
    };
    failed.into_iter().map(|service| (service.key.clone(), of_one(service))).collect()
}

/// For who only asks how things are. What cannot be looked at is not told.
pub(super) fn pauses<'a>(
    plan: &'a Plan,
    store: &'a Store,
    now: &'a Moment,
) -> impl Fn(&Service) -> Option<Paused> {
    let packages = plan.host.pause_on_dpkg.then(packages_at_work).flatten();
    let pauses = store.pauses().ok();
    move |service| {
        let pause = pauses.as_ref().and_then(|pauses| pauses.of(&service.key, now).ok()).unwrap_or_default();
        match heavier(pause, service, packages.as_ref(), now) {
            Pause::Lasting(now) => Some(now),
            Pause::None | Pause::Over { .. } => None,
        }
    }
}

/// A person's pause says more than a file or a lock does.
fn heavier(pause: Pause, service: &Service, packages: Option<&Paused>, now: &Moment) -> Pause {
    if matches!(pause, Pause::Lasting(_)) {
        return pause;
    }
    by_file(service, now).or_else(|| packages.cloned()).map_or(pause, Pause::Lasting)
}

/// While it is young; of a clock that was set, it is young within its age on both sides.
fn by_file(service: &Service, now: &Moment) -> Option<Paused> {
    let path = service.pause_file.path.as_ref()?;
    let age = now.wall.abs_diff(files::modified(path).ok()?);
    let left = service.pause_file.max_age.checked_sub(age).filter(|left| !left.is_zero())?;
    Some(Paused { by: PausedBy::File(path.display().to_string()), left: Some(left) })
}

fn packages_at_work() -> Option<Paused> {
    let at_work = |path: &&str| record_locks::is_locked(Path::new(path)).unwrap_or(false);
    PACKAGE_LOCKS.iter().any(at_work).then_some(Paused { by: PausedBy::Packages, left: None })
}
