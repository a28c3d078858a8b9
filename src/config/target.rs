//! The words of a probe: URL, method, headers, statuses. Messages never show a URL or the value of a
//! header: both may hold secrets, and cron mails what is printed.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use ureq::http::{HeaderName, HeaderValue, Method, Uri};

use super::layers::{AlreadyReported, LayeredReader};
use super::settings::{Problem, Setting, SettingValue};
use super::values;
use crate::plan::{StatusSet, UrlTarget};
use crate::toml_text::drives_a_terminal;

/// `http(s)://HOST[:PORT][/PATH]`, `unix:SOCKET[:/PATH]` as nginx writes it, or `tcp:HOST:PORT`.
pub(super) fn parse_url(value: &SettingValue) -> Result<UrlTarget, Problem> {
    let text = values::quote_text(value)?;
    if text.len() > MAX_URL_BYTES {
        return Err(format!("must be at most {MAX_URL_BYTES} bytes").into());
    }
    match text.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest)) {
        Some((scheme, rest)) if scheme.contains("unix") && scheme != "unix" || names_a_socket(rest) => {
            Err(Problem::with_cure(
                "is not how a socket is written",
                "write \"unix:/run/gunicorn.sock:/health/\"",
            ))
        }
        Some((scheme, _)) if scheme == "http" || scheme == "https" => {
            let shape = format!("{scheme}://HOST[:PORT][/PATH]");
            let uri = parse_uri(text, &shape)?;
            check_authority(&uri)?;
            UrlTarget::from_uri(text, &uri).ok_or_else(|| not_a_url(&shape))
        }
        Some((scheme, rest)) if scheme == "unix" => parse_socket_url(rest),
        Some((scheme, rest)) if scheme == "tcp" => parse_tcp_url(rest),
        Some(_) | None => {
            let sample = "\"http://localhost:8000/health/\"";
            Err(format!("must begin with http://, https://, unix:/ or tcp:, such as {sample}").into())
        }
    }
}

/// `http://unix:/run/x.sock`, as curl, Docker and nginx's proxy_pass have it in one way or another.
fn names_a_socket(rest: &str) -> bool {
    let begin = rest.trim_start_matches('/').get(..5).map(str::to_ascii_lowercase);
    begin.is_some_and(|begin| begin == "unix:")
}

/// Upper case, as servers expect it.
pub(super) fn parse_method(value: &SettingValue) -> Result<String, Problem> {
    let text = values::quote_text(value)?;
    match Method::from_bytes(text.to_ascii_uppercase().as_bytes()) {
        Ok(Method::CONNECT) | Err(_) => {
            Err(format!("must be a method of HTTP such as \"GET\", got {value}").into())
        }
        Ok(method) => Ok(method.as_str().to_owned()),
    }
}

/// 200, "200", "200,204", "2xx", "200-399"
pub(super) fn parse_status(value: &SettingValue) -> Result<StatusSet, Problem> {
    let wrong = || {
        Problem::from(format!(
            "must be statuses of 100 to 599 such as 200, \"200,204\", \"2xx\" or \"200-399\", got {value}"
        ))
    };
    let written = match value {
        SettingValue::Integer(number) => number.to_string(),
        SettingValue::Text(text) => text.to_string(),
        SettingValue::Boolean(_)
        | SettingValue::List(_)
        | SettingValue::EmptyTable
        | SettingValue::Unsupported(_) => return Err(wrong()),
    };
    let ranges: Option<Vec<_>> = written.split(',').map(|part| parse_status_range(part.trim())).collect();
    ranges.map(StatusSet).ok_or_else(wrong)
}

/// Merged over all layers; the case of a name does not matter, so the stronger layer's spelling stays.
pub(super) fn read_headers(
    reading: &mut LayeredReader<'_>,
) -> Result<BTreeMap<String, String>, AlreadyReported> {
    let (mut headers, mut refused) = (Vec::<(String, String)>::new(), None);
    for layer in reading.inner_settings("headers") {
        let mut here = Vec::<(String, String)>::new();
        for (name, setting) in layer {
            let said_before = here.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            let read = if said_before {
                Err(Problem::with_cure("given twice", "keep one"))
            } else {
                parse_header(name, setting)
            };
            match read {
                Ok(value) => here.push((name.to_owned(), value)),
                Err(wrong) => refused = Some(reading.report(setting.fault(wrong))),
            }
        }
        headers.retain(|(weaker, _)| !here.iter().any(|(name, _)| name.eq_ignore_ascii_case(weaker)));
        headers.extend(here);
    }
    let mut merged = BTreeMap::new();
    merged.extend(headers);
    refused.map_or(Ok(merged), Err)
}

/// What a head may hold is bounded by the buffer that it is written from.
const MAX_URL_BYTES: usize = 4096;

/// What the kernel takes (unix(7)), without the end mark.
const MAX_SOCKET_PATH_BYTES: usize = 107;

/// They say how a request is framed. A server would wait for a body that never comes, and look hung.
const RESERVED_HEADERS: [&str; 3] = ["connection", "content-length", "transfer-encoding"];

/// They ask for an exchange of another kind than one question and its answer.
const NOT_SPOKEN: [&str; 4] = ["expect", "te", "trailer", "upgrade"];

fn parse_header(name: &str, setting: &Setting) -> Result<String, Problem> {
    let known = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Problem::from("is not the name of a header: letters, digits and -_."))?;
    if RESERVED_HEADERS.contains(&known.as_str()) {
        return Err(Problem::with_cure("is set by unhang itself", "leave it out"));
    }
    if NOT_SPOKEN.contains(&known.as_str()) {
        let what = "asks for more than one question and its answer, which is all that unhang speaks";
        return Err(Problem::with_cure(what, "leave it out"));
    }
    let SettingValue::Text(text) = &setting.value else { return Err("must be a text in quotes".into()) };
    if text.len() > MAX_URL_BYTES {
        return Err(format!("must be at most {MAX_URL_BYTES} bytes").into());
    }
    HeaderValue::from_str(text)
        .map_err(|_| Problem::from("must not hold line breaks or other control characters"))?;
    Ok(text.to_string())
}

fn parse_socket_url(rest: &str) -> Result<UrlTarget, Problem> {
    let (socket, path) = match rest.split_once(":/") {
        Some((socket, path)) => (socket, format!("/{path}")),
        None => (rest, "/".to_owned()),
    };
    let sample = "\"unix:/run/gunicorn.sock:/health/\"";
    let wrong = |what: &str| Err(format!("{what}, such as {sample}").into());
    if socket.contains(':') {
        return wrong("must have a path that begins with / after the socket and a colon");
    }
    if !socket.starts_with('/') || socket.ends_with('/') {
        return wrong("must name a socket by its absolute path");
    }
    if socket.len() > MAX_SOCKET_PATH_BYTES || socket.chars().any(char::is_control) {
        return Err(format!(
            "must name a socket by at most {MAX_SOCKET_PATH_BYTES} bytes, none a control character"
        )
        .into());
    }
    let target = UrlTarget::HttpOverUnix { socket: socket.into(), path };
    parse_uri(&target.request_url(), "unix:SOCKET[:/PATH]")?;
    Ok(target)
}

/// `HOST:PORT`, checked like host and port of every URL.
pub(super) fn parse_tcp_url(rest: &str) -> Result<UrlTarget, Problem> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let uri = parse_uri(&format!("tcp://{rest}"), "tcp:HOST:PORT")?;
    check_authority(&uri)?;
    match (uri.host(), uri.port_u16()) {
        (Some(host), Some(port)) if !rest.contains('/') => Ok(UrlTarget::Tcp { host: host.to_owned(), port }),
        _ => {
            let sample = "\"tcp:127.0.0.1:6379\"";
            Err(format!("must be tcp:HOST:PORT, such as {sample}").into())
        }
    }
}

fn parse_uri(url: &str, shape: &str) -> Result<Uri, Problem> {
    // `ureq::http` takes http:8000 for a host called http, control characters that are UTF-8, and anything
    // behind a #, which is asked of no server.
    let parsed: Option<Uri> = url.parse().ok();
    let never_sent = |c: char| c == '#' || drives_a_terminal(c);
    let whole = parsed.filter(|uri| uri.scheme().is_some() && !url.contains(never_sent));
    whole.ok_or_else(|| not_a_url(shape))
}

fn not_a_url(shape: &str) -> Problem {
    let cure = "other characters than letters, digits and -._~:/?&= are written as %XX";
    Problem::with_cure(format!("cannot be read as a URL: {shape}"), cure)
}

/// `ureq::http` takes more than can be asked: a password, any host, any text for a port or after a host in
/// brackets.
fn check_authority(uri: &Uri) -> Result<(), Problem> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = uri.host().unwrap_or_default();
    if authority.contains('@') {
        let cure = "use headers = { Authorization = \"Basic ...\" }";
        return Err(Problem::with_cure("must not hold a user or password", cure));
    }
    let after = authority.strip_prefix(host).unwrap_or_default();
    let port = after.strip_prefix(':');
    if port.is_some_and(|port| !is_valid_port(port)) {
        return Err("must have a port of 1 to 65535".into());
    }
    if !is_valid_host(host) || (port.is_none() && !after.is_empty()) {
        return Err("has no valid host: a name, an IPv4 address or [an IPv6 address]".into());
    }
    Ok(())
}

fn is_valid_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && matches!(port.parse(), Ok(1_u16..))
}

fn parse_status_range(part: &str) -> Option<(u16, u16)> {
    let one = |text: &str| {
        let plain = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u16>().ok()).flatten().filter(|status| (100..600).contains(status))
    };
    if let Some(hundreds) = part.strip_suffix("xx") {
        return Some((one(&format!("{hundreds}00"))?, one(&format!("{hundreds}99"))?));
    }
    match part.split_once('-') {
        Some((from, to)) => Some((one(from.trim())?, one(to.trim())?)).filter(|(from, to)| from <= to),
        None => one(part).map(|status| (status, status)),
    }
}

fn is_valid_host(host: &str) -> bool {
    if let Some(literal) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return literal.parse::<Ipv6Addr>().is_ok();
    }
    let numeric = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed) && (!numeric || host.parse::<Ipv4Addr>().is_ok())
}
