//! `resume`: the end of a person's pause.

use unhang_core::{Event, Resumption};

use crate::cli::Sources;
use crate::exit::Exit;
use crate::log::Echo;
use crate::places::{StatePlaces, rights_cure};
use crate::plan::{Plan, Service};
use crate::report;
use crate::run::context::RunContext;
use crate::words;

use super::context::{Refusal, load_plan_and_places, name_person};
use super::pausing::{active_pause_text, log_line, open_store};

/// Ends the pauses of the services that were named.
pub(super) fn resume_services(sources: &Sources<'_>) -> Result<Exit, Refusal> {
    let (plan, places) = load_plan_and_places(sources)?;
    Ok(resume_each(&plan, &places, &name_person()))
}

/// Those of persons; one that a command holds ends with it.
fn resume_each(plan: &Plan, places: &StatePlaces, who: &str) -> Exit {
    let tick = RunContext::new(plan, Echo::Silent);
    let Some(store) = open_store(&tick, places) else { return Exit::StateUnusable };
    let end = |service: &Service| {
        let key = &service.key;
        let ended = store.remove_pause(key, &tick.now);
        let still = store.read_pauses().and_then(|pauses| pauses.pause_of(key, &tick.now));
        match (ended, still) {
            (Ok(ended), Ok(still)) => {
                let still = active_pause_text(still);
                if ended {
                    let by = Resumption::Person { who: who.to_owned() };
                    log_line(&tick, service, &Event::Resumed { by, still: still.clone() });
                }
                let still = still.map(|by| words::pause_source_text(&by));
                let said = match (&still, ended) {
                    (None, true) => "resumed".to_owned(),
                    (None, false) => "was not paused".to_owned(),
                    (Some(by), true) => format!("resumed, but still {by}"),
                    (Some(by), false) => format!("still {by}"),
                };
                report::print_line(words::escaped(&format!("{key}: {said}")));
                if still.is_some() { Exit::Unhealthy } else { Exit::Healthy }
            }
            (Err(error), _) | (_, Err(error)) => {
                let why = words::io_error_or_cure(&error, rights_cure(plan.owner));
                report::print_fault(format!("{key}: cannot end the pause: {why}; it stays as it is"));
                Exit::StateUnusable
            }
        }
    };
    Exit::worst_of(plan.services.iter().map(end))
}
