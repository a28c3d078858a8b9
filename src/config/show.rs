//! Every effective value and where it came from, as lines that could stand in a file. Shows no secret:
//! values of headers and the query of a URL stay hidden.

use unhang_core::ProbeRole;

use crate::plan::{HttpRequest, KindSpec, Probe, ProbeTarget, Service, lines};
use crate::probe::KINDS;

use super::settings::{Setting, SettingTable, dotted_key};
use super::table_values;
use super::tables::PROBE_TABLE;
use crate::keys::{self, KeyRow};
use crate::toml_text::{quote_duration, quote_list, quote_toml};
use crate::words::escaped;

/// `[service.shop]` or `[host]`, with its values.
#[derive(Debug, PartialEq, Eq)]
pub struct ShownSection {
    pub name: String,
    pub entries: Vec<ShownEntry>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct ShownEntry {
    pub key: String,
    /// As TOML.
    pub value: String,
    /// `FILE:LINE`, a variable, a flag, or `default`.
    pub origin: String,
}

/// `layers`: weakest first.
pub(super) fn service_section(service: &Service, layers: &[&SettingTable]) -> ShownSection {
    let policy = &service.policy;
    let own_url = service.probes.first().filter(|probe| probe.name.is_none());
    let question = own_url.and_then(Probe::http_request);
    let mut values: Vec<(&str, String)> = Vec::new();
    values.extend(question.map(|question| ("url", quote_toml(&request_address(question)))));
    values.push(("name", quote_toml(&service.name)));
    values.extend(lines::restart_lines(&service.restarter));
    values.extend(question.map(lines::request_lines).unwrap_or_default());
    values.extend(own_url.map(|probe| ("timeout", quote_duration(probe.timeout))));
    values.extend(plain_lines(keys::POLICY, layers, &lines::steps_text(&policy.escalate)));
    values.push(("log_file", quote_toml(&service.log_file.display().to_string())));
    if !service.requires.is_empty() {
        values.push(("requires", quote_list(&service.requires)));
    }
    let mut entries: Vec<ShownEntry> = values
        .into_iter()
        .map(|(key, value)| ShownEntry { key: key.to_owned(), value, origin: origin_of_key(key, layers) })
        .collect();
    entries.extend(question.map(|question| header_entries(question, layers)).unwrap_or_default());
    ShownSection { name: dotted_key(&["service", &service.key]), entries }
}

/// `layers`: weakest first.
pub(super) fn probe_section(service: &Service, probe: &Probe, layers: &[&SettingTable]) -> ShownSection {
    let mut values: Vec<(&str, String)> = Vec::new();
    match &probe.asks {
        ProbeTarget::Http(question) => {
            values.push(("url", quote_toml(&request_address(question))));
            values.extend(lines::request_lines(question));
        }
        ProbeTarget::Kind { kind, given } => {
            let spec = KINDS.iter().map(|kind| &kind.spec).find(|spec| spec.main_key.name == *kind);
            let keys = spec.into_iter().flat_map(KindSpec::keys);
            values.extend(keys.filter_map(|key| {
                Some((key.name, table_values::format_param(key.value_type, given.0.get(key.name)?)))
            }));
        }
    }
    values.push(("timeout", quote_duration(probe.timeout)));
    values.push(("optional", (probe.weight == ProbeRole::Optional).to_string()));
    let entry = |(key, value): (&str, String)| ShownEntry {
        key: key.to_owned(),
        value,
        origin: origin_of_key(key, layers),
    };
    let mut entries: Vec<ShownEntry> = values.into_iter().map(entry).collect();
    entries.extend(probe.http_request().map(|question| header_entries(question, layers)).unwrap_or_default());
    let name = probe.name.as_deref().unwrap_or_default();
    ShownSection { name: dotted_key(&["service", &service.key, PROBE_TABLE, name]), entries }
}

fn header_entries(question: &HttpRequest, layers: &[&SettingTable]) -> Vec<ShownEntry> {
    question.headers.iter().map(|(name, value)| header_entry(name, value, layers)).collect()
}

pub(super) fn host_section(layers: &[&SettingTable]) -> ShownSection {
    let values = plain_lines(keys::HOST, layers, "");
    let entries = values.into_iter().map(|(key, value)| ShownEntry {
        key: key.to_owned(),
        value,
        origin: origin_of_key(key, layers),
    });
    ShownSection { name: "host".to_owned(), entries: entries.collect() }
}

/// What the table of keys is enough to show, in its order. `escalate`: the one of these that the caller shows.
fn plain_lines(rows: &[KeyRow], layers: &[&SettingTable], escalate: &str) -> Vec<(&'static str, String)> {
    let of_one = |row: &KeyRow| {
        if row.name == keys::ESCALATE.row.name {
            return Some((row.name, escalate.to_owned()));
        }
        let strongest = layers.iter().rev().find_map(|layer| layer.get(row.name));
        let value =
            strongest.map(|setting| setting.value.clone()).or_else(|| table_values::default_value(row))?;
        Some((row.name, table_values::format_key_value(row.takes, &value)?))
    };
    rows.iter().filter_map(of_one).collect()
}

/// What nobody said is a default, or made from NAME.
fn origin_of_key(key: &str, layers: &[&SettingTable]) -> String {
    let said = layers.iter().rev().find_map(|layer| layer.get(key));
    origin_text(said)
}

/// A path of the operator's own may hold anything.
fn origin_text(said: Option<&Setting>) -> String {
    said.map_or_else(|| "default".to_owned(), |setting| escaped(&setting.origin.to_string()))
}

/// Most headers of a health check are there to prove something; a Host is not.
fn header_entry(name: &str, value: &str, layers: &[&SettingTable]) -> ShownEntry {
    let shown = if name.eq_ignore_ascii_case("host") { value } else { "(hidden)" };
    let said = layers.iter().rev().find_map(|layer| {
        layer.settings.iter().find(|setting| {
            let key: Vec<&str> = layer.relative_key(setting).collect();
            matches!(key.as_slice(), ["headers", other] if other.eq_ignore_ascii_case(name))
        })
    });
    ShownEntry { key: dotted_key(&["headers", name]), value: quote_toml(shown), origin: origin_text(said) }
}

/// Where it asks, without what may be a secret.
pub(super) fn request_address(question: &HttpRequest) -> String {
    hide_query(&question.target.to_string())
}

fn hide_query(url: &str) -> String {
    url.split_once('?').map_or_else(|| url.to_owned(), |(before, _)| format!("{before}?(hidden)"))
}
