//! `check`: one line by the convention of monitoring plugins (monitoring-plugins.org, development
//! guidelines), and below it what a person wants to know.

use std::time::Duration;

use unhang_core::{
    Cause, Decision, HoldReason, Moment, Observation, PhaseTimes, ProbeRole, Reason, StepKind, StoredWarning,
    UnitFacts, Verdict,
};

use crate::exit::PluginLevel;
use crate::plan::{LatencyLimits, Probe, Service};
use crate::words;

use super::last_run::overdue_text;
use super::screen::Detail;

/// What a probe of now showed.
#[derive(Debug)]
pub(crate) struct CheckedService<'a> {
    /// NAME, or the URL where that is all there is.
    pub(crate) label: &'a str,
    /// At least one.
    pub(crate) probes: Vec<CheckedProbe<'a>>,
    /// What they say together.
    pub(crate) seen: Observation,
    pub(crate) warnings: Vec<StoredWarning>,
    pub(crate) watched: RunCoverage,
    pub(crate) prospect: Option<Forecast<'a>>,
}

#[derive(Debug)]
pub(crate) struct CheckedProbe<'a> {
    pub(crate) probe: &'a Probe,
    pub(crate) answer: CheckedAnswer,
}

/// What one probe of now showed.
#[derive(Debug)]
pub(crate) struct CheckedAnswer {
    pub(crate) observation: Observation,
    /// It is well, but over a threshold that warns.
    pub(crate) near: Option<String>,
    /// Of what is well.
    pub(crate) said: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) times: PhaseTimes,
}

/// Do runs look after it?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunCoverage {
    /// How long ago the last one was.
    LastRun { last_tick: Duration },
    /// There were some, and this host has been up for long enough for another.
    NotSinceBoot,
    /// They cannot use what was remembered, and so do not probe.
    StateUnreadable(String),
    /// None was seen.
    NoRunSeen,
}

/// May the runs of this plan restart the unit?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Granted,
    /// This user runs them.
    AskPolkit(u32),
}

/// What comes next.
#[derive(Debug)]
pub(crate) struct Forecast<'a> {
    pub(crate) service: &'a Service,
    pub(crate) now: Moment,
    pub(crate) unit: UnitFacts,
    /// What would hold a restart that were due now.
    pub(crate) hold: Option<HoldReason>,
    pub(crate) leave: Permission,
    /// `None`: what is remembered is of no use to it.
    pub(crate) next_tick: Option<Decision>,
    pub(crate) unreadable: Option<String>,
}

pub(crate) fn worst_level(checked: &[CheckedService<'_>]) -> PluginLevel {
    PluginLevel::worst_of(checked.iter().map(level_of_service))
}

/// The line, and the lines below it.
pub(crate) fn check_lines(checked: &[CheckedService<'_>], depth: Detail) -> Vec<String> {
    let text = status_line(worst_level(checked), &joined_within(&line_parts(checked), MAX_TEXT_BYTES));
    let below = checked.iter().filter(|_| depth == Detail::Full).flat_map(detail_lines);
    [with_figures(&text, checked)].into_iter().chain(below).collect()
}

/// What Nagios and Icinga keep of the output of a plugin, in bytes, with the zero at its end.
const MOST_OUTPUT: usize = 8192;

/// The most bytes of text in the line, where services are many; the rest is for figures.
const MAX_TEXT_BYTES: usize = 4000;

/// A figure that is cut is a wrong one: what has no room is left out, and that is said.
fn with_figures(text: &str, checked: &[CheckedService<'_>]) -> String {
    let perfdata: Vec<String> = checked.iter().map(perfdata_text).collect();
    let line = format!("{text} | {}", perfdata.join(" "));
    if line.len() < MOST_OUTPUT {
        return line;
    }
    let note = |left_out: usize| format!("; {left_out} figures left out for want of room");
    let mut room = MOST_OUTPUT.saturating_sub(1 + text.len() + note(perfdata.len()).len() + 2);
    let fitting = perfdata.iter().take_while(|figure| {
        let needs = figure.len() + 1;
        let fits = needs <= room;
        room = room.saturating_sub(needs);
        fits
    });
    let fitting: Vec<&str> = fitting.map(String::as_str).collect();
    format!("{text}{} | {}", note(perfdata.len().saturating_sub(fitting.len())), fitting.join(" "))
}

/// Those that fit, in their order, and how many others there are.
fn joined_within(parts: &[String], most: usize) -> String {
    let mut joined = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 && joined.len() + part.len() > most {
            return format!("{joined}; and {} more", parts.len() - at);
        }
        joined.extend([if at == 0 { "" } else { "; " }, part]);
    }
    joined
}

/// What stands in place of an answer: the first fault where a plugin's status stands, the others below.
pub(crate) fn check_fault_lines(faults: &[String]) -> Vec<String> {
    let first = faults.first().map_or("", String::as_str);
    let rest = faults.iter().skip(1).map(|fault| escape_bars(fault));
    [status_line(PluginLevel::Unknown, first)].into_iter().chain(rest).collect()
}

fn status_line(level: PluginLevel, text: &str) -> String {
    format!("UNHANG {} - {}", level_word(level), escape_bars(text))
}

/// What stands behind a bar would be read as figures, in any line.
fn escape_bars(text: &str) -> String {
    words::escaped(text).replace('|', "\\u{7c}")
}

pub(super) const fn level_word(level: PluginLevel) -> &'static str {
    match level {
        PluginLevel::Ok => "OK",
        PluginLevel::Warning => "WARNING",
        PluginLevel::Unknown => "UNKNOWN",
        PluginLevel::Critical => "CRITICAL",
    }
}

pub(super) fn level_of_service(checked: &CheckedService<'_>) -> PluginLevel {
    match &checked.seen {
        Observation::Healthy if coverage_warning(checked).is_some() => PluginLevel::Warning,
        Observation::Healthy if !checked.warnings.is_empty() => PluginLevel::Warning,
        Observation::Healthy => PluginLevel::Ok,
        // It says so itself, and means it.
        Observation::Unhealthy(cause) if cause.is_maintenance() => PluginLevel::Warning,
        Observation::Unhealthy(_) => PluginLevel::Critical,
        Observation::Unknown(_) => PluginLevel::Unknown,
    }
}

/// What the line says, the most important first.
fn line_parts(checked: &[CheckedService<'_>]) -> Vec<String> {
    let told = |one: &CheckedService<'_>| format!("{}: {}", one.label, found_text(one));
    let unwell: Vec<String> =
        checked.iter().filter(|one| one.seen != Observation::Healthy).map(told).collect();
    let found = match (checked, unwell.as_slice()) {
        ([one], _) => vec![told(one)],
        (_, []) => vec![format!("{} services healthy", checked.len())],
        (_, [first, rest @ ..]) => {
            let first = format!("{} of {} not healthy: {first}", unwell.len(), checked.len());
            [&[first][..], rest].concat()
        }
    };
    let warnings = checked.iter().flat_map(|one| {
        let label = if checked.len() == 1 { String::new() } else { format!("{}: ", one.label) };
        one.warnings
            .iter()
            .map(move |warned| format!("{label}warning: {}", words::stored_warning_text(warned)))
    });
    let unwatched = checked.iter().find_map(|one| Some((one, coverage_warning(one)?)));
    let unwatched = unwatched.map(|(one, why)| match checked {
        [_] => why,
        _ => format!("{}: {why}", one.label),
    });
    found.into_iter().chain(warnings).chain(unwatched).collect()
}

/// Why no run looks after it, though some did. Where none ever came, nobody may expect one.
fn coverage_warning(checked: &CheckedService<'_>) -> Option<String> {
    match &checked.watched {
        RunCoverage::LastRun { last_tick } => overdue_text(*last_tick),
        RunCoverage::NotSinceBoot => Some("no run since boot; does cron start unhang?".to_owned()),
        RunCoverage::StateUnreadable(why) => {
            Some(format!("runs skip it: its state file cannot be read {why}"))
        }
        RunCoverage::NoRunSeen => None,
    }
}

pub(super) fn found_text(checked: &CheckedService<'_>) -> String {
    match checked.probes.as_slice() {
        [one] if one.probe.name.is_none() => answer_text(one),
        probes => match &checked.seen {
            Observation::Healthy => {
                let counting = probes.iter().filter(|one| one.probe.weight == ProbeRole::Required).count();
                let healthy =
                    probes.iter().filter(|one| one.answer.observation == Observation::Healthy).count();
                let told = if counting == 0 { healthy } else { counting };
                let took = slowest_probe(probes).map(|took| format!(" in {}", words::format_duration(took)));
                format!("{}{}", words::probes_healthy(told), took.unwrap_or_default())
            }
            Observation::Unhealthy(cause) => {
                let of = |one: &&CheckedProbe<'_>| one.probe.name.as_deref() == cause.probe_name();
                probes.iter().find(of).map_or_else(String::new, |one| {
                    let name = one.probe.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
                    format!("{name}{}", answer_text(one))
                })
            }
            Observation::Unknown(doubt) => format!("not judged: {}", words::doubt_text(doubt)),
        },
    }
}

pub(super) fn answer_text(one: &CheckedProbe<'_>) -> String {
    let (answer, timeout) = (&one.answer, one.probe.timeout);
    let took = words::format_duration(answer.times.total());
    let url = one.probe.http_request();
    match &answer.observation {
        Observation::Healthy if url.is_none() => answer.said.clone().unwrap_or_default(),
        // An address gives none, and `HTTP 000` would read like a failure.
        Observation::Healthy => {
            let status =
                answer.status.map_or_else(|| "connected".to_owned(), |status| format!("HTTP {status}"));
            format!("{status} in {took}")
        }
        Observation::Unhealthy(cause) => match (words::cause_text(cause, timeout), url) {
            (why, None) => why.unwrap_or_default(),
            (Some(why), Some(_)) => format!("{}: {why}", words::answer_text(cause)),
            // Else it reads like a healthy one.
            (None, Some(url)) if cause.http_status() < 400 => {
                format!("{} in {took}, wanted {}", words::answer_text(cause), url.status)
            }
            (None, Some(_)) => format!("{} in {took}", words::answer_text(cause)),
        },
        Observation::Unknown(doubt) => format!("not judged: {}", words::doubt_text(doubt)),
    }
}

/// They were asked side by side. `None`: of none of them the time is taken.
pub(super) fn slowest_probe(probes: &[CheckedProbe<'_>]) -> Option<Duration> {
    probes.iter().filter_map(|one| total_time(&one.answer.times)).max()
}

/// `None`: the time of such a probe is not taken, since it tells nothing.
pub(super) fn total_time(times: &PhaseTimes) -> Option<Duration> {
    Some(times.total()).filter(|total| !total.is_zero())
}

/// `'LABEL'=VALUE[UOM];[WARN];[CRIT];[MIN];[MAX]`
fn perfdata_text(checked: &CheckedService<'_>) -> String {
    // A URL would need quotes, and change with every other URL.
    let label = if checked.label.contains(['/', ':']) { "time" } else { checked.label };
    let limit = checked.probes.iter().map(|one| one.probe.timeout).max().unwrap_or_default().as_secs_f64();
    // A refusal is quick, and no answer: it must not look like the fastest of all.
    let took_its_time = match &checked.seen {
        Observation::Healthy => true,
        Observation::Unhealthy(cause) => matches!(cause.without_probe_name(), Cause::TimedOut(_)),
        Observation::Unknown(_) => false,
    };
    let answered = checked.probes.iter().any(|one| one.answer.status.is_some()) || took_its_time;
    let value = match slowest_probe(&checked.probes).filter(|_| answered) {
        Some(took) => format!("{:.6}s", took.as_secs_f64()),
        None => "U".to_owned(),
    };
    // The bounds of one url are those of its figure; of several probes it is the slowest one's.
    let bounds = match checked.probes.as_slice() {
        [only] => only.probe.http_request().map(|question| question.latency.clone()),
        _ => None,
    };
    let LatencyLimits { warn, fail } = bounds.unwrap_or_default();
    let warn = warn.map(|warn| warn.as_secs_f64().to_string()).unwrap_or_default();
    let fail = fail.map_or(limit, |fail| fail.as_secs_f64());
    format!("{label}={value};{warn};{fail};0;{limit}")
}

fn detail_lines(checked: &CheckedService<'_>) -> Vec<String> {
    let label = checked.label;
    let mut lines: Vec<String> = checked.probes.iter().flat_map(|one| probe_lines(one, checked)).collect();
    if let Some(prospect) = &checked.prospect {
        lines.push(format!("unit: {}", words::unit_text(&prospect.unit, prospect.service)));
        lines.push(format!("a restart: {}", restart_line(prospect)));
        lines.push(format!("next run: {}", next_run_line(prospect)));
        lines.extend(prospect.unreadable.as_ref().map(|what| format!("state file unreadable {what}")));
    }
    lines.iter().map(|line| escape_bars(&format!("{label}: {line}"))).collect()
}

/// What each found, where there are several; and where the time of a URL went.
fn probe_lines(one: &CheckedProbe<'_>, checked: &CheckedService<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if checked.probes.len() > 1 || one.probe.name.is_some() {
        let name = one.probe.name.as_deref().unwrap_or("url");
        let level = match (&one.answer.observation, one.probe.weight, &one.answer.near) {
            (Observation::Healthy, _, None) => "well",
            (Observation::Unhealthy(_) | Observation::Unknown(_), ProbeRole::Optional, _)
            | (Observation::Healthy, _, Some(_)) => "warning",
            (Observation::Unhealthy(_), ProbeRole::Required, _) => "fails",
            (Observation::Unknown(_), ProbeRole::Required, _) => "unknown",
        };
        let found = one.answer.near.clone().unwrap_or_else(|| answer_text(one));
        lines.push(format!("probe {name}: {level}: {found}"));
    }
    if one.probe.http_request().is_some() {
        lines.push(times_line(&one.answer.times));
    }
    lines
}

fn times_line(times: &PhaseTimes) -> String {
    let PhaseTimes { resolve, connect, tls, wait, read } = *times;
    let parts = [("name", resolve), ("connect", connect), ("TLS", tls), ("first byte", wait), ("rest", read)];
    // Less would be shown as nothing.
    let spent = parts.iter().filter(|(_, time)| *time >= Duration::from_micros(50));
    let spent: Vec<String> =
        spent.map(|(part, time)| format!("{part} {}", words::format_millis(*time))).collect();
    let all = format!("in all {}", words::format_millis(times.total()));
    format!("times: {}", spent.into_iter().chain([all]).collect::<Vec<_>>().join(", "))
}

pub(super) fn restart_line(prospect: &Forecast<'_>) -> String {
    match (&prospect.unit, &prospect.hold) {
        (UnitFacts::QueryFailed(doubt), _) => format!("cannot be told: {}", words::doubt_text(doubt)),
        (_, Some(hold)) => {
            let why = words::hold_text(hold, prospect.service, &prospect.now);
            format!("held ({}): {why}", hold.reason().code())
        }
        (_, None) => match prospect.leave {
            Permission::Granted => "allowed".to_owned(),
            Permission::AskPolkit(user) => {
                format!("allowed, if polkit permits user {user} to restart it")
            }
        },
    }
}

pub(super) fn next_run_line(prospect: &Forecast<'_>) -> String {
    let Some(decision) = &prospect.next_tick else { return "cannot be told from here".to_owned() };
    if let Verdict::Restart(act) = decision.verdict {
        return match act {
            StepKind::Restart => "would restart (max_failures)".to_owned(),
            StepKind::Reload => "would reload it (max_failures)".to_owned(),
            StepKind::Kill => "would kill and restart it (max_failures)".to_owned(),
            StepKind::Wake => "would wake it (max_failures)".to_owned(),
            StepKind::Command => {
                format!("would run {} (max_failures)", words::next_command(decision, prospect.service))
            }
        };
    }
    let of = prospect.service.policy.max_failures;
    let counting = (decision.verdict.reason() == Reason::Counting)
        .then(|| format!("failure {} of {of}", decision.next.counts.streak));
    let why = words::decision_text(decision, prospect.service, &prospect.now).or(counting);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    format!("{}{why}", words::verdict_text(&decision.verdict))
}
