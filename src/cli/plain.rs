//! The command lines of crontabs, read without clap, which takes a third of a healthy tick's instructions to learn
//! what all the commands are: `run`, with flags that each have a value of their own behind them. Whatever is said in
//! any other way, or might be wrong, is left to clap: what is read here is read there alike.

use std::ffi::OsString;

use super::deferred::Deferred;
use super::flags::{PlanFlags, Typed};
use super::{Cli, Command, PlaceArgs, RunArgs};
use crate::keys::{KeyRow, Takes};

/// `words`: without the program's name. `variables`: the names of all there are. `None`: not so plain.
pub(super) fn parse_plain_run(
    words: impl IntoIterator<Item = OsString>,
    mut variables: impl Iterator<Item = OsString>,
) -> Option<Cli> {
    if variables.any(|name| name.as_encoded_bytes().starts_with(b"UNHANG_")) {
        return None;
    }
    let mut place = PlaceArgs::default();
    let mut run = None;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let word = word.to_str()?;
        match (word, &mut run) {
            ("run", run @ None) => *run = Some(RunArgs::default()),
            ("--config", _) => set_once(&mut place.config, next_value(&mut words)?.into())?,
            ("--state-dir", _) => set_once(&mut place.state_dir, next_value(&mut words)?.into())?,
            ("-v" | "--verbose", Some(run)) if !run.verbose => run.verbose = true,
            ("--only", Some(run)) => run.only.push(next_value(&mut words)?),
            (flag, Some(run)) => plan_flag(flag, &mut run.plan, &mut words)?,
            (_, None) => return None,
        }
    }
    let mut run = run?;
    run.plan.0.sort_by_key(|typed| KeyRow::all_flags().position(|(_, flag)| flag.name == typed.flag));
    Some(Cli { place, command: Command::Run(Deferred::from_args(run)) })
}

fn plan_flag(word: &str, plan: &mut PlanFlags, words: &mut impl Iterator<Item = OsString>) -> Option<()> {
    let name = word.strip_prefix("--")?;
    // That one needs no value.
    let (_, flag) = KeyRow::all_flags().find(|(row, flag)| flag.name == name && row.takes != Takes::Truth)?;
    if plan.0.iter().any(|typed| typed.flag == flag.name) {
        return None;
    }
    plan.0.push(Typed { flag: flag.name, variable: None, text: next_value(words)? });
    Some(())
}

fn set_once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// What begins with a dash may be a flag, and what is empty is no path.
fn next_value(words: &mut impl Iterator<Item = OsString>) -> Option<String> {
    let text = words.next()?.into_string().ok()?;
    (!text.is_empty() && !text.starts_with('-')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn plain(words: &[&str]) -> Option<Cli> {
        parse_plain_run(words.iter().map(OsString::from), std::iter::empty())
    }

    #[test]
    fn what_stands_in_crontabs_is_read() {
        for line in [
            "run",
            "run -v",
            "run --verbose --only a --only b",
            "--config /etc/u.toml run --state-dir /var/lib/u",
            "run --unit roams-django --url http://localhost:8000/health/ --name Django --max-failures 3",
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            assert!(plain(&words).is_some(), "{line}");
        }
    }

    #[test]
    fn a_variable_may_stand_for_a_flag() {
        let with = |name: &str| parse_plain_run(["run".into()], [OsString::from(name)].into_iter());
        assert!(with("UNHANG_MODE").is_none() && with("UNHANGED").is_some());
    }

    /// Good ones and bad ones; every two of them meet, before and behind `run`.
    #[rustfmt::skip]
    const PHRASES: [&[&str]; 36] = [
        &[], &["run"], &["check"], &["config", "check"], &["demo"], &["shop"], &["a b"], &[""], &["-"], &["--"], &["-3"],
        &["-v"], &["-vv"], &["--verbose"], &["--only", "a"], &["--only", "b"], &["--only=a"], &["--only"],
        &["--config", "f"], &["--config=f"], &["--config", ""], &["--state-dir", "d"], &["--state-dir", "-d"],
        &["--dry-run"], &["--every", "1m"], &["--mode", "act"], &["--mode", "-x"], &["--mode", ""], &["--url", "http://x/"],
        &["--timeout=1s"], &["--timeout", "1s"], &["--header", "a: b"], &["--insecure"], &["--insecure", "true"],
        &["--nonsense", "x"], &["--help"],
    ];

    #[test]
    fn what_is_read_is_what_clap_reads() {
        let mut read = 0;
        for (one, other) in PHRASES.iter().flat_map(|one| PHRASES.map(|other| (*one, other))) {
            for words in
                [[&["run"], one, other], [one, &["run"], other], [one, other, &[]]].map(|all| all.concat())
            {
                if let Some(plain) = plain(&words) {
                    let clap = Cli::try_parse_from([""].iter().chain(&words));
                    assert_eq!(format!("{plain:?}"), format!("{:?}", clap.unwrap()), "{words:?}");
                    read += 1;
                }
            }
        }
        assert!(read > 100, "{read}");
    }
}
