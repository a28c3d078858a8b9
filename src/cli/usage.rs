//! What was typed and is no command line of unhang's: one line with what is wrong and what to type next.
//! Pure; from clap's error and the definition of the command line.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use crate::cli::Cli;
use crate::suggest;

/// `None`: help or the version was asked for, or nothing at all was typed, which clap answers. `typed`:
/// without the program's name.
#[expect(clippy::wildcard_enum_match_arm, reason = "an open enum")]
pub(crate) fn usage_fault(error: &clap::Error, typed: &[String]) -> Option<String> {
    let mut root = Cli::command();
    root.build();
    let what = error_context(error, ContextKind::InvalidArg);
    // `--timeout <TIME>`
    let flag = what.split_once(' ').map_or(what.as_str(), |(flag, _)| flag);
    let until = typed.iter().position(|word| word.split('=').next() == Some(flag)).unwrap_or(typed.len());
    let before = typed.get(..until).unwrap_or_default();
    let command = TypedCommand::find(before, &root);
    Some(match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => return None,
        ErrorKind::MissingSubcommand => {
            format!("{}: needs a command; see {} --help", command.command_path(), command.line)
        }
        ErrorKind::InvalidSubcommand => {
            command.unknown_command(&error_context(error, ContextKind::InvalidSubcommand))
        }
        ErrorKind::UnknownArgument if flag.starts_with('-') => command.unknown_flag(flag, &root),
        ErrorKind::UnknownArgument => command.extra_word(&what, before.last()),
        ErrorKind::MissingRequiredArgument if what.contains("NAME") => {
            format!("{}: needs a NAME or --all; unhang status lists the names", command.command_path())
        }
        ErrorKind::MissingRequiredArgument if what.contains("COMMAND") => {
            format!("{}: needs a command; type {} NAME -- COMMAND", command.command_path(), command.line)
        }
        ErrorKind::MissingRequiredArgument => {
            format!(
                "{}: lacks {}; {} --help says more",
                command.command_path(),
                strip_brackets(&what),
                command.line
            )
        }
        ErrorKind::InvalidValue if error_context(error, ContextKind::InvalidValue).is_empty() => {
            if until == typed.len() {
                let variable = flag.trim_start_matches('-').replace('-', "_").to_uppercase();
                return Some(format!("UNHANG_{variable}: is empty; unset it or give it a value"));
            }
            format!("{flag}: needs a value; type {}", strip_brackets(&what))
        }
        ErrorKind::InvalidValue => {
            let (known, got) = (
                error_context(error, ContextKind::ValidValue),
                error_context(error, ContextKind::InvalidValue),
            );
            format!(
                "{}: must be one of {known}, got \"{got}\"; {} --help says more",
                strip_brackets(flag),
                command.line
            )
        }
        ErrorKind::TooManyValues => format!("{flag}: takes no value; type {flag} alone"),
        ErrorKind::ArgumentConflict => match error_context(error, ContextKind::PriorArg) {
            other if other == what => format!("{flag}: given twice; keep one"),
            other => format!(
                "{}: does not go with {}; keep one of the two",
                strip_brackets(flag),
                strip_brackets(&other)
            ),
        },
        _ => {
            format!("{}: cannot parse the command line; see {} --help", command.command_path(), command.line)
        }
    })
}

/// The fault of a word or a variable that is no UTF-8; clap does not say which one it is.
pub(crate) fn not_utf8(name: &str) -> String {
    format!("{name}: is not UTF-8; give it another value")
}

/// The command that the words typed lead to.
struct TypedCommand<'a> {
    command: &'a Command,
    /// `unhang config`
    line: String,
}

impl<'a> TypedCommand<'a> {
    fn find(typed: &[String], root: &'a Command) -> Self {
        let mut reached = Self { command: root, line: root.get_name().to_owned() };
        let mut words = typed.iter();
        while let Some(word) = words.next() {
            if GLOBAL_FLAGS_WITH_VALUE.contains(&word.as_str()) {
                words.next();
            } else if let Some(command) = reached.command.find_subcommand(word) {
                reached = Self { command, line: format!("{} {word}", reached.line) };
            } else if !word.starts_with('-') {
                // What follows a word that is no command was meant for another.
                break;
            }
        }
        reached
    }

    /// As it is typed, without the program: `config check`.
    fn command_path(&self) -> &str {
        self.line.split_once(' ').map_or(self.line.as_str(), |(_, name)| name)
    }

    /// What `demo` starts for itself is nobody's to type.
    fn unknown_command(&self, typed: &str) -> String {
        let shown = self.command.get_subcommands().filter(|command| !command.is_hide_set());
        let line = &self.line;
        // What acts is proposed for a slip of one letter only: a proposal is soon taken.
        let safe = |near: &&str| !COMMANDS_THAT_ACT.contains(near) || suggest::is_a_slip(typed, near);
        match suggest::suggest(typed, shown.map(Command::get_name).filter(safe)) {
            Some(near) => format!("{typed}: no such command; did you mean {line} {near}?"),
            None => format!("{typed}: no such command; {line} --help lists them"),
        }
    }

    fn unknown_flag(&self, flag: &str, root: &Command) -> String {
        let (line, bare) = (&self.line, flag.trim_start_matches('-'));
        let known = long_flags(self.command);
        if let Some(near) = suggest::suggest(bare, known.iter().copied()) {
            return format!("{flag}: no such flag; did you mean {line} --{near}?");
        }
        let others = root.get_subcommands().filter(|command| !command.is_hide_set());
        let mut owners = others.filter(|command| long_flags(command).contains(&bare)).map(Command::get_name);
        match owners.next() {
            Some(owner) if self.command.has_subcommands() => {
                format!("{flag}: comes after its command; type {line} {owner} {flag}")
            }
            Some(owner) => format!("{flag}: no flag of {line}, but of {owner}; {line} --help lists its own"),
            None => format!("{flag}: no such flag; {line} --help lists them"),
        }
    }

    fn extra_word(&self, word: &str, after: Option<&String>) -> String {
        let line = &self.line;
        let flag = after.and_then(|after| after.strip_prefix("--"));
        if let Some(arg) = self.command.get_arguments().find(|arg| flag.is_some() && arg.get_long() == flag) {
            let flag = flag.unwrap_or_default();
            let or =
                if arg.is_require_equals_set() { format!(", or --{flag}={word}") } else { String::new() };
            return format!("{word}: does not belong to --{flag}; type --{flag} alone{or}");
        }
        if long_flags(self.command).contains(&"only") {
            return format!("{word}: {} takes no NAME alone; type {line} --only {word}", self.command_path());
        }
        format!("{word}: unexpected argument; see {line} --help")
    }
}

/// These change something, or may restart a service.
const COMMANDS_THAT_ACT: [&str; 2] = ["run", "reset"];

/// What the whole command line takes, and is no command though a command's name may follow.
const GLOBAL_FLAGS_WITH_VALUE: [&str; 2] = ["--config", "--state-dir"];

fn long_flags(command: &Command) -> Vec<&str> {
    command.get_arguments().filter_map(|arg| arg.get_long()).collect()
}

/// `<SHELL>` as it stands in a sentence.
fn strip_brackets(placeholder: &str) -> String {
    placeholder.replace(['<', '>', '[', ']'], "").trim_end_matches("...").to_owned()
}

fn error_context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(_) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn refused(line: &str) -> Option<String> {
        let typed: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let error = Cli::try_parse_from([&["unhang".to_owned()], typed.as_slice()].concat()).unwrap_err();
        usage_fault(&error, &typed)
    }

    #[rustfmt::skip]
    #[test]
    fn each_refused_line_says_what_to_type() {
        for (line, message) in [
            ("statsu", "statsu: no such command; did you mean unhang status?"),
            ("demo-x", "demo-x: no such command; did you mean unhang demo?"),
            ("demo-restat", "demo-restat: no such command; unhang --help lists them"),
            ("restart shop", "restart: no such command; unhang --help lists them"),
            ("cron", "cron: no such command; unhang --help lists them"),
            ("rn", "rn: no such command; did you mean unhang run?"),
            ("resett shop", "resett: no such command; did you mean unhang reset?"),
            ("cofnig check", "cofnig: no such command; did you mean unhang config?"),
            ("help", "help: no such command; unhang --help lists them"),
            ("config chek", "chek: no such command; did you mean unhang config check?"),
            ("--config config config lint", "lint: no such command; unhang config --help lists them"),
            ("run --timeuot 5s", "--timeuot: no such flag; did you mean unhang run --timeout?"),
            ("run --max_failures=5", "--max_failures: no such flag; did you mean unhang run --max-failures?"),
            ("run --nonsense", "--nonsense: no such flag; unhang run --help lists them"),
            ("run -x", "-x: no such flag; unhang run --help lists them"),
            ("--url http://x run", "--url: comes after its command; type unhang run --url"),
            ("status --only shop", "--only: no flag of unhang status, but of run; unhang status --help lists its own"),
            ("run shop", "shop: run takes no NAME alone; type unhang run --only shop"),
            ("run --insecure yes", "yes: does not belong to --insecure; type --insecure alone, or --insecure=yes"),
            ("run --dry-run shop", "shop: does not belong to --dry-run; type --dry-run alone"),
            ("config check shop", "shop: unexpected argument; see unhang config check --help"),
            ("demo shop", "shop: unexpected argument; see unhang demo --help"),
            ("config --config x", "config: needs a command; see unhang config --help"),
            ("--config x", "unhang: needs a command; see unhang --help"),
            ("reset", "reset: needs a NAME or --all; unhang status lists the names"),
            ("paused shop ./deploy.sh", "paused: needs a command; type unhang paused NAME -- COMMAND"),
            ("completions", "completions: lacks SHELL; unhang completions --help says more"),
            ("completions tcsh", "SHELL: must be one of bash, zsh, fish, got \"tcsh\"; unhang completions --help says more"),
            ("run --timeout", "--timeout: needs a value; type --timeout TIME"),
            ("run --timeout 1s --timeout 2s", "--timeout: given twice; keep one"),
            ("pause --all shop", "--all: does not go with NAME; keep one of the two"),
            ("resume shop --all", "NAME: does not go with --all; keep one of the two"),
            ("paused --all shop -- ./deploy.sh", "--all: does not go with NAME; keep one of the two"),
            ("run --every 2m --dry-run", "--every: does not go with --dry-run; keep one of the two"),
            ("run --dry-run=yes", "--dry-run: takes no value; type --dry-run alone"),
        ] {
            assert_eq!(refused(line).as_deref(), Some(message), "{line}");
        }
        for line in ["--help", "run --help", "-V", "config"] {
            assert_eq!(refused(line), None, "{line}");
        }
    }
}
