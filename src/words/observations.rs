//! What probes showed, in an operator's words.

use std::time::Duration;

use unhang_core::{Cause, Doubt, Phase, Redirect, StoredWarning, TlsError, WarningKind};

use super::times::format_duration;

/// `HTTP 502`; `HTTP 000` is no answer, as curl has it. Of a probe with a name: that name, and the answer if it
/// was one of HTTP.
#[must_use]
pub fn answer_text(cause: &Cause) -> String {
    let status = cause.http_status();
    match cause.probe_name() {
        Some(name) if status == 0 => name.to_owned(),
        Some(name) => format!("{name}: HTTP {status}"),
        None => format!("HTTP {status:03}"),
    }
}

/// Nothing for most statuses: `http` says it all.
#[must_use]
pub fn cause_text(cause: &Cause, timeout: Duration) -> Option<String> {
    let within = format_duration(timeout);
    Some(match cause {
        Cause::Maintenance(_) => "it reports maintenance".to_owned(),
        Cause::NoSocket => "no such socket".to_owned(),
        Cause::Refused => "connection refused".to_owned(),
        Cause::Reset => "connection reset".to_owned(),
        Cause::Closed(Phase::Tls) => "connection closed during the TLS handshake".to_owned(),
        Cause::Closed(Phase::Rest) => "connection closed in the middle of the answer".to_owned(),
        Cause::Closed(Phase::Lookup | Phase::Connect | Phase::FirstByte) => "connection closed without an answer".to_owned(),
        Cause::TimedOut(Phase::Lookup | Phase::Connect) => format!("no connection within {within}"),
        Cause::TimedOut(Phase::Tls) => format!("TLS handshake not complete within {within}"),
        Cause::TimedOut(Phase::FirstByte) => format!("no answer within {within}; the connection was accepted"),
        Cause::TimedOut(Phase::Rest) => format!("answer incomplete after {within}"),
        Cause::Status(400) => {
            "400 is what Django answers to a Host that is not in ALLOWED_HOSTS: set headers = { Host = \"...\" }"
                .to_owned()
        }
        Cause::Status(404) => "page not found; check the path in url".to_owned(),
        Cause::Status(_) => return None,
        Cause::Redirect(Redirect { to, needs, .. }) => {
            format!("redirected to {to}: set url to that, or redirects = {needs}")
        }
        Cause::ToHttps(400) => "plain HTTP was sent to a port for HTTPS: set url to https://...".to_owned(),
        Cause::ToHttps(_) => {
            "redirected to https: set url to https://..., or X-Forwarded-Proto: https in headers".to_owned()
        }
        Cause::Tls(fault) => tls_text(fault),
        Cause::NotHttp(what) => format!("not HTTP: {what}"),
        Cause::TooLarge => "the head of the answer is too large".to_owned(),
        Cause::Probe(found) => found.words.clone(),
        Cause::Named(_, cause) => return self::cause_text(cause, timeout),
    })
}

/// As one says it of whom it is about: `redis: connection refused`, `HTTP 502`.
fn failure_text(cause: &Cause, timeout: Duration) -> String {
    let itself = cause.without_probe_name();
    let words = self::cause_text(itself, timeout).unwrap_or_else(|| answer_text(itself));
    cause.probe_name().map_or_else(|| words.clone(), |name| format!("{name}: {words}"))
}

/// Of a warning, without the name of its probe.
#[must_use]
pub fn warning_text(of: &WarningKind, timeout: Duration) -> String {
    match of {
        WarningKind::Threshold(words) => words.clone(),
        WarningKind::Failing(cause) => failure_text(cause, timeout),
        WarningKind::Doubt(why) => format!("not judged: {}", doubt_text(why)),
    }
}

/// `disk: 91% of / used`
#[must_use]
pub fn stored_warning_text(warned: &StoredWarning) -> String {
    let name = warned.probe.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    format!("{name}{}", warned.words)
}

/// `3 probes healthy`
#[must_use]
pub fn probes_healthy(n: usize) -> String {
    format!("{n} probe{} healthy", if n == 1 { "" } else { "s" })
}

/// Of each warning that is kept in the state, in characters.
pub const MAX_WARNING_CHARS: usize = 200;

fn tls_text(fault: &TlsError) -> String {
    match fault {
        TlsError::Expired => "certificate expired".to_owned(),
        TlsError::NotYetValid => "certificate not valid yet".to_owned(),
        TlsError::UnknownIssuer => {
            "certificate from an unknown issuer; if it is your own CA, set ca_file".to_owned()
        }
        TlsError::SelfSigned => {
            "self-signed certificate, or a CA's own; if it is yours, set ca_file to it".to_owned()
        }
        TlsError::WrongName(names) if names.is_empty() => {
            "certificate without the name of a host: a common name alone does not count".to_owned()
        }
        TlsError::WrongName(names) => {
            format!(
                "certificate for another name than it was asked for: it has {names}; set server_name if one is right"
            )
        }
        TlsError::NotTls => "the server does not speak TLS; should url begin with http://?".to_owned(),
        TlsError::Handshake(what) => format!("TLS handshake failed: {what}"),
    }
}

#[must_use]
pub fn doubt_text(doubt: &Doubt) -> String {
    match doubt {
        Doubt::Lookup(why) => format!("name not resolved: {why}"),
        Doubt::NoRoute => "no route to the host".to_owned(),
        Doubt::NoDescriptors => "too many open files".to_owned(),
        Doubt::NoMemory => "not enough memory for a socket".to_owned(),
        Doubt::NoPort => "no local address or port to connect from".to_owned(),
        Doubt::NoThread => "cannot start a thread".to_owned(),
        Doubt::Forbidden(why) => format!("not permitted to connect{why}"),
        Doubt::NoAuthorities(why) | Doubt::NoSystemd(why) | Doubt::UnitUnknown(why) | Doubt::Other(why) => {
            why.clone()
        }
        Doubt::Named(name, why) => format!("{name}: {}", self::doubt_text(why)),
    }
}
