//! What was said, by whom, and where: the settings of one table, and the faults found in them. A
//! setting never loses its origin. Knows no key of unhang's, reads no file, judges no value.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// Of a key. The defaults' own are not copied: they are made for each run.
pub(super) type KeyPart = Cow<'static, str>;

/// What is wrong, where, and what happens or helps: one line of section 10's style, without `unhang: `.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigFault {
    pub(super) origin: Origin,
    pub(super) key: Vec<KeyPart>,
    pub(super) wrong: Problem,
}

/// The words of a fault, before it is known where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    what: String,
    cure: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// `--max-failures`
    Flag(String),
    Environment(&'static str),
    File {
        path: Arc<Path>,
        /// `None`: the file as a whole.
        line: Option<usize>,
    },
    Default,
}

#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// In full, as the operator finds it in the file: `["service", "shop", "budget", "window"]`
    pub(super) key: Vec<KeyPart>,
    pub(super) value: SettingValue,
    pub(super) origin: Origin,
}

/// The settings of `[service.shop]`, of `[defaults]`, of all flags; tables within it are flattened.
#[derive(Debug, Clone)]
pub(super) struct SettingTable {
    /// Its own name: `["service", "shop"]`
    pub(super) name: Vec<KeyPart>,
    pub(super) origin: Origin,
    pub(super) settings: Vec<Setting>,
}

/// A value as it was written, in the kinds that the keys of unhang take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SettingValue {
    Text(Cow<'static, str>),
    Integer(i64),
    Boolean(bool),
    List(Vec<SettingValue>),
    /// `{}`; one that is not empty is flattened.
    EmptyTable,
    /// None of these (a date, a fraction, a number too large): no key takes it.
    Unsupported(String),
}

impl SettingTable {
    pub(super) fn new(name: &[&str], origin: Origin) -> Self {
        Self {
            name: name.iter().map(|part| Cow::Owned((*part).to_owned())).collect(),
            origin,
            settings: Vec::new(),
        }
    }

    /// `asked`: `budget.window`.
    pub(super) fn get(&self, asked: &str) -> Option<&Setting> {
        self.find(split_key(asked))
    }

    pub(super) fn find(&self, asked: (&str, Option<&str>)) -> Option<&Setting> {
        self.settings.iter().find(|setting| self.matches(setting, asked))
    }

    /// Every key of every layer is looked for in each run: by its last part first.
    fn matches(&self, setting: &Setting, (first, second): (&str, Option<&str>)) -> bool {
        let last = second.unwrap_or(first);
        setting.key.last().is_some_and(|part| part == last)
            && match (setting.key.get(self.name.len()..), second) {
                (Some([_]), None) => true,
                (Some([table, _]), Some(_)) => table == first,
                _ => false,
            }
    }

    pub(super) fn table_fault(&self, wrong: impl Into<Problem>) -> ConfigFault {
        ConfigFault { origin: self.origin.clone(), key: self.name.clone(), wrong: wrong.into() }
    }

    /// Of a key that is not in it.
    pub(super) fn key_fault(&self, key: &str, wrong: impl Into<Problem>) -> ConfigFault {
        let key = self.name.iter().cloned().chain([Cow::Owned(key.to_owned())]).collect();
        ConfigFault { origin: self.origin.clone(), key, wrong: wrong.into() }
    }

    /// The key of a setting of this table, without the table's name.
    pub(super) fn relative_key<'a>(
        &self,
        setting: &'a Setting,
    ) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        setting.key.iter().skip(self.name.len()).map(AsRef::as_ref)
    }
}

/// A key of a table, and of a table in that.
pub(super) fn split_key(asked: &str) -> (&str, Option<&str>) {
    asked.split_once('.').map_or((asked, None), |(first, second)| (first, Some(second)))
}

impl SettingValue {
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl Setting {
    pub(super) fn fault(&self, wrong: impl Into<Problem>) -> ConfigFault {
        ConfigFault { origin: self.origin.clone(), key: self.key.clone(), wrong: wrong.into() }
    }
}

impl Problem {
    pub(super) fn with_cure(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { what: what.into(), cure: Some(cure.into()) }
    }

    /// Where it does not say already what happens or helps.
    pub(super) fn with_default_cure(self, cure: &str) -> Self {
        Self { cure: self.cure.or_else(|| Some(cure.to_owned())), ..self }
    }
}

impl<T: Into<String>> From<T> for Problem {
    fn from(what: T) -> Self {
        Self { what: what.into(), cure: None }
    }
}

impl Origin {
    pub(super) fn whole_file(path: &Path) -> Self {
        Self::File { path: path.into(), line: None }
    }

    pub(super) fn fault(&self, wrong: impl Into<Problem>) -> ConfigFault {
        ConfigFault { origin: self.clone(), key: Vec::new(), wrong: wrong.into() }
    }
}

/// As in a file: a part that is no bare key stands in quotes.
pub(super) fn dotted_key(key: &[impl AsRef<str>]) -> String {
    let bare = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let parts = key.iter().map(AsRef::as_ref);
    let parts = parts.map(|part| if bare(part) { part.to_owned() } else { format!("\"{part}\"") });
    parts.collect::<Vec<_>>().join(".")
}

/// Longer values are cut where they are quoted in a message.
const MAX_QUOTED_CHARS: usize = 60;

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if text.chars().nth(MAX_QUOTED_CHARS).is_some() => {
                write!(f, "\"{}...\"", text.chars().take(MAX_QUOTED_CHARS).collect::<String>())
            }
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(truth) => write!(f, "{truth}"),
            Self::EmptyTable => f.write_str("{}"),
            Self::List(_) => f.write_str("a list"),
            Self::Unsupported(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => f.write_str(variable),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = format!("{}: ", self.origin);
        // A flag is the name of its key.
        if !self.key.is_empty() && matches!(self.origin, Origin::File { .. }) {
            let _ = write!(line, "{}: ", dotted_key(&self.key));
        }
        let cure = self.wrong.cure.as_deref().unwrap_or("nothing was probed");
        let _ = write!(line, "{}; {cure}", self.wrong.what);
        // Names and values come from outside: no line break, no terminal sequence.
        line.chars().try_for_each(|c| {
            if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) }
        })
    }
}
