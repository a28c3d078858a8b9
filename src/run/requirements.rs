//! What services require, asked when one of them fails: other services of the plan, and addresses. Whose
//! fault it then is, `core` says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use unhang_core::{FailingRequirement, Moment, Observation, RequirementNode, find_failing_requirement};

use crate::plan::{Plan, RequirementProbes};

use super::probing::{self, ServiceProbes};

/// All that can be asked about, and what was seen of it in this tick.
#[derive(Debug)]
pub(super) struct RequirementGraph<'a> {
    known: Vec<RequirementState<'a>>,
}

#[derive(Debug)]
struct RequirementState<'a> {
    name: &'a str,
    inquiry: ServiceProbes<'a>,
    /// As places in the list.
    requires: Vec<usize>,
    seen: Option<Observation>,
}

fn probes_of_requirement(other: &RequirementProbes) -> ServiceProbes<'_> {
    let unit = other.unit.as_ref().map(|(unit, scope)| (unit.as_str(), *scope));
    ServiceProbes { probes: &other.probes, unit, own_log: None, memory: None }
}

impl<'a> RequirementGraph<'a> {
    /// Empty where nobody requires anything, as in most plans.
    pub(super) fn for_plan(plan: &'a Plan) -> Self {
        if plan.services.iter().all(|service| service.requires.is_empty()) {
            return Self { known: Vec::new() };
        }
        let services = plan.services.iter().map(|service| {
            (service.key.as_str(), ServiceProbes::for_service(service, None), &service.requires)
        });
        let others = plan
            .required
            .iter()
            .map(|other| (other.name.as_str(), probes_of_requirement(other), &other.requires));
        let all: Vec<_> = services.chain(others).collect();
        let mut places = BTreeMap::new();
        places.extend(all.iter().enumerate().map(|(at, (name, ..))| (*name, at)));
        let known = all.iter().map(|(name, inquiry, requires)| {
            let requires = requires.iter().filter_map(|name| places.get(name.as_str()).copied()).collect();
            RequirementState { name, inquiry: *inquiry, requires, seen: None }
        });
        Self { known: known.collect() }
    }

    pub(super) fn record_observation(&mut self, key: &str, seen: &Observation) {
        if let Some(known) = self.known.iter_mut().find(|known| known.name == key) {
            known.seen = Some(seen.clone());
        }
    }

    /// Asks what the services named here stand upon and nobody has asked yet, side by side.
    pub(super) fn probe_missing(&mut self, keys: &[&str], now: &Moment, widest: usize, until: Instant) {
        let asked = self.unprobed_requirements(keys);
        if asked.is_empty() {
            return;
        }
        let inquiries: Vec<ServiceProbes<'_>> =
            asked.iter().filter_map(|at| Some(self.known.get(*at)?.inquiry)).collect();
        for (at, reply) in asked.iter().zip(probing::probe_services(&inquiries, now, widest, until)) {
            if let Some(known) = self.known.get_mut(*at) {
                known.seen = Some(reply.seen.observation);
            }
        }
    }

    pub(super) fn find_failing(&self, key: &str) -> Option<FailingRequirement> {
        let of = self.known.iter().position(|known| known.name == key)?;
        let nodes = self.known.iter().map(|known| RequirementNode {
            name: known.name,
            requires: &known.requires,
            seen: known.seen.as_ref(),
        });
        find_failing_requirement(&nodes.collect::<Vec<_>>(), of)
    }

    fn unprobed_requirements(&self, keys: &[&str]) -> Vec<usize> {
        let below = |known: &RequirementState<'_>| known.requires.clone();
        let mut next: Vec<usize> =
            self.known.iter().filter(|known| keys.contains(&known.name)).flat_map(below).collect();
        let (mut found, mut unseen) = (BTreeSet::new(), Vec::new());
        while let Some(at) = next.pop() {
            let Some(known) = self.known.get(at).filter(|_| !found.contains(&at)) else { continue };
            found.insert(at);
            if known.seen.is_none() {
                unseen.push(at);
            }
            next.extend(below(known));
        }
        unseen
    }
}
