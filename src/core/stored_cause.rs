//! What was answered, as the state keeps it: without what came from outside, so that two of them can be compared.

use alloc::string::String;
use core::fmt;

use crate::{Cause, Doubt};

/// Why a run found a service failing, or could not tell. Two are equal if a person would call them the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCause {
    /// The probe that found it; `None`: the service's own url.
    pub probe: Option<String>,
    /// What `Cause::code` or `Doubt::code` said.
    pub code: String,
    /// The HTTP status that was answered; 0 for none.
    pub http: u16,
}

impl From<&Cause> for StoredCause {
    fn from(cause: &Cause) -> Self {
        Self {
            probe: cause.probe_name().map(String::from),
            code: String::from(cause.code()),
            http: cause.http_status(),
        }
    }
}

impl From<&Doubt> for StoredCause {
    fn from(doubt: &Doubt) -> Self {
        Self { probe: doubt.probe().map(String::from), code: String::from(doubt.code()), http: 0 }
    }
}

/// `status 502`, `timeout_waiting`, `redis: refused`: for people, and never read back.
impl fmt::Display for StoredCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(probe) = &self.probe {
            write!(f, "{probe}: ")?;
        }
        match self.http {
            0 => f.write_str(&self.code),
            status => write!(f, "{} {status}", self.code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Phase, ProbeFailure, Redirect, TlsError};
    use std::boxed::Box;
    use std::string::ToString;

    #[test]
    fn what_people_read_of_a_kept_cause() {
        let why = || String::from("why");
        for (cause, kept) in [
            (Cause::NoSocket, "no_socket"),
            (Cause::Refused, "refused"),
            (Cause::Reset, "reset"),
            (Cause::Closed(Phase::Tls), "closed_tls"),
            (Cause::Closed(Phase::FirstByte), "closed"),
            (Cause::Closed(Phase::Rest), "closed_reading"),
            (Cause::TimedOut(Phase::Connect), "timeout_connecting"),
            (Cause::TimedOut(Phase::Tls), "timeout_tls"),
            (Cause::TimedOut(Phase::FirstByte), "timeout_waiting"),
            (Cause::TimedOut(Phase::Rest), "timeout_reading"),
            (Cause::Status(502), "status 502"),
            (Cause::ToHttps(301), "status 301"),
            (Cause::Redirect(Redirect { status: 302, to: why(), needs: 1 }), "status 302"),
            (Cause::Maintenance(503), "maintenance 503"),
            (Cause::Tls(TlsError::Expired), "tls_expired"),
            (Cause::Tls(TlsError::NotYetValid), "tls_not_yet_valid"),
            (Cause::Tls(TlsError::UnknownIssuer), "tls_unknown_issuer"),
            (Cause::Tls(TlsError::SelfSigned), "tls_self_signed"),
            (Cause::Tls(TlsError::WrongName(why())), "tls_wrong_name"),
            (Cause::Tls(TlsError::NotTls), "not_tls"),
            (Cause::Tls(TlsError::Handshake(why())), "tls_handshake"),
            (Cause::NotHttp(why()), "not_http"),
            (Cause::TooLarge, "too_large"),
            (Cause::Probe(ProbeFailure { code: "json", words: why(), status: 200 }), "json 200"),
            (Cause::Probe(ProbeFailure { code: "disk", words: why(), status: 0 }), "disk"),
            (Cause::Named(String::from("db"), Box::new(Cause::Refused)), "db: refused"),
            (Cause::Named(String::from("api"), Box::new(Cause::Status(502))), "api: status 502"),
        ] {
            assert_eq!(StoredCause::from(&cause).to_string(), kept);
        }
        assert_eq!(
            (Cause::ToHttps(301).http_status(), Cause::Tls(TlsError::Expired).http_status()),
            (301, 0)
        );
        let doubt = Doubt::Named(String::from("api"), Box::new(Doubt::NoRoute));
        assert_eq!(StoredCause::from(&doubt).to_string(), "api: no_route");
    }

    #[test]
    fn what_came_from_outside_makes_no_other_cause() {
        let said = |words: &str| {
            Cause::Probe(ProbeFailure { code: "json", words: String::from(words), status: 200 })
        };
        assert_eq!(StoredCause::from(&said("3 down")), StoredCause::from(&said("4 down")));
        assert_ne!(StoredCause::from(&Cause::Status(500)), StoredCause::from(&Cause::Status(502)));
        let named = Cause::Named(String::from("api"), Box::new(Cause::Status(502)));
        assert_ne!(StoredCause::from(&named), StoredCause::from(&Cause::Status(502)), "another probe");
    }
}
