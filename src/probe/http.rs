//! One HTTP question. ureq speaks HTTP; the way there, TLS, the waits and the words for failure are this
//! room's. Reads no body that no rule looks at.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use unhang_core::{Cause, Doubt, Finding, Observation};
use ureq::http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, LOCATION, USER_AGENT,
};
use ureq::http::{self, Request, Response};
use ureq::{Agent, Body, Error, ResponseExt};

use crate::plan::{Latency, Maintenance, Question, Target};
use crate::words;

use super::answer::Answer;
use super::body::{self, Judged};
use super::fault::classify;
use super::lookup::Lookup;
use super::trace::Trace;
use super::wire::{Dial, OwnSocket};

/// A whole answer head must fit in here. Django with a long Content-Security-Policy and a few cookies
/// stays under 8 KiB; nginx allows its upstreams 4 or 8 (`proxy_buffer_size`).
const HEAD: usize = 16 * 1024;

/// In all within `limit`; panics where ureq does.
pub(super) fn ask(question: &Question, limit: Duration) -> Answer {
    let trace = Arc::new(Trace::new());
    let answered = answer(question, limit, &trace);
    let status = answered.as_ref().ok().map(|answer| answer.status().as_u16());
    let judged = answered.and_then(|answer| judged(question, answer));
    let (observation, near) = judged.unwrap_or_else(|error| (classify(&error, &trace.seen()), None));
    let times = trace.times();
    let (observation, near) = in_time(&question.latency, times.total(), observation, near, status);
    Answer { observation, near, status, times, ..Answer::default() }
}

/// With what warns. Reads a body only where a rule looks at one.
fn judged(question: &Question, answer: Response<Body>) -> Result<(Observation, Option<String>), Error> {
    let status = answer.status().as_u16();
    if question.maintenance.as_ref().is_some_and(|said| is_maintenance(said, &answer)) {
        return Ok((Observation::Unhealthy(Cause::Maintenance(status)), None));
    }
    let wanted = question.status.contains(status);
    if !wanted {
        let cause = unwanted(&answer);
        // An error page of the server's own may name what fails.
        let said = (status >= 500 && question.body.json.is_some()).then(|| of_body(question, answer, status));
        let told = said.and_then(Result::ok).map(|(said, _)| said);
        let named = told.filter(|said| matches!(said, Observation::Unhealthy(_)));
        return Ok((named.unwrap_or(Observation::Unhealthy(cause)), None));
    }
    if question.body.are_none() {
        Ok((Observation::Healthy, None))
    } else {
        of_body(question, answer, status)
    }
}

fn of_body(
    question: &Question,
    answer: Response<Body>,
    status: u16,
) -> Result<(Observation, Option<String>), Error> {
    let mut body = Vec::new();
    let most = u64::try_from(body::LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    answer.into_body().into_reader().take(most).read_to_end(&mut body).map_err(Error::from)?;
    Ok(match body::judged(&question.body, &body) {
        Judged::Well => (Observation::Healthy, None),
        Judged::Near(words) => (Observation::Healthy, Some(words)),
        Judged::Failing(code, words) => (Observation::failing(Finding { code, words, status }), None),
        Judged::NotKnown(words) => (Observation::Unknown(Doubt::Other(words)), None),
    })
}

/// What is well, but late.
fn in_time(
    latency: &Latency,
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
        Some(format!("answered in {} ({key} {})", words::span(took), words::span(limit)))
    };
    match (late(latency.fail, "latency.fail"), late(latency.warn, "latency.warn")) {
        (Some(words), _) => {
            let found = Finding { code: "slow", words, status: status.unwrap_or_default() };
            (Observation::failing(found), None)
        }
        (None, late) => (observation, near.or(late)),
    }
}

fn answer(question: &Question, limit: Duration, trace: &Arc<Trace>) -> Result<Response<Body>, Error> {
    let config = Agent::config_builder()
        .timeout_global(Some(limit))
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(question.redirects)
        .max_redirects_will_error(false)
        .proxy(None)
        // One less than the buffer: a full one is too large.
        .max_response_header_size(HEAD - 1)
        .build();
    let request = request(question)?;
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    // An agent for each question, 2 us: its connector and resolver carry this question's trace.
    let dial = Dial {
        trace: Arc::clone(trace),
        socket: socket_of(question, &request),
        trust: question.trust.clone(),
        private_to: (!question.headers.is_empty()).then(|| request.uri().clone()),
        head: HEAD,
        headers,
    };
    let agent = Agent::with_parts(config, dial, Lookup { trace: Arc::clone(trace) });
    agent.run(request)
}

/// `None`: the way is TCP.
fn socket_of(question: &Question, request: &Request<()>) -> Option<OwnSocket> {
    let Target::HttpOverUnix { socket, .. } = &question.target else { return None };
    Some(OwnSocket { path: socket.clone(), uri: request.uri().clone() })
}

fn is_maintenance(said: &Maintenance, answer: &Response<Body>) -> bool {
    let has = |header: &String| answer.headers().contains_key(header.as_str());
    said.status.contains(answer.status().as_u16()) && said.header.as_ref().is_none_or(has)
}

/// A status that is not one of those wanted.
fn unwanted(answer: &Response<Body>) -> Cause {
    let status = answer.status().as_u16();
    let location = answer.headers().get(LOCATION).map_or(&[][..], HeaderValue::as_bytes);
    let to_https = location.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"https://"));
    let from_http = answer.get_uri().scheme_str() == Some("http");
    if matches!(status, 301 | 302 | 307 | 308) && to_https && from_http {
        return Cause::ToHttps(status);
    }
    Cause::Status(status)
}

/// The operator's headers replace ours, `Host` included, which ureq adds if there is none.
fn request(question: &Question) -> Result<Request<()>, http::Error> {
    let mut request = Request::builder()
        .method(question.method.as_str())
        .uri(question.target.request_url().as_ref())
        .body(())?;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("unhang/", env!("CARGO_PKG_VERSION"))));
    // The server need not hold a worker for a second request that will not come.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if matches!(question.method.as_str(), "POST" | "PUT" | "PATCH") {
        // Else ureq says that a body follows in chunks.
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    add(headers, &question.headers)?;
    Ok(request)
}

fn add<'a>(
    headers: &mut HeaderMap,
    wanted: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<(), http::Error> {
    for (name, value) in wanted {
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    Ok(())
}
