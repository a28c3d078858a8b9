//! `certificate = "/etc/letsencrypt/live/shop/fullchain.pem"` or `"shop.example:443"`: how long until it ends? Of several
//! the first, which is the server's own. Whom to trust is not asked here: that is the question of an https url.

use std::path::Path;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use unhang_core::{Cause, Observation, Phase, TlsError};
use ureq::Error;
use ureq::http::Uri;

use crate::os::certificates;
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, ValueType};
use crate::words;

use super::answer::ProbeContext;
use super::fault::{classify_error, quote_error};
use super::kind::{ProbeKind, ProbeResult};
use super::socket::{Bounded, Deadline};
use super::trace::Trace;
use super::{port, tls, with_timeout};

mod validity;

use validity::Validity;

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(CERTIFICATE, &[WARN, FAIL, SERVER_NAME]).warns_by_default().validate(find_conflict),
    ask: probe_certificate,
};

const CERTIFICATE: KeySpec = KeySpec::new("certificate", ValueType::Text(no_place))
    .help("HOST:PORT or a file: how long its certificate is still valid");
const WARN: KeySpec =
    KeySpec::new("warn", ValueType::Span).default("21d").help("With less time left than this it warns");
const FAIL: KeySpec = KeySpec::new("fail", ValueType::Span).help("With less time left than this it fails");
const SERVER_NAME: KeySpec = KeySpec::new("server_name", ValueType::Text(no_server))
    .help("The name that is asked for, if it is not HOST");

fn no_place(text: &str) -> Option<&'static str> {
    let is_place = if is_file(text) { !text.ends_with('/') } else { is_host_and_port(text) };
    (!is_place).then_some("must be HOST:PORT or the absolute path of a file, such as \"shop.example:443\"")
}

fn is_file(place: &str) -> bool {
    place.starts_with('/')
}

fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && matches!(port.parse(), Ok(1_u16..));
    let uri: Option<Uri> = format!("tcp://{text}").parse().ok();
    is_port
        && ServerName::try_from(without_brackets(host)).is_ok()
        && uri.is_some_and(|uri| uri.host() == Some(host))
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn no_server(text: &str) -> Option<&'static str> {
    ServerName::try_from(text).is_err().then_some("must be the name of a server, such as \"shop.example\"")
}

fn find_conflict(given: &Params) -> Option<KeyConflict> {
    if is_file(given.text(&CERTIFICATE)) && !given.text(&SERVER_NAME).is_empty() {
        let what = "has no meaning for a file".to_owned();
        return Some(KeyConflict { key: SERVER_NAME.name, what, cure: "leave it out" });
    }
    let (warn, fail) = (given.span(&WARN)?, given.span(&FAIL)?);
    let what = || {
        format!(
            "must be shorter than warn, which is {}, got {}",
            words::format_duration(warn),
            words::format_duration(fail)
        )
    };
    (fail >= warn).then(|| KeyConflict { key: FAIL.name, what: what(), cure: "warn first, fail later" })
}

fn probe_certificate(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    let place = given.text(&CERTIFICATE);
    let shown = if is_file(place) { of_file(place, ground) } else { of_server(place, given, ground) };
    match shown.map(|certificate| validity::read_validity(&certificate)) {
        Ok(Some(validity)) => judge_validity(&validity, given, ground.now),
        Ok(None) => ProbeResult::unknown("cannot read the certificate's dates"),
        Err(found) => found,
    }
}

fn of_file(path: &str, ground: &ProbeContext<'_>) -> Result<CertificateDer<'static>, ProbeResult> {
    let asked = path.to_owned();
    let read = with_timeout::run_with_timeout(ground.limit, move || {
        certificates::first_certificate(Path::new(&asked))
    });
    read.map_err(ProbeResult::from_doubt)?.map_err(|error| with_timeout::not_finished(path, &error))
}

/// That it cannot be asked is not the certificate's fault, whosever it is.
fn of_server(
    place: &str,
    given: &Params,
    ground: &ProbeContext<'_>,
) -> Result<CertificateDer<'static>, ProbeResult> {
    let trace = Trace::new();
    let name = match given.text(&SERVER_NAME) {
        "" => place.rsplit_once(':').map_or(place, |(host, _)| host),
        name => name,
    };
    let deadline = Deadline(Instant::now() + ground.limit);
    match fetch_certificate(place, name, deadline, &trace) {
        Ok(Some(certificate)) => Ok(certificate),
        Ok(None) => Err(ProbeResult::unknown(format!("{place} shows no certificate"))),
        Err(error) => Err(match classify_error(&error, &trace.result()) {
            // STARTTLS, or no TLS at all.
            Observation::Unhealthy(Cause::Tls(TlsError::NotTls)) => {
                ProbeResult::unknown(format!("what answers at {place} is not TLS"))
            }
            Observation::Unhealthy(cause) => {
                let words = words::cause_text(&cause, ground.limit);
                ProbeResult::unknown(words.unwrap_or_else(|| quote_error(&error)))
            }
            Observation::Unknown(doubt) => ProbeResult::from_doubt(doubt),
            Observation::Healthy => ProbeResult::unknown(quote_error(&error)),
        }),
    }
}

fn fetch_certificate(
    place: &str,
    name: &str,
    deadline: Deadline,
    trace: &Trace,
) -> Result<Option<CertificateDer<'static>>, Error> {
    let socket = port::connect_to(place, deadline, trace)?;
    trace.enter(Phase::Tls);
    tls::first_certificate(name, &mut Bounded { socket: &socket, deadline })
}

fn judge_validity(validity: &Validity, given: &Params, now: Duration) -> ProbeResult {
    let Validity { begins, ends } = *validity;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let span = |from: i64, to: i64| Duration::from_secs(from.abs_diff(to));
    if now < begins {
        return ProbeResult::failing(format!(
            "not valid yet, only in {}",
            words::format_duration(span(now, begins))
        ));
    }
    // The last second is within (RFC 5280, 4.1.2.5).
    if now > ends {
        return ProbeResult::failing(format!("expired {} ago", words::format_duration(span(ends, now))));
    }
    let left = span(now, ends);
    let less = |key: &KeySpec| given.span(key).filter(|limit| left < *limit);
    let words = format!("ends in {}", words::format_duration(left));
    match (less(&FAIL), less(&WARN)) {
        (Some(fail), _) => ProbeResult::failing(format!("{words} (fail {})", words::format_duration(fail))),
        (None, Some(warn)) => {
            ProbeResult::warning(format!("{words} (warn {})", words::format_duration(warn)))
        }
        (None, None) => ProbeResult::ok(words),
    }
}

#[cfg(test)]
mod tests;
