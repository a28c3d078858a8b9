//! The texts that stand in the source, as patterns: what a placeholder stands for is `*`. Reads Rust just
//! well enough for that: comments, attributes and tests are left out, and every literal is found, however
//! it gets to a message.

use std::fs;
use std::path::Path;

#[derive(Debug, Clone)]
pub(crate) struct Literal {
    /// `src/run/restart.rs:66`
    pub(crate) place: String,
    pub(crate) pattern: String,
    /// `{:?}` is in it, which shows Rust and not words.
    pub(crate) shows_rust: bool,
    /// It says what a key is for: `.help("...")`.
    pub(crate) is_help: bool,
}

impl Literal {
    /// Two words at least: a text for people.
    pub(crate) fn is_prose(&self) -> bool {
        let is_word = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() > 1;
        self.pattern.split_whitespace().filter(is_word).count() > 1
    }
}

/// Of every file of the product but `core`, which has no words.
pub(crate) fn literals() -> Vec<Literal> {
    read_all().into_iter().flat_map(|read| read.found).collect()
}

/// What is wrong and what helps, where `Problem::with_cure` is given both as they stand.
pub(crate) fn cures() -> Vec<(Literal, Literal)> {
    read_all().iter().flat_map(Reader::cures).collect()
}

fn read_all() -> Vec<Reader> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["core", "tests", "scenes"].contains(&name.as_str()) {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && name != "tests.rs" {
                let place = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.push(Reader::new(&place, &fs::read_to_string(&path).unwrap()).read());
            }
        }
    }
    found.sort_by(|a: &Reader, b| a.place.cmp(&b.place));
    found
}

struct Reader {
    place: String,
    text: Vec<char>,
    at: usize,
    /// The code so far, with `"` for each literal: what a literal stands in is read off its end.
    code: String,
    found: Vec<Literal>,
}

impl Reader {
    fn new(place: &str, text: &str) -> Self {
        let product = text.split("\nmod tests {").next().unwrap_or_default();
        Self {
            place: place.to_owned(),
            text: product.chars().collect(),
            at: 0,
            code: String::new(),
            found: Vec::new(),
        }
    }

    fn read(mut self) -> Self {
        while let Some(c) = self.peek(0) {
            match c {
                '/' if self.peek(1) == Some('/') => self.skip_while(|c| c != '\n'),
                '#' if self.peek(1) == Some('[') || self.peek(2) == Some('[') => self.skip_attribute(),
                '\'' => self.skip_char_or_lifetime(),
                '"' => self.literal(),
                'r' if self.is_raw() => self.raw(),
                _ => {
                    self.code.push(c);
                    self.at += 1;
                }
            }
        }
        self
    }

    fn cures(&self) -> Vec<(Literal, Literal)> {
        let call = "Problem::with_cure(";
        let at = |start: usize| {
            let literals = arguments(&self.code[start + call.len()..])?;
            let first = self.code[..start].matches('"').count();
            (literals == [1, 1]).then(|| (self.found[first].clone(), self.found[first + 1].clone()))
        };
        self.code.match_indices(call).filter_map(|(start, _)| at(start)).collect()
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn skip_while(&mut self, is_part: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&is_part) {
            self.at += 1;
        }
    }

    /// With the texts in it.
    fn skip_attribute(&mut self) {
        let (found, code) = (self.found.len(), self.code.len());
        self.skip_while(|c| c != '[');
        let mut depth = 0;
        while let Some(c) = self.peek(0) {
            match c {
                '"' => {
                    self.literal();
                    continue;
                }
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        self.found.truncate(found);
        self.code.truncate(code);
    }

    fn skip_char_or_lifetime(&mut self) {
        let is_escape = self.peek(1) == Some('\\');
        if is_escape {
            self.at += 3;
            self.skip_while(|c| c != '\'');
            self.at += 1;
        } else if self.peek(2) == Some('\'') {
            self.at += 3;
        } else {
            self.at += 1;
        }
    }

    fn is_raw(&self) -> bool {
        let part_of_a_name = self.code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        !part_of_a_name
            && (self.peek(1) == Some('"') || self.peek(1) == Some('#') && self.peek(2) == Some('"'))
    }

    fn raw(&mut self) {
        let end: Vec<char> = if self.peek(1) == Some('"') { vec!['"'] } else { vec!['"', '#'] };
        self.at += end.len() + 1;
        let begin = self.at;
        while !self.text[self.at..].starts_with(&end) {
            self.at += 1;
        }
        let text: String = self.text[begin..self.at].iter().collect();
        self.at += end.len();
        self.keep(&text);
    }

    fn literal(&mut self) {
        let mut text = String::new();
        self.at += 1;
        loop {
            let c = self.peek(0).unwrap_or_else(|| panic!("{}: a literal without an end", self.place));
            self.at += 1;
            match c {
                '"' => break,
                '\\' => self.escape(&mut text),
                c => text.push(c),
            }
        }
        self.keep(&text);
    }

    fn escape(&mut self, text: &mut String) {
        let c = self.peek(0).unwrap();
        self.at += 1;
        match c {
            '\n' => self.skip_while(char::is_whitespace),
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'u' => {
                self.skip_while(|c| c != '}');
                self.at += 1;
                text.push('?');
            }
            'x' => {
                self.at += 2;
                text.push('?');
            }
            other => text.push(other),
        }
    }

    fn keep(&mut self, text: &str) {
        let line = self.text[..self.at].iter().filter(|c| **c == '\n').count() + 1;
        let is_format = self.is_format();
        let is_help = self.code.trim_end().ends_with(".help(");
        self.code.push('"');
        self.found.push(Literal {
            place: format!("{}:{line}", self.place),
            pattern: if is_format { with_stars(text) } else { text.to_owned() },
            shows_rust: is_format && text.contains("?}"),
            is_help,
        });
    }

    /// The first text of a macro: `format!("`, `bail!("`, `write!(f, "`.
    fn is_format(&self) -> bool {
        let code = self.code.trim_end();
        let Some(open) = code.rfind('(') else { return false };
        let before = &code[..open];
        let is_first = !code[open..].contains('"');
        is_first
            && before.ends_with('!')
            && (code.ends_with('(') || before.ends_with("write!") || before.ends_with("writeln!"))
    }
}

/// How many literals stand in each argument of a call, from behind its bracket on.
fn arguments(code: &str) -> Option<Vec<usize>> {
    let (mut counts, mut depth) = (vec![0], 0);
    for c in code.chars() {
        match c {
            ')' if depth == 0 => return Some(counts),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => counts.push(0),
            '"' => *counts.last_mut()? += 1,
            _ => {}
        }
    }
    None
}

/// `{name}` is `*`, `{{` is a brace.
fn with_stars(text: &str) -> String {
    let mut pattern = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' | '}' if rest.peek() == Some(&c) => {
                rest.next();
                pattern.push(c);
            }
            '{' => {
                rest.by_ref().find(|c| *c == '}');
                pattern.push('*');
            }
            c => pattern.push(c),
        }
    }
    pattern
}

#[test]
fn texts_are_found_however_they_are_written() {
    let source = "// no \"one\"\n#[expect(x, reason = \"no [ two\")]\nlet a: &'a str = f('\"', '\\'', \"three * {x}\");\n\
        fault(format!(\"a {b} {{c}} {0:?}\"));\nwrite!(f, \"x{y:>3}\"); r#\"a \"raw\" one\"#; var(\"d\\\n     e\\\"\");\n\
        \nmod tests {\n\"never\"";
    let found: Vec<(String, bool)> = Reader::new("x", source)
        .read()
        .found
        .into_iter()
        .map(|found| (found.pattern, found.shows_rust))
        .collect();
    let plain = |text: &str| (text.to_owned(), false);
    let expected = [
        plain("three * {x}"),
        ("a * {c} *".to_owned(), true),
        plain("x*"),
        plain("a \"raw\" one"),
        plain("de\""),
    ];
    assert_eq!(found, expected);
}
