//! Asks services how they are, each by all of its probes, and all of them side by side.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use unhang_core::{CombinedObservation, Moment, ProbeOutcome, ProbeWarning, StoredWarning, combine};

use crate::plan::{Probe, Service, SystemdScope};
use crate::probe::{self, ProbeAnswer, ProbeContext, ProbeRequest};
use crate::words;

/// What is asked of one service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServiceProbes<'a> {
    pub(crate) probes: &'a [Probe],
    pub(crate) unit: Option<(&'a str, SystemdScope)>,
    pub(crate) own_log: Option<&'a Path>,
    /// Of its probes, by name.
    pub(crate) memory: Option<&'a BTreeMap<String, String>>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct ServiceAnswers {
    pub(crate) seen: CombinedObservation,
    /// In the order of the probes.
    pub(crate) answers: Vec<ProbeAnswer>,
}

impl<'a> ServiceProbes<'a> {
    pub(crate) fn for_service(service: &'a Service, memory: Option<&'a BTreeMap<String, String>>) -> Self {
        let unit = service.scoped_unit();
        Self { probes: &service.probes, unit, own_log: Some(&service.log_file), memory }
    }

    fn requests(&self, now: &Moment) -> impl Iterator<Item = ProbeRequest<'a>> {
        let Self { probes, unit, own_log, memory } = *self;
        let now = now.wall;
        probes.iter().map(move |probe| {
            let memory = memory.zip(probe.name.as_ref()).and_then(|(memory, name)| memory.get(name));
            let memory = memory.map(String::as_str);
            ProbeRequest { probe, ground: ProbeContext { now, limit: probe.timeout, unit, own_log, memory } }
        })
    }

    fn collect(&self, answers: Vec<ProbeAnswer>) -> ServiceAnswers {
        let answered = self.probes.iter().zip(&answers).map(|(probe, answer)| ProbeOutcome {
            name: probe.name.as_deref(),
            weight: probe.weight,
            observation: answer.observation.clone(),
            near: answer.near.clone(),
        });
        ServiceAnswers { seen: combine(answered.collect()), answers }
    }
}

impl ServiceAnswers {
    /// What the next run is to know, on top of what this one knew.
    pub(crate) fn merged_cursors(
        &self,
        probes: &[Probe],
        before: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let told = probes.iter().zip(&self.answers).filter_map(|(probe, answer)| {
            let name = probe.name.as_ref()?;
            Some((name.clone(), answer.memory.clone().or_else(|| before.get(name).cloned())?))
        });
        let mut memory = BTreeMap::new();
        memory.extend(told);
        memory
    }

    /// In words that are kept.
    pub(crate) fn stored_warnings(&self, probes: &[Probe]) -> Vec<StoredWarning> {
        self.seen.warnings.iter().map(|warning| in_words(warning, probes)).collect()
    }

    /// What the probes said that count and are not healthy, without the one that decides.
    pub(crate) fn others(&self, probes: &[Probe]) -> Vec<StoredWarning> {
        self.seen.others.iter().map(|other| in_words(other, probes)).collect()
    }
}

fn in_words(warning: &ProbeWarning, probes: &[Probe]) -> StoredWarning {
    let of_it = probes.iter().find(|probe| probe.name == warning.probe);
    let words = words::warning_text(&warning.of, of_it.map_or(Duration::ZERO, |probe| probe.timeout));
    StoredWarning {
        probe: warning.probe.clone(),
        words: words.chars().take(words::MAX_WARNING_CHARS).collect(),
    }
}

/// At most `widest` probes at once; what has not begun by `until` is not known.
pub(crate) fn probe_services(
    inquiries: &[ServiceProbes<'_>],
    now: &Moment,
    widest: usize,
    until: Instant,
) -> Vec<ServiceAnswers> {
    let asked: Vec<ProbeRequest<'_>> = inquiries.iter().flat_map(|inquiry| inquiry.requests(now)).collect();
    let mut answers = probe::probe_all(&asked, widest, until).into_iter();
    let of_one =
        |inquiry: &ServiceProbes<'_>| inquiry.collect(answers.by_ref().take(inquiry.probes.len()).collect());
    inquiries.iter().map(of_one).collect()
}

/// Of one service, whatever time it is.
pub(crate) fn probe_service(inquiry: ServiceProbes<'_>, now: &Moment) -> ServiceAnswers {
    match inquiry.probes {
        // The way of nearly all needs no worker.
        [_] => inquiry.collect(inquiry.requests(now).map(|asked| probe::run_probe(&asked)).collect()),
        probes => {
            let asked: Vec<ProbeRequest<'_>> = inquiry.requests(now).collect();
            let longest = probes.iter().map(|probe| probe.timeout).max().unwrap_or_default();
            inquiry.collect(probe::probe_all(&asked, probes.len(), Instant::now() + longest))
        }
    }
}
