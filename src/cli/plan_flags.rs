//! The flags that stand for keys of the configuration: one table, one way to read them.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command as Definition, FromArgMatches};

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
    fn augment_args(command: Definition) -> Definition {
        with_plan_flags(command)
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
