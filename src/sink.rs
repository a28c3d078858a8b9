//! An event on its way to whoever wants it. Each sink takes every event in its own form; one that fails holds nothing
//! up, and none of the others. No sink knows another: `run` lists them.

use std::fmt;

use unhang_core::{Event, Moment};

use crate::plan::Service;
use crate::reported_faults::OwnFault;

/// An event, and whom it is about.
#[derive(Debug)]
pub(crate) struct Happened<'a> {
    pub(crate) service: &'a Service,
    pub(crate) event: &'a Event,
    /// When the event was reported.
    pub(crate) at: &'a Moment,
    /// When the run began: the time that its decisions are about.
    pub(crate) run: &'a Moment,
}

/// What a sink made of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The event was written, so that this fault of before is over.
    Written(OwnFault),
    /// The sink has no form for this event.
    NotForIt,
}

/// A sink could not take an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SinkFailure {
    pub(crate) fault: OwnFault,
    /// What failed, why, and what happens next; the caller puts the service before it.
    pub(crate) why: String,
}

/// Something that takes events: the log, the mail of cron.
pub(crate) trait Sink: fmt::Debug + Sync {
    fn take(&self, happened: &Happened<'_>) -> Result<Taken, SinkFailure>;
}

/// Gives an event to every sink, whatever the others answer.
pub(crate) fn deliver_event(sinks: &[&dyn Sink], happened: &Happened<'_>) -> Vec<Result<Taken, SinkFailure>> {
    sinks.iter().map(|sink| sink.take(happened)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    use clap::Parser;

    use crate::cli::Cli;
    use crate::config;
    use crate::reported_faults::OwnFault;

    /// A history to be: one JSON line an event, by the name of its variant.
    #[derive(Debug, Default)]
    struct Names(Mutex<Vec<String>>);

    #[derive(Debug)]
    struct Broken;

    impl Sink for Names {
        fn take(&self, happened: &Happened<'_>) -> Result<Taken, SinkFailure> {
            let shown = format!("{:?}", happened.event);
            let name = shown.split([' ', '(']).next().unwrap_or_default().to_owned();
            self.0.lock().unwrap().push(format!("{} {name}", happened.service.key));
            Ok(Taken::NotForIt)
        }
    }

    impl Sink for Broken {
        fn take(&self, _: &Happened<'_>) -> Result<Taken, SinkFailure> {
            Err(SinkFailure { fault: OwnFault::Log, why: "no space left".to_owned() })
        }
    }

    #[test]
    fn a_sink_that_fails_keeps_nothing_from_the_others() {
        let cli = Cli::try_parse_from(["unhang", "run", "--url", "http://x/", "--unit", "shop"]).unwrap();
        let plan = config::load_plan(&cli.config_sources()).unwrap();
        let service = plan.services.first().unwrap();
        let (names, at) = (Names::default(), Moment::default());
        for event in [Event::HealedItself, Event::Recovered { failures: 2, right_before_the_restart: false }]
        {
            let happened = Happened { service, event: &event, at: &at, run: &at };
            let taken = deliver_event(&[&Broken, &names, &Broken], &happened);
            assert_eq!(taken.iter().filter(|taken| taken.is_err()).count(), 2);
        }
        assert_eq!(*names.0.lock().unwrap(), ["shop HealedItself", "shop Recovered"]);
    }
}
