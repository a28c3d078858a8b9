//! What asks for help, and the help that clap writes, folded for a terminal between words; clap's own way to fold
//! asks for one crate more. Pure.

use std::ffi::OsString;

/// `width`: of the terminal, in characters; `None` folds nothing.
pub(crate) fn fold_help(help: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return help.to_owned() };
    help.split_inclusive('\n').map(|line| folded_line(line, width)).collect()
}

/// Goes on below where its text began: behind the flag, or at the margin.
fn folded_line(line: &str, width: usize) -> String {
    if line.trim_end().chars().count() <= width {
        return line.to_owned();
    }
    let indent =
        text_column(line).filter(|column| *column <= width / 2).unwrap_or_else(|| margin_of(line) + 2);
    let (mut folded, mut used, mut is_at_start) = (String::new(), 0, true);
    for word in line.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if !is_at_start && length > 0 && used + length > width {
            folded.truncate(folded.trim_end().len());
            folded.push('\n');
            folded.extend(std::iter::repeat_n(' ', indent));
            used = indent;
        }
        is_at_start &= length == 0;
        folded.push_str(word);
        used += word.chars().count();
    }
    folded
}

fn margin_of(line: &str) -> usize {
    line.chars().take_while(|c| *c == ' ').count()
}

/// The column where the text of a line of help begins: 15 for `  --url <URL>  The URL`. `None`: the whole line is text.
fn text_column(line: &str) -> Option<usize> {
    let margin = margin_of(line);
    let behind = line.get(margin..)?;
    let gap = behind.find("  ").filter(|_| margin > 0)?;
    let spaces = behind.get(gap..)?.chars().take_while(|c| *c == ' ').count();
    Some(margin + behind.get(..gap)?.chars().count() + spaces)
}

/// `unhang help run` is `unhang run --help`, and `unhang version` is `unhang --version`.
pub(super) fn with_flags_for_words(typed: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = typed.collect();
    let flag = match words.get(1).and_then(|word| word.to_str()) {
        Some("help") => "--help",
        Some("version") => "--version",
        Some(_) | None => return words,
    };
    words.remove(1);
    words.push(flag.into());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_version_may_be_typed_as_words() {
        for (typed, meant) in [
            ("unhang help", "unhang --help"),
            ("unhang help config check", "unhang config check --help"),
            ("unhang version", "unhang --version"),
            ("unhang run help", "unhang run help"),
            ("unhang", "unhang"),
        ] {
            let words = with_flags_for_words(typed.split(' ').map(OsString::from));
            assert_eq!(words, meant.split(' ').map(OsString::from).collect::<Vec<_>>());
        }
    }

    #[test]
    fn lines_are_folded_between_words_below_their_text() {
        for (line, width, expected) in [
            ("one two three\n", 9, "one two\n  three\n"),
            ("  --url <URL>  a health URL\n", 30, "  --url <URL>  a health URL\n"),
            ("  --url <URL>  a health URL\n", 25, "  --url <URL>  a health\n    URL\n"),
            ("  -v  a b c d e f g\n", 12, "  -v  a b c\n      d e f\n      g\n"),
            ("averylongword b\n", 5, "averylongword\n  b\n"),
            ("\n", 5, "\n"),
        ] {
            assert_eq!(fold_help(line, Some(width)), expected, "{line:?}");
            assert_eq!(fold_help(line, None), line);
        }
    }

    #[test]
    fn no_word_of_the_help_is_lost_and_no_line_too_long() {
        use clap::CommandFactory;
        let mut root = crate::cli::Cli::command();
        root.build();
        let names: Vec<String> = root.get_subcommands().map(|one| one.get_name().to_owned()).collect();
        for name in names {
            let help = root.find_subcommand_mut(&name).unwrap().render_long_help().to_string();
            let folded = fold_help(&help, Some(80));
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&folded), words(&help), "{name}");
            let long: Vec<&str> = folded.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(long.is_empty(), "{name}: {long:?}");
        }
    }
}
