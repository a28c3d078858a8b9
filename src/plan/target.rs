//! What a url is, taken apart once; how it is asked, and how an answer is judged.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ureq::http::Uri;
use ureq::http::uri::Scheme;

/// Where a probe of a url asks. `config` has checked that it can be asked there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlTarget {
    /// An HTTP server. `url` is the text that the operator wrote; the other fields are parts of it.
    Http {
        url: String,
        is_https: bool,
        /// In lower case; an IPv6 address stands in brackets.
        host: String,
        /// The port in the url, or that of its scheme.
        port: u16,
    },
    /// An HTTP server behind a Unix socket.
    HttpOverUnix {
        socket: PathBuf,
        /// The path of the request and its query; it begins with `/`.
        path: String,
    },
    /// An address that must accept connections, and is asked nothing.
    Tcp {
        /// An IPv6 address stands in brackets.
        host: String,
        port: u16,
    },
}

/// The authority in requests to a Unix socket, since a request must name a host.
const SOCKET_AUTHORITY: &str = "http://localhost";

impl UrlTarget {
    /// Takes a URL apart. `None`: it is no URL of http or https with a host.
    pub(crate) fn parse_http(url: &str) -> Option<Self> {
        Self::from_uri(url, &url.parse().ok()?)
    }

    /// Like `parse_http`, for a caller that has parsed `url` already.
    pub(crate) fn from_uri(url: &str, uri: &Uri) -> Option<Self> {
        let is_https = *uri.scheme()? == Scheme::HTTPS;
        if !is_https && *uri.scheme()? != Scheme::HTTP {
            return None;
        }
        let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        Some(Self::Http { url: url.to_owned(), is_https, host, port })
    }

    /// The URL of an HTTP request to this target.
    #[must_use]
    pub fn request_url(&self) -> Cow<'_, str> {
        match self {
            Self::Http { url, .. } => Cow::Borrowed(url),
            Self::HttpOverUnix { path, .. } => Cow::Owned(format!("{SOCKET_AUTHORITY}{path}")),
            Self::Tcp { .. } => Cow::Owned(self.to_string()),
        }
    }

    #[must_use]
    pub const fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp { .. })
    }

    pub(crate) const fn is_https(&self) -> bool {
        matches!(self, Self::Http { is_https: true, .. })
    }

    /// Host and port over which the request goes. `None`: it goes over a Unix socket.
    pub(crate) fn host_and_port(&self) -> Option<(&str, u16)> {
        match self {
            Self::Http { host, port, .. } | Self::Tcp { host, port } => Some((host, *port)),
            Self::HttpOverUnix { .. } => None,
        }
    }
}

/// The target as an operator writes it: `unix:/run/shop.sock:/health/`.
impl fmt::Display for UrlTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { url, .. } => f.write_str(url),
            Self::HttpOverUnix { socket, path } => write!(f, "unix:{}:{path}", socket.display()),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
        }
    }
}

/// What a probe asks, and what it takes for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    pub target: UrlTarget,
    /// How the server proves itself; without effect unless `may_need_tls`.
    pub trust: TlsTrust,
    /// Upper case, a token of RFC 9110.
    pub method: String,
    pub headers: BTreeMap<String, String>,
    pub status: StatusSet,
    /// Healthy too, but a warning. `None`: there are no such.
    pub status_warn: Option<StatusSet>,
    /// The body of the request, of which `method` takes one.
    pub request_body: Option<String>,
    pub redirects: u32,
    pub maintenance: Option<MaintenanceRule>,
    pub body: BodyRules,
    pub latency: LatencyLimits,
}

/// What the body of an answer must be; without a rule it is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyRules {
    /// Each must stand in it.
    pub contains: Vec<String>,
    /// None may.
    pub lacks: Vec<String>,
    /// Matches it somewhere; checked by `config`.
    pub regex: Option<String>,
    pub json: Option<JsonRules>,
    /// Bytes that are looked at.
    pub max: usize,
}

/// The largest `body.max`.
pub(crate) const MAX_BODY_BYTES: u32 = 8 * 1024 * 1024;

impl Default for BodyRules {
    fn default() -> Self {
        Self { contains: Vec::new(), lacks: Vec::new(), regex: None, json: None, max: 64 * 1024 }
    }
}

impl BodyRules {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { contains, lacks, regex, json, max: _ } = self;
        contains.is_empty() && lacks.is_empty() && regex.is_none() && json.is_none()
    }
}

/// What it says of itself is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonRules {
    pub fail_on: JsonFailLevel,
    /// Names of parts that do not matter.
    pub ignore: Vec<String>,
    /// Names of parts that only warn.
    pub warn: Vec<String>,
    /// Names of parts that fail wherever they stand.
    pub parts: Vec<String>,
    pub at: Option<JsonAt>,
}

/// The one value that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonAt {
    /// A JSON pointer (RFC 6901).
    pub pointer: String,
    /// What it must be, one of these; none: it is read for words of health.
    pub is: Vec<String>,
    pub min: Option<Figure>,
    pub max: Option<Figure>,
}

/// A finite number, as it was written: `0.5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure(String);

impl Figure {
    /// `None`: the text is no finite number.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let number: f64 = text.parse().ok()?;
        number.is_finite().then(|| Self(text.to_owned()))
    }

    pub(crate) fn number(&self) -> f64 {
        self.0.parse().unwrap_or_default()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The mildest word that fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JsonFailLevel {
    /// `degraded` only warns.
    #[default]
    Failure,
    Warning,
}

/// An answer that takes longer warns, or fails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LatencyLimits {
    pub(crate) warn: Option<Duration>,
    pub(crate) fail: Option<Duration>,
}

/// An answer that means: not failing, but not to be touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceRule {
    pub(crate) status: StatusSet,
    /// In lower case; the answer must have it, too.
    pub(crate) header: Option<String>,
}

impl HttpRequest {
    /// Asks whether an address accepts connections.
    pub(crate) fn for_tcp(target: UrlTarget) -> Self {
        Self {
            target,
            trust: TlsTrust::default(),
            method: String::new(),
            headers: BTreeMap::new(),
            status: StatusSet(Vec::new()),
            status_warn: None,
            request_body: None,
            redirects: 0,
            maintenance: None,
            body: BodyRules::default(),
            latency: LatencyLimits::default(),
        }
    }

    /// Posts to a hook; the body of the request is empty.
    pub(crate) fn for_hook(target: UrlTarget, headers: Vec<(String, String)>) -> Self {
        let mut named = BTreeMap::new();
        named.extend(headers);
        let (method, status) = ("POST".to_owned(), StatusSet(vec![(200, 299)]));
        Self { method, status, headers: named, ..Self::for_tcp(target) }
    }

    /// Whether the request may go over TLS: a redirect may lead to https too.
    pub(crate) const fn may_need_tls(&self) -> bool {
        self.target.is_https() || self.redirects > 0
    }
}

/// How an https server proves who it is, and how we do.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TlsTrust {
    /// Certificates besides those of this host.
    pub(crate) ca_file: Option<PathBuf>,
    /// By nothing, then: encrypted, but with whom is not asked.
    pub(crate) insecure: bool,
    /// The name that is asked for, and that its certificate must have. `None`: the host of the url.
    pub(crate) server_name: Option<String>,
    /// What we prove ourselves by, if it asks.
    pub(crate) client: Option<Client>,
}

/// The files by which a client proves itself to a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client {
    /// Certificates in PEM, its own first.
    pub(crate) certificate: PathBuf,
    /// The key to the first of them.
    pub(crate) key: PathBuf,
}

impl TlsTrust {
    /// The trust in another host than that of the url: its certificate must have its own name, and we prove nothing to it.
    pub(crate) fn for_other_host(&self) -> Self {
        Self { ca_file: self.ca_file.clone(), insecure: self.insecure, ..Self::default() }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_whatever_its_case() {
        for (url, expected) in [
            ("http://localhost", Some((false, "localhost", 80))),
            ("HTTPS://Shop/", Some((true, "shop", 443))),
            ("https://shop:8443/x", Some((true, "shop", 8443))),
            ("http://[::1]/?a=b:c", Some((false, "[::1]", 80))),
            ("ftp://shop/", None),
            ("/health/", None),
            ("shop", None),
        ] {
            let target = UrlTarget::parse_http(url);
            let expected = expected.map(|(is_https, host, port)| UrlTarget::Http {
                url: url.to_owned(),
                is_https,
                host: host.to_owned(),
                port,
            });
            assert_eq!(target, expected, "{url}");
            assert!(target.is_none_or(|target| target.to_string() == url && target.request_url() == url));
        }
    }
}
