//! What containers look like to a restart: whether they are up, ended by themselves, or were stopped by somebody, as far
//! as the runtime tells. Starts nothing by itself.

use std::time::Duration;

use chrono::DateTime;
use unhang_core::{ActiveState, LoadState, UnitCondition, UnitFacts, UnitSnapshot};

use crate::fnv::fnv1a_hash;

use super::inspected::{ContainerState, Inspected};

pub(super) fn container_not_found() -> UnitFacts {
    UnitFacts::Known(UnitSnapshot {
        load: LoadState::NotFound,
        ..UnitSnapshot::from_condition(UnitCondition::NeverStarted, None, None)
    })
}

/// Whether it is known that a container ended and that nobody stopped it. It may ask the runtime, and takes its time.
type NobodyStopped<'a> = &'a dyn Fn(&Inspected) -> bool;

/// `None`: what is said of one of them is not understood.
fn parse_snapshot(
    container: &Inspected,
    wall: Duration,
    nobody_stopped: NobodyStopped<'_>,
) -> Option<UnitSnapshot> {
    let (id, started) = (container.id(), container.started_at());
    if id.is_empty() || started.is_empty() || container.contradicts_itself() {
        return None;
    }
    let state = container.state()?;
    let condition = condition_of(container, state, nobody_stopped)?;
    let age = age_of(started, wall).filter(|_| condition == UnitCondition::Active);
    let snapshot = UnitSnapshot::from_condition(condition, Some(format!("{id} {started}")), age);
    let active = if state == ContainerState::Paused { ActiveState::Frozen } else { snapshot.active };
    let own_restarts = u32::try_from(container.restart_count()).unwrap_or(u32::MAX);
    Some(UnitSnapshot { active, own_restarts, ..snapshot })
}

fn condition_of(
    container: &Inspected,
    state: ContainerState,
    nobody_stopped: NobodyStopped<'_>,
) -> Option<UnitCondition> {
    Some(match state {
        ContainerState::Running | ContainerState::Paused => UnitCondition::Active,
        ContainerState::Restarting | ContainerState::Removing | ContainerState::Stopping => {
            UnitCondition::Changing
        }
        // A start that the runtime could not carry out is nobody's stop: the image, a mount, a port or a device failed.
        ContainerState::Created | ContainerState::Exited | ContainerState::Stopped
            if container.could_not_start() =>
        {
            UnitCondition::Failed
        }
        ContainerState::Created | ContainerState::Initialized | ContainerState::Configured => {
            UnitCondition::NeverStarted
        }
        ContainerState::Exited | ContainerState::Stopped => {
            match (ended_condition(container)?, container.exit_code()?) {
                (UnitCondition::Stopped | UnitCondition::Ended, 0) if nobody_stopped(container) => {
                    UnitCondition::EndedWell
                }
                (UnitCondition::Stopped, code) if code != 0 && nobody_stopped(container) => {
                    UnitCondition::Failed
                }
                (condition, _) => condition,
            }
        }
        ContainerState::Dead => UnitCondition::Failed,
    })
}

/// What a container itself tells of its end: it holds no word of who stopped it. One that its policy would have started again was stopped by
/// somebody, and so was one that ended by the signal of a stop, unless the kernel killed it for its memory. One that
/// ends with 1 when it is told to stop, and has no policy, cannot be told from one that crashed.
fn ended_condition(container: &Inspected) -> Option<UnitCondition> {
    let has_retries =
        container.max_retries().is_none_or(|most| most == 0 || container.restart_count() < most);
    Some(match (container.restart_policy(), container.exit_code()?) {
        ("always" | "unless-stopped", _) => UnitCondition::Stopped,
        (_, 0) => UnitCondition::Ended,
        ("on-failure", _) if has_retries => UnitCondition::Stopped,
        // SIGINT, SIGQUIT, SIGKILL and SIGTERM: what images stop with, and what follows.
        (_, 130 | 131 | 137 | 143) if !container.was_out_of_memory() => UnitCondition::Stopped,
        _ => UnitCondition::Failed,
    })
}

fn age_of(started: &str, wall: Duration) -> Option<Duration> {
    let seconds = DateTime::parse_from_rfc3339(started).ok()?.timestamp();
    wall.checked_sub(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// The longest incarnation that is kept as it is, in bytes: one container has 95. A state holds one for each restart, so
/// those of many containers are hashed.
const MAX_INCARNATION_BYTES: usize = 100;

/// A service of several containers is as the worst of them; another one of them is another incarnation. `None`: what is
/// said of one of them is not understood, or there is none.
pub(super) fn worst_snapshot(
    containers: &[Inspected],
    wall: Duration,
    nobody_stopped: NobodyStopped<'_>,
) -> Option<UnitSnapshot> {
    let parse = |container| parse_snapshot(container, wall, nobody_stopped);
    let snapshots: Vec<UnitSnapshot> = containers.iter().map(parse).collect::<Option<_>>()?;
    let incarnations: Vec<String> =
        snapshots.iter().filter_map(|snapshot| snapshot.incarnation.clone()).collect();
    let own_restarts = snapshots.iter().map(|snapshot| snapshot.own_restarts).max().unwrap_or(0);
    let youngest = snapshots.iter().filter_map(|snapshot| snapshot.age).min();
    let rank = |snapshot: &UnitSnapshot| match (snapshot.active, snapshot.condition()) {
        (ActiveState::Active, _) => 0,
        (ActiveState::Frozen, _) => 5,
        (ActiveState::Changing, _) => 4,
        // Down, and nobody meant it: any other of them that somebody may have stopped says more.
        (_, UnitCondition::Failed | UnitCondition::EndedWell) => 1,
        (_, UnitCondition::NeverStarted | UnitCondition::StartConditionUnmet | UnitCondition::Ended) => 2,
        (_, _) => 3,
    };
    let worst = snapshots.into_iter().max_by_key(rank)?;
    let age = youngest.filter(|_| worst.age.is_some());
    let incarnation = match incarnations.join(", ") {
        short if short.len() <= MAX_INCARNATION_BYTES => short,
        long => format!("{} containers {:016x}", incarnations.len(), fnv1a_hash(long.as_bytes())),
    };
    Some(UnitSnapshot { incarnation: Some(incarnation), own_restarts, age, ..worst })
}
