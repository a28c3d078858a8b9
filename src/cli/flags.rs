//! The flags that stand for keys of the configuration: one table, one way to read them.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command as Definition, FromArgMatches};

use crate::keys::{KeyRow, Takes};

/// The flags that stand for keys of the configuration, as typed, in the order of the table of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PlanFlags(pub(crate) Vec<Typed>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    /// As in the table of keys, without the dashes.
    pub(crate) flag: &'static str,
    /// `None`: typed as a flag. Otherwise the variable that it was read from.
    pub(crate) variable: Option<&'static str>,
    pub(crate) text: String,
}

impl Args for PlanFlags {
    fn augment_args(command: Definition) -> Definition {
        with_plan_flags(command)
    }

    fn augment_args_for_update(command: Definition) -> Definition {
        Self::augment_args(command)
    }
}

fn with_plan_flags(command: Definition) -> Definition {
    KeyRow::all_flags().fold(
        command.next_help_heading("Instead of a file, or over every service of it"),
        |command, (row, flag)| {
            let arg = Arg::new(flag.name)
                .long(flag.name)
                .value_name(flag.takes)
                .help(row.help_text())
                .hide_env(true) // said once below, instead of 24 times
                .allow_negative_numbers(true);
            let arg = match flag.variable {
                Some(variable) => arg.env(variable),
                None => arg.action(ArgAction::Append),
            };
            command.arg(if row.takes == Takes::Truth { may_stand_alone(arg) } else { arg })
        },
    )
}

/// A value all the same, so that `UNHANG_INSECURE=no` means no.
fn may_stand_alone(arg: Arg) -> Arg {
    arg.num_args(0..=1).require_equals(true).default_missing_value("true")
}

impl FromArgMatches for PlanFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let typed = KeyRow::all_flags().flat_map(|(_, flag)| {
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
