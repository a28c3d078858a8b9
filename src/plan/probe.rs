//! One question to a service, of whatever kind; and what a kind takes, as the file that asks declares it.

use std::collections::BTreeMap;
use std::time::Duration;

use unhang_core::ProbeRole;

use super::HttpRequest;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// `None`: the service's own url.
    pub name: Option<String>,
    pub weight: ProbeRole,
    /// In all.
    pub timeout: Duration,
    pub asks: ProbeTarget,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeTarget {
    Http(Box<HttpRequest>),
    Kind {
        /// The key of its `KindSpec`.
        kind: &'static str,
        given: Params,
    },
}

impl Probe {
    #[must_use]
    pub fn http_request(&self) -> Option<&HttpRequest> {
        match &self.asks {
            ProbeTarget::Http(question) => Some(question),
            ProbeTarget::Kind { .. } => None,
        }
    }

    /// The key that says what is asked about.
    pub(crate) const fn kind_name(&self) -> &'static str {
        match &self.asks {
            ProbeTarget::Http(_) => "url",
            ProbeTarget::Kind { kind, .. } => kind,
        }
    }

    /// Over in at most so long.
    pub(crate) fn with_time_limit(&self, limit: Duration) -> Self {
        Self { timeout: self.timeout.min(limit), ..self.clone() }
    }
}

/// A program that a probe or a restart method starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program<'a> {
    /// The configuration names the program.
    Configured(&'a str),
    /// The kind or method always starts this program, such as `docker`.
    Fixed(&'static str),
}

/// What a kind of probe takes in a table of its own.
#[derive(Debug)]
pub struct KindSpec {
    /// The key that says what is asked about, and by that which kind it is: `disk = "/"`.
    pub(crate) main_key: KeySpec,
    pub(crate) other_keys: &'static [KeySpec],
    /// Unless `optional` says otherwise.
    pub(crate) weight: ProbeRole,
    /// The key without which the probe never fails. `None`: it can fail by itself.
    pub(crate) fail_key: Option<&'static str>,
    /// What is wrong with the values together, where each alone is right.
    pub(crate) validate: fn(&Params) -> Option<KeyConflict>,
    /// What it starts to ask.
    pub(crate) program: fn(&Params) -> Option<Program<'_>>,
}

impl KindSpec {
    /// A kind that counts, can fail by itself, and in whose values nothing can clash.
    pub(crate) const fn new(main_key: KeySpec, other_keys: &'static [KeySpec]) -> Self {
        Self {
            main_key,
            other_keys,
            weight: ProbeRole::Required,
            fail_key: None,
            validate: |_| None,
            program: |_| None,
        }
    }

    /// It only warns, unless `optional = false`.
    pub(crate) const fn warns_by_default(self) -> Self {
        Self { weight: ProbeRole::Optional, ..self }
    }

    pub(crate) const fn fails_only_by(self, key: &KeySpec) -> Self {
        Self { fail_key: Some(key.name), ..self }
    }

    pub(crate) const fn validate(self, validate: fn(&Params) -> Option<KeyConflict>) -> Self {
        Self { validate, ..self }
    }

    pub(crate) const fn starts(self, program: fn(&Params) -> Option<Program<'_>>) -> Self {
        Self { program, ..self }
    }

    /// In the order of the manual.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &KeySpec> {
        [&self.main_key].into_iter().chain(self.other_keys)
    }
}

/// A key of a kind of probe, or of a restart method.
#[derive(Debug)]
pub struct KeySpec {
    /// `warn`, `age.warn`
    pub(crate) name: &'static str,
    pub(crate) value_type: ValueType,
    /// As an operator would write it.
    pub(crate) default: Option<&'static str>,
    /// One line.
    pub(crate) help: &'static str,
}

impl KeySpec {
    pub(crate) const fn new(name: &'static str, value_type: ValueType) -> Self {
        Self { name, value_type, default: None, help: "" }
    }

    pub(crate) const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    pub(crate) const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }
}

/// What is wrong with the value of a key beside others, and what helps.
#[derive(Debug)]
pub struct KeyConflict {
    pub(crate) key: &'static str,
    pub(crate) what: String,
    pub(crate) cure: &'static str,
}

/// What a key may hold. Shapes that one kind alone knows are a `Text` with its own test.
#[derive(Debug, Clone, Copy)]
pub enum ValueType {
    /// Tested: what is wrong with it.
    Text(fn(&str) -> Option<&'static str>),
    /// One unit of systemd; a service without its ending.
    Unit,
    /// The absolute path of a file or folder.
    Path,
    /// The absolute path of a file, such as this one.
    File(&'static str),
    /// The absolute path of a folder, such as this one.
    Folder(&'static str),
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
    /// A whole number, both ends included.
    Number {
        from: u32,
        to: u32,
    },
    /// A program and its arguments.
    Command,
    /// A program and its arguments, or none.
    CommandOrNone,
    /// `HOST:PORT`
    Address,
    OneOf(&'static [&'static str]),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamValue {
    Text(String),
    Number(u64),
    Span(Duration),
    List(Vec<String>),
}

/// The values of one probe or restart method, by key; each as its `ValueType` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(pub(crate) BTreeMap<&'static str, ParamValue>);

impl Params {
    /// "" where nothing was said.
    pub(crate) fn text(&self, key: &KeySpec) -> &str {
        match self.0.get(key.name) {
            Some(ParamValue::Text(text)) => text,
            Some(ParamValue::Number(_) | ParamValue::Span(_) | ParamValue::List(_)) | None => "",
        }
    }

    pub(crate) fn number(&self, key: &KeySpec) -> Option<u64> {
        match self.0.get(key.name)? {
            ParamValue::Number(number) => Some(*number),
            ParamValue::Text(_) | ParamValue::Span(_) | ParamValue::List(_) => None,
        }
    }

    pub(crate) fn span(&self, key: &KeySpec) -> Option<Duration> {
        match self.0.get(key.name)? {
            ParamValue::Span(span) => Some(*span),
            ParamValue::Text(_) | ParamValue::Number(_) | ParamValue::List(_) => None,
        }
    }

    pub(crate) fn list(&self, key: &KeySpec) -> &[String] {
        match self.0.get(key.name) {
            Some(ParamValue::List(list)) => list,
            Some(ParamValue::Text(_) | ParamValue::Number(_) | ParamValue::Span(_)) | None => &[],
        }
    }
}

/// Takes any text but an empty one.
#[must_use]
pub fn accept_text(text: &str) -> Option<&'static str> {
    text.is_empty().then_some("must not be empty")
}
