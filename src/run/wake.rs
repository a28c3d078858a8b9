//! A service that sleeps is asked again and again until it answers.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use unhang_core::Observation;

use crate::managers::RestartResponse;
use crate::plan::{Probe, Service};
use crate::restart::wake::Pings;

use super::context::RunContext;
use super::probing::{self, ServiceProbes};

/// Asks until it answers well, patiently.
pub(super) fn wake_service(
    tick: &RunContext<'_>,
    service: &Service,
    pings: Pings,
    memory: &BTreeMap<String, String>,
    time: Duration,
) -> RestartResponse {
    let over = Instant::now() + time;
    let left = || over.saturating_duration_since(Instant::now());
    for ping in 0..pings.count {
        let began = Instant::now();
        let limit = pings.timeout.min(left());
        let probes = service.probes.iter().map(|probe| Probe { timeout: limit, ..probe.clone() });
        let probes: Vec<Probe> = probes.collect();
        let inquiry = ServiceProbes { probes: &probes, ..ServiceProbes::for_service(service, Some(memory)) };
        if probing::probe_service(inquiry, &tick.now).seen.observation == Observation::Healthy {
            return RestartResponse::Accepted;
        }
        if ping + 1 < pings.count {
            thread::sleep(pings.every.saturating_sub(began.elapsed()).min(left()));
        }
    }
    RestartResponse::Failed(format!("no good answer to {} pings", pings.count))
}
