//! Services that began to fail at once: which, what they share, and how long their restarts, most in vain, hold
//! the next one. That they did, `core` says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use unhang_core::{Counts, Moment, Observation, failed_together, shared_budget_wait};

use crate::os::proc::sockets;
use crate::plan::{Plan, Service, UrlTarget};
use crate::words;

use super::unit_status::UnitStatuses;

/// As places in the list of all that were judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CommonCause(Vec<usize>);

impl CommonCause {
    pub(super) fn detect(now: &Moment, seen: &[(&Counts, &Observation)]) -> Self {
        Self(failed_together(now, seen))
    }

    pub(super) fn includes(&self, at: usize) -> bool {
        self.0.contains(&at)
    }

    /// How long the next restart of one of them is held.
    pub(super) fn hold_duration(&self, plan: &Plan, now: &Moment, states: &[&Counts]) -> Option<Duration> {
        let own: Vec<&Counts> = self.0.iter().filter_map(|at| states.get(*at).copied()).collect();
        shared_budget_wait(now, &own, plan.host.budget.restarts, plan.host.budget.window)
    }

    /// `with blog and shop (3 of 4): all are asked at 127.0.0.1:8000`
    pub(super) fn describe(&self, at: usize, services: &[&Service], shared: &str) -> String {
        let others = self.0.iter().filter(|other| **other != at).filter_map(|at| services.get(*at));
        let names: Vec<&str> = others.map(|service| service.key.as_str()).take(MAX_NAMES_IN_LINE).collect();
        let more = self.0.len().saturating_sub(names.len() + 1);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("with {}{more} ({} of {}): {shared}", names.join(", "), self.0.len(), services.len())
    }
}

/// What fits a line.
const MAX_NAMES_IN_LINE: usize = 5;

impl CommonCause {
    /// The nearest thing that all of them have. Looked for once in a run: it may take `SEARCH_TIME_LIMIT`.
    pub(super) fn find_shared_part(&self, services: &[&Service], statuses: &UnitStatuses) -> String {
        let own: Vec<&Service> = self.0.iter().filter_map(|at| services.get(*at).copied()).collect();
        nearest_shared_part(&own, statuses)
    }
}

/// Of a run's time, while other services wait.
const SEARCH_TIME_LIMIT: Duration = Duration::from_millis(300);

fn nearest_shared_part(services: &[&Service], statuses: &UnitStatuses) -> String {
    let found = shared_requirement(services)
        .or_else(|| shared_address(services))
        .or_else(|| shared_unit_file(services, statuses))
        .or_else(|| shared_remote_host(services));
    found.unwrap_or_else(|| "nothing in common but this host".to_owned())
}

fn shared_requirement(services: &[&Service]) -> Option<String> {
    let mut of_first = services.first()?.requires.iter();
    let name = of_first.find(|name| services.iter().all(|service| service.requires.contains(name)))?;
    Some(format!("all require {name}"))
}

/// Who listens there may be the one that fails: a proxy, say.
fn shared_address(services: &[&Service]) -> Option<String> {
    let target = &services.first()?.main_request()?.target;
    let is_same =
        |service: &&Service| service.main_request().is_some_and(|url| is_same_place(&url.target, target));
    if !services.iter().all(is_same) {
        return None;
    }
    let found = target.host_and_port().and_then(|(host, port)| {
        sockets::listener_at(&local_addresses(host)?, port, Instant::now() + SEARCH_TIME_LIMIT)
    });
    let place = place_text(target);
    Some(match found {
        Some((name, pid)) => {
            format!("all are probed at {place}, where {} (PID {pid}) listens", words::escaped(&name))
        }
        None => format!("all are probed at {place}"),
    })
}

fn shared_unit_file(services: &[&Service], statuses: &UnitStatuses) -> Option<String> {
    if services.iter().all(|service| statuses.get(service).is_some_and(|status| status.has_changed_file)) {
        return Some("their unit files changed; systemctl daemon-reload is missing".to_owned());
    }
    let template =
        common_value(services.iter().map(|service| instance_template(service).unwrap_or_default()))?;
    (!template.is_empty()).then(|| format!("all are instances of {template}"))
}

fn shared_remote_host(services: &[&Service]) -> Option<String> {
    let host = common_value(services.iter().map(|service| host_of(service).unwrap_or_default()))?;
    (!host.is_empty() && local_addresses(host).is_none()).then(|| format!("all are probed at {host}"))
}

/// What all of them have, if it is one and the same.
fn common_value<'a>(mut all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// `roams@` of `roams@one.service`.
fn instance_template(service: &Service) -> Option<&str> {
    let unit = service.unit_name()?;
    unit.find('@').and_then(|at| unit.get(..=at))
}

/// Whether both are asked at one port of one host, or at one socket.
fn is_same_place(one: &UrlTarget, other: &UrlTarget) -> bool {
    match (one, other) {
        (UrlTarget::HttpOverUnix { socket, .. }, UrlTarget::HttpOverUnix { socket: other, .. }) => {
            socket == other
        }
        _ => one.host_and_port().is_some_and(|place| Some(place) == other.host_and_port()),
    }
}

/// `shop:8000`, or without the port that its scheme implies; or the path of a socket.
fn place_text(target: &UrlTarget) -> String {
    match target {
        UrlTarget::Http { host, port: 443, is_https: true, .. }
        | UrlTarget::Http { host, port: 80, is_https: false, .. } => host.clone(),
        UrlTarget::Http { host, port, .. } | UrlTarget::Tcp { host, port } => format!("{host}:{port}"),
        UrlTarget::HttpOverUnix { socket, .. } => socket.display().to_string(),
    }
}

fn host_of(service: &Service) -> Option<&str> {
    Some(service.main_request()?.target.host_and_port()?.0)
}

/// Of this host; `None`: it is another one.
fn local_addresses(host: &str) -> Option<Vec<IpAddr>> {
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
        let http = |url: &str| UrlTarget::parse_http(url).unwrap();
        let socket = |path: &str| UrlTarget::HttpOverUnix { socket: "/run/shop".into(), path: path.into() };
        let tcp = UrlTarget::Tcp { host: "shop".into(), port: 443 };
        for (one, other, is_same) in [
            (http("HTTPS://shop/"), http("https://Shop:443/health/"), true),
            (http("HTTPS://shop/"), http("http://shop/"), false),
            (http("https://shop/"), tcp, true),
            (socket("/"), socket("/health/"), true),
            (socket("/"), UrlTarget::HttpOverUnix { socket: "/run/blog".into(), path: "/".into() }, false),
            (socket("/"), http("http://localhost/"), false),
        ] {
            assert_eq!(is_same_place(&one, &other), is_same, "{one} {other}");
        }
        assert_eq!(place_text(&http("HTTPS://Shop/")), "shop");
        assert_eq!(place_text(&http("http://[::1]:8000/?a=b")), "[::1]:8000");
        assert_eq!(place_text(&socket("/")), "/run/shop");
    }
}
