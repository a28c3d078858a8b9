//! `check`: one line by the convention of monitoring plugins (monitoring-plugins.org, development
//! guidelines), and below it what a person wants to know.

use std::time::Duration;

use unhang_core::{
    Act, Cause, Decision, Hold, Moment, Observation, Reason, Times, Unit, Verdict, Warned, Weight,
};

use crate::exit::Level;
use crate::plan::{Latency, Probe, Service};
use crate::words;

use super::last_run::no_tick_for;
use super::screen::Depth;

/// What a probe of now showed.
#[derive(Debug)]
pub(crate) struct Checked<'a> {
    /// NAME, or the URL where that is all there is.
    pub(crate) label: &'a str,
    /// At least one.
    pub(crate) probes: Vec<CheckedProbe<'a>>,
    /// What they say together.
    pub(crate) seen: Observation,
    pub(crate) warnings: Vec<Warned>,
    pub(crate) watched: Watched,
    pub(crate) prospect: Option<Prospect<'a>>,
}

#[derive(Debug)]
pub(crate) struct CheckedProbe<'a> {
    pub(crate) probe: &'a Probe,
    pub(crate) answer: Answered,
}

/// What one probe of now showed.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) observation: Observation,
    /// It is well, but over a threshold that warns.
    pub(crate) near: Option<String>,
    /// Of what is well.
    pub(crate) said: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) times: Times,
}

/// Do runs look after it?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Watched {
    /// How long ago the last one was.
    By { last_tick: Duration },
    /// There were some, and this host has been up for long enough for another.
    NotSinceBoot,
    /// They cannot use what was remembered, and so do not probe.
    NotWith(String),
    /// None was seen.
    Never,
}

/// May the runs of this plan restart the unit?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    OfItself,
    /// This user runs them.
    OfPolkit(u32),
}

/// What comes next.
#[derive(Debug)]
pub(crate) struct Prospect<'a> {
    pub(crate) service: &'a Service,
    pub(crate) now: Moment,
    pub(crate) unit: Unit,
    /// What would hold a restart that were due now.
    pub(crate) hold: Option<Hold>,
    pub(crate) leave: Leave,
    /// `None`: what is remembered is of no use to it.
    pub(crate) next_tick: Option<Decision>,
    pub(crate) unreadable: Option<String>,
}

pub(crate) fn level(checked: &[Checked<'_>]) -> Level {
    Level::worst(checked.iter().map(level_of))
}

/// The line, and the lines below it.
pub(crate) fn check(checked: &[Checked<'_>], depth: Depth) -> Vec<String> {
    let text = status_line(level(checked), &joined_within(&parts(checked), MOST_TEXT));
    let below = checked.iter().filter(|_| depth == Depth::Everything).flat_map(details);
    [with_figures(&text, checked)].into_iter().chain(below).collect()
}

/// What Nagios and Icinga keep of the output of a plugin, in bytes, with the zero at its end.
const MOST_OUTPUT: usize = 8192;

/// Of which so much is for the text, where services are many.
const MOST_TEXT: usize = 4000;

/// A figure that is cut is a wrong one: what has no room is left out, and that is said.
fn with_figures(text: &str, checked: &[Checked<'_>]) -> String {
    let perfdata: Vec<String> = checked.iter().map(perfdata).collect();
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
pub(crate) fn check_refused(faults: &[String]) -> Vec<String> {
    let first = faults.first().map_or("", String::as_str);
    let rest = faults.iter().skip(1).map(|fault| escaped(fault));
    [status_line(Level::Unknown, first)].into_iter().chain(rest).collect()
}

fn status_line(level: Level, text: &str) -> String {
    format!("UNHANG {} - {}", word(level), escaped(text))
}

/// What stands behind a bar would be read as figures, in any line.
fn escaped(text: &str) -> String {
    words::escaped(text).replace('|', "\\u{7c}")
}

pub(super) const fn word(level: Level) -> &'static str {
    match level {
        Level::Ok => "OK",
        Level::Warning => "WARNING",
        Level::Unknown => "UNKNOWN",
        Level::Critical => "CRITICAL",
    }
}

pub(super) fn level_of(checked: &Checked<'_>) -> Level {
    match &checked.seen {
        Observation::Healthy if unwatched(checked).is_some() => Level::Warning,
        Observation::Healthy if !checked.warnings.is_empty() => Level::Warning,
        Observation::Healthy => Level::Ok,
        // It says so itself, and means it.
        Observation::Unhealthy(cause) if cause.is_maintenance() => Level::Warning,
        Observation::Unhealthy(_) => Level::Critical,
        Observation::Unknown(_) => Level::Unknown,
    }
}

/// What the line says, the most important first.
fn parts(checked: &[Checked<'_>]) -> Vec<String> {
    let told = |one: &Checked<'_>| format!("{}: {}", one.label, found(one));
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
        one.warnings.iter().map(move |warned| format!("{label}warns: {}", words::warned(warned)))
    });
    let unwatched = checked.iter().find_map(|one| Some((one, unwatched(one)?)));
    let unwatched = unwatched.map(|(one, why)| match checked {
        [_] => why,
        _ => format!("{}: {why}", one.label),
    });
    found.into_iter().chain(warnings).chain(unwatched).collect()
}

/// Why no run looks after it, though some did. Where none ever came, nobody may expect one.
fn unwatched(checked: &Checked<'_>) -> Option<String> {
    match &checked.watched {
        Watched::By { last_tick } => no_tick_for(*last_tick),
        Watched::NotSinceBoot => Some("no tick since this host booted: is cron running?".to_owned()),
        Watched::NotWith(why) => Some(format!("runs leave it alone: state file unreadable {why}")),
        Watched::Never => None,
    }
}

pub(super) fn found(checked: &Checked<'_>) -> String {
    match checked.probes.as_slice() {
        [one] if one.probe.name.is_none() => found_by(one),
        probes => match &checked.seen {
            Observation::Healthy => {
                let counting = probes.iter().filter(|one| one.probe.weight == Weight::Counts).count();
                let healthy =
                    probes.iter().filter(|one| one.answer.observation == Observation::Healthy).count();
                let told = if counting == 0 { healthy } else { counting };
                let took = longest(probes).map(|took| format!(" in {}", words::span(took)));
                format!("{}{}", words::probes_healthy(told), took.unwrap_or_default())
            }
            Observation::Unhealthy(cause) => {
                let of = |one: &&CheckedProbe<'_>| one.probe.name.as_deref() == cause.probe();
                probes.iter().find(of).map_or_else(String::new, |one| {
                    let name = one.probe.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
                    format!("{name}{}", found_by(one))
                })
            }
            Observation::Unknown(doubt) => format!("not judged: {}", words::doubt(doubt)),
        },
    }
}

pub(super) fn found_by(one: &CheckedProbe<'_>) -> String {
    let (answer, timeout) = (&one.answer, one.probe.timeout);
    let took = words::span(answer.times.total());
    let url = one.probe.question();
    match &answer.observation {
        Observation::Healthy if url.is_none() => answer.said.clone().unwrap_or_default(),
        // An address gives none, and `HTTP 000` would read like a failure.
        Observation::Healthy => {
            let status =
                answer.status.map_or_else(|| "connected".to_owned(), |status| format!("HTTP {status}"));
            format!("{status} in {took}")
        }
        Observation::Unhealthy(cause) => match (words::cause(cause, timeout), url) {
            (why, None) => why.unwrap_or_default(),
            (Some(why), Some(_)) => format!("{}: {why}", words::answer(cause)),
            // Else it reads like a healthy one.
            (None, Some(url)) if cause.http() < 400 => {
                format!("{} in {took}, wanted {}", words::answer(cause), url.status)
            }
            (None, Some(_)) => format!("{} in {took}", words::answer(cause)),
        },
        Observation::Unknown(doubt) => format!("not judged: {}", words::doubt(doubt)),
    }
}

/// They were asked side by side. `None`: of none of them the time is taken.
pub(super) fn longest(probes: &[CheckedProbe<'_>]) -> Option<Duration> {
    probes.iter().filter_map(|one| measured(&one.answer.times)).max()
}

/// `None`: the time of such a probe is not taken, since it tells nothing.
pub(super) fn measured(times: &Times) -> Option<Duration> {
    Some(times.total()).filter(|total| !total.is_zero())
}

/// `'LABEL'=VALUE[UOM];[WARN];[CRIT];[MIN];[MAX]`
fn perfdata(checked: &Checked<'_>) -> String {
    // A URL would need quotes, and change with every other URL.
    let label = if checked.label.contains(['/', ':']) { "time" } else { checked.label };
    let limit = checked.probes.iter().map(|one| one.probe.timeout).max().unwrap_or_default().as_secs_f64();
    // A refusal is quick, and no answer: it must not look like the fastest of all.
    let took_its_time = match &checked.seen {
        Observation::Healthy => true,
        Observation::Unhealthy(cause) => matches!(cause.itself(), Cause::TimedOut(_)),
        Observation::Unknown(_) => false,
    };
    let answered = checked.probes.iter().any(|one| one.answer.status.is_some()) || took_its_time;
    let value = match longest(&checked.probes).filter(|_| answered) {
        Some(took) => format!("{:.6}s", took.as_secs_f64()),
        None => "U".to_owned(),
    };
    // The bounds of one url are those of its figure; of several probes it is the slowest one's.
    let bounds = match checked.probes.as_slice() {
        [only] => only.probe.question().map(|question| question.latency.clone()),
        _ => None,
    };
    let Latency { warn, fail } = bounds.unwrap_or_default();
    let warn = warn.map(|warn| warn.as_secs_f64().to_string()).unwrap_or_default();
    let fail = fail.map_or(limit, |fail| fail.as_secs_f64());
    format!("{label}={value};{warn};{fail};0;{limit}")
}

fn details(checked: &Checked<'_>) -> Vec<String> {
    let label = checked.label;
    let mut lines: Vec<String> = checked.probes.iter().flat_map(|one| probe_lines(one, checked)).collect();
    if let Some(prospect) = &checked.prospect {
        lines.push(format!("unit: {}", words::unit(&prospect.unit, prospect.service)));
        lines.push(format!("a restart: {}", restart(prospect)));
        lines.push(format!("next tick: {}", next_tick(prospect)));
        lines.extend(prospect.unreadable.as_ref().map(|what| format!("state file unreadable {what}")));
    }
    lines.iter().map(|line| escaped(&format!("{label}: {line}"))).collect()
}

/// What each found, where there are several; and where the time of a URL went.
fn probe_lines(one: &CheckedProbe<'_>, checked: &Checked<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if checked.probes.len() > 1 || one.probe.name.is_some() {
        let name = one.probe.name.as_deref().unwrap_or("url");
        let level = match (&one.answer.observation, one.probe.weight, &one.answer.near) {
            (Observation::Healthy, _, None) => "well",
            (Observation::Unhealthy(_) | Observation::Unknown(_), Weight::Warns, _)
            | (Observation::Healthy, _, Some(_)) => "warns",
            (Observation::Unhealthy(_), Weight::Counts, _) => "fails",
            (Observation::Unknown(_), Weight::Counts, _) => "unknown",
        };
        let found = one.answer.near.clone().unwrap_or_else(|| found_by(one));
        lines.push(format!("probe {name}: {level}: {found}"));
    }
    if one.probe.question().is_some() {
        lines.push(times(&one.answer.times));
    }
    lines
}

fn times(times: &Times) -> String {
    let Times { resolve, connect, tls, wait, read } = *times;
    let parts = [("name", resolve), ("connect", connect), ("TLS", tls), ("first byte", wait), ("rest", read)];
    // Less would be shown as nothing.
    let spent = parts.iter().filter(|(_, time)| *time >= Duration::from_micros(50));
    let spent: Vec<String> = spent.map(|(part, time)| format!("{part} {}", words::millis(*time))).collect();
    let all = format!("in all {}", words::millis(times.total()));
    format!("times: {}", spent.into_iter().chain([all]).collect::<Vec<_>>().join(", "))
}

pub(super) fn restart(prospect: &Prospect<'_>) -> String {
    match (&prospect.unit, &prospect.hold) {
        (Unit::Unanswered(doubt), _) => format!("cannot be told: {}", words::doubt(doubt)),
        (_, Some(hold)) => {
            let why = words::hold(hold, prospect.service, &prospect.now);
            format!("would be held ({}): {why}", hold.reason().code())
        }
        (_, None) => match prospect.leave {
            Leave::OfItself => "nothing would hold it".to_owned(),
            Leave::OfPolkit(user) => format!("nothing would hold it, if polkit lets user {user} restart it"),
        },
    }
}

pub(super) fn next_tick(prospect: &Prospect<'_>) -> String {
    let Some(decision) = &prospect.next_tick else { return "cannot be told from here".to_owned() };
    if let Verdict::Restart(act) = decision.verdict {
        return match act {
            Act::Restart => "would restart (max_failures)".to_owned(),
            Act::Reload => "would reload it (max_failures)".to_owned(),
            Act::Kill => "would kill and restart it (max_failures)".to_owned(),
            Act::Wake => "would wake it (max_failures)".to_owned(),
            Act::Command => {
                format!("would run {} (max_failures)", words::next_program(decision, prospect.service))
            }
        };
    }
    let of = prospect.service.policy.max_failures;
    let counting = (decision.verdict.reason() == Reason::Counting)
        .then(|| format!("failure {} of {of}", decision.next.counts.streak));
    let why = words::why(decision, prospect.service, &prospect.now).or(counting);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    format!("{}{why}", words::verdict(&decision.verdict))
}
