//! Why a service is held, not counted or not judged.

use unhang_core::{
    ActivePause, Decision, FailingRequirement, HandsOff, HoldReason, Moment, NotDue, PauseSource, Reason,
    Step, StepKind, UnitFacts, UpstreamHold, Verdict, Withheld, next_step,
};

use crate::plan::{RestartMethod, Service, Shows};

use super::observations::doubt_text;
use super::times::{clock_after, format_duration};
use super::units::count_restarts;

/// Of what is kept in the state for people to read, in characters.
pub(crate) const MAX_STATE_TEXT_CHARS: usize = 400;

/// Why nothing is done, as one half sentence.
pub(crate) fn hold_text(hold: &HoldReason, service: &Service, now: &Moment) -> String {
    let words = match hold {
        HoldReason::HandsOff(hands_off) => self::hands_off(hands_off, service),
        HoldReason::Withheld(withheld) => self::withheld_text(withheld, service),
        HoldReason::ChangedBeforeRestart(reason) => {
            format!("something changed just before the restart: {}", reason.code())
        }
    };
    match (hold, hold.time_left()) {
        (HoldReason::HandsOff(_), Some(left)) => {
            format!("{words}; next restart possible {}, after a full count", clock_after(now, left))
        }
        (HoldReason::Withheld(_) | HoldReason::ChangedBeforeRestart(_), Some(left)) => {
            format!("{words}; next restart possible {}", clock_after(now, left))
        }
        (_, None) => words,
    }
}

fn hands_off(hands_off: &HandsOff, service: &Service) -> String {
    let (unit, who) = (service.restarter.label(), service.restarter.method.manager);
    match hands_off {
        HandsOff::NotFound => not_found_text(&service.restarter),
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
            format!("the previous restart command is still running ({unit})")
        }
        HandsOff::UnitBusy => {
            let has_command = service.policy.escalate.iter().any(|rung| rung.kind() == StepKind::Command);
            let or = if has_command && service.unit_name().is_some() {
                ", or an escalation command is still running"
            } else {
                ""
            };
            format!("{unit} is being started, stopped or reloaded{or}")
        }
        HandsOff::Frozen if service.unit_name().is_none() => {
            format!("{unit} is paused; {who} unpause ends that")
        }
        HandsOff::Frozen => format!("{unit} is frozen; systemctl thaw ends that"),
        HandsOff::Stopped => format!("a person stopped {unit}; unhang leaves it stopped"),
        HandsOff::Exited => format!("{unit} ended by itself, and well"),
        HandsOff::Ended => format!("{unit} ended well, by itself or because a person stopped it"),
        // One that is not enabled is unloaded when it ends, with all that systemd knew of it.
        HandsOff::NeverStarted if service.unit_name().is_some() => {
            format!("{unit} has not been started since boot, or it ended and {who} has forgotten it")
        }
        HandsOff::NeverStarted => format!("nobody has started {unit}"),
        HandsOff::StartConditionUnmet => {
            format!("a start condition of {unit} is not met (Condition...= in the unit file)")
        }
        HandsOff::Disabled => format!("{unit} fell and is disabled"),
        HandsOff::Conflict(other) => format!("{other} is active, and {unit} conflicts with it"),
        HandsOff::HostStopping => "the host is shutting down".to_owned(),
        HandsOff::HostStarting { .. } => "the host is booting".to_owned(),
        HandsOff::Paused(paused) => self::pause_source_text(&paused.by),
        HandsOff::Upstream(UpstreamHold::Stopped(other)) => {
            format!("a restart would also start {other}, which a person stopped")
        }
        HandsOff::Upstream(UpstreamHold::Failing(FailingRequirement { name, cause, through: None })) => {
            format!("it requires {name}, which fails its probe ({cause})")
        }
        HandsOff::Upstream(UpstreamHold::Failing(FailingRequirement {
            name,
            cause,
            through: Some(through),
        })) => {
            format!("it requires {name} through {through}, which fails its probe ({cause})")
        }
    }
}

fn withheld_text(withheld: &Withheld, service: &Service) -> String {
    match withheld {
        Withheld::ProbeOnly => "probed only (restart = [])".to_owned(),
        Withheld::EscalationExhausted => escalation_exhausted_text(service),
        Withheld::Budget { .. } => {
            let budget = &service.policy.budget;
            format!("{} within {} is all the budget allows", count_restarts(budget.restarts), format_duration(budget.window))
        }
        Withheld::Backoff { .. } => {
            "waiting after a restart; the wait doubles each time until it stays healthy".to_owned()
        }
        Withheld::Deadline => "too little time is left in this run; restarted first in the next run".to_owned(),
        Withheld::HostPressure(pressure) => format!("the host is overloaded: {pressure}"),
        Withheld::CommonCause { .. } => {
            "it failed together with others, and restarting some of them did not help".to_owned()
        }
        Withheld::NeverHealthy => {
            "it has never been healthy with this configuration, not even after a restart; check url and status"
                .to_owned()
        }
        Withheld::NeverHealthyButAnswers => {
            "it has never been healthy with this configuration, and it answers, so nothing hangs; check url and status"
                .to_owned()
        }
        Withheld::SameAnswer(status) => {
            format!("it answers {status}, the same as before the last restart; check url")
        }
        Withheld::Observe => "mode = \"observe\": it would be restarted now".to_owned(),
    }
}

pub(crate) fn not_found_text(restarter: &RestartMethod) -> String {
    format!("{} knows no {}", restarter.method.manager, restarter.label())
}

pub(crate) fn not_stoppable(unit: &str) -> String {
    format!("systemd refuses to restart {unit}, which has RefuseManualStop=")
}

/// Of a command's restart by hand nothing can be seen.
fn escalation_exhausted_text(service: &Service) -> String {
    let key = &service.key;
    match service.restarter.shows() {
        Shows::Life => format!(
            "every escalation step was used in this incident; a restart by hand, or unhang reset {key}, starts again at the first step"
        ),
        Shows::Process | Shows::Nothing => {
            format!(
                "every escalation step was used in this incident; unhang reset {key} starts again at the first step"
            )
        }
    }
}

/// `paused by anna, "deploy", until 17:30`
pub(crate) fn pause_text(paused: &ActivePause, now: &Moment) -> String {
    let until = paused.left.map(|left| format!(", until {}", clock_after(now, left))).unwrap_or_default();
    format!("{}{until}", self::pause_source_text(&paused.by))
}

/// By whom, and why, in words that were escaped when they were read.
pub(crate) fn pause_source_text(by: &PauseSource) -> String {
    let because = |why: &Option<String>| why.as_ref().map(|why| format!(", \"{why}\"")).unwrap_or_default();
    match by {
        PauseSource::Person { who, why } => format!("paused by {who}{}", because(why)),
        PauseSource::Command { who, why, pid } => {
            format!("paused by {who}{}, while PID {pid} runs", because(why))
        }
        PauseSource::File(path) => format!("paused by the file {path}"),
        PauseSource::PackageManager => "paused while dpkg or apt is running".to_owned(),
        PauseSource::MaintenanceAnswer => "its answer says that it is in maintenance".to_owned(),
    }
}

/// Why this failure is not counted.
pub(crate) fn not_counted_text(failing: &NotDue, service: &Service) -> Option<String> {
    match failing {
        NotDue::Counting => None,
        NotDue::InGrace { age } => Some(format!(
            "started {} ago, not counted (grace {})",
            format_duration(*age),
            format_duration(service.policy.grace)
        )),
        NotDue::TooSoon { gap } => Some(format!(
            "{} after the last counted failure, not counted (min_gap {})",
            format_duration(*gap),
            format_duration(service.policy.min_gap)
        )),
    }
}

/// What holds a service back, or puts it in doubt: for those who ask.
pub(crate) fn decision_text(decision: &Decision, service: &Service, now: &Moment) -> Option<String> {
    match &decision.verdict {
        Verdict::Held(why) => Some(hold_text(why, service, now)),
        Verdict::Unknown(why) => Some(doubt_text(why)),
        Verdict::Failing(failing) => not_counted_text(failing, service),
        Verdict::Restart(act) => Some(match act {
            StepKind::Restart => "it would be restarted now".to_owned(),
            StepKind::Reload => "it would be reloaded now".to_owned(),
            StepKind::Kill => "it would be killed and restarted now".to_owned(),
            StepKind::Command => format!("{} would be run for it now", next_command(decision, service)),
            StepKind::Wake => "it would be woken now".to_owned(),
        }),
        Verdict::Healthy | Verdict::Recovering { .. } | Verdict::Recovered { .. } => None,
    }
}

/// What holds it, or why it could not be judged: for those who ask later.
pub(crate) fn stored_explanation(decision: &Decision, service: &Service, now: &Moment) -> Option<String> {
    match &decision.verdict {
        Verdict::Held(_) | Verdict::Unknown(_) => decision_text(decision, service, now),
        Verdict::Healthy
        | Verdict::Recovering { .. }
        | Verdict::Recovered { .. }
        | Verdict::Failing(_)
        | Verdict::Restart(_) => None,
    }
    .map(|words| words.chars().take(MAX_STATE_TEXT_CHARS).collect())
}

/// What a reason code means, as a half sentence that needs no other facts.
pub(crate) const fn reason_text(reason: Reason) -> &'static str {
    match reason {
        Reason::Ok => "it answers",
        Reason::Recovered => "it answers again",
        Reason::Recovering => "healthy again, but not yet min_successes times in a row",
        Reason::Unknown => "the probe could not run; that says nothing about the service",
        Reason::UnitUnknown => "what runs it did not say how it is",
        Reason::NoSystemd => "this host does not run systemd",
        Reason::NotFound => "there is no such unit, container or program",
        Reason::Masked => "the unit is masked",
        Reason::NotStartable => "it cannot be restarted; the log line says why",
        Reason::NotPermitted => "no permission to restart it; the log line says what to do",
        Reason::CrashLoop => "crash loop: what runs it keeps restarting it without effect",
        Reason::UnitBusy => "the unit is being started, stopped or reloaded",
        Reason::Frozen => "the unit is frozen",
        Reason::Stopped => "somebody stopped it",
        Reason::Exited => "it ended well",
        Reason::NeverStarted => "it has not been started since boot, or it ended and is forgotten",
        Reason::Condition => "a start condition in the unit file is not met",
        Reason::Disabled => "it fell and is disabled",
        Reason::Conflict => "a unit that it conflicts with is active",
        Reason::HostStopping => "the host was shutting down",
        Reason::HostStarting => "the host has only just booted (boot_grace)",
        Reason::Paused => "somebody has paused it",
        Reason::Upstream => "something that it requires fails, or was stopped by a person",
        Reason::Grace => "it has only just started; not counted (grace)",
        Reason::TooSoon => "too soon after the last counted failure; not counted (min_gap)",
        Reason::Counting => "not due yet",
        Reason::ProbeOnly => "nothing restarts it (restart = [])",
        Reason::EscalationExhausted => "nothing of escalate is left in this incident",
        Reason::Budget => "the restart budget is used up",
        Reason::Backoff => {
            "waiting after a restart or a lost state file; the wait doubles each time until it stays healthy"
        }
        Reason::Deadline => "the run had too little time left; it is restarted first in the next run",
        Reason::HostPressure => "the host is busier than hold_when allows",
        Reason::CommonCause => "it failed together with others, and restarting them did not help",
        Reason::NeverHealthy => "it has never been healthy with this configuration; check url and status",
        Reason::SameAnswer => "it answers the same as before the last restart; check url",
        Reason::Observe => "mode is observe",
        Reason::ChangedMeanwhile => "something changed just before the restart",
        Reason::HealedItself => "it answered just before the restart",
        Reason::MaxFailures => "restarted, and not seen healthy since",
    }
}

/// `failing (counting)`: a verdict with its reason.
pub(crate) fn verdict_text(verdict: &Verdict) -> String {
    format!("{} ({})", verdict.kind().code(), verdict.reason().code())
}

/// Of the command of `escalate` that is due.
pub(crate) fn next_command<'a>(decision: &Decision, service: &'a Service) -> &'a str {
    // What is passed over on the way to a command matters no more.
    match next_step(&service.policy, &decision.next.counts, &UnitFacts::Command { running: false })
        .map(|next| next.rung)
    {
        Some(Step::Command(words)) => words.first().map_or("", String::as_str),
        Some(Step::Reload | Step::Restart | Step::Kill | Step::Wake) | None => "a command of escalate",
    }
}
