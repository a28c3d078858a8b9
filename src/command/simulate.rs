//! `simulate`: the settings of a service, tried on a pattern of answers.

use crate::cli::{SimulateArgs, Sources};
use crate::config;
use crate::exit::Exit;
use crate::report;
use crate::simulate::{self, Script};

use super::context::{Refusal, detect_screen, load_plan};

/// Plays the pattern for the service that was named.
pub(super) fn simulate_service(sources: &Sources<'_>, args: &SimulateArgs) -> Result<Exit, Refusal> {
    let plan = load_plan(sources)?;
    let script = read_script(args)?;
    for service in &plan.services {
        let played = simulate::play_script(&script, service, &plan);
        if args.json {
            report::print_json(&simulate::simulation_json(&played));
        } else {
            let screen = detect_screen();
            simulate::simulation_lines(&played)
                .iter()
                .flat_map(|line| screen.wrap(line))
                .for_each(report::print_line);
        }
    }
    Ok(Exit::Healthy)
}

fn read_script(args: &SimulateArgs) -> Result<Script, Refusal> {
    let every = config::parse_span_flag("--every", &args.every);
    let start_takes = config::parse_span_flag("--start-takes", &args.start_takes);
    match (config::parse_count_flag("--repeat", &args.repeat), every, start_takes) {
        (Ok(repeat), Ok(every), Ok(start_takes)) => {
            Script::new(&args.pattern, repeat, every, start_takes).map_err(|fault| Refusal(vec![fault]))
        }
        (repeat, every, start_takes) => {
            let faults = [repeat.err(), every.err(), start_takes.err()];
            Err(faults.into_iter().flatten().collect::<Vec<_>>().into())
        }
    }
}
