//! Rows 4 to 10: whose hands are on the service.

use crate::{
    Active, Case, Condition, Hold, Life, Load, Observation, Pause, Paused, PausedBy, State, Unit, Upstream,
    Was,
};

/// Rows 4 to 10.
pub(crate) fn hands_off(case: &Case<'_>, next: &State) -> Option<Hold> {
    let life = match case.unit {
        Unit::Seen(life) => Some(life),
        Unit::Command { running: true } => return Some(Hold::UnitBusy),
        Unit::Command { running: false } | Unit::ProbeOnly | Unit::NotAsked | Unit::Unanswered(_) => None,
    };
    life.and_then(|life| of_the_unit(case, next, life))
        .or_else(|| case.host.stopping.then_some(Hold::HostStopping))
        .or_else(|| case.host.starting.map(|left| Hold::HostStarting { left }))
        .or_else(|| paused(case).map(Hold::Paused))
        .or_else(|| Some(Hold::Upstream(upstream(case, life)?)))
}

fn paused(case: &Case<'_>) -> Option<Paused> {
    match (case.pause, case.seen) {
        (Pause::Lasting(paused), _) => Some(paused.clone()),
        (_, Observation::Unhealthy(why)) if why.is_maintenance() => {
            Some(Paused { by: PausedBy::Service, left: None })
        }
        (Pause::None | Pause::Over { .. }, _) => None,
    }
}

fn upstream(case: &Case<'_>, life: Option<&Life>) -> Option<Upstream> {
    let failing = case.upstream.map(|requirement| Upstream::Failing(requirement.clone()));
    failing.or_else(|| Some(Upstream::Stopped(life?.stopped_upstream()?.unit.clone())))
}

/// Rows 4 to 8.
fn of_the_unit(case: &Case<'_>, next: &State, life: &Life) -> Option<Hold> {
    match life.load {
        Load::NotFound => return Some(Hold::NotFound),
        Load::Masked => return Some(Hold::Masked),
        Load::NotStartable => return Some(Hold::NotStartable),
        Load::Loaded => {}
    }
    if next.lives >= case.policy.max_failures.max(2) {
        return Some(Hold::CrashLoop { lives: next.lives });
    }
    match life.active {
        Active::Busy => return Some(Hold::UnitBusy),
        Active::Frozen => return Some(Hold::Frozen),
        Active::Active | Active::Inactive | Active::Failed => {}
    }
    let was_down = next.intent.as_ref().is_some_and(|intent| intent.was == Was::Down);
    if !was_down {
        match life.condition() {
            // The stop half of our own restart looks the same, where the start half had to fail.
            Condition::Stopped if next.intent.is_some() && life.failed_requirement().is_some() => {}
            Condition::Stopped => return Some(Hold::Stopped),
            Condition::Exited => return Some(Hold::Exited),
            Condition::ConditionUnmet => return Some(Hold::Condition),
            // It was to start at boot, and what it needs failed: down, not left out.
            Condition::NeverStarted if life.failed_requirement().is_none() => {
                return Some(Hold::NeverStarted);
            }
            Condition::NeverStarted | Condition::Active | Condition::Busy | Condition::Failed => {}
        }
    }
    // What our own restart took down is ours to bring back.
    let ours = next.intent.is_some()
        || next.last_restart().is_some_and(|restart| restart.incarnation == life.incarnation);
    if life.disabled && life.active == Active::Failed && !ours {
        return Some(Hold::Disabled);
    }
    life.active_conflict().map(|other| Hold::Conflict(other.unit.clone()))
}
