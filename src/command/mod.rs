//! The commands: what was typed is done by the rooms, and what they return is printed.

mod check;
mod pause;
mod remembered;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use unhang_core::Moment;

use crate::cli::{Asking, Check, Cli, Command, ConfigCommand, Simulate};
use crate::config::{Entry, Fault, Section};
use crate::exit::{Exit, Level};
use crate::log::Echo;
use crate::os::notify::Notify;
use crate::places::{Person, Places};
use crate::plan::Plan;
use crate::report::{Checked, Depth, Picture, Screen, Style};
use crate::run::Starter;
use crate::simulate::Script;
use pause::Pausing;

use crate::{cli, config, demo, places, report, run, setup, simulate, store, words};

/// Runs the command that was typed; its exit status.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::typed(variables()) {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error),
    };
    if let Command::Check(asked) = &cli.command {
        return check(&cli, asked).into();
    }
    if let Command::Paused(asked) = &cli.command {
        return paused(&cli, asked);
    }
    match run(&cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            report::fault(format!("{error:#}"));
            Exit::Unwell.into()
        }
    }
}

/// `--help` and `--version` are no faults, and clap's to print.
fn not_understood(error: &clap::Error) -> ExitCode {
    let words = std::env::args_os().skip(1);
    let typed: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    match cli::usage::fault(error, &typed) {
        Some(fault) if cli::means("check", std::env::args_os().skip(1)) => check_refused(&[fault]).into(),
        Some(fault) if cli::means("paused", std::env::args_os().skip(1)) => {
            report::fault(fault);
            ExitCode::from(pause::NOT_BEGUN)
        }
        Some(fault) => {
            report::fault(fault);
            Exit::Usage.into()
        }
        None => {
            let _ = error.print();
            u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
    }
}

/// `check`: whatever goes wrong is UNKNOWN, and told where a monitor reads.
fn check(cli: &Cli, asked: &Check) -> Level {
    let mistyped = cli::mistyped_variables(variables());
    if !mistyped.is_empty() {
        return check_refused(&mistyped);
    }
    let depth = if asked.verbose || asked.json { Depth::Everything } else { Depth::Probe };
    if let Some(url) = asked.url() {
        return match config::question(&cli.sources(), url) {
            Ok((shown, probe)) => told(asked, depth, &[check::check_url(&shown, &probe)]),
            Err(faults) => check_refused(&faults),
        };
    }
    let plan = match config::plan(&cli.sources()) {
        Ok(plan) => plan,
        Err(faults) => return check_refused(&faults),
    };
    match places::places(&plan, &person()) {
        Some(places) => told(asked, depth, &check::check(&plan, &places, depth)),
        None => check_refused(&[NO_PLACE]),
    }
}

fn check_refused(faults: &[impl ToString]) -> Level {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    report::check_refused(&faults).iter().for_each(report::line);
    Level::Unknown
}

fn told(asked: &Check, depth: Depth, checked: &[Checked<'_>]) -> Level {
    if asked.json {
        report::object(&report::check_json(checked));
    } else {
        let mut lines = report::check(checked, depth).into_iter();
        // A monitor reads it as one line.
        lines.next().iter().for_each(report::line);
        let screen = screen();
        lines.flat_map(|line| screen.fold(&line)).for_each(report::line);
    }
    report::level(checked)
}

/// `paused`: its exit status is the command's, so that what goes wrong before is 125 and nothing else.
fn paused(cli: &Cli, asked: &cli::Paused) -> ExitCode {
    let not_begun = |faults: Vec<String>| {
        faults.iter().for_each(report::fault);
        ExitCode::from(pause::NOT_BEGUN)
    };
    let told = |faults: Vec<Fault>| faults.iter().map(ToString::to_string).collect();
    let mistyped = cli::mistyped_variables(variables());
    if !mistyped.is_empty() {
        return not_begun(mistyped);
    }
    let plan = match config::plan(&cli.sources()) {
        Ok(plan) => plan,
        Err(faults) => return not_begun(told(faults)),
    };
    match (pausing(&asked.length, asked.reason.as_ref()), places::places(&plan, &person())) {
        (Ok(pausing), Some(places)) => pause::paused(&plan, &places, &pausing, &asked.command),
        (Err(fault), _) => not_begun(told(vec![fault])),
        (_, None) => not_begun(vec![NO_PLACE.to_owned()]),
    }
}

fn pausing(length: &str, reason: Option<&String>) -> Result<Pausing, Fault> {
    let length = config::length("--for", length, store::LONGEST_PAUSE)?;
    Ok(Pausing { who: who(), why: reason.cloned(), length })
}

/// Whoever it is behind sudo, su or cron.
#[expect(clippy::disallowed_methods, reason = "who somebody is, is said by the environment")]
fn who() -> String {
    let says = |name: &str| std::env::var(name).ok().filter(|who| !who.is_empty());
    let is_root = rustix::process::geteuid().is_root();
    let behind = if is_root { says("SUDO_USER") } else { None };
    let named = behind.or_else(|| says("LOGNAME")).or_else(|| says("USER"));
    let number =
        || if is_root { "root".to_owned() } else { format!("user {}", rustix::process::geteuid().as_raw()) };
    words::escaped(&named.unwrap_or_else(number)).chars().take(100).collect()
}

const NO_PLACE: &str = "no folder for the state: neither HOME nor XDG_STATE_HOME is set; give --state-dir";

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Completions { shell } => {
            report::bytes(&cli::completions(*shell));
            return Ok(Exit::Well);
        }
        Command::Config { command: ConfigCommand::Keys { json } } => {
            if *json {
                report::object(&config::schema());
            } else {
                config::lines().iter().for_each(report::line);
            }
            return Ok(Exit::Well);
        }
        Command::Demo => return demo::run(),
        Command::DemoServer { dir } => return demo::serve(dir),
        Command::DemoRestart { dir } => return demo::restart(dir),
        Command::Run(_)
        | Command::Check(_)
        | Command::Status(_)
        | Command::Why(_)
        | Command::Reset(_)
        | Command::Pause(_)
        | Command::Resume(_)
        | Command::Paused(_)
        | Command::Simulate(_)
        | Command::Config { .. } => {}
    }
    let mistyped = cli::mistyped_variables(variables());
    if !mistyped.is_empty() {
        mistyped.iter().for_each(report::fault);
        return Ok(Exit::Usage);
    }
    if let Command::Config { command: ConfigCommand::Show(asking) } = &cli.command {
        return Ok(config::show(&cli.sources()).map_or_else(refused, |sections| show(asking, &sections)));
    }
    let plan = match config::plan(&cli.sources()) {
        Ok(plan) => plan,
        Err(faults) => return Ok(refused(faults)),
    };
    if let Command::Simulate(asked) = &cli.command {
        return Ok(simulate(asked, &plan));
    }
    let Some(places) = places::places(&plan, &person()) else {
        report::fault(NO_PLACE);
        return Ok(Exit::Usage);
    };
    Ok(match &cli.command {
        Command::Run(run) if run.dry_run => run::rehearse(&plan, &places),
        Command::Run(run) => {
            let echo = if run.verbose { Echo::Stderr } else { Echo::Silent };
            match &run.every {
                None => run::run(&plan, &places, echo),
                Some(period) => every(cli, period, plan, &places, echo),
            }
        }
        Command::Status(asked) => tell(&asked.asking, &plan, &places, |pictures, now| {
            let depth = if asked.verbose { Depth::Everything } else { Depth::Probe };
            report::table(pictures, now, depth, &screen())
        }),
        Command::Why(asking) => tell(asking, &plan, &places, |pictures, now| {
            let screen = screen();
            let lines = pictures.iter().flat_map(|picture| report::why(picture, now));
            lines.flat_map(|line| screen.fold(&line)).collect()
        }),
        Command::Reset(_) => remembered::reset(&plan, &places),
        Command::Pause(asked) => match pausing(&asked.length, asked.reason.as_ref()) {
            Ok(pausing) => pause::pause(&plan, &places, &pausing),
            Err(fault) => refused(vec![fault]),
        },
        Command::Resume(_) => pause::resume(&plan, &places, &who()),
        Command::Config { command: ConfigCommand::Check(_) } => {
            config_check(&plan, &config::exposed(&cli.sources(), &plan))
        }
        Command::Check(_)
        | Command::Paused(_)
        | Command::Simulate(_)
        | Command::Config { command: ConfigCommand::Show(_) | ConfigCommand::Keys { .. } }
        | Command::Completions { .. }
        | Command::Demo
        | Command::DemoServer { .. }
        | Command::DemoRestart { .. } => Exit::Well,
    })
}

/// One run after another, until somebody ends it.
fn every(cli: &Cli, period: &str, plan: Plan, places: &Places, echo: Echo) -> Exit {
    let period = match config::period("--every", period) {
        Ok(period) => period,
        Err(fault) => return refused(vec![fault]),
    };
    let suits = |plan: Plan| match config::too_seldom("--every", period, &plan) {
        faults if faults.is_empty() => Ok(plan),
        faults => Err(faults),
    };
    let plan = match suits(plan) {
        Ok(plan) => plan,
        Err(faults) => return refused(faults),
    };
    let read_anew = || match config::plan(&cli.sources()).and_then(suits) {
        Ok(plan) => Some(plan),
        Err(faults) => {
            faults.iter().for_each(report::fault);
            report::fault("run: the configuration was not read anew; the one of before is kept");
            None
        }
    };
    run::every(period, plan, places, echo, &starter(), read_anew)
}

/// What systemd, or whoever else started us, wants to be told (sd_notify(3), sd_watchdog_enabled(3)).
#[expect(clippy::disallowed_methods, reason = "who started us says so in the environment")]
fn starter() -> Starter {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let watchdog = number("WATCHDOG_USEC").filter(|usec| is_ours && *usec > 0);
    Starter {
        notify: Notify::to(std::env::var_os("NOTIFY_SOCKET")),
        watchdog: watchdog.map(|usec| Duration::from_micros(usec / 2)),
    }
}

/// The names of all that there are.
#[expect(clippy::disallowed_methods, reason = "`cli` judges them")]
fn variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name)
}

#[expect(clippy::needless_pass_by_value, reason = "the end of the faults")]
fn refused(faults: Vec<Fault>) -> Exit {
    faults.iter().for_each(report::fault);
    Exit::Usage
}

fn simulate(asked: &Simulate, plan: &Plan) -> Exit {
    let script = match script(asked) {
        Ok(script) => script,
        Err(faults) => {
            faults.iter().for_each(report::fault);
            return Exit::Usage;
        }
    };
    // Of the one NAME that was asked for.
    for service in &plan.services {
        let played = simulate::play(&script, service, plan);
        if asked.json {
            report::object(&simulate::json(&played));
        } else {
            let screen = screen();
            simulate::lines(&played).iter().flat_map(|line| screen.fold(line)).for_each(report::line);
        }
    }
    Exit::Well
}

fn script(asked: &Simulate) -> Result<Script, Vec<String>> {
    let every = config::span("--every", &asked.every);
    let start_takes = config::span("--start-takes", &asked.start_takes);
    match (config::count("--repeat", &asked.repeat), every, start_takes) {
        (Ok(repeat), Ok(every), Ok(start_takes)) => {
            Script::new(&asked.pattern, repeat, every, start_takes).map_err(|fault| vec![fault])
        }
        (repeat, every, start_takes) => {
            let faults = [repeat.err(), every.err(), start_takes.err()];
            Err(faults.into_iter().flatten().map(|fault| fault.to_string()).collect())
        }
    }
}

fn show(asking: &Asking, sections: &[Section]) -> Exit {
    if asking.json {
        report::object(&report::settings_json(sections.iter().map(rows)));
    } else {
        sections.iter().flat_map(|section| report::settings(rows(section))).for_each(report::line);
    }
    Exit::Well
}

/// A section's name, and key, value and origin of each of its entries.
fn rows(section: &Section) -> (&str, Vec<[&str; 3]>) {
    (&section.name, section.entries.iter().map(row).collect())
}

fn row(entry: &Entry) -> [&str; 3] {
    [&entry.key, &entry.value, &entry.origin]
}

/// What is remembered, in the form asked for.
fn tell(
    asking: &Asking,
    plan: &Plan,
    places: &Places,
    text: impl Fn(&[Picture<'_>], &Moment) -> Vec<String>,
) -> Exit {
    let (pictures, now) = remembered::pictures(plan, places);
    if asking.json {
        report::object(&report::json(&pictures, &now));
    } else {
        text(&pictures, &now).iter().for_each(report::line);
    }
    Exit::Well
}

/// Colour on a terminal only, and never where NO_COLOR is set (no-color.org) or the terminal is dumb.
#[expect(clippy::disallowed_methods, reason = "what the person's terminal can do is said by the environment")]
fn screen() -> Screen {
    if !std::io::stdout().is_terminal() {
        return Screen { style: Style::Plain, width: None };
    }
    let says = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let plain = says("NO_COLOR").is_some() || says("TERM").is_none_or(|term| term == "dumb");
    let columns = rustix::termios::tcgetwinsize(std::io::stdout()).map_or(0, |size| size.ws_col);
    let width = (columns > 0).then_some(usize::from(columns));
    Screen { style: if plain { Style::Plain } else { Style::Colour }, width }
}

/// The files are right; is the host? `exposed`: what others could change of the files.
fn config_check(plan: &Plan, exposed: &[Fault]) -> Exit {
    let mut obstacles: Vec<String> = exposed.iter().map(ToString::to_string).collect();
    let found = setup::survey(plan);
    obstacles.extend(found.obstacles);
    obstacles.iter().for_each(report::fault);
    if !obstacles.is_empty() {
        return Exit::Usage;
    }
    let services: Vec<&str> = plan.services.iter().map(|service| service.key.as_str()).collect();
    report::line(format!("ok: {} service(s): {}", services.len(), services.join(", ")));
    if let Some(why) = found.not_asked {
        let words = "whether the units can be restarted is not known, for systemd could not be asked";
        report::line(words::escaped(&format!("{words}: {why}")));
    }
    Exit::Well
}

#[expect(clippy::disallowed_methods, reason = "where the user's own files are is said by the environment")]
fn person() -> Person {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let uid = rustix::process::geteuid();
    if uid.is_root() {
        return Person { is_root: true, ..Person::default() };
    }
    let usual = PathBuf::from(format!("/run/user/{}", uid.as_raw()));
    Person {
        is_root: false,
        home: path("HOME"),
        state_home: path("XDG_STATE_HOME"),
        runtime: path("XDG_RUNTIME_DIR").or_else(|| usual.is_dir().then_some(usual)),
    }
}
