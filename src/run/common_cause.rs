//! Services that began to fail at once: which, what they share, and how long their restarts, most in vain, hold
//! the next one. That they did, `core` says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use unhang_core::{Counts, Moment, Observation, failing_together, in_vain_until};

use crate::os::proc::sockets;
use crate::plan::{Plan, Service, Target};
use crate::words;

use super::unit_status::UnitStatuses;

/// As places in the list of all that were judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Together(Vec<usize>);

impl Together {
    pub(super) fn among(now: &Moment, seen: &[(&Counts, &Observation)]) -> Self {
        Self(failing_together(now, seen))
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.0.contains(&at)
    }

    /// How long the next restart of one of them is held.
    pub(super) fn held_for(&self, plan: &Plan, now: &Moment, states: &[&Counts]) -> Option<Duration> {
        let own: Vec<&Counts> = self.0.iter().filter_map(|at| states.get(*at).copied()).collect();
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
    pub(super) fn shared(&self, services: &[&Service], statuses: &UnitStatuses) -> String {
        let own: Vec<&Service> = self.0.iter().filter_map(|at| services.get(*at).copied()).collect();
        nearest(&own, statuses)
    }
}

/// Of a run's time, while other services wait.
const LOOK: Duration = Duration::from_millis(300);

fn nearest(services: &[&Service], statuses: &UnitStatuses) -> String {
    let found = requirement(services)
        .or_else(|| place(services))
        .or_else(|| unit_file(services, statuses))
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
    let target = &services.first()?.url()?.target;
    let is_same = |service: &&Service| service.url().is_some_and(|url| is_same_place(&url.target, target));
    if !services.iter().all(is_same) {
        return None;
    }
    let found = target
        .host_and_port()
        .and_then(|(host, port)| sockets::at(&addresses(host)?, port, Instant::now() + LOOK));
    let place = place_text(target);
    Some(match found {
        Some((name, pid)) => {
            format!("all are asked at {place}, where {} (process {pid}) listens", words::escaped(&name))
        }
        None => format!("all are asked at {place}"),
    })
}

fn unit_file(services: &[&Service], statuses: &UnitStatuses) -> Option<String> {
    if services.iter().all(|service| statuses.get(service).is_some_and(|status| status.has_changed_file)) {
        return Some("their unit files were changed without systemctl daemon-reload".to_owned());
    }
    let template = common(services.iter().map(|service| template(service).unwrap_or_default()))?;
    (!template.is_empty()).then(|| format!("all are instances of {template}"))
}

fn host_elsewhere(services: &[&Service]) -> Option<String> {
    let host = common(services.iter().map(|service| host(service).unwrap_or_default()))?;
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

/// Whether both are asked at one port of one host, or at one socket.
fn is_same_place(one: &Target, other: &Target) -> bool {
    match (one, other) {
        (Target::HttpOverUnix { socket, .. }, Target::HttpOverUnix { socket: other, .. }) => socket == other,
        _ => one.host_and_port().is_some_and(|place| Some(place) == other.host_and_port()),
    }
}

/// `shop:8000`, or without the port that its scheme implies; or the path of a socket.
fn place_text(target: &Target) -> String {
    match target {
        Target::Http { host, port: 443, is_https: true, .. }
        | Target::Http { host, port: 80, is_https: false, .. } => host.clone(),
        Target::Http { host, port, .. } | Target::Tcp { host, port } => format!("{host}:{port}"),
        Target::HttpOverUnix { socket, .. } => socket.display().to_string(),
    }
}

fn host(service: &Service) -> Option<&str> {
    Some(service.url()?.target.host_and_port()?.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_by_host_and_port_however_its_url_is_written() {
        let http = |url: &str| Target::parse_http(url).unwrap();
        let socket = |path: &str| Target::HttpOverUnix { socket: "/run/shop".into(), path: path.into() };
        let tcp = Target::Tcp { host: "shop".into(), port: 443 };
        for (one, other, is_same) in [
            (http("HTTPS://shop/"), http("https://Shop:443/health/"), true),
            (http("HTTPS://shop/"), http("http://shop/"), false),
            (http("https://shop/"), tcp, true),
            (socket("/"), socket("/health/"), true),
            (socket("/"), Target::HttpOverUnix { socket: "/run/blog".into(), path: "/".into() }, false),
            (socket("/"), http("http://localhost/"), false),
        ] {
            assert_eq!(is_same_place(&one, &other), is_same, "{one} {other}");
        }
        assert_eq!(place_text(&http("HTTPS://Shop/")), "shop");
        assert_eq!(place_text(&http("http://[::1]:8000/?a=b")), "[::1]:8000");
        assert_eq!(place_text(&socket("/")), "/run/shop");
    }
}
