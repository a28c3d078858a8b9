//! Arguments that are defined only for the command that was typed: those of all commands together would double
//! the cost of a tick.

use std::ops::Deref;

use clap::{ArgMatches, Args, Command, FromArgMatches};

#[derive(Debug)]
pub(crate) struct Deferred<T>(T);

impl<T> Deferred<T> {
    pub(super) const fn from_args(arguments: T) -> Self {
        Self(arguments)
    }
}

impl<T> Deref for Deferred<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Args> Args for Deferred<T> {
    /// A command can be deferred once: nothing within `T` may be late, too.
    fn augment_args(command: Command) -> Command {
        command.defer(full_help::<T>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(T::augment_args_for_update)
    }
}

/// What the command is for stands where it is named, and not with its arguments.
fn full_help<T: Args>(command: Command) -> Command {
    let about = command.get_about().cloned();
    let with_arguments = T::augment_args(command);
    match about {
        Some(about) => with_arguments.about(about),
        None => with_arguments,
    }
}

impl<T: FromArgMatches> FromArgMatches for Deferred<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}
