//! Why no good answer came, told apart. Pure: from what ureq says and how far the request had come.
//! A fault of the service counts against it; a fault of ours never does, and what is not understood
//! is ours.

use std::{fmt, io};

use rustix::io::Errno;
use rustls::{AlertDescription, CertificateError};
use unhang_core::{Cause, Doubt, Observation, Phase, TlsError};
use ureq::Error;

use super::trace::TraceResult;
use crate::words;

/// A doubt on its way through ureq, which carries any error unchanged.
#[derive(Debug)]
pub(super) struct LocalError(pub(super) Doubt);

/// Likewise a fault of the service.
#[derive(Debug)]
pub(super) struct Theirs(pub(super) Cause);

#[expect(clippy::wildcard_enum_match_arm, reason = "an open enum")]
pub(super) fn classify_error(error: &Error, seen: &TraceResult) -> Observation {
    match error {
        Error::Timeout(_) => timed_out(seen.phase),
        Error::Io(error) => classify_io(error, seen.phase),
        Error::HostNotFound => Observation::Unknown(Doubt::Lookup("it has no address".into())),
        Error::Other(error) => match (error.downcast_ref::<LocalError>(), error.downcast_ref::<Theirs>()) {
            (Some(LocalError(doubt)), _) => Observation::Unknown(doubt.clone()),
            (None, Some(Theirs(cause))) => Observation::Unhealthy(cause.clone()),
            (None, None) => Observation::Unknown(Doubt::Other(quote_error(error))),
        },
        // Before a byte came, it is the question that is wrong; later, a body that ureq cannot read. The rest it
        // does not say to us, or may say one day: no evidence against the service.
        _ => Observation::Unknown(Doubt::Other(quote_error(error))),
    }
}

/// What connect(2), read(2) and write(2) can say, and rustls through them.
pub(super) fn classify_io(error: &io::Error, phase: Phase) -> Observation {
    if let Some(error) = tls_error(error) {
        return classify_tls(error);
    }
    match Errno::from_io_error(error) {
        // There is no path to it, or only a part of it.
        Some(Errno::NOENT | Errno::NOTDIR) => Observation::Unhealthy(Cause::NoSocket),
        Some(Errno::CONNREFUSED) => Observation::Unhealthy(Cause::Refused),
        Some(Errno::CONNRESET | Errno::CONNABORTED | Errno::PIPE) => Observation::Unhealthy(Cause::Reset),
        Some(Errno::NETUNREACH | Errno::HOSTUNREACH | Errno::NETDOWN | Errno::HOSTDOWN) => {
            Observation::Unknown(Doubt::NoRoute)
        }
        Some(Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT) => Observation::Unknown(Doubt::NoPort),
        Some(Errno::ACCESS | Errno::PERM) => Observation::Unknown(Doubt::Forbidden(
            ": a firewall or security policy of this host forbids it".into(),
        )),
        _ if error.kind() == io::ErrorKind::TimedOut => timed_out(phase),
        _ if error.kind() == io::ErrorKind::UnexpectedEof => Observation::Unhealthy(Cause::Closed(phase)),
        _ => {
            Observation::Unknown(classify_scarcity(error).unwrap_or_else(|| Doubt::Other(quote_error(error))))
        }
    }
}

pub(super) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "an open enum")]
pub(super) fn classify_tls(error: &rustls::Error) -> Observation {
    use rustls::Error as Tls;
    let fault = match error {
        Tls::InvalidCertificate(bad) => certificate_fault(bad),
        Tls::InvalidMessage(_) => Some(TlsError::NotTls),
        Tls::AlertReceived(AlertDescription::InternalError)
        | Tls::DecryptError
        | Tls::InappropriateHandshakeMessage { .. }
        | Tls::InappropriateMessage { .. }
        | Tls::NoCertificatesPresented
        | Tls::PeerMisbehaved(_)
        | Tls::PeerSentOversizedRecord => Some(TlsError::Handshake(quote_error(error))),
        // Most of all PeerIncompatible, and what a server says of us: it does speak TLS, but none that we know.
        _ => None,
    };
    match fault {
        Some(fault) => Observation::Unhealthy(Cause::Tls(fault)),
        None => Observation::Unknown(Doubt::Other(match why_we_do_not_fit(error) {
            Some(why) => format!("TLS: {}: {why}", quote_error(error)),
            None => quote_error(&format!("TLS: {error}")),
        })),
    }
}

/// A server that speaks TLS, only not with us: what is missing, and the cure.
#[expect(clippy::wildcard_enum_match_arm, reason = "an open enum")]
fn why_we_do_not_fit(error: &rustls::Error) -> Option<&'static str> {
    use AlertDescription as Alert;
    use rustls::Error as Tls;
    use rustls::PeerIncompatible as Peer;
    const OTHER_WAY: &str = "it has no version, cipher, curve or signature that unhang has; probe it by another port or a command";
    match error {
        Tls::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateUnknown
            | Alert::NoCertificate
            | Alert::UnknownCA
            | Alert::AccessDenied,
        ) => {
            Some("it wants a certificate of its clients: set client_cert and client_key to one that it takes")
        }
        Tls::AlertReceived(Alert::UnrecognisedName) => {
            Some("it does not know the host of url; set server_name to the name that it knows")
        }
        Tls::AlertReceived(Alert::HandshakeFailure) => Some(
            "it has no cipher, curve or signature that unhang has, no certificate, or wants one of its clients (client_cert); or probe it by another port or a command",
        ),
        Tls::AlertReceived(Alert::ProtocolVersion | Alert::InsufficientSecurity)
        | Tls::PeerIncompatible(
            Peer::NoCipherSuitesInCommon
            | Peer::NoKxGroupsInCommon
            | Peer::NoSignatureSchemesInCommon
            | Peer::ServerDoesNotSupportTls12Or13
            | Peer::ServerTlsVersionIsDisabledByOurConfig,
        ) => Some(OTHER_WAY),
        _ => None,
    }
}

/// `None`: we cannot judge it.
#[expect(clippy::wildcard_enum_match_arm, reason = "an open enum")]
fn certificate_fault(bad: &CertificateError) -> Option<TlsError> {
    use CertificateError as Bad;
    match bad {
        Bad::Expired | Bad::ExpiredContext { .. } => Some(TlsError::Expired),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => Some(TlsError::NotYetValid),
        Bad::UnknownIssuer => Some(TlsError::UnknownIssuer),
        Bad::NotValidForName => Some(TlsError::WrongName(String::new())),
        Bad::NotValidForNameContext { presented, .. } => Some(TlsError::WrongName(names_text(presented))),
        Bad::BadEncoding => Some(TlsError::Handshake("certificate cannot be read".into())),
        // Such as that of an authority which was made anew under its old name.
        Bad::BadSignature => {
            Some(TlsError::Handshake("certificate not signed by the issuer it names".into()))
        }
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => {
            Some(TlsError::Handshake("certificate not for servers".into()))
        }
        // webpki's own error, which cannot be named from here; a scene pins this word.
        Bad::Other(inner) if inner.to_string() == "CaUsedAsEndEntity" => Some(TlsError::SelfSigned),
        _ => None,
    }
}

/// The names of a certificate that a host can be called by: `shop.example, *.shop.example, 10.0.0.5 and 3 more`.
fn names_text(presented: &[String]) -> String {
    const MOST: usize = 5;
    // As rustls-webpki writes them.
    let bare = |name: &String| {
        let dns = name.strip_prefix("DnsName(\"").and_then(|name| name.strip_suffix("\")"));
        let ip = || name.strip_prefix("IpAddress(").and_then(|name| name.strip_suffix(')'));
        dns.or_else(ip)
            .map(|name| words::escaped(name).chars().take(MAX_CERTIFICATE_NAME_CHARS).collect::<String>())
    };
    let all: Vec<String> = presented.iter().filter_map(bare).collect();
    let shown = all.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The most characters that are shown of one name of a certificate.
const MAX_CERTIFICATE_NAME_CHARS: usize = 80;

/// What this host has run out of.
pub(super) fn classify_scarcity(error: &io::Error) -> Option<Doubt> {
    match Errno::from_io_error(error)? {
        Errno::MFILE | Errno::NFILE => Some(Doubt::NoDescriptors),
        Errno::NOMEM | Errno::NOBUFS => Some(Doubt::NoMemory),
        _ => None,
    }
}

/// Something of this host that a probe needs: `what` names it.
pub(super) fn classify_read_error(what: &str, error: &io::Error) -> Doubt {
    classify_scarcity(error)
        .unwrap_or_else(|| Doubt::Other(format!("{what}: {}", words::io_error_text(error))))
}

/// A name that takes too long says nothing about the service behind it.
fn timed_out(phase: Phase) -> Observation {
    match phase {
        Phase::Lookup => Observation::Unknown(Doubt::Lookup("no answer in time".into())),
        Phase::Connect | Phase::Tls | Phase::FirstByte | Phase::Rest => {
            Observation::Unhealthy(Cause::TimedOut(phase))
        }
    }
}

/// The answer is no HTTP/1: `line` is all of its first line that was read, `beginning` the first bytes of it all.
pub(super) fn no_status_line(line: &[u8], beginning: &[u8]) -> Error {
    let ours = |why: &str| LocalError(Doubt::Other(why.to_owned())).into();
    match beginning {
        // An alert or a part of a handshake (RFC 8446, 5.1).
        [21 | 22, 3, ..] => ours("what answers speaks TLS: write https:// in url"),
        // A frame of settings, or the farewell, of no stream (RFC 9113, 4.1).
        [0, 0, _, 4 | 7, _, 0, 0, 0, 0, ..] => {
            ours("what answers speaks HTTP/2 alone: have it speak HTTP/1.1 too, or probe it with a command")
        }
        _ if line.starts_with(b"HTTP/1.") => Theirs(Cause::NotHttp(quote_error(&format!(
            "no status in \"{}\"",
            line.trim_ascii().escape_ascii()
        ))))
        .into(),
        _ => Theirs(Cause::NotHttp(format!("it begins \"{}\"", beginning.escape_ascii()))).into(),
    }
}

/// What may hold words of the other side's: they neither drive a terminal nor fill a page.
pub(super) fn quote_error(text: &impl ToString) -> String {
    words::escaped(&text.to_string()).chars().take(MAX_QUOTED_BYTES).collect()
}

const MAX_QUOTED_BYTES: usize = 200;

impl From<LocalError> for Error {
    fn from(ours: LocalError) -> Self {
        Self::Other(Box::new(ours))
    }
}

impl From<Theirs> for Error {
    fn from(theirs: Theirs) -> Self {
        Self::Other(Box::new(theirs))
    }
}

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

impl std::error::Error for LocalError {}

impl fmt::Display for Theirs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

impl std::error::Error for Theirs {}
