//! `status` and `why`: what is remembered, as a table or in sentences.

use unhang_core::Moment;

use crate::cli::{self, QueryArgs, Sources};
use crate::exit::Exit;
use crate::report::{self, Detail, ServiceStatus};

use super::context::{Refusal, detect_screen, load_plan_and_places};
use super::service_status;

/// Prints a row for each service.
pub(super) fn print_status(sources: &Sources<'_>, args: &cli::StatusArgs) -> Result<Exit, Refusal> {
    let depth = if args.verbose { Detail::Full } else { Detail::Short };
    print_remembered(sources, &args.asking, |pictures, now| {
        report::status_table(pictures, now, depth, &detect_screen())
    })
}

/// Explains each service in a few sentences.
pub(super) fn explain_services(sources: &Sources<'_>, asking: &QueryArgs) -> Result<Exit, Refusal> {
    print_remembered(sources, asking, |pictures, now| {
        let screen = detect_screen();
        let lines = pictures.iter().flat_map(|picture| report::why_lines(picture, now));
        lines.flat_map(|line| screen.wrap(&line)).collect()
    })
}

/// Prints what is remembered in the form that was asked for.
fn print_remembered(
    sources: &Sources<'_>,
    asking: &QueryArgs,
    text: impl Fn(&[ServiceStatus<'_>], &Moment) -> Vec<String>,
) -> Result<Exit, Refusal> {
    let (plan, places) = load_plan_and_places(sources)?;
    let (pictures, now) = service_status::load_statuses(&plan, &places);
    if asking.json {
        report::print_json(&report::status_json(&pictures, &now));
    } else {
        text(&pictures, &now).iter().for_each(report::print_line);
    }
    Ok(Exit::Healthy)
}
