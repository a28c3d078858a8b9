//! Events that a person has to look at, on stderr: what cron mails.

use unhang_core::Event;

use crate::sink::{Happened, Sink, SinkFailure, Taken};
use crate::words;

/// The events that a person has to look at, on stderr, from where cron mails them.
#[derive(Debug)]
pub(crate) struct Stderr;

impl Sink for Stderr {
    fn take(&self, happened: &Happened<'_>) -> Result<Taken, SinkFailure> {
        let key = &happened.service.key;
        let told = match happened.event {
            Event::NoHelp { act, .. } => format!(
                "{key}: {} does not help, twice in a row; look at the service itself",
                words::doing_without_effect(*act)
            ),
            Event::EscalationExhausted => {
                format!("{key}: every escalation step was used, and it still fails; a person must look")
            }
            Event::NotRestartable { why, .. } => format!("{key}: answers, but {why}; a restart would fail"),
            Event::Counted(_)
            | Event::NotCounted { .. }
            | Event::Held { .. }
            | Event::Unknown { .. }
            | Event::HealedItself
            | Event::Recovered { .. }
            | Event::RestartBegan(_)
            | Event::RestartEnded { .. }
            | Event::BeganTogether { .. }
            | Event::Flapping { .. }
            | Event::WarningBegan(_)
            | Event::WarningEnded(_)
            | Event::Paused { .. }
            | Event::Resumed { .. } => return Ok(Taken::NotForIt),
        };
        super::print_fault(told);
        Ok(Taken::NotForIt)
    }
}
