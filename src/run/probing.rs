//! Asks services how they are, each by all of its probes, and all of them side by side.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use unhang_core::{Answered, Moment, Seen, Warned, Warning, weigh};

use crate::plan::{Probe, Scope, Service};
use crate::probe::{self, Answer, Asked, Ground};
use crate::words;

/// What is asked of one service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inquiry<'a> {
    pub(crate) probes: &'a [Probe],
    pub(crate) unit: Option<(&'a str, Scope)>,
    pub(crate) own_log: Option<&'a Path>,
    /// Of its probes, by name.
    pub(crate) memory: Option<&'a BTreeMap<String, String>>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) seen: Seen,
    /// In the order of the probes.
    pub(crate) answers: Vec<Answer>,
}

impl<'a> Inquiry<'a> {
    pub(crate) fn of(service: &'a Service, memory: Option<&'a BTreeMap<String, String>>) -> Self {
        let unit = service.scoped_unit();
        Self { probes: &service.probes, unit, own_log: Some(&service.log_file), memory }
    }

    fn asked(&self, now: &Moment) -> impl Iterator<Item = Asked<'a>> {
        let Self { probes, unit, own_log, memory } = *self;
        let now = now.wall;
        probes.iter().map(move |probe| {
            let memory = memory.zip(probe.name.as_ref()).and_then(|(memory, name)| memory.get(name));
            let memory = memory.map(String::as_str);
            Asked { probe, ground: Ground { now, limit: probe.timeout, unit, own_log, memory } }
        })
    }

    fn reply(&self, answers: Vec<Answer>) -> Reply {
        let answered = self.probes.iter().zip(&answers).map(|(probe, answer)| Answered {
            name: probe.name.as_deref(),
            weight: probe.weight,
            observation: answer.observation.clone(),
            near: answer.near.clone(),
        });
        Reply { seen: weigh(answered.collect()), answers }
    }
}

impl Reply {
    /// What the next run is to know, on top of what this one knew.
    pub(crate) fn remembered(
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
    pub(crate) fn warnings(&self, probes: &[Probe]) -> Vec<Warned> {
        self.seen.warnings.iter().map(|warning| in_words(warning, probes)).collect()
    }

    /// Of those that count and are not healthy, besides the one that decides.
    pub(crate) fn others(&self, probes: &[Probe]) -> Vec<Warned> {
        self.seen.others.iter().map(|other| in_words(other, probes)).collect()
    }
}

fn in_words(warning: &Warning, probes: &[Probe]) -> Warned {
    let of_it = probes.iter().find(|probe| probe.name == warning.probe);
    let words = words::warning(&warning.of, of_it.map_or(Duration::ZERO, |probe| probe.timeout));
    Warned { probe: warning.probe.clone(), words: words.chars().take(words::WARNED).collect() }
}

/// At most `widest` probes at once; what has not begun by `until` is not known.
pub(crate) fn all(inquiries: &[Inquiry<'_>], now: &Moment, widest: usize, until: Instant) -> Vec<Reply> {
    let asked: Vec<Asked<'_>> = inquiries.iter().flat_map(|inquiry| inquiry.asked(now)).collect();
    let mut answers = probe::all(&asked, widest, until).into_iter();
    let of_one = |inquiry: &Inquiry<'_>| inquiry.reply(answers.by_ref().take(inquiry.probes.len()).collect());
    inquiries.iter().map(of_one).collect()
}

/// Of one service, whatever time it is.
pub(crate) fn one(inquiry: Inquiry<'_>, now: &Moment) -> Reply {
    match inquiry.probes {
        // The way of nearly all needs no worker.
        [_] => inquiry.reply(inquiry.asked(now).map(|asked| probe::ask(&asked)).collect()),
        probes => {
            let asked: Vec<Asked<'_>> = inquiry.asked(now).collect();
            let longest = probes.iter().map(|probe| probe.timeout).max().unwrap_or_default();
            inquiry.reply(probe::all(&asked, probes.len(), Instant::now() + longest))
        }
    }
}
