//! `paused -- COMMAND`: a pause for as long as a command runs.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use unhang_core::{Event, Resumption};

use crate::cli::{self, Sources};
use crate::log::Echo;
use crate::os::{clock, foreground_child};
use crate::places::{StatePlaces, rights_cure};
use crate::plan::Plan;
use crate::report;
use crate::restart::command;
use crate::run::context::RunContext;
use crate::store::{PauseGuard, Store};
use crate::words;

use super::context::{Refusal, load_plan_and_places};
use super::pausing::{PauseRequest, active_pause_text, log_line, open_store, services_in_a_run};

/// Runs the command under a pause. The exit status is the command's; what goes wrong before it begins is 125.
pub(super) fn run_paused(sources: &Sources<'_>, args: &cli::PausedArgs) -> ExitCode {
    let asked = load_plan_and_places(sources).and_then(|(plan, places)| {
        Ok((plan, places, PauseRequest::read(&args.length, args.reason.as_ref())?))
    });
    match asked {
        Ok((plan, places, pausing)) => run_while_paused(&plan, &places, &pausing, &args.command),
        Err(refusal) => refuse_command(&refusal),
    }
}

/// The command was not begun, and why.
pub(super) fn refuse_command(refusal: &Refusal) -> ExitCode {
    refusal.report();
    ExitCode::from(EXIT_NOT_STARTED)
}

/// env(1), nohup(1) and timeout(1) end with 125 where they themselves failed.
const EXIT_NOT_STARTED: u8 = 125;

/// While `words` run. Without a pause they do not begin.
fn run_while_paused(
    plan: &Plan,
    places: &StatePlaces,
    pausing: &PauseRequest,
    command_words: &[OsString],
) -> ExitCode {
    let tick = RunContext::new(plan, Echo::Silent);
    let program = command_words.first().map(|word| Path::new(word).display().to_string()).unwrap_or_default();
    let Some(store) = open_store(&tick, places) else { return ExitCode::from(EXIT_NOT_STARTED) };
    let Some(held) = hold_pauses(&tick, &store, pausing, &program) else {
        return ExitCode::from(EXIT_NOT_STARTED);
    };
    let (began, ended) = (Instant::now(), command::run_in_foreground(command_words));
    drop(held);
    let how = match &ended {
        Ok(status) => command::describe_exit(*status),
        Err((_, why)) => why.clone(),
    };
    let lasted = began.elapsed();
    let after = words::format_duration(lasted);
    let others = store.read_pauses().ok();
    for service in &plan.services {
        let other = others.as_ref().and_then(|others| others.pause_of(&service.key, &clock::now()).ok());
        let still = other.and_then(active_pause_text);
        let by = Resumption::ProgramEnded { program: program.clone(), how: how.clone(), after: lasted };
        log_line(&tick, service, &Event::Resumed { by, still });
    }
    if lasted > pausing.length {
        let length = words::format_duration(pausing.length);
        report::print_fault(format!(
            "paused: {program} took {after}, but the pause ended after {length}; use a longer --for"
        ));
    }
    match ended {
        Ok(status) => ExitCode::from(foreground_child::exit_like(status)),
        Err((code, why)) => {
            report::print_fault(format!("paused: {program}: {why}; nothing was run"));
            ExitCode::from(code)
        }
    }
}

fn hold_pauses(
    tick: &RunContext<'_>,
    store: &Store,
    pausing: &PauseRequest,
    program: &str,
) -> Option<Vec<PauseGuard>> {
    let note = pausing.to_record(tick);
    let mut held = Vec::new();
    for service in &tick.plan.services {
        match store.hold_pause(&service.key, std::process::id(), &note) {
            Ok(one) => held.push(one),
            Err(error) => {
                let (key, why) =
                    (&service.key, words::io_error_or_cure(&error, rights_cure(tick.plan.owner)));
                report::print_fault(format!(
                    "{key}: cannot write the pause: {why}; {program} was not started"
                ));
                return None;
            }
        }
    }
    if let Some(service) = services_in_a_run(tick, store).first() {
        let key = &service.key;
        report::print_fault(format!(
            "{key}: a run that began before the pause may still restart it; {program} was not started"
        ));
        return None;
    }
    for service in &tick.plan.services {
        log_line(tick, service, &pausing.event(&note, Some(program)));
    }
    Some(held)
}
