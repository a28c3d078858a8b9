//! `pause`: nothing is restarted until then.

use crate::cli::{self, Sources};
use crate::exit::Exit;
use crate::log::Echo;
use crate::places::{Places, cure};
use crate::plan::{Plan, Service};
use crate::report;
use crate::run::context::Tick;
use crate::words;

use super::context::{Refusal, load_plan_and_places};
use super::pausing::{Pausing, at_work, open, tell};

/// Pauses the services that were named.
pub(super) fn pause_services(sources: &Sources<'_>, args: &cli::Pause) -> Result<Exit, Refusal> {
    let (plan, places) = load_plan_and_places(sources)?;
    let pausing = Pausing::read(&args.length, args.reason.as_ref())?;
    Ok(pause(&plan, &places, &pausing))
}

/// Every service of the plan, until then.
fn pause(plan: &Plan, places: &Places, pausing: &Pausing) -> Exit {
    let tick = Tick::begin(plan, Echo::Silent);
    let Some(store) = open(&tick, places) else { return Exit::StateUnusable };
    let note = pausing.note(&tick);
    let until = words::day_and_clock(&note.until, &tick.now);
    let begin = |service: &Service| match store.begin_pause(&service.key, &note) {
        Ok(not_on_disk) => {
            if let Some(why) = not_on_disk {
                let key = &service.key;
                report::fault(format!(
                    "{key}: cannot write the pause: {why}; kept in memory, which a reboot loses"
                ));
            }
            let by = pausing.words();
            tell(&tick, service, &pausing.event(&note, None));
            report::line(words::escaped(&format!("{}: no restarts until {until}: {by}", service.key)));
            Exit::Well
        }
        Err(error) => {
            let (key, why) = (&service.key, words::io_or_cure(&error, cure(plan.owner)));
            report::fault(format!("{key}: cannot write the pause: {why}; it is not paused"));
            Exit::StateUnusable
        }
    };
    let mut exits: Vec<Exit> = plan.services.iter().map(begin).collect();
    // Who may not write here cannot tell a run's lock either.
    if exits.contains(&Exit::Well) {
        exits.extend(at_work(&tick, &store).into_iter().map(|service| {
            report::fault(format!(
                "{}: a run is under way and may still restart it; look again",
                service.key
            ));
            Exit::Unwell
        }));
    }
    Exit::merge(exits)
}
