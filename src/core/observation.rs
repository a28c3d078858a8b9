//! What one probe showed. Three answers, not two: what we could not tell is neither for nor against
//! the service.

use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    Healthy,
    Unhealthy(Cause),
    Unknown(Doubt),
}

/// The service's fault: counts against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// There is no Unix socket at the path.
    NoSocket,
    Refused,
    Reset,
    /// The connection ended before the answer was complete; in `FirstByte`, before it began.
    Closed(Phase),
    TimedOut(Phase),
    /// An answer with a status that is not one of those wanted.
    Status(u16),
    /// Such a status, which sends us on to https, or says that https is spoken there.
    ToHttps(u16),
    /// Such a status, which sends us on elsewhere.
    Redirect(Redirect),
    /// An answer that the operator calls maintenance: held, not failing.
    Maintenance(u16),
    /// No TLS connection came about.
    Tls(TlsError),
    /// What answers there does not speak HTTP; the detail comes from outside.
    NotHttp(String),
    TooLarge,
    /// What a body says, how long it took, or what a probe found that asks no HTTP.
    Probe(ProbeFailure),
    /// Of a probe with a name of its own.
    Named(String, Box<Cause>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeFailure {
    /// Stable: the kind of probe, or of rule.
    pub code: &'static str,
    /// May come from outside.
    pub words: String,
    /// That it came with; 0 for none.
    pub status: u16,
}

/// A redirect that was not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    pub status: u16,
    /// Where it leads, without a query; comes from outside.
    pub to: String,
    /// How many redirects must be allowed for this one to be followed.
    pub needs: u32,
}

/// Why a TLS handshake failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsError {
    Expired,
    NotYetValid,
    UnknownIssuer,
    /// The server shows as its own what may only sign others: `openssl req -x509` makes such.
    SelfSigned,
    /// The names that it has, which come from outside; empty for none.
    WrongName(String),
    /// What answers there does not speak TLS.
    NotTls,
    /// The detail may come from outside.
    Handshake(String),
}

/// A fault of ours, or of the way there: says nothing about the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The name was not resolved.
    Lookup(String),
    NoRoute,
    NoDescriptors,
    NoMemory,
    /// No local port is free, or the address family is not there.
    NoPort,
    NoThread,
    /// With what forbids it.
    Forbidden(String),
    /// Nothing to know an https server by: no authority, or a `ca_file` that cannot be used.
    NoAuthorities(String),
    /// This machine has no systemd to ask.
    NoSystemd(String),
    /// systemd was asked and said nothing we can use.
    UnitUnknown(String),
    Other(String),
    /// Of a probe with a name of its own.
    Named(String, Box<Doubt>),
}

/// How far a request had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Lookup,
    Connect,
    /// Connected; the TLS handshake is not complete.
    Tls,
    /// The request is out, the first byte of the answer is not in.
    FirstByte,
    Rest,
}

/// How long a request spent in each phase; with redirects, in all of them together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PhaseTimes {
    pub resolve: Duration,
    pub connect: Duration,
    pub tls: Duration,
    pub wait: Duration,
    pub read: Duration,
}

impl Observation {
    #[must_use]
    pub const fn from_probe_failure(found: ProbeFailure) -> Self {
        Self::Unhealthy(Cause::Probe(found))
    }
}

impl PhaseTimes {
    pub const fn add(&mut self, phase: Phase, time: Duration) {
        let spent = match phase {
            Phase::Lookup => &mut self.resolve,
            Phase::Connect => &mut self.connect,
            Phase::Tls => &mut self.tls,
            Phase::FirstByte => &mut self.wait,
            Phase::Rest => &mut self.read,
        };
        *spent = spent.saturating_add(time);
    }

    #[must_use]
    pub fn total(&self) -> Duration {
        let Self { resolve, connect, tls, wait, read } = *self;
        [resolve, connect, tls, wait, read].into_iter().fold(Duration::ZERO, Duration::saturating_add)
    }
}

impl Cause {
    /// All that `code` can say, in the order of the manual.
    pub const CODES: &[&str] = &[
        "status",
        "maintenance",
        "refused",
        "no_socket",
        "reset",
        "closed",
        "closed_tls",
        "closed_reading",
        "timeout_connecting",
        "timeout_tls",
        "timeout_waiting",
        "timeout_reading",
        "not_http",
        "too_large",
        "not_tls",
        "tls_expired",
        "tls_not_yet_valid",
        "tls_unknown_issuer",
        "tls_self_signed",
        "tls_wrong_name",
        "tls_handshake",
    ];

    /// Stable: in the state file, in `--json` and in the manual.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSocket => "no_socket",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Closed(Phase::Tls) => "closed_tls",
            Self::Closed(Phase::Rest) => "closed_reading",
            Self::Closed(Phase::Lookup | Phase::Connect | Phase::FirstByte) => "closed",
            Self::TimedOut(Phase::Lookup | Phase::Connect) => "timeout_connecting",
            Self::TimedOut(Phase::Tls) => "timeout_tls",
            Self::TimedOut(Phase::FirstByte) => "timeout_waiting",
            Self::TimedOut(Phase::Rest) => "timeout_reading",
            Self::Status(_) | Self::ToHttps(_) | Self::Redirect(_) => "status",
            Self::Maintenance(_) => "maintenance",
            Self::Tls(fault) => fault.code(),
            Self::NotHttp(_) => "not_http",
            Self::TooLarge => "too_large",
            Self::Probe(found) => found.code,
            Self::Named(_, cause) => cause.code(),
        }
    }

    /// Without the name of the probe.
    #[must_use]
    pub const fn without_probe_name(&self) -> &Self {
        let mut cause = self;
        while let Self::Named(_, inner) = cause {
            cause = inner;
        }
        cause
    }

    /// Of which it is, if that has a name of its own.
    #[must_use]
    pub const fn probe_name(&self) -> Option<&str> {
        if let Self::Named(name, _) = self { Some(name.as_str()) } else { None }
    }

    /// What it found, where a code does not say it.
    #[must_use]
    pub const fn detail(&self) -> Option<&str> {
        if let Self::Probe(found) = self.without_probe_name() { Some(found.words.as_str()) } else { None }
    }

    /// It says itself that somebody is at work.
    #[must_use]
    pub const fn is_maintenance(&self) -> bool {
        matches!(self.without_probe_name(), Self::Maintenance(_))
    }

    /// The status that was answered; 0 for no answer, as curl has it.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::Status(status) | Self::ToHttps(status) | Self::Maintenance(status) => *status,
            Self::Redirect(redirect) => redirect.status,
            Self::Probe(found) => found.status,
            Self::Named(_, cause) => cause.http_status(),
            Self::NoSocket
            | Self::Refused
            | Self::Reset
            | Self::Closed(_)
            | Self::TimedOut(_)
            | Self::Tls(_)
            | Self::NotHttp(_)
            | Self::TooLarge => 0,
        }
    }
}

impl TlsError {
    const fn code(&self) -> &'static str {
        match self {
            Self::Expired => "tls_expired",
            Self::NotYetValid => "tls_not_yet_valid",
            Self::UnknownIssuer => "tls_unknown_issuer",
            Self::SelfSigned => "tls_self_signed",
            Self::WrongName(_) => "tls_wrong_name",
            Self::NotTls => "not_tls",
            Self::Handshake(_) => "tls_handshake",
        }
    }
}

impl Doubt {
    /// All that `code` can say, in the order of the manual.
    pub const CODES: &[&str] = &[
        "lookup",
        "no_route",
        "no_descriptors",
        "no_memory",
        "no_port",
        "no_thread",
        "forbidden",
        "no_authorities",
        "no_systemd",
        "unit_unknown",
        "other",
    ];

    /// Stable, as `Cause::code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Lookup(_) => "lookup",
            Self::NoRoute => "no_route",
            Self::NoDescriptors => "no_descriptors",
            Self::NoMemory => "no_memory",
            Self::NoPort => "no_port",
            Self::NoThread => "no_thread",
            Self::Forbidden(_) => "forbidden",
            Self::NoAuthorities(_) => "no_authorities",
            Self::NoSystemd(_) => "no_systemd",
            Self::UnitUnknown(_) => "unit_unknown",
            Self::Other(_) => "other",
            Self::Named(_, doubt) => doubt.code(),
        }
    }

    /// Of which it is, if that has a name of its own.
    #[must_use]
    pub const fn probe(&self) -> Option<&str> {
        if let Self::Named(name, _) = self { Some(name.as_str()) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn found() -> Cause {
        Cause::Probe(ProbeFailure { code: "json", words: String::from("database: refused"), status: 200 })
    }

    #[test]
    fn a_name_changes_nothing_of_what_a_cause_is() {
        let named = Cause::Named(String::from("api"), Box::new(found()));
        assert_eq!((named.code(), named.http_status(), named.without_probe_name()), ("json", 200, &found()));
        let doubt = Doubt::Named(String::from("api"), Box::new(Doubt::NoRoute));
        assert_eq!((doubt.code(), doubt.probe()), ("no_route", Some("api")));
    }

    /// Read from the text: no compiler says that a list lacks a code.
    #[test]
    fn the_lists_of_codes_are_what_code_can_say() {
        let text = include_str!("observation.rs").split("#[cfg(test)]").next().unwrap();
        let (causes, doubts) = text.split_once("\nimpl Doubt {").unwrap();
        for (text, listed) in [(causes, Cause::CODES), (doubts, Doubt::CODES)] {
            let said = text.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
            let said: BTreeSet<&str> = said.collect();
            assert_eq!(said, listed.iter().copied().collect());
            assert_eq!(said.len(), listed.len(), "each once");
        }
    }
}
