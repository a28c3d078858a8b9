//! A unit and its life, and what is done to it.

use unhang_core::{Act, Active, Condition, Life, Load, Rung, Unit};

use crate::plan::Service;

use super::observations::doubt;
use super::times::span;

/// The unit, in the words of somebody who looks at it.
pub(crate) fn unit(unit: &Unit, service: &Service) -> String {
    let name = service.restarter.words();
    match unit {
        Unit::NotAsked => format!("{name} was not asked about"),
        Unit::Unanswered(why) => format!("{name} is not known: {}", doubt(why)),
        Unit::ProbeOnly => "none; it is only probed".to_owned(),
        Unit::Command { running: true } => format!("restart command {name}, of before, still runs"),
        Unit::Command { running: false } => service.restarter.method.unseen.replace('*', name),
        Unit::Seen(life) => format!("{name} {}", seen(life, service.restarter.method.manager)),
    }
}

fn seen(life: &Life, who: &str) -> String {
    match life.load {
        Load::NotFound => return format!("is not known to {who}"),
        Load::Masked => return "is masked".to_owned(),
        Load::NotStartable => return "cannot be started: see systemctl status".to_owned(),
        Load::NotStoppable => return "may not be stopped by anybody: RefuseManualStop=".to_owned(),
        Load::Loaded => {}
    }
    let age = life.age.map(|age| format!(" for {}", span(age))).unwrap_or_default();
    let active = match life.active {
        Active::Busy => "is being started, stopped or reloaded",
        Active::Frozen => "is frozen",
        Active::Inactive if life.condition() == Condition::Stopped && !life.tells_a_stop() => {
            "ended, by itself or since somebody stopped it"
        }
        Active::Inactive if life.condition() == Condition::NeverStarted => {
            "was never started, or has ended and is forgotten"
        }
        Active::Active | Active::Inactive | Active::Failed => condition(life.condition()),
    };
    let disabled = if life.disabled { ", disabled" } else { "" };
    let again = match life.own_restarts {
        0 => String::new(),
        n => format!(", restarted {n} times by {who} itself"),
    };
    format!("{active}{age}{disabled}{again}")
}

const fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Active => "is active",
        Condition::Busy => "is being started, stopped or reloaded",
        Condition::Stopped => "was stopped by somebody",
        Condition::Exited => "ended by itself, and well",
        Condition::Ended => "ended well",
        Condition::NeverStarted => "was never started",
        Condition::ConditionUnmet => "was not started: a condition in its unit file is not met",
        Condition::Failed => "failed",
    }
}

/// What was done to heal it.
pub(crate) const fn act(act: Act) -> &'static str {
    match act {
        Act::Restart => "restart",
        Act::Reload => "reload",
        Act::Kill => "kill and restart",
        Act::Command => "command",
        Act::Wake => "wake-up",
    }
}

/// What is being done, for whoever waits for it.
pub(crate) fn doing(rung: &Rung, service: &Service) -> String {
    let what = service.restarter.words();
    match rung {
        Rung::Restart => format!("restarting {what}"),
        Rung::Reload => format!("reloading {what}"),
        Rung::Kill => format!("killing and restarting {what}"),
        Rung::Wake => format!("waking {}", service.key),
        Rung::Command(words) => format!("running {}", words.first().map_or("", String::as_str)),
    }
}

/// What was done last, as what does not help.
pub(crate) const fn in_vain(act: Act) -> &'static str {
    if matches!(act, Act::Wake) { "waking" } else { "restarting" }
}

/// `1 restart`, `5 restarts`.
pub(crate) fn restarts(n: usize) -> String {
    format!("{n} restart{}", if n == 1 { "" } else { "s" })
}
