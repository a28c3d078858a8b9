//! `pause`: nothing is restarted until then.

use std::io;

use unhang_core::Paused;

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

/// What came of one service's pause.
enum Begun {
    /// In memory, if there is a reason why it is not on disk.
    Written(Option<String>),
    /// An earlier one lasts longer, and is kept.
    Outlasted(Paused),
}

/// Every service of the plan, until then.
fn pause(plan: &Plan, places: &Places, pausing: &Pausing) -> Exit {
    let tick = Tick::begin(plan, Echo::Silent);
    let Some(store) = open(&tick, places) else { return Exit::StateUnusable };
    let note = pausing.note(&tick);
    let until = words::day_and_clock(&note.until, &tick.now);
    let outlasted_by = |service: &Service| {
        let lasting = store.pause_of_person(&service.key, &tick.now)?;
        Ok::<_, io::Error>(lasting.filter(|lasting| lasting.left.is_none_or(|left| left > pausing.length)))
    };
    let begin = |service: &Service| match outlasted_by(service).and_then(|longer| match longer {
        Some(longer) => Ok(Begun::Outlasted(longer)),
        None => store.begin_pause(&service.key, &note).map(Begun::Written),
    }) {
        // Whoever paused for longer is still at work.
        Ok(Begun::Outlasted(longer)) => {
            let (key, longer) = (&service.key, words::pause(&longer, &tick.now));
            report::line(words::escaped(&format!(
                "{key}: still {longer}, which is longer and stays; unhang resume {key} ends it"
            )));
            Exit::Well
        }
        Ok(Begun::Written(not_on_disk)) => {
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
