//! One question to a service, of whatever kind; and what a kind takes, as the file that asks declares it.

use std::collections::BTreeMap;
use std::time::Duration;

use unhang_core::Weight;

use super::Question;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// `None`: the service's own url.
    pub name: Option<String>,
    pub weight: Weight,
    /// In all.
    pub timeout: Duration,
    pub asks: Asks,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    Url(Box<Question>),
    Kind {
        /// The key of its `Spec`.
        kind: &'static str,
        given: Given,
    },
}

impl Probe {
    #[must_use]
    pub fn question(&self) -> Option<&Question> {
        match &self.asks {
            Asks::Url(question) => Some(question),
            Asks::Kind { .. } => None,
        }
    }

    /// The key that says what is asked about.
    pub(crate) const fn kind(&self) -> &'static str {
        match &self.asks {
            Asks::Url(_) => "url",
            Asks::Kind { kind, .. } => kind,
        }
    }

    /// Over in at most so long.
    pub(crate) fn within(&self, limit: Duration) -> Self {
        Self { timeout: self.timeout.min(limit), ..self.clone() }
    }
}

/// What a kind of probe takes in a table of its own.
#[derive(Debug)]
pub struct Spec {
    /// Says what is asked about, and by that which kind it is: `disk = "/"`.
    pub(crate) subject: Key,
    pub(crate) keys: &'static [Key],
    /// Unless `optional` says otherwise.
    pub(crate) weight: Weight,
    /// The key without which it never fails; none: it can fail by itself.
    pub(crate) fails_by: Option<&'static str>,
    /// What single values cannot show.
    pub(crate) clash: fn(&Given) -> Option<Clash>,
}

#[derive(Debug)]
pub struct Key {
    /// `warn`, `age.warn`
    pub(crate) name: &'static str,
    pub(crate) word: Word,
    /// As an operator would write it.
    pub(crate) default: Option<&'static str>,
}

/// What is wrong with the value of a key beside others, and what helps.
#[derive(Debug)]
pub struct Clash {
    pub(crate) key: &'static str,
    pub(crate) what: String,
    pub(crate) cure: &'static str,
}

/// What a key may hold. Shapes that one kind alone knows are a `Text` with its own test.
#[derive(Debug, Clone, Copy)]
pub enum Word {
    /// Tested: what is wrong with it.
    Text(fn(&str) -> Option<&'static str>),
    /// The absolute path of a file or folder.
    Path,
    /// A regular expression, or more than one for a list of them.
    Pattern,
    /// `"26h"`
    Span,
    /// `"90%"`, as 90.
    Share,
    /// `"500M"`, as bytes; K, M, G, T are powers of 1024.
    Size,
    /// `"1.5"`, as 150.
    Hundredths,
    /// 0 or more.
    Count,
    /// A program and its arguments.
    Command,
    /// `HOST:PORT`
    Address,
    OneOf(&'static [&'static str]),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(u64),
    Span(Duration),
    List(Vec<String>),
}

/// The values of one probe's table, by key; each as its `Word` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given(pub(crate) BTreeMap<&'static str, Value>);

impl Given {
    /// "" where nothing was said.
    pub(crate) fn text(&self, key: &Key) -> &str {
        match self.0.get(key.name) {
            Some(Value::Text(text)) => text,
            Some(Value::Number(_) | Value::Span(_) | Value::List(_)) | None => "",
        }
    }

    pub(crate) fn number(&self, key: &Key) -> Option<u64> {
        match self.0.get(key.name)? {
            Value::Number(number) => Some(*number),
            Value::Text(_) | Value::Span(_) | Value::List(_) => None,
        }
    }

    pub(crate) fn span(&self, key: &Key) -> Option<Duration> {
        match self.0.get(key.name)? {
            Value::Span(span) => Some(*span),
            Value::Text(_) | Value::Number(_) | Value::List(_) => None,
        }
    }

    pub(crate) fn list(&self, key: &Key) -> &[String] {
        match self.0.get(key.name) {
            Some(Value::List(list)) => list,
            Some(Value::Text(_) | Value::Number(_) | Value::Span(_)) | None => &[],
        }
    }
}

/// For a kind in whose values nothing can clash.
#[must_use]
pub const fn no_clash(_: &Given) -> Option<Clash> {
    None
}

/// Takes any text but an empty one.
#[must_use]
pub fn any_text(text: &str) -> Option<&'static str> {
    text.is_empty().then_some("must not be empty")
}
