//! What services require, by name or address, and the pause file. Finds names that nobody has and services that require
//! each other, which only a whole plan can show.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use unhang_core::ProbeRole;

use super::layers::{AlreadyReported, LayeredReader};
use super::settings::{ConfigFault, Problem, SettingValue};
use super::tables::ServiceTables;
use super::target;
use super::values;
use crate::keys;
use crate::plan::{HttpRequest, PauseFileRule, Probe, ProbeTarget, RequirementProbes, Service, UrlTarget};
use crate::suggest;

#[derive(Debug)]
pub(super) struct HoldSettings {
    pub(super) requires: Vec<String>,
    pub(super) pause_file: PauseFileRule,
}

impl HoldSettings {
    pub(super) fn read_hold_settings(reading: &mut LayeredReader<'_>) -> Result<Self, AlreadyReported> {
        let requires = reading.read_optional("requires", parse_requires);
        let path = reading.read_required(&keys::PAUSE_FILE, parse_pause_file);
        let max_age = reading.read_key(&keys::PAUSE_FILE_MAX_AGE);
        let path = path?.value;
        Ok(Self {
            requires: requires?.map(|said| said.value).unwrap_or_default(),
            pause_file: PauseFileRule { path, max_age },
        })
    }
}

/// What is required and is none of `services`: addresses, and services that this run is not about.
pub(super) fn requirements_outside_plan(services: &[Service], all: &[&Service]) -> Vec<RequirementProbes> {
    let mut found = BTreeMap::<String, RequirementProbes>::new();
    let mut next: Vec<(&str, Duration)> = requirement_names(services.iter());
    if next.is_empty() {
        return Vec::new();
    }
    let asked: BTreeSet<&str> = services.iter().map(|service| service.key.as_str()).collect();
    let all: BTreeMap<&str, &Service> = all.iter().map(|service| (service.key.as_str(), *service)).collect();
    while let Some((name, timeout)) = next.pop() {
        if found.contains_key(name) || asked.contains(name) {
            continue;
        }
        let service = all.get(name).copied();
        let (probes, requires) = match service {
            Some(service) => (service.probes.clone(), service.requires.clone()),
            None => (probe_for_address(name, timeout).into_iter().collect(), Vec::new()),
        };
        let unit =
            service.and_then(|service| service.scoped_unit()).map(|(unit, scope)| (unit.to_owned(), scope));
        next.extend(requirement_names(service.into_iter()));
        found.insert(name.to_owned(), RequirementProbes { name: name.to_owned(), probes, unit, requires });
    }
    found.into_values().collect()
}

fn requirement_names<'a>(services: impl Iterator<Item = &'a Service>) -> Vec<(&'a str, Duration)> {
    let of_one = |service: &'a Service| {
        service.requires.iter().map(|name| (name.as_str(), service.longest_timeout())).collect::<Vec<_>>()
    };
    services.flat_map(of_one).collect()
}

/// `None`: the name is that of a service.
fn probe_for_address(name: &str, timeout: Duration) -> Option<Probe> {
    let target = parse_address(name)?.ok()?;
    let asks = ProbeTarget::Http(Box::new(HttpRequest::for_tcp(target)));
    Some(Probe { name: None, weight: ProbeRole::Required, timeout, asks })
}

/// Names that nobody has, and services that require each other in a circle: none of them would ever be
/// restarted.
pub(super) fn requirement_faults(
    services: &[&Service],
    tables: &BTreeMap<String, ServiceTables>,
) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    let circles = find_circles(services);
    for service in services {
        let Some(setting) = tables.get(&service.key).and_then(|tables| tables.own.get("requires")) else {
            continue;
        };
        for name in service.requires.iter().filter(|name| !is_address(name) && !tables.contains_key(*name)) {
            let cure = match suggest::suggest(name, tables.keys().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => {
                    "write the NAME of another service, or an address such as \"tcp:127.0.0.1:6379\"".into()
                }
            };
            faults.push(setting.fault(Problem::with_cure(format!("no service \"{name}\""), cure)));
        }
        // Told once for each circle, at the first of its services.
        for circle in circles.iter().filter(|circle| circle.first() == Some(&service.key.as_str())) {
            let shown = circle.iter().take(MAX_NAMES_IN_CIRCLE).copied().collect::<Vec<_>>().join(" -> ");
            let way = match circle.len().saturating_sub(MAX_NAMES_IN_CIRCLE) {
                0 => shown,
                more => format!("{shown} and {more} more"),
            };
            let what = format!("services require each other: {way} -> {}", service.key);
            faults.push(setting.fault(Problem::with_cure(what, "remove one")));
        }
    }
    faults
}

/// Ways from a service back to itself, each from the least of its names on: one at least through every service that
/// has such a way, but no more than `MAX_CIRCLES`. Each requirement is followed once.
fn find_circles<'a>(services: &[&'a Service]) -> Vec<Vec<&'a str>> {
    let mut circles = Vec::new();
    if services.iter().all(|service| service.requires.is_empty()) {
        return circles;
    }
    let places: BTreeMap<&str, usize> =
        services.iter().enumerate().map(|(at, service)| (service.key.as_str(), at)).collect();
    let (mut places_on_way, mut told) = (BTreeMap::<usize, usize>::new(), BTreeSet::new());
    let mut seen = BTreeSet::new();
    for start in 0..services.len() {
        // Each with those of its requirements that are still to be followed.
        let mut way = Vec::new();
        let mut entered = Some(start).filter(|start| !seen.contains(start));
        loop {
            if let Some(at) = entered.take() {
                seen.insert(at);
                places_on_way.insert(at, way.len());
                let requires = services.get(at).map_or(&[][..], |service| &service.requires);
                way.push((at, requires.iter()));
            }
            let Some((at, to_follow)) = way.last_mut() else { break };
            let Some(name) = to_follow.next() else {
                places_on_way.remove(at);
                way.pop();
                continue;
            };
            let Some(required) = places.get(name.as_str()).copied() else { continue };
            match places_on_way.get(&required) {
                Some(begins) => {
                    let circle: Vec<usize> = way.iter().skip(*begins).map(|(at, _)| *at).collect();
                    if circle.iter().any(|at| !told.contains(at)) && circles.len() < MAX_CIRCLES {
                        told.extend(circle.iter().copied());
                        let names = circle.iter().filter_map(|at| Some(services.get(*at)?.key.as_str()));
                        circles.push(from_the_least(names.collect()));
                    }
                }
                None => entered = Some(required).filter(|required| !seen.contains(required)),
            }
        }
    }
    circles
}

/// The most names of a circle that one line shows.
const MAX_NAMES_IN_CIRCLE: usize = 20;

/// Whoever has more of them mends these first.
const MAX_CIRCLES: usize = 20;

fn from_the_least(mut circle: Vec<&str>) -> Vec<&str> {
    let least = circle.iter().enumerate().min_by_key(|(_, name)| **name).map_or(0, |(at, _)| at);
    circle.rotate_left(least);
    circle
}

fn is_address(name: &str) -> bool {
    name.contains(':')
}

/// `tcp:HOST:PORT`. `None`: it is no address of this kind.
fn parse_address(name: &str) -> Option<Result<UrlTarget, Problem>> {
    name.strip_prefix("tcp:").map(target::parse_tcp_url)
}

fn parse_requires(value: &SettingValue) -> Result<Vec<String>, Problem> {
    let wrong = |got: &SettingValue| {
        format!("must list services or addresses such as [\"postgres\", \"tcp:127.0.0.1:6379\"], got {got}")
            .into()
    };
    let SettingValue::List(list) = value else { return Err(wrong(value)) };
    let mut names: Vec<String> = Vec::new();
    for one in list {
        let name = values::quote_text(one)?;
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
fn parse_pause_file(value: &SettingValue) -> Result<Option<PathBuf>, Problem> {
    match value.as_text() {
        Some("") => Ok(None),
        _ => values::parse_absolute_path(value, "/run/shop/deploying").map(Some),
    }
}
