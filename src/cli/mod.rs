//! What was typed, and the environment that stands for flags. No file is read here, no default
//! computed, no value judged but the shape of the command line: a flag that was not given is absent.

mod completions;
mod deferred;
mod examples;
pub(crate) mod flags;
pub(crate) mod help;
mod plain;
pub(crate) mod usage;

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::keys::KeyRow;
use crate::suggest;
pub(crate) use completions::{Shell, completion_script};
use deferred::Deferred;
pub(crate) use flags::{PlanFlags, Typed};

/// Restarts a service that is running but no longer answers
///
/// cron or a systemd timer runs `unhang run` every 2 minutes. It asks the health URL of each service,
/// counts failures in a row, restarts the unit when there are too many, proves that this helped, and
/// logs each act. A healthy service is never restarted, and `run` is silent while all is well.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, disable_help_subcommand = true, after_help = examples::ALL)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where unhang's own files are; may stand before or after the command.
#[derive(Debug, Default, Args)]
pub(crate) struct PlaceArgs {
    /// Read this file, and none below /etc/unhang or ~/.config/unhang
    #[arg(long, value_name = "FILE", env = "UNHANG_CONFIG", hide_env_values = true, global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Keep state and locks in this folder, and nowhere else
    #[arg(long, value_name = "DIR", env = "UNHANG_STATE_DIR", hide_env_values = true, global = true)]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// One run: probe, count, restart what is due
    #[command(after_help = examples::RUN)]
    Run(Deferred<RunArgs>),
    /// Probe now and touch nothing; one line, and the exit status of a monitoring plugin
    #[command(after_help = examples::CHECK)]
    Check(Deferred<CheckArgs>),
    /// How each service is, as the last run left it; probes nothing
    #[command(after_help = examples::STATUS)]
    Status(Deferred<StatusArgs>),
    /// Why it did or did not act, and when the next restart can be
    #[command(after_help = examples::WHY)]
    Why(Deferred<QueryArgs>),
    /// Clear streak, backoff and budget, as if nothing had been restarted
    #[command(after_help = examples::RESET)]
    Reset(Deferred<ResetArgs>),
    /// Hands off, until then: nothing is restarted, whatever the probes say
    #[command(after_help = examples::PAUSE)]
    Pause(Deferred<PauseArgs>),
    /// End a pause; a service that fails then gets a full count
    #[command(after_help = examples::RESUME)]
    Resume(Deferred<ResumeArgs>),
    /// Hands off while a command runs, such as a deploy; ends with its exit status
    #[command(after_help = examples::PAUSED)]
    Paused(Deferred<PausedArgs>),
    /// Try the settings of a service on a pattern of answers; touches nothing
    #[command(after_help = examples::SIMULATE)]
    Simulate(Deferred<SimulateArgs>),
    /// The configuration: is it right?
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Words for the shell to complete, on stdout
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// A hung service is found and restarted, in a folder that goes away again
    Demo,
    /// What `demo` watches: a server that can hang
    #[command(hide = true)]
    DemoServer {
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// How `demo` restarts it
    #[command(hide = true)]
    DemoRestart {
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
}

#[derive(Debug, Default, Args)]
pub(crate) struct RunArgs {
    /// Only this service (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Say what would be done; take no lock, write nothing, restart nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stay, and run so often, such as 60s: for hosts without cron
    #[arg(long, value_name = "TIME", conflicts_with = "dry_run")]
    pub(crate) every: Option<String>,
    /// Copy log lines to stderr: under cron, the mail then holds exactly the events
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) plan: PlanFlags,
}

/// What is probed now.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Only these services; or one URL, which needs no configuration
    #[arg(value_name = "NAME|URL")]
    pub(crate) targets: Vec<String>,
    /// Also the times, the unit, what would hold a restart, and what the next run would do
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// For programs; the object carries a schema version
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) plan: PlanFlags,
}

impl CheckArgs {
    /// No NAME holds a `/` or a `:`; every URL has a `/`, or is `tcp:HOST:PORT`.
    pub(crate) fn single_url(&self) -> Option<&str> {
        let is_url = |target: &&str| target.contains('/') || target.starts_with("tcp:");
        self.targets.iter().map(String::as_str).find(is_url)
    }
}

#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    /// The services to clear
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) plan: PlanFlags,
}

/// Until then.
#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    pub(crate) whom: ServiceSelection,
    /// How long; 24h at the most
    #[arg(long = "for", value_name = "TIME", default_value = "15m")]
    pub(crate) length: String,
    /// Shown by `status` and `why`, and logged
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) plan: PlanFlags,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) whom: ServiceSelection,
    #[command(flatten)]
    pub(crate) plan: PlanFlags,
}

/// While a command runs.
#[derive(Debug, Args)]
pub(crate) struct PausedArgs {
    #[command(flatten)]
    pub(crate) whom: ServiceSelection,
    /// Over by then, should the command still run; 24h at the most
    #[arg(long = "for", value_name = "TIME", default_value = "1h")]
    pub(crate) length: String,
    /// Shown by `status` and `why`, and logged
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) plan: PlanFlags,
    /// Run as it stands, without a shell
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// What is played, and how the time goes; values as they were typed.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// The service whose settings are tried
    #[arg(id = "service", value_name = "NAME")]
    pub(crate) name: String,
    /// What each run meets, a sign for each: . healthy, x fails, ? cannot be told, s stopped by somebody,
    /// r restarted by somebody
    #[arg(long, value_name = "SIGNS")]
    pub(crate) pattern: String,
    /// The time from one run to the next
    #[arg(long, value_name = "TIME", default_value = "2m")]
    pub(crate) every: String,
    /// Play the pattern so many times
    #[arg(long, value_name = "N", default_value = "1", allow_negative_numbers = true)]
    pub(crate) repeat: String,
    /// It answers nothing for so long after each start
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub(crate) start_takes: String,
    /// For programs; the object carries a schema version
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) plan: PlanFlags,
}

/// The services that somebody names; nobody pauses all of them by leaving a word out.
#[derive(Debug, Args)]
pub(crate) struct ServiceSelection {
    /// The services
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub(crate) names: Vec<String>,
    /// Every service of the plan
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,
}

impl ServiceSelection {
    /// None: all.
    fn selected_names(&self) -> &[String] {
        if self.all { &[] } else { &self.names }
    }
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Also a line for each probe
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) asking: QueryArgs,
}

/// What only reads what is remembered.
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// Only these services
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// For programs; the objects carry a schema version
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) plan: PlanFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read it as `run` would, name every fault, probe nothing
    Check(Deferred<PlanFlags>),
    /// Every effective value and where it came from; secrets stay hidden
    Show(Deferred<QueryArgs>),
    /// Every key there is; with --json, a JSON Schema of the file for editors
    Keys {
        #[arg(long)]
        json: bool,
    },
}

/// All that a plan is made from, as typed: what `config` asks for.
#[derive(Debug)]
pub struct Sources<'a> {
    pub(crate) place: &'a PlaceArgs,
    pub(crate) plan: &'a PlanFlags,
    /// The services asked for; none: all.
    pub(crate) only: &'a [String],
    /// How they were named: `--only`, or as words of their own.
    pub(crate) only_by: &'static str,
}

/// Variables that were probably meant to be ours, each with a line of its own. What is none of ours and
/// like none is nobody's fault.
pub(crate) fn mistyped_variables(names: impl IntoIterator<Item = OsString>) -> Vec<String> {
    let of_flags = KeyRow::all_flags().filter_map(|(_, flag)| flag.variable);
    let known: Vec<&str> = of_flags.chain(["UNHANG_CONFIG", "UNHANG_STATE_DIR"]).collect();
    let mistyped = |name: OsString| {
        let name = name.into_string().ok()?;
        let rest = name.strip_prefix("UNHANG_").filter(|_| !known.contains(&name.as_str()))?;
        let near = suggest::suggest(rest, known.iter().filter_map(|known| known.strip_prefix("UNHANG_")))?;
        Some(format!("{name}: no such variable; did you mean UNHANG_{near}?"))
    };
    names.into_iter().filter_map(mistyped).collect()
}

/// Was this command meant, which has exit statuses of its own? For a command line that could not be read.
pub(crate) fn step_names(command: &str, words: impl IntoIterator<Item = OsString>) -> bool {
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--config" || word == "--state-dir" {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            return word == command;
        }
    }
    false
}

impl Cli {
    /// As `try_parse`, but what knows all commands and their help is not taken apart again: the process ends soon,
    /// and that is a tenth of a tick's instructions.
    /// `variables`: the names of all there are.
    pub(crate) fn parse(variables: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        if let Some(plain) = plain::parse_plain_run(std::env::args_os().skip(1), variables) {
            return Ok(plain);
        }
        let mut known = ManuallyDrop::new(Self::command());
        let mut matches = known.try_get_matches_from_mut(help::with_flags_for_words(std::env::args_os()))?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut known))
    }

    #[must_use]
    pub fn config_sources(&self) -> Sources<'_> {
        const NO_FLAGS: &PlanFlags = &PlanFlags(Vec::new());
        let (plan, only, only_by) = match &self.command {
            Command::Run(run) => (&run.plan, run.only.as_slice(), "--only"),
            Command::Status(asked) => (&asked.asking.plan, asked.asking.names.as_slice(), "NAME"),
            Command::Why(asking) | Command::Config { command: ConfigCommand::Show(asking) } => {
                (&asking.plan, asking.names.as_slice(), "NAME")
            }
            Command::Check(check) => (&check.plan, check.targets.as_slice(), "NAME"),
            Command::Simulate(asked) => (&asked.plan, std::slice::from_ref(&asked.name), "NAME"),
            Command::Reset(asked) => (&asked.plan, asked.names.as_slice(), "NAME"),
            Command::Pause(asked) => (&asked.plan, asked.whom.selected_names(), "NAME"),
            Command::Resume(asked) => (&asked.plan, asked.whom.selected_names(), "NAME"),
            Command::Paused(asked) => (&asked.plan, asked.whom.selected_names(), "NAME"),
            Command::Config { command: ConfigCommand::Check(plan) } => (&**plan, [].as_slice(), "NAME"),
            Command::Completions { .. }
            | Command::Config { command: ConfigCommand::Keys { .. } }
            | Command::Demo
            | Command::DemoServer { .. }
            | Command::DemoRestart { .. } => (NO_FLAGS, [].as_slice(), "NAME"),
        };
        Sources { place: &self.place, plan, only, only_by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("unhang").chain(line.split(' ')))
    }

    fn typed(line: &str) -> Vec<(&'static str, String)> {
        let cli = parse(line).unwrap();
        cli.config_sources().plan.0.iter().map(|typed| (typed.flag, typed.text.clone())).collect()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn places_may_stand_before_or_after_the_command() {
        for line in [
            "--config a --state-dir b run",
            "config check --config a --state-dir b",
            "--config a demo --state-dir b",
        ] {
            let cli = parse(line).unwrap();
            assert_eq!(
                (cli.place.config, cli.place.state_dir),
                (Some("a".into()), Some("b".into())),
                "{line}"
            );
        }
    }

    #[test]
    fn every_variable_is_its_flag_and_nothing_else() {
        for (_, flag) in KeyRow::all_flags() {
            let mirrored = format!("UNHANG_{}", flag.name.replace('-', "_").to_uppercase());
            match flag.variable {
                Some(variable) => assert_eq!(variable, mirrored),
                None => assert_eq!(flag.name, "header"),
            }
        }
    }

    #[test]
    fn what_was_not_typed_is_absent() {
        assert_eq!(typed("run"), []);
        assert_eq!(typed("demo"), []);
    }

    #[test]
    fn values_stay_as_they_were_typed() {
        assert_eq!(
            typed("run --max-failures two --timeout= --budget-window -3"),
            [("timeout", String::new()), ("max-failures", "two".into()), ("budget-window", "-3".into()),]
        );
        assert_eq!(
            typed("config check --header a:b --header c"),
            [("header", "a:b".into()), ("header", "c".into())]
        );
    }

    #[test]
    fn insecure_needs_no_value_and_takes_one() {
        assert_eq!(typed("run --insecure --dry-run"), [("insecure", "true".into())]);
        assert_eq!(typed("run --insecure=no"), [("insecure", "no".into())]);
    }

    #[test]
    fn usage_errors() {
        for (line, kind) in [
            ("run --nonsense", ErrorKind::UnknownArgument),
            ("run shop", ErrorKind::UnknownArgument),
            ("run --url", ErrorKind::InvalidValue),
            ("run --timeout 1s --timeout 2s", ErrorKind::ArgumentConflict),
            ("config", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
            ("demo --url x", ErrorKind::UnknownArgument),
            ("-V", ErrorKind::DisplayVersion),
            ("run --help", ErrorKind::DisplayHelp),
        ] {
            assert_eq!(parse(line).unwrap_err().kind(), kind, "{line}");
        }
        assert_eq!(parse("run --nonsense").unwrap_err().exit_code(), 2);
    }

    #[test]
    fn only_and_its_friends() {
        let cli = parse("run --only a --only b --dry-run -v").unwrap();
        assert_eq!(cli.config_sources().only, ["a", "b"]);
        let Command::Run(run) = cli.command else { panic!() };
        assert!(run.dry_run && run.verbose);
    }

    #[test]
    fn check_is_recognised_also_where_the_rest_cannot_be_read() {
        for (line, is_check) in [
            ("check --nonsense", true),
            ("--config f check --x", true),
            ("--config=f --state-dir d check", true),
            ("config check", false),
            ("run --only check", false),
            ("--nonsense", false),
            ("--config check", false),
        ] {
            assert_eq!(step_names("check", line.split(' ').map(OsString::from)), is_check, "{line}");
        }
    }

    #[test]
    fn a_variable_that_is_nearly_one_of_ours_was_meant_to_be() {
        let names = ["UNHANG_MDOE", "UNHANG_MODE", "UNHANG_STATE_DIR", "UNHANG_HOST_DIR", "UNHANG_", "MDOE"];
        let told = mistyped_variables(names.map(OsString::from));
        assert_eq!(told, ["UNHANG_MDOE: no such variable; did you mean UNHANG_MODE?"]);
    }

    #[test]
    fn a_target_with_a_slash_is_a_url() {
        let url = |line: &str| {
            let Command::Check(check) = parse(line).unwrap().command else { panic!() };
            check.single_url().map(str::to_owned)
        };
        assert_eq!(url("check shop blog"), None);
        assert_eq!(url("check http://localhost/"), Some("http://localhost/".into()));
        assert_eq!(url("check localhost:8000/health"), Some("localhost:8000/health".into()));
    }

    #[test]
    fn what_the_demo_starts_is_not_in_the_help() {
        let help = Cli::command().render_help().to_string();
        assert!(help.contains("demo ") && !help.contains("demo-"), "{help}");
        assert!(parse("demo-server x").is_ok() && parse("demo-restart x").is_ok());
    }
}
