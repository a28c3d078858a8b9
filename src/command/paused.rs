//! `paused -- COMMAND`: a pause for as long as a command runs.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use unhang_core::{Event, Resumption};

use crate::cli::{self, Sources};
use crate::log::Echo;
use crate::os::{clock, foreground_child};
use crate::places::{Places, cure};
use crate::plan::Plan;
use crate::report;
use crate::restart::command;
use crate::run::context::Tick;
use crate::store::{Held, Store};
use crate::words;

use super::context::{Refusal, load_plan_and_places};
use super::pausing::{Pausing, at_work, lasting, open, tell};

/// Runs the command under a pause. The exit status is the command's; what goes wrong before it begins is 125.
pub(super) fn run_paused(sources: &Sources<'_>, args: &cli::Paused) -> ExitCode {
    let asked = load_plan_and_places(sources)
        .and_then(|(plan, places)| Ok((plan, places, Pausing::read(&args.length, args.reason.as_ref())?)));
    match asked {
        Ok((plan, places, pausing)) => paused(&plan, &places, &pausing, &args.command),
        Err(refusal) => refuse(&refusal),
    }
}

/// The command was not begun, and why.
pub(super) fn refuse(refusal: &Refusal) -> ExitCode {
    refusal.report();
    ExitCode::from(NOT_BEGUN)
}

/// env(1), nohup(1) and timeout(1) end with 125 where they themselves failed.
const NOT_BEGUN: u8 = 125;

/// While `words` run. Without a pause they do not begin.
fn paused(plan: &Plan, places: &Places, pausing: &Pausing, command_words: &[OsString]) -> ExitCode {
    let tick = Tick::begin(plan, Echo::Silent);
    let program = command_words.first().map(|word| Path::new(word).display().to_string()).unwrap_or_default();
    let Some(store) = open(&tick, places) else { return ExitCode::from(NOT_BEGUN) };
    let Some(held) = hold_all(&tick, &store, pausing, &program) else { return ExitCode::from(NOT_BEGUN) };
    let (began, ended) = (Instant::now(), command::attend(command_words));
    drop(held);
    let how = match &ended {
        Ok(status) => command::how_it_ended(*status),
        Err((_, why)) => why.clone(),
    };
    let lasted = began.elapsed();
    let after = words::span(lasted);
    let others = store.pauses().ok();
    for service in &plan.services {
        let other = others.as_ref().and_then(|others| others.of(&service.key, &clock::now()).ok());
        let still = other.and_then(lasting);
        let by = Resumption::ProgramEnded { program: program.clone(), how: how.clone(), after: lasted };
        tell(&tick, service, &Event::Resumed { by, still });
    }
    if lasted > pausing.length {
        let length = words::span(pausing.length);
        report::fault(format!("paused: {program} took {after}, the pause {length}; give it a longer --for"));
    }
    match ended {
        Ok(status) => ExitCode::from(foreground_child::end_as(status)),
        Err((code, why)) => {
            report::fault(format!("paused: {program}: {why}; nothing was run"));
            ExitCode::from(code)
        }
    }
}

fn hold_all(tick: &Tick<'_>, store: &Store, pausing: &Pausing, program: &str) -> Option<Vec<Held>> {
    let note = pausing.note(tick);
    let mut held = Vec::new();
    for service in &tick.plan.services {
        match store.hold_pause(&service.key, std::process::id(), &note) {
            Ok(one) => held.push(one),
            Err(error) => {
                let (key, why) = (&service.key, words::io_or_cure(&error, cure(tick.plan.owner)));
                report::fault(format!("{key}: cannot write the pause: {why}; {program} was not begun"));
                return None;
            }
        }
    }
    if let Some(service) = at_work(tick, store).first() {
        let key = &service.key;
        report::fault(format!("{key}: a run is under way and may still restart it; {program} was not begun"));
        return None;
    }
    for service in &tick.plan.services {
        tell(tick, service, &pausing.event(&note, Some(program)));
    }
    Some(held)
}
