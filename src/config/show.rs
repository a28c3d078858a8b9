//! Every effective value and where it came from, as lines that could stand in a file. Shows no secret:
//! values of headers and the query of a URL stay hidden.

use unhang_core::Weight;

use crate::plan::{Asks, KindSpec, Probe, Question, Service, lines};
use crate::probe::KINDS;

use super::settings::{Setting, Table, dotted};
use super::table_values;
use super::tables::PROBE_TABLE;
use crate::keys::{self, Row};
use crate::toml_text::{quote, quote_duration, quote_list};
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
    values.extend(question.map(|question| ("url", quote(&address(question)))));
    values.push(("name", quote(&service.name)));
    values.extend(lines::restart(&service.restarter));
    values.extend(question.map(lines::request).unwrap_or_default());
    values.extend(own_url.map(|probe| ("timeout", quote_duration(probe.timeout))));
    values.extend(plain(keys::POLICY, layers, &lines::steps(&policy.escalate)));
    values.push(("log_file", quote(&service.log_file.display().to_string())));
    if !service.requires.is_empty() {
        values.push(("requires", quote_list(&service.requires)));
    }
    let mut entries: Vec<Entry> = values
        .into_iter()
        .map(|(key, value)| Entry { key: key.to_owned(), value, origin: origin(key, layers) })
        .collect();
    entries.extend(question.map(|question| headers(question, layers)).unwrap_or_default());
    Section { name: dotted(&["service", &service.key]), entries }
}

/// `layers`: weakest first.
pub(super) fn probe(service: &Service, probe: &Probe, layers: &[&Table]) -> Section {
    let mut values: Vec<(&str, String)> = Vec::new();
    match &probe.asks {
        Asks::Url(question) => {
            values.push(("url", quote(&address(question))));
            values.extend(lines::request(question));
        }
        Asks::Kind { kind, given } => {
            let spec = KINDS.iter().map(|kind| &kind.spec).find(|spec| spec.main_key.name == *kind);
            let keys = spec.into_iter().flat_map(KindSpec::keys);
            values.extend(keys.filter_map(|key| {
                Some((key.name, table_values::format_param(key.value_type, given.0.get(key.name)?)))
            }));
        }
    }
    values.push(("timeout", quote_duration(probe.timeout)));
    values.push(("optional", (probe.weight == Weight::Warns).to_string()));
    let entry =
        |(key, value): (&str, String)| Entry { key: key.to_owned(), value, origin: origin(key, layers) };
    let mut entries: Vec<Entry> = values.into_iter().map(entry).collect();
    entries.extend(probe.question().map(|question| headers(question, layers)).unwrap_or_default());
    let name = probe.name.as_deref().unwrap_or_default();
    Section { name: dotted(&["service", &service.key, PROBE_TABLE, name]), entries }
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
        let strongest = layers.iter().rev().find_map(|layer| layer.get(row.name));
        let value = strongest.map(|setting| setting.value.clone()).or_else(|| table_values::default(row))?;
        Some((row.name, table_values::shown(row.takes, &value)?))
    };
    rows.iter().filter_map(of_one).collect()
}

/// What nobody said is a default, or made from NAME.
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
    Entry { key: dotted(&["headers", name]), value: quote(shown), origin: told(said) }
}

/// Where it asks, without what may be a secret.
pub(super) fn address(question: &Question) -> String {
    hide_query(&question.target.to_string())
}

fn hide_query(url: &str) -> String {
    url.split_once('?').map_or_else(|| url.to_owned(), |(before, _)| format!("{before}?(hidden)"))
}
