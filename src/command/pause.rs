//! `pause`: nothing is restarted until then.

use std::io;

use unhang_core::ActivePause;

use crate::cli::{self, Sources};
use crate::exit::Exit;
use crate::log::Echo;
use crate::places::{StatePlaces, rights_cure};
use crate::plan::{Plan, Service};
use crate::report;
use crate::run::context::RunContext;
use crate::words;

use super::context::{Refusal, load_plan_and_places};
use super::pausing::{PauseRequest, log_line, open_store, services_in_a_run};

/// Pauses the services that were named.
pub(super) fn pause_services(sources: &Sources<'_>, args: &cli::PauseArgs) -> Result<Exit, Refusal> {
    let (plan, places) = load_plan_and_places(sources)?;
    let pausing = PauseRequest::read(&args.length, args.reason.as_ref())?;
    Ok(pause_each(&plan, &places, &pausing))
}

/// What came of one service's pause.
enum Begun {
    /// The pause is written; with a reason, only to memory, since the disk refused it.
    Written(Option<String>),
    /// An earlier one lasts longer, and is kept.
    Outlasted(ActivePause),
}

/// Every service of the plan, until then.
fn pause_each(plan: &Plan, places: &StatePlaces, pausing: &PauseRequest) -> Exit {
    let tick = RunContext::new(plan, Echo::Silent);
    let Some(store) = open_store(&tick, places) else { return Exit::StateUnusable };
    let note = pausing.to_record(&tick);
    let until = words::format_day_and_clock(&note.until, &tick.now);
    let outlasted_by = |service: &Service| {
        let lasting = store.pause_of_person(&service.key, &tick.now)?;
        Ok::<_, io::Error>(lasting.filter(|lasting| lasting.left.is_none_or(|left| left > pausing.length)))
    };
    let begin = |service: &Service| match outlasted_by(service).and_then(|longer| match longer {
        Some(longer) => Ok(Begun::Outlasted(longer)),
        None => store.write_pause(&service.key, &note).map(Begun::Written),
    }) {
        // Whoever paused for longer is still at work.
        Ok(Begun::Outlasted(longer)) => {
            let (key, longer) = (&service.key, words::pause_text(&longer, &tick.now));
            report::print_line(words::escaped(&format!(
                "{key}: still {longer}, which is longer and stays; unhang resume {key} ends it"
            )));
            Exit::Healthy
        }
        Ok(Begun::Written(not_on_disk)) => {
            if let Some(why) = not_on_disk {
                let key = &service.key;
                report::print_fault(format!(
                    "{key}: cannot save the pause to disk: {why}; kept in memory until the disk works (a reboot loses it)"
                ));
            }
            let by = pausing.describe();
            log_line(&tick, service, &pausing.event(&note, None));
            report::print_line(words::escaped(&format!("{}: no restarts until {until}: {by}", service.key)));
            Exit::Healthy
        }
        Err(error) => {
            let (key, why) = (&service.key, words::io_error_or_cure(&error, rights_cure(plan.owner)));
            report::print_fault(format!("{key}: cannot write the pause: {why}; it is not paused"));
            Exit::StateUnusable
        }
    };
    let mut exits: Vec<Exit> = plan.services.iter().map(begin).collect();
    // Who may not write here cannot tell a run's lock either.
    if exits.contains(&Exit::Healthy) {
        exits.extend(services_in_a_run(&tick, &store).into_iter().map(|service| {
            report::print_fault(format!(
                "{}: paused, but a run that began before may still restart it; see unhang status",
                service.key
            ));
            Exit::Unhealthy
        }));
    }
    Exit::worst_of(exits)
}
