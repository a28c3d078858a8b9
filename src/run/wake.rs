//! A service that sleeps is asked again and again until it answers.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use unhang_core::Observation;

use crate::managers::RestartResponse;
use crate::plan::{Probe, Service, Wake};

use super::context::Tick;
use super::probing::{self, Inquiry};

/// Asks until it answers well, patiently.
pub(super) fn woken(
    tick: &Tick<'_>,
    service: &Service,
    wake: Wake,
    memory: &BTreeMap<String, String>,
    time: Duration,
) -> RestartResponse {
    let over = Instant::now() + time;
    let left = || over.saturating_duration_since(Instant::now());
    for ping in 0..wake.pings {
        let began = Instant::now();
        let limit = wake.timeout.min(left());
        let probes = service.probes.iter().map(|probe| Probe { timeout: limit, ..probe.clone() });
        let probes: Vec<Probe> = probes.collect();
        let inquiry = Inquiry { probes: &probes, ..Inquiry::of(service, Some(memory)) };
        if probing::one(inquiry, &tick.now).seen.observation == Observation::Healthy {
            return RestartResponse::Accepted;
        }
        if ping + 1 < wake.pings {
            thread::sleep(wake.every.saturating_sub(began.elapsed()).min(left()));
        }
    }
    RestartResponse::Failed(format!("no good answer to {} pings", wake.pings))
}
