//! Services that began to fail at once: which, what they share, and how long their restarts, most in vain, hold
//! the next one. That they did, `core` says.

use std::collections::BTreeSet;
use std::time::Duration;

use unhang_core::{Moment, Observation, State, failing_together, in_vain_until};

use crate::plan::{Plan, Question, Service};

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

    /// `with blog and shop (3 of 4): all ask 127.0.0.1:8000`
    pub(super) fn words(&self, at: usize, services: &[&Service]) -> String {
        let own: Vec<&Service> = self.0.iter().filter_map(|at| services.get(*at).copied()).collect();
        let others = self.0.iter().filter(|other| **other != at).filter_map(|at| services.get(*at));
        let names: Vec<&str> = others.map(|service| service.key.as_str()).take(MOST_NAMES).collect();
        let more = self.0.len().saturating_sub(names.len() + 1);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("with {}{more} ({} of {}): {}", names.join(", "), self.0.len(), services.len(), shared(&own))
    }
}

/// What fits a line.
const MOST_NAMES: usize = 5;

/// The nearest thing that all of them have.
fn shared(services: &[&Service]) -> String {
    if let Some(name) = services.first().and_then(|first| {
        first.requires.iter().find(|name| services.iter().all(|service| service.requires.contains(name)))
    }) {
        return format!("all require {name}");
    }
    let places: BTreeSet<&str> = services.iter().map(|service| authority(&service.question)).collect();
    if let (1, Some(place)) = (places.len(), places.first()) {
        return format!("all are asked at {place}");
    }
    let hosts: BTreeSet<&str> = places.iter().map(|place| host(place)).collect();
    match hosts.first() {
        Some(host) if hosts.len() == 1 && !is_here(host) => format!("all are asked at {host}"),
        _ => "they share this host".to_owned(),
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
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
