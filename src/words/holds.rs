//! Why a service is held, not counted or not judged.

use unhang_core::{
    Act, Decision, Failing, FailingRequirement, HandsOff, Hold, Moment, Paused, PausedBy, Reason, Rung, Unit,
    Upstream, Verdict, Withheld, next_rung,
};

use crate::plan::{Restarter, Service, Shows};

use super::observations::doubt;
use super::times::{clock_in, span};
use super::units::restarts;

/// Of what is kept in the state for people to read, in characters.
pub(crate) const TOLD: usize = 400;

/// Why nothing is done, as one half sentence.
pub(crate) fn hold(hold: &Hold, service: &Service, now: &Moment) -> String {
    let words = match hold {
        Hold::HandsOff(hands_off) => self::hands_off(hands_off, service),
        Hold::Withheld(withheld) => self::withheld(withheld, service),
        Hold::ChangedMeanwhile(reason) => format!("right before the restart it was {}", reason.code()),
    };
    match (hold, hold.time_left()) {
        (Hold::HandsOff(_), Some(left)) => {
            format!("{words}; next restart possible {}, after a full count", clock_in(now, left))
        }
        (Hold::Withheld(_) | Hold::ChangedMeanwhile(_), Some(left)) => {
            format!("{words}; next restart possible {}", clock_in(now, left))
        }
        (_, None) => words,
    }
}

fn hands_off(hands_off: &HandsOff, service: &Service) -> String {
    let (unit, who) = (service.restarter.words(), service.restarter.method.manager);
    match hands_off {
        HandsOff::NotFound => not_found(&service.restarter),
        HandsOff::Masked => format!("{unit} is masked"),
        HandsOff::NotStartable => format!("systemd cannot start {unit}: see systemctl status"),
        HandsOff::NotStoppable => not_stoppable(unit),
        HandsOff::CrashLoop { runs } => {
            format!(
                "{who} restarts it itself, {} times between our runs, and it still fails",
                runs.saturating_add(1)
            )
        }
        HandsOff::UnitBusy if service.restarter.shows() != Shows::Life => {
            format!("the restart command of before still runs ({unit})")
        }
        HandsOff::UnitBusy => {
            let has_command = service.policy.escalate.iter().any(|rung| rung.act() == Act::Command);
            let or = if has_command && service.unit().is_some() {
                ", or a command of escalate still runs"
            } else {
                ""
            };
            format!("{unit} is being started, stopped or reloaded{or}")
        }
        HandsOff::Frozen if service.unit().is_none() => format!("{unit} is paused; {who} unpause ends that"),
        HandsOff::Frozen => format!("{unit} is frozen; systemctl thaw ends that"),
        HandsOff::Stopped => format!("{unit} was stopped by somebody; starting it is theirs"),
        HandsOff::Exited => format!("{unit} ended by itself, and well"),
        HandsOff::Ended => format!("{unit} ended well, by itself or since somebody stopped it"),
        // One that is not enabled is unloaded when it ends, with all that systemd knew of it.
        HandsOff::NeverStarted if service.unit().is_some() => {
            format!("nobody has started {unit}, or it has ended and {who} has forgotten it")
        }
        HandsOff::NeverStarted => format!("nobody has started {unit}"),
        HandsOff::StartConditionUnmet => format!("a condition in the unit file of {unit} is not met"),
        HandsOff::Disabled => format!("{unit} fell and is disabled"),
        HandsOff::Conflict(other) => format!("{other} is active, and {unit} conflicts with it"),
        HandsOff::HostStopping => "the host is shutting down".to_owned(),
        HandsOff::HostStarting { .. } => "the host is booting".to_owned(),
        HandsOff::Paused(paused) => self::paused(&paused.by),
        HandsOff::Upstream(Upstream::Stopped(other)) => {
            format!("{other} was stopped by somebody, and a restart would start it")
        }
        HandsOff::Upstream(Upstream::Failing(FailingRequirement { name, cause, through: None })) => {
            format!("{name}, which it requires, fails its own probe ({cause})")
        }
        HandsOff::Upstream(Upstream::Failing(FailingRequirement { name, cause, through: Some(through) })) => {
            format!("{name}, which it requires by way of {through}, fails its own probe ({cause})")
        }
    }
}

fn withheld(withheld: &Withheld, service: &Service) -> String {
    match withheld {
        Withheld::ProbeOnly => "nothing restarts it: restart = [] says so".to_owned(),
        Withheld::EscalationExhausted => no_rung_left(service),
        Withheld::Budget { .. } => {
            let budget = &service.policy.budget;
            format!("{} within {} is all the budget allows", restarts(budget.restarts), span(budget.window))
        }
        Withheld::Backoff { .. } => {
            "the wait after a restart, longer each time until it stays healthy".to_owned()
        }
        Withheld::Deadline => "too little time left in this run; first in the next".to_owned(),
        Withheld::HostPressure(pressure) => format!("the host is too busy: {pressure}"),
        Withheld::CommonCause { .. } => {
            "it failed together with others, and restarts of some of them have not helped".to_owned()
        }
        Withheld::NeverHealthy => {
            "it was never healthy as it is asked, and a restart has not changed that: is url right, and status?"
                .to_owned()
        }
        Withheld::NeverHealthyButAnswers => {
            "it was never healthy as it is asked, and it answers, so that nothing hangs: is url right, and status?"
                .to_owned()
        }
        Withheld::SameAnswer(status) => {
            format!("it answers {status} as before the last restart, which no restart changes: is url right?")
        }
        Withheld::Observe => "mode is observe; it would have been restarted now".to_owned(),
    }
}

pub(crate) fn not_found(restarter: &Restarter) -> String {
    format!("{} knows no {}", restarter.method.manager, restarter.words())
}

pub(crate) fn not_stoppable(unit: &str) -> String {
    format!("systemd refuses to restart {unit}, which has RefuseManualStop=")
}

/// Of a command's restart by hand nothing can be seen.
fn no_rung_left(service: &Service) -> String {
    let key = &service.key;
    match service.restarter.shows() {
        Shows::Life => format!(
            "nothing of escalate is left in this incident; a restart by hand or unhang reset {key} begins anew"
        ),
        Shows::Process | Shows::Nothing => {
            format!("nothing of escalate is left in this incident; unhang reset {key} begins anew")
        }
    }
}

/// `paused by anna, "deploy", until 17:30`
pub(crate) fn pause(paused: &Paused, now: &Moment) -> String {
    let until = paused.left.map(|left| format!(", until {}", clock_in(now, left))).unwrap_or_default();
    format!("{}{until}", self::paused(&paused.by))
}

/// By whom, and why, in words that were escaped when they were read.
pub(crate) fn paused(by: &PausedBy) -> String {
    let because = |why: &Option<String>| why.as_ref().map(|why| format!(", \"{why}\"")).unwrap_or_default();
    match by {
        PausedBy::Person { who, why } => format!("paused by {who}{}", because(why)),
        PausedBy::Command { who, why, pid } => {
            format!("paused by {who}{}, while the command of process {pid} runs", because(why))
        }
        PausedBy::File(path) => format!("paused while {path} is there and young"),
        PausedBy::Packages => "paused while dpkg or apt is at work".to_owned(),
        PausedBy::Service => "its own answer says maintenance".to_owned(),
    }
}

/// Why this failure is not counted.
pub(crate) fn not_counted(failing: &Failing, service: &Service) -> Option<String> {
    match failing {
        Failing::Counting => None,
        Failing::Grace { age } => {
            Some(format!("started {} ago, not counted (grace {})", span(*age), span(service.policy.grace)))
        }
        Failing::TooSoon { gap } => Some(format!(
            "{} after the last counted failure, not counted (min_gap {})",
            span(*gap),
            span(service.policy.min_gap)
        )),
    }
}

/// What holds a service back, or puts it in doubt: for those who ask.
pub(crate) fn why(decision: &Decision, service: &Service, now: &Moment) -> Option<String> {
    match &decision.verdict {
        Verdict::Held(why) => Some(hold(why, service, now)),
        Verdict::Unknown(why) => Some(doubt(why)),
        Verdict::Failing(failing) => not_counted(failing, service),
        Verdict::Restart(act) => Some(match act {
            Act::Restart => "it would be restarted now".to_owned(),
            Act::Reload => "it would be reloaded now".to_owned(),
            Act::Kill => "it would be killed and restarted now".to_owned(),
            Act::Command => format!("{} would be run for it now", next_program(decision, service)),
            Act::Wake => "it would be woken now".to_owned(),
        }),
        Verdict::Healthy | Verdict::Recovering { .. } | Verdict::Recovered { .. } => None,
    }
}

/// What holds it, or why it could not be judged: for those who ask later.
pub(crate) fn because(decision: &Decision, service: &Service, now: &Moment) -> Option<String> {
    match &decision.verdict {
        Verdict::Held(_) | Verdict::Unknown(_) => why(decision, service, now),
        Verdict::Healthy
        | Verdict::Recovering { .. }
        | Verdict::Recovered { .. }
        | Verdict::Failing(_)
        | Verdict::Restart(_) => None,
    }
    .map(|words| words.chars().take(TOLD).collect())
}

/// What a reason code means, as a half sentence that needs no other facts.
pub(crate) const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Ok => "it answers",
        Reason::Recovered => "it answers again",
        Reason::Recovering => "it answers again, but not yet min_successes times in a row",
        Reason::Unknown => "it could not be asked, through no fault of its own",
        Reason::UnitUnknown => "what runs it could not be asked, or gave no usable answer",
        Reason::NoSystemd => "there is no systemd here to ask",
        Reason::NotFound => "there is no such unit, container or program",
        Reason::Masked => "the unit is masked",
        Reason::NotStartable => "it cannot be restarted: the log says why",
        Reason::NotPermitted => "the user that unhang runs as may not restart it: the log says what to do",
        Reason::CrashLoop => "what runs it restarts it again and again, in vain",
        Reason::UnitBusy => "the unit is being started, stopped or reloaded",
        Reason::Frozen => "the unit is frozen",
        Reason::Stopped => "somebody stopped it",
        Reason::Exited => "it ended well",
        Reason::NeverStarted => "nobody has started it, or it has ended and is forgotten",
        Reason::Condition => "a condition in the unit file is not met",
        Reason::Disabled => "it fell and is disabled",
        Reason::Conflict => "a unit that it conflicts with is active",
        Reason::HostStopping => "the host was shutting down",
        Reason::HostStarting => "the host was booting (boot_grace)",
        Reason::Paused => "somebody has paused it",
        Reason::Upstream => "something that it needs fails, or was stopped by somebody",
        Reason::Grace => "it had only just started, and is not counted (grace)",
        Reason::TooSoon => "too soon after the last counted failure to count (min_gap)",
        Reason::Counting => "failures are being counted",
        Reason::ProbeOnly => "nothing restarts it (restart = [])",
        Reason::NoRungLeft => "nothing of escalate is left in this incident",
        Reason::Budget => "the budget of restarts is spent",
        Reason::Backoff => {
            "the wait after a restart, or after a lost state; longer each time until it stays healthy"
        }
        Reason::Deadline => "the run had too little time left; it comes first in the next",
        Reason::HostPressure => "the host is busier than hold_when allows",
        Reason::CommonCause => "it failed together with others, and restarts have not helped",
        Reason::NeverHealthy => "it was never healthy as it is asked: is url right, and status?",
        Reason::SameAnswer => "it answers the same as before the last restart: is url right?",
        Reason::Observe => "mode is observe",
        Reason::ChangedMeanwhile => "something changed right before the restart",
        Reason::HealedItself => "it answered right before the restart",
        Reason::MaxFailures => "max_failures was reached, and a restart was asked for",
    }
}

/// `failing (counting)`: a verdict with its reason.
pub(crate) fn verdict(verdict: &Verdict) -> String {
    format!("{} ({})", verdict.kind().code(), verdict.reason().code())
}

/// Of the command of `escalate` that is due.
pub(crate) fn next_program<'a>(decision: &Decision, service: &'a Service) -> &'a str {
    // What is passed over on the way to a command matters no more.
    match next_rung(&service.policy, &decision.next.counts, &Unit::Command { running: false })
        .map(|next| next.rung)
    {
        Some(Rung::Command(words)) => words.first().map_or("", String::as_str),
        Some(Rung::Reload | Rung::Restart | Rung::Kill | Rung::Wake) | None => "a command of escalate",
    }
}
