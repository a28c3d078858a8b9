//! A page of the manual, read as mdoc(7) has it: sections, parts, items, flags, displays.

use crate::{Names, source};

/// A page in mdoc(7), line by line.
pub(crate) struct Page {
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) section: String,
    pub(crate) part: String,
    /// Without what only a formatter needs.
    pub(crate) text: String,
    pub(crate) in_display: bool,
}

impl Page {
    pub(crate) fn read(name: &str) -> Self {
        let (mut section, mut part, mut in_display) = (String::new(), String::new(), false);
        let mut lines = Vec::new();
        for line in source(&format!("man/{name}")).lines().filter(|line| !line.starts_with(".\\\"")) {
            let text = plain(line);
            if let Some(name) = text.strip_prefix(".Sh ") {
                (section, part) = (name.to_owned(), String::new());
            } else if let Some(name) = text.strip_prefix(".Ss ") {
                name.clone_into(&mut part);
            } else if text.starts_with(".Bd ") || text == ".Ed" {
                in_display = text != ".Ed";
            } else {
                lines.push(Line { section: section.clone(), part: part.clone(), text, in_display });
                continue;
            }
            let text = String::new();
            lines.push(Line { section: section.clone(), part: part.clone(), text, in_display: false });
        }
        Self { lines }
    }

    /// The names of the subsections.
    pub(crate) fn parts(&self, section: &str) -> Names {
        let of_section = self.lines.iter().filter(|line| line.section == section && !line.part.is_empty());
        of_section.map(|line| line.part.clone()).collect()
    }

    pub(crate) fn items_of(&self, section: &str) -> Vec<&Line> {
        let items: Vec<&Line> = self
            .lines
            .iter()
            .filter(|line| line.section == section && line.text.starts_with(".It "))
            .collect();
        assert!(!items.is_empty(), "{section}");
        items
    }

    pub(crate) fn items(&self, section: &str, part: &str) -> Vec<&Line> {
        self.items_of(section).into_iter().filter(|item| item.part == part).collect()
    }

    /// Of the items' headings.
    pub(crate) fn item_flags(&self, section: &str, part: &str) -> Names {
        self.items(section, part).into_iter().flat_map(Line::flags).collect()
    }

    /// The commands that follow upon `.Nm`.
    pub(crate) fn synopsis(&self) -> Names {
        let pairs = self.lines.iter().zip(self.lines.iter().skip(1));
        let starts = pairs.filter(|(name, _)| name.section == "SYNOPSIS" && name.text == ".Nm");
        starts.filter_map(|(_, next)| Some(next.text.strip_prefix(".Cm ")?.to_owned())).collect()
    }

    /// Literal text, with its section.
    pub(crate) fn displays(&self) -> Vec<(String, Vec<String>)> {
        let runs = self.lines.chunk_by(|a, b| a.in_display == b.in_display);
        let displays = runs.filter(|run| run[0].in_display);
        displays
            .map(|run| (run[0].section.clone(), run.iter().map(|line| line.text.clone()).collect()))
            .collect()
    }
}

impl Line {
    /// The words of a macro line; none of a line of text.
    pub(crate) fn words(&self) -> Vec<&str> {
        let is_macro = self.text.starts_with('.') && !self.in_display;
        if is_macro { self.text[1..].split_whitespace().collect() } else { vec![] }
    }

    /// `Fl Fl only` is `--only`, `Fl v` is `-v`.
    pub(crate) fn flags(&self) -> Names {
        let words = self.words();
        let mut flags = Names::new();
        for (at, _) in words.iter().enumerate().filter(|(_, word)| **word == "Fl") {
            match (words.get(at + 1), words.get(at + 2)) {
                (Some(&"Fl"), Some(name)) => flags.insert(format!("--{name}")),
                (Some(name), _) if at == 0 || words[at - 1] != "Fl" => flags.insert(format!("-{name}")),
                _ => false,
            };
        }
        flags
    }

    /// What follows upon a macro, up to the next one.
    pub(crate) fn after(&self, wanted: &str) -> Names {
        let words = self.words();
        let mut found = Names::new();
        let mut inside = false;
        for word in words {
            let is_macro = word.len() == 2 && word.starts_with(|c: char| c.is_ascii_uppercase());
            if is_macro {
                inside = word == wanted;
            } else if inside && word.len() > 1 {
                found.insert(word.to_owned());
            }
        }
        found
    }

    /// Of an item: `.It Cm budget`, `.It 75`.
    pub(crate) fn heading(&self) -> String {
        self.words().into_iter().find(|word| !["It", "Cm"].contains(word)).unwrap().to_owned()
    }
}

/// The words after `unhang` in a line that one could type.
pub(crate) fn typed(text: &str) -> Option<Vec<String>> {
    let (before, after) = text.split_once("unhang ")?;
    let is_command = !text.starts_with('.') && (before.is_empty() || before.ends_with('/'));
    // Behind `--` stands somebody else's command.
    let own = after.split(['|', '>']).next()?.split(" -- ").next()?;
    is_command.then(|| own.split_whitespace().map(str::to_owned).collect())
}

pub(crate) fn plain(line: &str) -> String {
    let mut text = line.to_owned();
    for (escape, plain) in [("\\-", "-"), ("\\(dq", "\""), ("\\(aq", "'"), ("\\&", ""), ("\\e", "\\")] {
        text = text.replace(escape, plain);
    }
    text
}
