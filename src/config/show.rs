//! Every effective value and where it came from, as lines that could stand in a file. Shows no secret:
//! values of headers and the query of a URL stay hidden.

use std::path::Path;
use std::time::Duration;

use unhang_core::{Rung, Weight};

use crate::plan::{
    Asks, BodyRules, Container, FailOn, JsonRules, Probe, Question, Restarter, Runtime, Scope, Service,
    Supervised,
};
use crate::probe::KINDS;

use super::probes::{self, PROBE, Shown};
use super::settings::{Setting, Table, dotted};
use super::table_values;
use super::values::{quoted as text, spell};
use crate::keys::{self, Row};
use crate::words::escaped;

/// `[service.shop]` or `[host]`, with its values.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    pub entries: Vec<Entry>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    /// As TOML.
    pub value: String,
    /// `FILE:LINE`, a variable, a flag, or `default`.
    pub origin: String,
}

/// `layers`: weakest first.
pub(super) fn service(service: &Service, layers: &[&Table]) -> Section {
    let policy = &service.policy;
    let own_url = service.probes.first().filter(|probe| probe.name.is_none());
    let question = own_url.and_then(Probe::question);
    let mut values: Vec<(&str, String)> = Vec::new();
    values.extend(question.map(|question| ("url", text(&address(question)))));
    values.push(("name", text(&service.name)));
    values.extend(restarter(&service.restarter));
    values.extend(question.map(asked).unwrap_or_default());
    values.extend(own_url.map(|probe| ("timeout", span(probe.timeout))));
    values.extend(plain(keys::POLICY, layers, &rungs(&policy.escalate)));
    values.push(("log_file", text(&service.log_file.display().to_string())));
    if !service.requires.is_empty() {
        values.push(("requires", list(&service.requires)));
    }
    let mut entries: Vec<Entry> = values
        .into_iter()
        .map(|(key, value)| Entry { key: key.to_owned(), value, origin: origin(key, layers) })
        .collect();
    entries.extend(question.map(|question| headers(question, layers)).unwrap_or_default());
    Section { name: dotted(&["service", &service.key]), entries }
}

fn restarter(restarter: &Restarter) -> Vec<(&'static str, String)> {
    let path = |path: &Path| text(&path.display().to_string());
    match restarter {
        Restarter::Unit(unit, scope) => {
            let scope = if *scope == Scope::System { "system" } else { "user" };
            vec![("unit", text(unit)), ("scope", text(scope))]
        }
        Restarter::Container(Container { runtime, name }) => match runtime {
            Runtime::Docker => vec![("restart.docker", text(name))],
            Runtime::Podman => vec![("restart.podman", text(name))],
            Runtime::Compose(project) => {
                vec![("restart.compose", text(name)), ("restart.project", path(project))]
            }
        },
        Restarter::Supervised(Supervised { program, config }) => {
            let config = config.as_deref().map(|config| ("restart.config", path(config)));
            [("restart.supervisor", text(program))].into_iter().chain(config).collect()
        }
        Restarter::Wake(wake) => vec![
            ("wake.pings", wake.pings.to_string()),
            ("wake.every", span(wake.every)),
            ("wake.timeout", span(wake.timeout)),
        ],
        Restarter::Hook(file) => vec![("restart.hook", path(file))],
        Restarter::Command(words) => vec![("restart", list(words))],
        Restarter::Nothing => vec![("restart", "[]".to_owned())],
    }
}

/// `own`: its table; `layers`: those below that.
pub(super) fn probe(service: &Service, probe: &Probe, own: &Table, layers: &[&Table]) -> Section {
    let layers: Vec<&Table> = layers.iter().copied().chain([own]).collect();
    let mut values: Vec<(&str, String)> = Vec::new();
    match &probe.asks {
        Asks::Url(question) => {
            values.push(("url", text(&address(question))));
            values.extend(asked(question));
        }
        Asks::Kind { kind, given } => {
            let spec = KINDS.iter().map(|kind| &kind.spec).find(|spec| spec.subject.name == *kind);
            let keys = spec.map(|spec| [&spec.subject].into_iter().chain(spec.keys)).into_iter().flatten();
            values.extend(keys.filter_map(|key| {
                let value = probes::shown(key.word, given.0.get(key.name)?);
                Some((
                    key.name,
                    match value {
                        Shown::Text(shown) => text(&shown),
                        Shown::List(words) => list(&words),
                        Shown::Bare(number) => number,
                    },
                ))
            }));
        }
    }
    values.push(("timeout", span(probe.timeout)));
    values.push(("optional", (probe.weight == Weight::Warns).to_string()));
    let entry =
        |(key, value): (&str, String)| Entry { key: key.to_owned(), value, origin: origin(key, &layers) };
    let mut entries: Vec<Entry> = values.into_iter().map(entry).collect();
    entries.extend(probe.question().map(|question| headers(question, &layers)).unwrap_or_default());
    let name = probe.name.as_deref().unwrap_or_default();
    Section { name: dotted(&["service", &service.key, PROBE, name]), entries }
}

/// How a URL is asked.
fn asked(question: &Question) -> Vec<(&'static str, String)> {
    let trust = &question.trust;
    let mut values = vec![
        ("method", text(&question.method)),
        ("status", text(&question.status.to_string())),
        ("redirects", question.redirects.to_string()),
        ("ca_file", text(&trust.ca_file.as_deref().unwrap_or(Path::new("")).display().to_string())),
        ("insecure", trust.insecure.to_string()),
    ];
    let BodyRules { contains, lacks, regex, json } = &question.body;
    let some = |key, list: &[String]| (!list.is_empty()).then(|| (key, self::list(list)));
    values.extend(some("body.contains", contains));
    values.extend(some("body.lacks", lacks));
    values.extend(regex.as_ref().map(|regex| ("body.regex", text(regex))));
    if let Some(JsonRules { fail_on, ignore }) = json {
        let fail_on = if *fail_on == FailOn::Failure { "failure" } else { "warning" };
        values.extend([("json.fail_on", text(fail_on)), ("json.ignore", list(ignore))]);
    }
    values.extend(question.latency.warn.map(|warn| ("latency.warn", span(warn))));
    values.extend(question.latency.fail.map(|fail| ("latency.fail", span(fail))));
    if let Some(maintenance) = &question.maintenance {
        values.push(("maintenance.status", text(&maintenance.status.to_string())));
        values.extend(maintenance.header.iter().map(|header| ("maintenance.header", text(header))));
    }
    values
}

fn headers(question: &Question, layers: &[&Table]) -> Vec<Entry> {
    question.headers.iter().map(|(name, value)| header(name, value, layers)).collect()
}

pub(super) fn host(layers: &[&Table]) -> Section {
    let values = plain(keys::HOST, layers, "");
    let entries = values.into_iter().map(|(key, value)| Entry {
        key: key.to_owned(),
        value,
        origin: origin(key, layers),
    });
    Section { name: "host".to_owned(), entries: entries.collect() }
}

/// What the table of keys is enough to show, in its order. `escalate`: the one of these that the caller shows.
fn plain(rows: &[Row], layers: &[&Table], escalate: &str) -> Vec<(&'static str, String)> {
    let of_one = |row: &Row| {
        if row.name == keys::ESCALATE.row.name {
            return Some((row.name, escalate.to_owned()));
        }
        let strongest = layers.iter().rev().find_map(|layer| layer.get(row.name))?;
        Some((row.name, table_values::shown(row.takes, &strongest.value)?))
    };
    rows.iter().filter_map(of_one).collect()
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
    hide_query(&question.target.to_string())
}

fn list(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|word| text(word)).collect::<Vec<_>>().join(", "))
}

fn rungs(rungs: &[Rung]) -> String {
    let shown = |rung: &Rung| match rung {
        Rung::Command(words) => list(words),
        Rung::Reload | Rung::Restart | Rung::Kill | Rung::Wake => text(rung.act().code()),
    };
    format!("[{}]", rungs.iter().map(shown).collect::<Vec<_>>().join(", "))
}

fn hide_query(url: &str) -> String {
    url.split_once('?').map_or_else(|| url.to_owned(), |(before, _)| format!("{before}?(hidden)"))
}

fn span(span: Duration) -> String {
    text(&spell(span))
}
