//! What was typed, and the environment that stands for flags. No file is read here, no default
//! computed, no value judged but the shape of the command line: a flag that was not given is absent.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{
    Arg, ArgAction, ArgMatches, Args, Command as Definition, CommandFactory, FromArgMatches, Parser,
    Subcommand, ValueEnum,
};
use clap_complete::{generate, shells};

/// Restarts a service that is running but no longer answers
///
/// cron or a systemd timer runs `unhang run` every 2 minutes. It asks the health URL of each service,
/// counts failures in a row, restarts the unit when there are too many, proves that this helped, and
/// logs each act. A healthy service is never restarted, and `run` is silent while all is well.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where unhang's own files are; may stand before or after the command.
#[derive(Debug, Default, Args)]
pub(crate) struct Place {
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
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),
    /// Probe now and touch nothing; one line, and the exit status of a monitoring plugin
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// How each service is, as the last run left it; probes nothing
    #[command(after_help = STATUS_EXAMPLES)]
    Status(Asking),
    /// Why it did or did not act, and when the next restart can be
    Why(Asking),
    /// Clear streak, backoff and budget, as if nothing had been restarted
    Reset {
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        #[command(flatten)]
        plan: PlanFlags,
    },
    /// The configuration: is it right?
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Words for the shell to complete, on stdout
    #[command(after_help = COMPLETIONS_EXAMPLES)]
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

#[expect(clippy::struct_field_names, reason = "each is named as its flag is")]
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Only this service (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Say what would be done; take no lock, write nothing, restart nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Copy log lines to stderr: under cron, the mail then holds exactly the events
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) plan: PlanFlags,
}

/// What is probed now.
#[derive(Debug, Args)]
pub(crate) struct Check {
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

impl Check {
    /// No NAME holds a `/`, which every URL does.
    pub(crate) fn url(&self) -> Option<&str> {
        self.targets.iter().map(String::as_str).find(|target| target.contains('/'))
    }
}

/// What only reads what is remembered.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// Only these services
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// For programs; the objects carry a schema version
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) plan: PlanFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The script that completes unhang's commands and flags in `shell`.
pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let (mut script, whole) = (Vec::new(), Cli::command());
    // Hidden commands are not for typing.
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let mut command = Definition::new("unhang").args(whole.get_arguments().cloned()).subcommands(shown);
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, "unhang", &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut command, "unhang", &mut script),
        Shell::Fish => generate(shells::Fish, &mut command, "unhang", &mut script),
    }
    script
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read it as `run` would, name every fault, probe nothing
    Check {
        #[command(flatten)]
        plan: PlanFlags,
    },
    /// Every effective value and where it came from; secrets stay hidden
    Show(Asking),
}

/// All that a plan is made from, as typed: what `config` asks for.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) place: &'a Place,
    pub(crate) plan: &'a PlanFlags,
    /// The services asked for; none: all.
    pub(crate) only: &'a [String],
    /// How they were named: `--only`, or as words of their own.
    pub(crate) only_by: &'static str,
}

/// Was `check` meant, whose every error is UNKNOWN? For a command line that could not be read.
pub(crate) fn means_check(words: impl IntoIterator<Item = OsString>) -> bool {
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--config" || word == "--state-dir" {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            return word == "check";
        }
    }
    false
}

impl Cli {
    pub(crate) fn sources(&self) -> Sources<'_> {
        const NO_FLAGS: &PlanFlags = &PlanFlags(Vec::new());
        let (plan, only, only_by) = match &self.command {
            Command::Run(run) => (&run.plan, run.only.as_slice(), "--only"),
            Command::Status(asking)
            | Command::Why(asking)
            | Command::Config { command: ConfigCommand::Show(asking) } => {
                (&asking.plan, asking.names.as_slice(), "NAME")
            }
            Command::Check(check) => (&check.plan, check.targets.as_slice(), "NAME"),
            Command::Reset { names, plan } => (plan, names.as_slice(), "NAME"),
            Command::Config { command: ConfigCommand::Check { plan } } => (plan, [].as_slice(), "NAME"),
            Command::Completions { .. }
            | Command::Demo
            | Command::DemoServer { .. }
            | Command::DemoRestart { .. } => (NO_FLAGS, [].as_slice(), "NAME"),
        };
        Sources { place: &self.place, plan, only, only_by }
    }
}

/// The flags that stand for keys of the configuration, as typed, in the order of [`PLAN_FLAGS`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PlanFlags(pub(crate) Vec<Typed>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    /// As in [`PLAN_FLAGS`], without the dashes.
    pub(crate) flag: &'static str,
    /// `None`: typed as a flag. Otherwise the variable that it was read from.
    pub(crate) variable: Option<&'static str>,
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) struct PlanFlag {
    pub(crate) name: &'static str,
    pub(crate) variable: Option<&'static str>,
    takes: &'static str,
    pub(crate) help: &'static str,
}

const fn flag(
    name: &'static str,
    variable: &'static str,
    takes: &'static str,
    help: &'static str,
) -> PlanFlag {
    PlanFlag { name, variable: Some(variable), takes, help }
}

/// One line per flag instead of a field each: they differ in nothing but these words, and `config`
/// reads them all in one way. (The defaults are told here for `--help` only; a test compares them.)
#[rustfmt::skip]
pub(crate) const PLAN_FLAGS: [PlanFlag; 25] = [
    flag("url", "UNHANG_URL", "URL", "The health URL; with --unit or --restart-command, no file is read"),
    flag("unit", "UNHANG_UNIT", "UNIT", "The systemd unit to restart"),
    flag("restart-command", "UNHANG_RESTART_COMMAND", "COMMAND", "Instead of a unit: words split at white space, or a list '[\"cmd\", \"an argument\"]'; no shell"),
    flag("name", "UNHANG_NAME", "NAME", "What log lines call the service"),
    flag("method", "UNHANG_METHOD", "METHOD", "How to ask [default: GET]"),
    // No variable: one could not hold several, and would be inherited by every child.
    PlanFlag { name: "header", variable: None, takes: "NAME: VALUE", help: "Send this header too (repeatable; others can see it in the process list)" },
    flag("status", "UNHANG_STATUS", "LIST", "What counts as healthy, such as 200,204 or 2xx or 200-399 [default: 200]"),
    flag("redirects", "UNHANG_REDIRECTS", "N", "Redirects to follow [default: 0]"),
    flag("timeout", "UNHANG_TIMEOUT", "TIME", "For the whole request, connect included [default: 5s]"),
    flag("ca-file", "UNHANG_CA_FILE", "FILE", "Trust these certificates too (https only)"),
    flag("insecure", "UNHANG_INSECURE", "true|false", "Trust every certificate (https only) [default: false]"),
    flag("max-failures", "UNHANG_MAX_FAILURES", "N", "Failures in a row that lead to a restart [default: 2]"),
    flag("min-successes", "UNHANG_MIN_SUCCESSES", "N", "Healthy answers in a row that end an incident [default: 1]"),
    flag("grace", "UNHANG_GRACE", "TIME", "Failures are not counted for so long after the unit started [default: 30s]"),
    flag("verify", "UNHANG_VERIFY", "TIME", "How long a restarted service may take to be healthy, --grace at least [default: 30s]"),
    flag("min-gap", "UNHANG_MIN_GAP", "TIME", "A failure sooner than this after the last one is not counted [default: 45s]"),
    flag("stale-after", "UNHANG_STALE_AFTER", "TIME", "After a longer gap counting starts anew [default: 10m]"),
    flag("budget-restarts", "UNHANG_BUDGET_RESTARTS", "N", "At most so many restarts [default: 5]"),
    flag("budget-window", "UNHANG_BUDGET_WINDOW", "TIME", "... within this time [default: 1h]"),
    flag("backoff-first", "UNHANG_BACKOFF_FIRST", "TIME", "Wait after a restart, doubled each time until healthy for 10 min [default: 2m]"),
    flag("backoff-max", "UNHANG_BACKOFF_MAX", "TIME", "... up to this [default: 1h]"),
    flag("mode", "UNHANG_MODE", "act|observe", "observe: everything but the restart [default: act]"),
    flag("log-file", "UNHANG_LOG_FILE", "FILE", "Where acts are logged [default: /var/log/NAME-monitor.log]"),
    flag("deadline", "UNHANG_DEADLINE", "TIME", "The whole run ends by then [default: 110s]"),
    flag("boot-grace", "UNHANG_BOOT_GRACE", "TIME", "No restarts for so long after boot [default: 2m]"),
];

impl Args for PlanFlags {
    /// Only for the command that was typed: built for all of them, they would double the cost of a tick.
    fn augment_args(command: Definition) -> Definition {
        command.defer(with_plan_flags)
    }

    fn augment_args_for_update(command: Definition) -> Definition {
        Self::augment_args(command)
    }
}

fn with_plan_flags(command: Definition) -> Definition {
    PLAN_FLAGS.iter().fold(
        command.next_help_heading("Instead of a file, or over every service of it"),
        |command, flag| {
            let arg = Arg::new(flag.name)
                .long(flag.name)
                .value_name(flag.takes)
                .help(flag.help)
                .hide_env(true) // said once below, instead of 24 times
                .allow_negative_numbers(true);
            let arg = match flag.variable {
                Some(variable) => arg.env(variable),
                None => arg.action(ArgAction::Append),
            };
            command.arg(if flag.name == "insecure" { may_stand_alone(arg) } else { arg })
        },
    )
}

/// A value all the same, so that `UNHANG_INSECURE=no` means no.
fn may_stand_alone(arg: Arg) -> Arg {
    arg.num_args(0..=1).require_equals(true).default_missing_value("true")
}

impl FromArgMatches for PlanFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let typed = PLAN_FLAGS.iter().flat_map(|flag| {
            let variable = match matches.value_source(flag.name) {
                Some(ValueSource::EnvVariable) => flag.variable,
                _ => None,
            };
            let texts = matches.get_many::<String>(flag.name).into_iter().flatten();
            texts.map(move |text| Typed { flag: flag.name, variable, text: text.clone() })
        });
        // VARIABLE= is how a unit file or a crontab takes a variable back.
        Ok(Self(typed.filter(|typed| typed.variable.is_none() || !typed.text.is_empty()).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

const EXAMPLES: &str = "\
Examples:
  unhang demo                 see it work, in a folder of its own
  unhang config check         is /etc/unhang/unhang.toml right?
  unhang check                is each service healthy now?
  unhang run --dry-run        what would one run do now?
  unhang status               how is each service, and does cron run?
  unhang why shop             why was it (not) restarted, and when can it be?
  unhang run                  one run; in root's crontab:  */2 * * * * /usr/local/bin/unhang run";

const RUN_EXAMPLES: &str = "\
Each flag of the second list but --header is also an environment variable: UNHANG_MAX_FAILURES is
--max-failures. A flag beats its variable, and both beat the file.

Examples:
  unhang run
  unhang run --dry-run --only shop
  unhang run --mode observe -v
  unhang run --unit shop --url http://localhost:8000/health/
  unhang run --name shop --restart-command 'docker restart shop' --url http://localhost:8000/

Exit status: 0 all healthy; 1 some service is not, or was restarted without being healed;
2 usage or configuration; 3 some state unusable; 75 another run held every lock";

const CHECK_EXAMPLES: &str = "\
Examples:
  unhang check                            every service, in one line
  unhang check shop -v                    with times, the unit, and what the next run would do
  unhang check http://localhost:8000/health/
  unhang check unix:/run/gunicorn.sock:/health/ --timeout 2s
  if unhang check shop; then echo fine; fi

Exit status: 0 OK; 1 WARNING, healthy, but no run came for long; 2 CRITICAL, not healthy;
3 UNKNOWN, it could not be told, or usage or configuration";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  unhang completions bash | sudo tee /usr/share/bash-completion/completions/unhang >/dev/null
  unhang completions zsh | sudo tee /usr/local/share/zsh/site-functions/_unhang >/dev/null
  unhang completions fish >~/.config/fish/completions/unhang.fish";

const STATUS_EXAMPLES: &str = "\
Examples:
  unhang status
  unhang status shop --json
  watch unhang status

Next: `unhang why NAME` says what holds a service, and when it can be restarted.

Exit status: 0; 2 usage or configuration";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("unhang").chain(line.split(' ')))
    }

    fn typed(line: &str) -> Vec<(&'static str, String)> {
        let cli = parse(line).unwrap();
        cli.sources().plan.0.iter().map(|typed| (typed.flag, typed.text.clone())).collect()
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
        for flag in &PLAN_FLAGS {
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
        assert_eq!(cli.sources().only, ["a", "b"]);
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
            assert_eq!(means_check(line.split(' ').map(OsString::from)), is_check, "{line}");
        }
    }

    #[test]
    fn a_target_with_a_slash_is_a_url() {
        let url = |line: &str| {
            let Command::Check(check) = parse(line).unwrap().command else { panic!() };
            check.url().map(str::to_owned)
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
