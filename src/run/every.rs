//! `run --every`: one tick after another in a process that stays, for hosts without cron. Nothing is kept in it from
//! one to the next: what is remembered is on disk, and a tick that began is a tick as any other.

use std::time::{Duration, Instant};

use crate::exit::Exit;
use crate::log::Echo;
use crate::os::notify::Notify;
use crate::os::process;
use crate::os::signals::{Signal, Signals};
use crate::places::StatePlaces;
use crate::plan::Plan;
use crate::probe::forget_certificates;
use crate::report;
use crate::words;

/// Who started us, and how often it wants to hear.
#[derive(Debug)]
pub(crate) struct ServiceManager {
    pub(crate) notify: Notify,
    /// Half of what `WATCHDOG_USEC` allows: sd_watchdog_enabled(3) advises so.
    pub(crate) watchdog: Option<Duration>,
}

/// `read_anew`: the configuration, if it is good; what is wrong with it has been told.
pub(crate) fn run_periodically(
    period: Duration,
    mut plan: Plan,
    places: &StatePlaces,
    echo: Echo,
    starter: &ServiceManager,
    read_anew: impl Fn() -> Option<Plan>,
) -> Exit {
    let signals = match Signals::catch() {
        Ok(signals) => signals,
        Err(error) => {
            report::print_fault(format!(
                "run: signals cannot be caught: {}; nothing was probed",
                words::io_error_text(&error)
            ));
            return Exit::StateUnusable;
        }
    };
    let mut next = Instant::now();
    starter.notify.tell("READY=1");
    loop {
        // Nobody waits for one now.
        process::reap_children();
        forget_certificates();
        let exit = super::run_with_stop(&plan, places, echo, Some(signals.terminate_flag()));
        starter.notify.tell("WATCHDOG=1");
        starter.notify.tell(&["STATUS=", &status_text(exit, plan.services.len())].concat());
        next = next_start(next, period, Instant::now());
        loop {
            let wake = starter.watchdog.map_or(next, |watchdog| next.min(Instant::now() + watchdog));
            match signals.wait(wake) {
                Some(Signal::Terminate) => {
                    starter.notify.tell("STOPPING=1");
                    return Exit::Healthy;
                }
                Some(Signal::Reload) => {
                    starter.notify.tell("RELOADING=1");
                    plan = read_anew().unwrap_or(plan);
                    starter.notify.tell("READY=1");
                }
                None if Instant::now() >= next => break,
                None => starter.notify.tell("WATCHDOG=1"),
            }
        }
    }
}

/// In step with the first one; those that a long tick has missed are left out.
fn next_start(last: Instant, period: Duration, now: Instant) -> Instant {
    let late = now.saturating_duration_since(last).as_nanos();
    let missed = late.checked_div(period.as_nanos()).unwrap_or(0);
    let steps = u32::try_from(missed.saturating_add(1)).unwrap_or(u32::MAX);
    last.checked_add(period.saturating_mul(steps)).unwrap_or(now + period)
}

fn status_text(exit: Exit, services: usize) -> String {
    match exit {
        Exit::Healthy => format!("{services} services healthy"),
        Exit::Locked => "another run is in progress".to_owned(),
        Exit::Unhealthy => "not all services are healthy: unhang status".to_owned(),
        Exit::StateUnusable | Exit::Usage => "the state of some service cannot be used".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_keep_their_step_and_do_not_catch_up() {
        let first = Instant::now();
        let period = Duration::from_secs(60);
        for (now, next) in [(0, 60), (1, 60), (59, 60), (60, 120), (61, 120), (185, 240)] {
            let now = first + Duration::from_secs(now);
            assert_eq!(next_start(first, period, now), first + Duration::from_secs(next));
        }
    }
}
