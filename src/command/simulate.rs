//! `simulate`: the settings of a service, tried on a pattern of answers.

use crate::cli::{Simulate, Sources};
use crate::config;
use crate::exit::Exit;
use crate::report;
use crate::simulate::{self, Script};

use super::context::{Refusal, detect_screen, load_plan};

/// Plays the pattern for the service that was named.
pub(super) fn simulate_service(sources: &Sources<'_>, args: &Simulate) -> Result<Exit, Refusal> {
    let plan = load_plan(sources)?;
    let script = read_script(args)?;
    for service in &plan.services {
        let played = simulate::play(&script, service, &plan);
        if args.json {
            report::object(&simulate::json(&played));
        } else {
            let screen = detect_screen();
            simulate::lines(&played).iter().flat_map(|line| screen.fold(line)).for_each(report::line);
        }
    }
    Ok(Exit::Well)
}

fn read_script(args: &Simulate) -> Result<Script, Refusal> {
    let every = config::span("--every", &args.every);
    let start_takes = config::span("--start-takes", &args.start_takes);
    match (config::count("--repeat", &args.repeat), every, start_takes) {
        (Ok(repeat), Ok(every), Ok(start_takes)) => {
            Script::new(&args.pattern, repeat, every, start_takes).map_err(|fault| Refusal(vec![fault]))
        }
        (repeat, every, start_takes) => {
            let faults = [repeat.err(), every.err(), start_takes.err()];
            Err(faults.into_iter().flatten().collect::<Vec<_>>().into())
        }
    }
}
