//! What the person's terminal can show, and how much of it they asked for.

/// How much is asked: systemd and the state are, only if somebody wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    Short,
    Full,
}

/// Is a person looking, on something that shows colours?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorMode {
    Plain,
    Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    pub style: ColorMode,
    /// In characters. `None`: no terminal, or one that does not say.
    pub width: Option<usize>,
}

impl Terminal {
    /// Lines that would be cut in the middle of a word are folded between two, and go on further in.
    pub(crate) fn wrap(&self, line: &str) -> Vec<String> {
        let room = self.width.unwrap_or(usize::MAX);
        let mut lines: Vec<String> = Vec::new();
        for word in line.split(' ') {
            let used = lines.last().map(|line| line.chars().count());
            let fits = used.is_some_and(|used| used + 1 + word.chars().count() <= room);
            match lines.last_mut() {
                None => lines.push(word.to_owned()),
                Some(line) if fits => line.extend([" ", word]),
                Some(_) => lines.push(format!("  {word}")),
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_between_words() {
        let fold = |width: Option<usize>, line: &str| Terminal { style: ColorMode::Plain, width }.wrap(line);
        assert_eq!(fold(Some(10), "one two three four"), ["one two", "  three", "  four"]);
        assert_eq!(fold(Some(7), "one two"), ["one two"]);
        assert_eq!(fold(Some(4), "a_long_word b"), ["a_long_word", "  b"]);
        assert_eq!(fold(None, "one  two three"), ["one  two three"]);
        assert_eq!(fold(Some(80), ""), [""]);
    }
}
