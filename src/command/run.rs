//! `run`: once, as a dry run, or again and again in a process that stays.

use std::time::Duration;

use crate::cli::{self, Sources};
use crate::config;
use crate::exit::Exit;
use crate::log::Echo;
use crate::os::notify::Notify;
use crate::places::StatePlaces;
use crate::plan::Plan;
use crate::report;
use crate::run::{self, ServiceManager};

use super::context::{Refusal, load_plan_and_places};

/// Runs every service of the plan, in the way that was typed.
pub(super) fn run_services(sources: &Sources<'_>, args: &cli::RunArgs) -> Result<Exit, Refusal> {
    let (plan, places) = load_plan_and_places(sources)?;
    if args.dry_run {
        return Ok(run::dry_run(&plan, &places));
    }
    let echo = if args.verbose { Echo::Stderr } else { Echo::Silent };
    match &args.every {
        None => Ok(run::run_once(&plan, &places, echo)),
        Some(period) => run_every(sources, period, plan, &places, echo),
    }
}

/// One run after another, until somebody ends it. The configuration is read again when somebody asks for that.
fn run_every(
    sources: &Sources<'_>,
    period: &str,
    plan: Plan,
    places: &StatePlaces,
    echo: Echo,
) -> Result<Exit, Refusal> {
    let period = config::parse_period_flag("--every", period)?;
    let suits = |plan: Plan| match config::runs_too_rare("--every", period, &plan) {
        faults if faults.is_empty() => Ok(plan),
        faults => Err(Refusal::from(faults)),
    };
    let plan = suits(plan)?;
    let read_anew = || match config::load_plan(sources).map_err(Refusal::from).and_then(suits) {
        Ok(plan) => Some(plan),
        Err(refusal) => {
            refusal.report();
            report::print_fault("run: configuration not reloaded; the previous one stays in use");
            None
        }
    };
    Ok(run::run_periodically(period, plan, places, echo, &find_starter(), read_anew))
}

/// What systemd, or whoever else started us, wants to be told (sd_notify(3), sd_watchdog_enabled(3)).
#[expect(clippy::disallowed_methods, reason = "who started us says so in the environment")]
fn find_starter() -> ServiceManager {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let watchdog = number("WATCHDOG_USEC").filter(|usec| is_ours && *usec > 0);
    ServiceManager {
        notify: Notify::to(std::env::var_os("NOTIFY_SOCKET")),
        watchdog: watchdog.map(|usec| Duration::from_micros(usec / 2)),
    }
}
