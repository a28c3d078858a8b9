//! One HTTP question. ureq speaks HTTP; the way there, TLS, the waits and the words for failure are this
//! room's. Reads no body that no rule looks at.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use unhang_core::{Cause, Doubt, Observation, ProbeFailure, Redirect};
use ureq::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, LOCATION, USER_AGENT,
};
use ureq::http::{self, Method, Request, Response, Uri};
use ureq::{Agent, Body, Error, ResponseExt};

use crate::plan::{HttpRequest, LatencyLimits, MaintenanceRule, TlsTrust, UrlTarget};
use crate::words;

use super::answer::ProbeAnswer;
use super::body::{self, BodyVerdict};
use super::body_text::Raw;
use super::fault::{LocalError, classify_error, quote_error};
use super::lookup::Lookup;
use super::redirect::{self, Lead};
use super::trace::Trace;
use super::wire::{Dialer, OwnSocket};

/// In all within `limit`; panics where ureq does.
pub(super) fn probe_url(question: &HttpRequest, limit: Duration) -> ProbeAnswer {
    let trace = Arc::new(Trace::new());
    let answered = fetch_answer(question, limit, &trace);
    let status = answered.as_ref().ok().map(|answered| answered.response.status().as_u16());
    let judged = answered.and_then(|answered| judge_answer(question, answered, &trace));
    let (observation, near) = judged.unwrap_or_else(|error| (classify_error(&error, &trace.result()), None));
    let times = trace.times();
    let (observation, near) = in_time(&question.latency, times.total(), observation, near, status);
    ProbeAnswer { observation, near, status, times, ..ProbeAnswer::default() }
}

/// With what warns. Reads a body only where a rule looks at one.
fn judge_answer(
    question: &HttpRequest,
    answered: FinalAnswer,
    trace: &Trace,
) -> Result<(Observation, Option<String>), Error> {
    let FinalAnswer { response: answer, misled } = answered;
    let status = answer.status().as_u16();
    if question.maintenance.as_ref().is_some_and(|said| is_maintenance(said, &answer)) {
        return Ok((Observation::Unhealthy(Cause::Maintenance(status)), None));
    }
    let wanted = question.status.contains(status);
    if !wanted && question.status_warn.as_ref().is_some_and(|warn| warn.contains(status)) {
        return Ok((Observation::Healthy, Some(format!("HTTP {status} (status_warn)"))));
    }
    if let Some(location) = misled.filter(|_| !wanted) {
        let why = format!("redirected to {}, which is no URL of HTTP", quote_error(&location));
        return Ok((Observation::Unknown(Doubt::Other(why)), None));
    }
    if !wanted {
        return Ok((of_unwanted(question, answer, trace), None));
    }
    if question.body.is_empty() { Ok((Observation::Healthy, None)) } else { of_body(question, answer, trace) }
}

fn of_body(
    question: &HttpRequest,
    answer: Response<Body>,
    trace: &Trace,
) -> Result<(Observation, Option<String>), Error> {
    let unknown = |why: String| Ok((Observation::Unknown(Doubt::Other(why)), None));
    if !trace.result().is_length_clear {
        return unknown(
            "the head of the answer does not say where its body ends: Content-Length and Transfer-Encoding"
                .to_owned(),
        );
    }
    let status = answer.status().as_u16();
    let (head, body) = answer.into_parts();
    let said =
        |name: HeaderName| head.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let (encoding, content_type) = (said(CONTENT_ENCODING), said(CONTENT_TYPE));
    let mut bytes = Vec::new();
    let most = u64::try_from(question.body.max).unwrap_or(u64::MAX).saturating_add(1);
    match body.into_reader().take(most).read_to_end(&mut bytes).map_err(Error::from) {
        Ok(_) => {}
        // Such as broken chunks.
        Err(Error::Protocol(error)) => {
            return unknown(format!("the body cannot be read: {}", quote_error(&error)));
        }
        Err(error) => return Err(error),
    }
    let raw = Raw { bytes: &bytes, encoding: encoding.as_deref(), content_type: content_type.as_deref() };
    Ok(match body::judge_body(&question.body, &raw) {
        BodyVerdict::Well => (Observation::Healthy, None),
        BodyVerdict::Near(words) => (Observation::Healthy, Some(words)),
        BodyVerdict::Failing(code, words) => {
            (Observation::from_probe_failure(ProbeFailure { code, words, status }), None)
        }
        BodyVerdict::NotKnown(words) => (Observation::Unknown(Doubt::Other(words)), None),
    })
}

/// What is well, but late.
fn in_time(
    latency: &LatencyLimits,
    took: Duration,
    observation: Observation,
    near: Option<String>,
    status: Option<u16>,
) -> (Observation, Option<String>) {
    if observation != Observation::Healthy {
        return (observation, near);
    }
    let late = |limit: Option<Duration>, key: &str| {
        let limit = limit.filter(|limit| took >= *limit)?;
        Some(format!(
            "answered in {} ({key} {})",
            words::format_duration(took),
            words::format_duration(limit)
        ))
    };
    match (late(latency.fail, "latency.fail"), late(latency.warn, "latency.warn")) {
        (Some(words), _) => {
            let found = ProbeFailure { code: "slow", words, status: status.unwrap_or_default() };
            (Observation::from_probe_failure(found), None)
        }
        (None, late) => (observation, near.or(late)),
    }
}

/// The answer that is judged, behind the redirects that are followed.
struct FinalAnswer {
    response: Response<Body>,
    /// A redirect that leads to what is no URL of HTTP.
    misled: Option<String>,
}

fn fetch_answer(question: &HttpRequest, limit: Duration, trace: &Arc<Trace>) -> Result<FinalAnswer, Error> {
    let began = Instant::now();
    let mut asked = build_request(question)?;
    let own = asked.uri().clone();
    // The operator's headers may prove who we are, and are no business of another host's.
    let is_private = !question.headers.is_empty() || question.request_body.is_some();
    let private_to = is_private.then_some(&own);
    let mut redirects = question.redirects;
    loop {
        let again = (redirects > 0).then(|| asked.clone());
        let (socket, left) = (socket_of(question, &own), limit.saturating_sub(began.elapsed()));
        let trust = match host_away(&own, asked.uri()) {
            None => question.trust.clone(),
            Some(_) => question.trust.for_other_host(),
        };
        let response = answer_of_one(question, trust, asked, socket, left, trace)?;
        let Some(again) = again else { return Ok(FinalAnswer { response, misled: None }) };
        asked = match redirect::next_location(&again, &response) {
            Lead::To(next) => *next,
            Lead::Nowhere => return Ok(FinalAnswer { response, misled: None }),
            Lead::NotUnderstood(location) => return Ok(FinalAnswer { response, misled: Some(location) }),
        };
        if let Some(host) = private_to.and_then(|own| host_away(own, asked.uri())) {
            let why = format!(
                "redirected to {}, where headers and request_body must not go: leave them out, or redirects",
                quote_error(&host)
            );
            return Err(LocalError(Doubt::Other(why)).into());
        }
        redirects -= 1;
    }
}

fn host_away<'a>(own: &Uri, uri: &'a Uri) -> Option<&'a str> {
    uri.host().filter(|_| redirect::leads_away(own, uri))
}

fn answer_of_one(
    question: &HttpRequest,
    trust: TlsTrust,
    request: Request<()>,
    socket: Option<OwnSocket>,
    limit: Duration,
    trace: &Arc<Trace>,
) -> Result<Response<Body>, Error> {
    let config = Agent::config_builder()
        .timeout_global(Some(limit))
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        // More than what `answer_head` writes.
        .max_response_header_size(256 * 1024)
        // `redirect` follows them.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .build();
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    // An agent for each question, 2 us: its connector and resolver carry this question's trace.
    let dial = Dialer {
        trace: Arc::clone(trace),
        socket,
        trust,
        header: question.maintenance.as_ref().and_then(|said| said.header.clone()),
        headers,
    };
    let agent = Agent::with_parts(config, dial, Lookup { trace: Arc::clone(trace) });
    match body_for(question, request.method()) {
        None => agent.run(request),
        Some(body) => agent.run(request.map(|()| body.to_owned())),
    }
}

/// `None`: the request has none, as the GET that a redirect has made of it.
fn body_for<'a>(question: &'a HttpRequest, method: &Method) -> Option<&'a str> {
    question.request_body.as_deref().filter(|_| [Method::POST, Method::PUT, Method::PATCH].contains(method))
}

/// `None`: the way is TCP.
fn socket_of(question: &HttpRequest, own: &Uri) -> Option<OwnSocket> {
    let UrlTarget::HttpOverUnix { socket, .. } = &question.target else { return None };
    Some(OwnSocket { path: socket.clone(), uri: own.clone() })
}

fn is_maintenance(said: &MaintenanceRule, answer: &Response<Body>) -> bool {
    let has = |header: &String| answer.headers().contains_key(header.as_str());
    said.status.contains(answer.status().as_u16()) && said.header.as_ref().is_none_or(has)
}

/// An answer whose status is not one of those wanted. Its body is read where it may say what fails.
fn of_unwanted(question: &HttpRequest, answer: Response<Body>, trace: &Trace) -> Observation {
    let cause = unwanted_status(question, &answer);
    let is_plain = answer.get_uri().scheme_str() == Some("http");
    if matches!(cause, Cause::Status(500..)) && question.body.json.is_some() {
        // An error page of the server's own may name what fails.
        let told = of_body(question, answer, trace).ok().map(|(said, _)| said);
        let named = told.filter(|said| matches!(said, Observation::Unhealthy(_)));
        return named.unwrap_or(Observation::Unhealthy(cause));
    }
    let may_be_tls = cause == Cause::Status(400) && is_plain && trace.result().is_length_clear;
    if may_be_tls && wants_https(answer) {
        return Observation::Unhealthy(Cause::ToHttps(400));
    }
    Observation::Unhealthy(cause)
}

/// True for an answer that says that HTTPS is wanted, in the words of nginx, Apache, Go or Tomcat.
fn wants_https(answer: Response<Body>) -> bool {
    const SAID: [&str; 4] = ["https port", "ssl-enabled server", "https server", "requires tls"];
    const MOST_BYTES: u64 = 2 * 1024;
    let mut bytes = Vec::new();
    // What was read before it broke off is enough.
    let _ = answer.into_body().into_reader().take(MOST_BYTES).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    SAID.iter().any(|said| text.contains(said))
}

/// A status that is not one of those wanted.
fn unwanted_status(question: &HttpRequest, answer: &Response<Body>) -> Cause {
    let status = answer.status().as_u16();
    let location = answer.headers().get(LOCATION).map_or(&[][..], HeaderValue::as_bytes);
    let to_https = location.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"https://"));
    let from_http = answer.get_uri().scheme_str() == Some("http");
    if matches!(status, 301 | 302 | 307 | 308) && to_https && from_http {
        return Cause::ToHttps(status);
    }
    // A query may hold what is nobody's business.
    let to = location.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
    if matches!(status, 300..=303 | 307 | 308) && !to.is_empty() {
        let (to, needs) = (quote_error(&String::from_utf8_lossy(to)), question.redirects.saturating_add(1));
        return Cause::Redirect(Redirect { status, to, needs });
    }
    Cause::Status(status)
}

/// The operator's headers replace ours, `Host` included, which ureq adds if there is none.
fn build_request(question: &HttpRequest) -> Result<Request<()>, http::Error> {
    let mut request = Request::builder()
        .method(question.method.as_str())
        .uri(question.target.request_url().as_ref())
        .body(())?;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("unhang/", env!("CARGO_PKG_VERSION"))));
    // The server need not hold a worker for a second request that will not come.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if matches!(question.method.as_str(), "POST" | "PUT" | "PATCH") {
        // Else ureq says that a body follows in chunks.
        headers.insert(CONTENT_LENGTH, question.request_body.as_ref().map_or(0, String::len).into());
    }
    if question.body.json.is_some() {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    add_header(headers, &question.headers)?;
    Ok(request)
}

fn add_header<'a>(
    headers: &mut HeaderMap,
    wanted: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<(), http::Error> {
    for (name, value) in wanted {
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    Ok(())
}
