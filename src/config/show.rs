//! Every effective value and where it came from, as lines that could stand in a file. Shows no secret:
//! values of headers and the query of a URL stay hidden.

use std::path::Path;
use std::time::Duration;

use unhang_core::{Mode, OnFlapping, Rung};

use crate::plan::{Plan, Question, Restarter, Service};

use super::question::LOCALHOST;
use super::settings::{Setting, Table, dotted};
use super::words::spell;
use crate::words::{drives_a_terminal, escaped};

/// `[service.shop]` or `[host]`, with its values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// As TOML.
    pub(crate) value: String,
    /// `FILE:LINE`, a variable, a flag, or `default`.
    pub(crate) origin: String,
}

/// `layers`: weakest first.
pub(super) fn service(service: &Service, layers: &[&Table]) -> Section {
    let policy = &service.policy;
    let question = &service.question;
    let pause_file = service.pause_file.path.as_deref().unwrap_or(Path::new(""));
    let mut values = vec![("url", text(&address(question))), ("name", text(&service.name))];
    values.push(match &service.restarter {
        Restarter::Unit(unit) => ("unit", text(unit)),
        Restarter::Command(words) => ("restart", list(words)),
        Restarter::Nothing => ("restart", "[]".to_owned()),
    });
    values.extend([
        ("method", text(&question.method)),
        ("status", text(&question.status.to_string())),
        ("redirects", question.redirects.to_string()),
        ("timeout", span(question.timeout)),
        ("ca_file", text(&question.trust.ca_file.as_deref().unwrap_or(Path::new("")).display().to_string())),
        ("insecure", question.trust.insecure.to_string()),
        ("max_failures", policy.max_failures.to_string()),
        ("min_successes", policy.min_successes.to_string()),
        ("grace", span(policy.grace)),
        ("verify", span(service.verify)),
        ("min_gap", span(policy.min_gap)),
        ("stale_after", span(policy.stale_after)),
        ("budget.restarts", policy.budget.restarts.to_string()),
        ("budget.window", span(policy.budget.window)),
        ("backoff.first", span(policy.backoff.first)),
        ("backoff.max", span(policy.backoff.max)),
        ("mode", text(if policy.mode == Mode::Act { "act" } else { "observe" })),
        ("escalate", rungs(&policy.escalate)),
        ("held_too_long", span(policy.held_too_long)),
        ("flapping.failures", policy.flapping.failures.to_string()),
        ("flapping.of", policy.flapping.of.to_string()),
        ("flapping.restart", (policy.flapping.then == OnFlapping::Restart).to_string()),
        ("pause_file", text(&pause_file.display().to_string())),
        ("pause_file_max_age", span(service.pause_file.max_age)),
        ("log_file", text(&service.log_file.display().to_string())),
    ]);
    if !service.requires.is_empty() {
        values.push(("requires", list(&service.requires)));
    }
    if let Some(maintenance) = &question.maintenance {
        values.push(("maintenance.status", text(&maintenance.status.to_string())));
        values.extend(maintenance.header.iter().map(|header| ("maintenance.header", text(header))));
    }
    let mut entries: Vec<Entry> = values
        .into_iter()
        .map(|(key, value)| Entry { key: key.to_owned(), value, origin: origin(key, layers) })
        .collect();
    entries.extend(question.headers.iter().map(|(name, value)| header(name, value, layers)));
    Section { name: dotted(&["service", &service.key]), entries }
}

pub(super) fn host(plan: &Plan, layers: &[&Table]) -> Section {
    let mut values = vec![
        ("deadline", span(plan.host.deadline)),
        ("boot_grace", span(plan.host.boot_grace)),
        ("pause_on_dpkg", plan.host.pause_on_dpkg.to_string()),
        ("budget.restarts", plan.host.budget.restarts.to_string()),
        ("budget.window", span(plan.host.budget.window)),
    ];
    let bounds: Vec<(String, String)> = plan
        .host
        .hold_when
        .iter()
        .map(|(stall, percent)| (format!("hold_when.{}", stall.key()), text(&format!("{percent}%"))))
        .collect();
    values.extend(bounds.iter().map(|(key, value)| (key.as_str(), value.clone())));
    let entries = values.into_iter().map(|(key, value)| Entry {
        key: key.to_owned(),
        value,
        origin: origin(key, layers),
    });
    Section { name: "host".to_owned(), entries: entries.collect() }
}

/// What nobody said is made from NAME, or stands in the table of defaults.
fn origin(key: &str, layers: &[&Table]) -> String {
    let said = layers.iter().rev().find_map(|layer| layer.get(key));
    told(said)
}

/// A path of the operator's own may hold anything.
fn told(said: Option<&Setting>) -> String {
    said.map_or_else(|| "default".to_owned(), |setting| escaped(&setting.origin.to_string()))
}

/// Most headers of a health check are there to prove something; a Host is not.
fn header(name: &str, value: &str, layers: &[&Table]) -> Entry {
    let shown = if name.eq_ignore_ascii_case("host") { value } else { "(hidden)" };
    let said = layers.iter().rev().find_map(|layer| {
        layer.settings.iter().find(|setting| {
            let key: Vec<&str> = layer.short(setting).collect();
            matches!(key.as_slice(), ["headers", other] if other.eq_ignore_ascii_case(name))
        })
    });
    Entry { key: dotted(&["headers", name]), value: text(shown), origin: told(said) }
}

/// Where it asks, without what may be a secret.
pub(super) fn address(question: &Question) -> String {
    without_query(&url(question))
}

/// As it was written.
fn url(question: &Question) -> String {
    match &question.socket {
        Some(socket) => {
            let path = question.url.strip_prefix(LOCALHOST).unwrap_or_default();
            format!("unix:{}:{path}", socket.display())
        }
        None => match question.url.strip_prefix("tcp://") {
            Some(address) => format!("tcp:{address}"),
            None => question.url.clone(),
        },
    }
}

fn list(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|word| text(word)).collect::<Vec<_>>().join(", "))
}

fn rungs(rungs: &[Rung]) -> String {
    let shown = |rung: &Rung| match rung {
        Rung::Command(words) => list(words),
        Rung::Reload | Rung::Restart | Rung::Kill => text(rung.act().code()),
    };
    format!("[{}]", rungs.iter().map(shown).collect::<Vec<_>>().join(", "))
}

fn without_query(url: &str) -> String {
    url.split_once('?').map_or_else(|| url.to_owned(), |(before, _)| format!("{before}?(hidden)"))
}

fn span(span: Duration) -> String {
    text(&spell(span))
}

/// The argument of a command may be any text, and a terminal shows it.
fn text(text: &str) -> String {
    let mut shown = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => shown.extend(['\\', c]),
            _ if drives_a_terminal(c) => shown.extend(format!("\\u{:04X}", u32::from(c)).chars()),
            _ => shown.push(c),
        }
    }
    shown.push('"');
    shown
}
