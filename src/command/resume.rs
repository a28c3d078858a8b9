//! `resume`: the end of a person's pause.

use unhang_core::{Event, Resumption};

use crate::cli::Sources;
use crate::exit::Exit;
use crate::log::Echo;
use crate::places::{Places, cure};
use crate::plan::{Plan, Service};
use crate::report;
use crate::run::context::Tick;
use crate::words;

use super::context::{Refusal, load_plan_and_places, name_person};
use super::pausing::{lasting, open, tell};

/// Ends the pauses of the services that were named.
pub(super) fn resume_services(sources: &Sources<'_>) -> Result<Exit, Refusal> {
    let (plan, places) = load_plan_and_places(sources)?;
    Ok(resume(&plan, &places, &name_person()))
}

/// Those of persons; one that a command holds ends with it.
fn resume(plan: &Plan, places: &Places, who: &str) -> Exit {
    let tick = Tick::begin(plan, Echo::Silent);
    let Some(store) = open(&tick, places) else { return Exit::StateUnusable };
    let end = |service: &Service| {
        let key = &service.key;
        let ended = store.end_pause(key, &tick.now);
        let still = store.pauses().and_then(|pauses| pauses.of(key, &tick.now));
        match (ended, still) {
            (Ok(ended), Ok(still)) => {
                let still = lasting(still);
                if ended {
                    let by = Resumption::Person { who: who.to_owned() };
                    tell(&tick, service, &Event::Resumed { by, still: still.clone() });
                }
                let still = still.map(|by| words::paused(&by));
                let said = match (&still, ended) {
                    (None, true) => "resumed".to_owned(),
                    (None, false) => "was not paused".to_owned(),
                    (Some(by), true) => format!("resumed, but still {by}"),
                    (Some(by), false) => format!("still {by}"),
                };
                report::line(words::escaped(&format!("{key}: {said}")));
                if still.is_some() { Exit::Unwell } else { Exit::Well }
            }
            (Err(error), _) | (_, Err(error)) => {
                let why = words::io_or_cure(&error, cure(plan.owner));
                report::fault(format!("{key}: cannot end the pause: {why}; it stays as it is"));
                Exit::StateUnusable
            }
        }
    };
    Exit::merge(plan.services.iter().map(end))
}
