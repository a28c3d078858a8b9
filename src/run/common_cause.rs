//! Services that began to fail at once: which, what they share, and how long their restarts, most in vain, hold
//! the next one. That they did, `core` says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use unhang_core::{Moment, Observation, State, failing_together, in_vain_until};

use crate::os::listening_socket;
use crate::plan::{Plan, Question, Service};
use crate::words;

use super::unit_status::Looks;

/// As places in the list of all that were judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Together(Vec<usize>);

impl Together {
    pub(super) fn among(now: &Moment, seen: &[(&State, &Observation)]) -> Self {
        Self(failing_together(now, seen))
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.0.contains(&at)
    }

    /// How long the next restart of one of them is held.
    pub(super) fn held_for(&self, plan: &Plan, now: &Moment, states: &[&State]) -> Option<Duration> {
        let own: Vec<&State> = self.0.iter().filter_map(|at| states.get(*at).copied()).collect();
        in_vain_until(now, &own, plan.host.budget.restarts, plan.host.budget.window)
    }

    /// `with blog and shop (3 of 4): all are asked at 127.0.0.1:8000`
    pub(super) fn words(&self, at: usize, services: &[&Service], shared: &str) -> String {
        let others = self.0.iter().filter(|other| **other != at).filter_map(|at| services.get(*at));
        let names: Vec<&str> = others.map(|service| service.key.as_str()).take(MOST_NAMES).collect();
        let more = self.0.len().saturating_sub(names.len() + 1);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("with {}{more} ({} of {}): {shared}", names.join(", "), self.0.len(), services.len())
    }
}

/// What fits a line.
const MOST_NAMES: usize = 5;

impl Together {
    /// The nearest thing that all of them have. Looked for once in a run: it may take `LOOK`.
    pub(super) fn shared(&self, services: &[&Service], looks: &Looks) -> String {
        let own: Vec<&Service> = self.0.iter().filter_map(|at| services.get(*at).copied()).collect();
        nearest(&own, looks)
    }
}

/// Of a run's time, while other services wait.
const LOOK: Duration = Duration::from_millis(300);

fn nearest(services: &[&Service], looks: &Looks) -> String {
    let found = requirement(services)
        .or_else(|| place(services))
        .or_else(|| unit_file(services, looks))
        .or_else(|| host_elsewhere(services));
    found.unwrap_or_else(|| "they share this host".to_owned())
}

fn requirement(services: &[&Service]) -> Option<String> {
    let mut of_first = services.first()?.requires.iter();
    let name = of_first.find(|name| services.iter().all(|service| service.requires.contains(name)))?;
    Some(format!("all require {name}"))
}

/// Who listens there may be the one that fails: a proxy, say.
fn place(services: &[&Service]) -> Option<String> {
    let place = common(services.iter().map(|service| service.url().map_or("", authority)))?;
    if place.is_empty() {
        return None;
    }
    let port = services.first().and_then(|service| port(service.url()?));
    let found =
        port.and_then(|port| listening_socket::at(&addresses(host(place))?, port, Instant::now() + LOOK));
    Some(match found {
        Some((name, pid)) => {
            format!("all are asked at {place}, where {} (process {pid}) listens", words::escaped(&name))
        }
        None => format!("all are asked at {place}"),
    })
}

fn unit_file(services: &[&Service], looks: &Looks) -> Option<String> {
    if services.iter().all(|service| looks.of(service).is_some_and(|looked| looked.has_changed_file)) {
        return Some("their unit files were changed without systemctl daemon-reload".to_owned());
    }
    let template = common(services.iter().map(|service| template(service).unwrap_or_default()))?;
    (!template.is_empty()).then(|| format!("all are instances of {template}"))
}

fn host_elsewhere(services: &[&Service]) -> Option<String> {
    let host = common(services.iter().map(|service| service.url().map_or("", |url| host(authority(url)))))?;
    (!host.is_empty() && addresses(host).is_none()).then(|| format!("all are asked at {host}"))
}

/// What all of them have, if it is one and the same.
fn common<'a>(mut all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// `roams@` of `roams@one.service`.
fn template(service: &Service) -> Option<&str> {
    let unit = service.unit()?;
    unit.find('@').and_then(|at| unit.get(..=at))
}

/// Of the url, or of its scheme.
fn port(question: &Question) -> Option<u16> {
    if question.socket.is_some() {
        return None;
    }
    let said = authority(question).rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    said.or(Some(if question.url.starts_with("https:") { 443 } else { 80 }))
}

/// Of this host; `None`: it is another one.
fn addresses(host: &str) -> Option<Vec<IpAddr>> {
    let (four, six) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
    match host {
        "localhost" => Some(vec![four, six]),
        "[::1]" => Some(vec![six]),
        _ => host.parse().ok().filter(Ipv4Addr::is_loopback).map(|address| vec![address.into()]),
    }
}

fn authority(question: &Question) -> &str {
    if let Some(socket) = question.socket.as_ref().and_then(|socket| socket.to_str()) {
        return socket;
    }
    let after = question.url.split_once("//").map_or("", |(_, after)| after);
    after.split(['/', '?']).next().unwrap_or_default()
}

fn host(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}
