//! What services require, by name or address, and the pause file. Finds names that nobody has and services that require
//! each other, which only a whole plan can show.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use unhang_core::Weight;

use super::layers::{Reading, Refused};
use super::settings::{Fault, Value, Wrong};
use super::tables::ServiceTables;
use super::target;
use super::values;
use crate::keys;
use crate::plan::{Asks, PauseFile, Probe, Question, Required, Service, Target};
use crate::suggest;

#[derive(Debug)]
pub(super) struct Guards {
    pub(super) requires: Vec<String>,
    pub(super) pause_file: PauseFile,
}

impl Guards {
    pub(super) fn read(reading: &mut Reading<'_>) -> Result<Self, Refused> {
        let requires = reading.find("requires", requires);
        let path = reading.need(&keys::PAUSE_FILE, pause_file);
        let max_age = reading.get(&keys::PAUSE_FILE_MAX_AGE);
        let path = path?.value;
        Ok(Self {
            requires: requires?.map(|said| said.value).unwrap_or_default(),
            pause_file: PauseFile { path, max_age },
        })
    }
}

/// What is required and is none of `services`: addresses, and services that this run is not about.
pub(super) fn required(services: &[Service], all: &[&Service]) -> Vec<Required> {
    let mut found = BTreeMap::<String, Required>::new();
    let mut next: Vec<(&str, Duration)> = names(services.iter());
    while let Some((name, timeout)) = next.pop() {
        if found.contains_key(name) || services.iter().any(|service| service.key == name) {
            continue;
        }
        let service = all.iter().find(|service| service.key == name);
        let (probes, requires) = match service {
            Some(service) => (service.probes.clone(), service.requires.clone()),
            None => (probe_for_address(name, timeout).into_iter().collect(), Vec::new()),
        };
        let unit =
            service.and_then(|service| service.scoped_unit()).map(|(unit, scope)| (unit.to_owned(), scope));
        next.extend(names(service.copied().into_iter()));
        found.insert(name.to_owned(), Required { name: name.to_owned(), probes, unit, requires });
    }
    found.into_values().collect()
}

fn names<'a>(services: impl Iterator<Item = &'a Service>) -> Vec<(&'a str, Duration)> {
    let of_one = |service: &'a Service| {
        service.requires.iter().map(|name| (name.as_str(), service.longest_timeout())).collect::<Vec<_>>()
    };
    services.flat_map(of_one).collect()
}

/// `None`: the name is that of a service.
fn probe_for_address(name: &str, timeout: Duration) -> Option<Probe> {
    let target = parse_address(name)?.ok()?;
    let asks = Asks::Url(Box::new(Question::for_tcp(target)));
    Some(Probe { name: None, weight: Weight::Counts, timeout, asks })
}

/// Names that nobody has, and services that require each other in a circle: none of them would ever be
/// restarted.
pub(super) fn faults(services: &[&Service], tables: &BTreeMap<String, ServiceTables>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for service in services {
        let Some(setting) = tables.get(&service.key).and_then(|tables| tables.own.get("requires")) else {
            continue;
        };
        for name in service.requires.iter().filter(|name| !is_address(name) && !tables.contains_key(*name)) {
            let cure = match suggest::nearest(name, tables.keys().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => {
                    "write the NAME of another service, or an address such as \"tcp:127.0.0.1:6379\"".into()
                }
            };
            faults.push(setting.fault(Wrong::cure(format!("no service \"{name}\""), cure)));
        }
        // Told once for each circle, at the first of its services.
        if let Some(circle) = circle(service, services)
            && circle.iter().all(|name| service.key.as_str() <= *name)
        {
            let what = format!("services require each other: {} -> {}", circle.join(" -> "), service.key);
            faults.push(setting.fault(Wrong::cure(what, "leave one of them out")));
        }
    }
    faults
}

/// The way from a service back to itself, if there is one.
fn circle<'a>(start: &'a Service, services: &[&'a Service]) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![start]];
    let mut seen = Vec::new();
    while let Some(way) = ways.pop() {
        let last = way.last()?;
        for name in &last.requires {
            if *name == start.key {
                return Some(way.iter().map(|service| service.key.as_str()).collect());
            }
            let next = services.iter().find(|service| service.key == *name);
            if let Some(next) = next.filter(|next| !seen.contains(&next.key.as_str())) {
                seen.push(next.key.as_str());
                ways.push(way.iter().copied().chain([*next]).collect());
            }
        }
    }
    None
}

fn is_address(name: &str) -> bool {
    name.contains(':')
}

/// `tcp:HOST:PORT`. `None`: it is no address of this kind.
fn parse_address(name: &str) -> Option<Result<Target, Wrong>> {
    name.strip_prefix("tcp:").map(target::parse_tcp_url)
}

fn requires(value: &Value) -> Result<Vec<String>, Wrong> {
    let wrong = |got: &Value| {
        format!("must list services or addresses such as [\"postgres\", \"tcp:127.0.0.1:6379\"], got {got}")
            .into()
    };
    let Value::List(list) = value else { return Err(wrong(value)) };
    let mut names: Vec<String> = Vec::new();
    for one in list {
        let name = values::text(one)?;
        if is_address(name) {
            parse_address(name).ok_or_else(|| wrong(one))??;
        }
        if !names.iter().any(|other| other == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// "" is none.
fn pause_file(value: &Value) -> Result<Option<PathBuf>, Wrong> {
    match value.text() {
        Some("") => Ok(None),
        _ => values::absolute_path(value, "/run/shop/deploying").map(Some),
    }
}
