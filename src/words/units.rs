//! A unit and its life, and what is done to it.

use unhang_core::{ActiveState, LoadState, Step, StepKind, UnitCondition, UnitFacts, UnitSnapshot};

use crate::plan::Service;

use super::observations::doubt_text;
use super::times::format_duration;

/// The unit, in the words of somebody who looks at it.
pub(crate) fn unit_text(unit: &UnitFacts, service: &Service) -> String {
    let name = service.restarter.label();
    match unit {
        UnitFacts::NotQueried => format!("{name} was not asked about"),
        UnitFacts::QueryFailed(why) => format!("{name} is not known: {}", doubt_text(why)),
        UnitFacts::ProbeOnly => "none (probed only)".to_owned(),
        UnitFacts::Command { running: true } => format!("restart command {name}, of before, still runs"),
        UnitFacts::Command { running: false } => service.restarter.method.unseen.replace('*', name),
        UnitFacts::Known(life) => format!("{name} {}", snapshot_text(life, service.restarter.method.manager)),
    }
}

fn snapshot_text(life: &UnitSnapshot, who: &str) -> String {
    match life.load {
        LoadState::NotFound => return format!("is not known to {who}"),
        LoadState::Masked => return "is masked".to_owned(),
        LoadState::NotStartable => return "cannot be started: see systemctl status".to_owned(),
        LoadState::NotStoppable => return "may not be stopped by anybody: RefuseManualStop=".to_owned(),
        LoadState::Loaded => {}
    }
    let age = life.age.map(|age| format!(" for {}", format_duration(age))).unwrap_or_default();
    let active = match life.active {
        ActiveState::Changing => "is being started, stopped or reloaded",
        ActiveState::Frozen => "is frozen",
        ActiveState::Inactive if life.condition() == UnitCondition::Stopped && !life.tells_a_stop() => {
            "ended, by itself or since somebody stopped it"
        }
        ActiveState::Inactive if life.condition() == UnitCondition::NeverStarted => {
            "was never started, or has ended and is forgotten"
        }
        ActiveState::Active | ActiveState::Inactive | ActiveState::Failed => condition_text(life.condition()),
    };
    let disabled = if life.disabled { ", disabled" } else { "" };
    let again = match life.own_restarts {
        0 => String::new(),
        n => format!(", restarted {n} times by {who} itself"),
    };
    format!("{active}{age}{disabled}{again}")
}

const fn condition_text(condition: UnitCondition) -> &'static str {
    match condition {
        UnitCondition::Active => "is active",
        UnitCondition::Changing => "is being started, stopped or reloaded",
        UnitCondition::Stopped => "was stopped by somebody",
        UnitCondition::EndedWell => "ended by itself, and well",
        UnitCondition::Ended => "ended well",
        UnitCondition::NeverStarted => "was never started",
        UnitCondition::StartConditionUnmet => "was not started: a condition in its unit file is not met",
        UnitCondition::Failed => "failed",
    }
}

/// What was done to heal it.
pub(crate) const fn step_name(act: StepKind) -> &'static str {
    match act {
        StepKind::Restart => "restart",
        StepKind::Reload => "reload",
        StepKind::Kill => "kill and restart",
        StepKind::Command => "command",
        StepKind::Wake => "wake-up",
    }
}

/// What is being done, for whoever waits for it.
pub(crate) fn step_in_progress(rung: &Step, service: &Service) -> String {
    let what = service.restarter.label();
    match rung {
        Step::Restart => format!("restarting {what}"),
        Step::Reload => format!("reloading {what}"),
        Step::Kill => format!("killing and restarting {what}"),
        Step::Wake => format!("waking {}", service.key),
        Step::Command(words) => format!("running {}", words.first().map_or("", String::as_str)),
    }
}

/// What was done last, as what does not help.
pub(crate) const fn doing_without_effect(act: StepKind) -> &'static str {
    if matches!(act, StepKind::Wake) { "waking" } else { "restarting" }
}

/// `1 restart`, `5 restarts`.
pub(crate) fn count_restarts(n: usize) -> String {
    format!("{n} restart{}", if n == 1 { "" } else { "s" })
}
