//! What a probe of a URL asks, and how an answer is judged.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What a probe asks, and what it takes for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// `http(s)://HOST[:PORT][/PATH]` or `tcp://HOST:PORT`, checked by `config`.
    pub url: String,
    /// The Unix socket to ask at; the URL is then `http://localhost/PATH`.
    pub socket: Option<PathBuf>,
    /// Of weight where `may_need_tls`.
    pub trust: Trust,
    /// Upper case, a token of RFC 9110.
    pub method: String,
    pub headers: BTreeMap<String, String>,
    pub status: StatusSet,
    pub redirects: u32,
    pub maintenance: Option<Maintenance>,
    pub body: BodyRules,
    pub latency: Latency,
}

/// What the body of an answer must be; none: it is not read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct BodyRules {
    /// Each must stand in it.
    pub contains: Vec<String>,
    /// None may.
    pub lacks: Vec<String>,
    /// Matches it somewhere; checked by `config`.
    pub regex: Option<String>,
    pub json: Option<JsonRules>,
}

impl BodyRules {
    pub(crate) fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What it says of itself is believed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonRules {
    pub fail_on: FailOn,
    /// Names of components that do not matter.
    pub ignore: Vec<String>,
}

/// The mildest word that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailOn {
    /// `degraded` only warns.
    Failure,
    Warning,
}

/// An answer that takes longer warns, or fails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Latency {
    pub(crate) warn: Option<Duration>,
    pub(crate) fail: Option<Duration>,
}

/// An answer that means: not failing, but not to be touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    pub(crate) status: StatusSet,
    /// In lower case; the answer must have it, too.
    pub(crate) header: Option<String>,
}

impl Question {
    /// Does it take connections?
    pub(crate) fn of_address(url: String) -> Self {
        Self {
            url,
            socket: None,
            trust: Trust::default(),
            method: String::new(),
            headers: BTreeMap::new(),
            status: StatusSet(Vec::new()),
            redirects: 0,
            maintenance: None,
            body: BodyRules::default(),
            latency: Latency::default(),
        }
    }

    /// Posts nothing but the request itself.
    pub(crate) fn of_hook(url: String, headers: Vec<(String, String)>) -> Self {
        let mut named = BTreeMap::new();
        named.extend(headers);
        let (method, status) = ("POST".to_owned(), StatusSet(vec![(200, 299)]));
        Self { method, status, headers: named, ..Self::of_address(url) }
    }

    #[must_use]
    pub fn is_of_address(&self) -> bool {
        self.url.starts_with("tcp:")
    }

    /// A redirect may lead to https too.
    pub(crate) fn may_need_tls(&self) -> bool {
        let is_https = self.url.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("https:"));
        is_https || self.redirects > 0
    }
}

/// By what an https server is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trust {
    /// Certificates besides those of this host.
    pub(crate) ca_file: Option<PathBuf>,
    /// By nothing, then: encrypted, but with whom is not asked.
    pub(crate) insecure: bool,
}

/// The statuses that mean healthy: ranges, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet(pub Vec<(u16, u16)>);

/// `200,204,300-399`
impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range =
            |(from, to): &(u16, u16)| if from == to { from.to_string() } else { format!("{from}-{to}") };
        f.write_str(&self.0.iter().map(range).collect::<Vec<_>>().join(","))
    }
}

impl StatusSet {
    pub(crate) fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&status))
    }
}
