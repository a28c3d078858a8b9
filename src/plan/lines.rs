//! What the plan asks and restarts as lines of TOML, in one spelling: what `config show` prints, and what a
//! fingerprint is made from.

use std::path::{Path, PathBuf};

use unhang_core::Rung;

use super::{BodyRules, FailOn, JsonAt, JsonRules, KeySpec, ParamValue, Question, Restarter};
use crate::toml_text::{format_size, quote, quote_duration, quote_list};

/// A key, and its value as TOML.
pub(crate) type Line = (&'static str, String);

/// The restart method of a service.
pub(crate) fn restart(restarter: &Restarter) -> Vec<Line> {
    let line = |key: &KeySpec| Some((key.name, param(restarter.given.0.get(key.name)?)));
    restarter.method.keys().filter_map(line).collect()
}

/// A value of a restart method or a kind of probe; a share, a size or a number of a load as the number that it is
/// compared by.
pub(crate) fn param(value: &ParamValue) -> String {
    match value {
        ParamValue::Text(text) => quote(text),
        ParamValue::Number(number) => number.to_string(),
        ParamValue::Span(duration) => quote_duration(*duration),
        ParamValue::List(list) => quote_list(list),
    }
}

/// How a url is asked: all but the url itself, the headers and the body of the request, which may hold secrets.
pub(crate) fn request(question: &Question) -> Vec<Line> {
    let trust = &question.trust;
    let path =
        |path: Option<&PathBuf>| quote(&path.map_or(Path::new(""), PathBuf::as_path).display().to_string());
    let client = trust.client.as_ref();
    let mut lines = Vec::from(method_and_status(question));
    lines.extend([
        ("redirects", question.redirects.to_string()),
        ("ca_file", path(trust.ca_file.as_ref())),
        ("insecure", trust.insecure.to_string()),
        ("server_name", quote(trust.server_name.as_deref().unwrap_or_default())),
        ("client_cert", path(client.map(|client| &client.certificate))),
        ("client_key", path(client.map(|client| &client.key))),
    ]);
    lines.extend(status_warn(question));
    lines.extend(question.request_body.as_ref().map(|_| ("request_body", quote("(hidden)"))));
    lines.push(("body.max", quote(&format_size(u64::try_from(question.body.max).unwrap_or(u64::MAX)))));
    lines.extend(body(&question.body));
    lines.extend(question.latency.warn.map(|warn| ("latency.warn", quote_duration(warn))));
    lines.extend(latency_fail(question));
    if let Some(maintenance) = &question.maintenance {
        lines.push(("maintenance.status", quote(&maintenance.status.to_string())));
        lines.extend(maintenance.header.iter().map(|header| ("maintenance.header", quote(header))));
    }
    lines
}

pub(crate) fn method_and_status(question: &Question) -> [Line; 2] {
    [("method", quote(&question.method)), ("status", quote(&question.status.to_string()))]
}

pub(crate) fn status_warn(question: &Question) -> Option<Line> {
    question.status_warn.as_ref().map(|warn| ("status_warn", quote(&warn.to_string())))
}

/// The rules for the body of an answer, but for `body.max`: it decides what is known, not what is well.
pub(crate) fn body(rules: &BodyRules) -> Vec<Line> {
    let mut lines = Vec::new();
    let BodyRules { contains, lacks, regex, json: own_words, max: _ } = rules;
    let some = |key, list: &[String]| (!list.is_empty()).then(|| (key, quote_list(list)));
    lines.extend(some("body.contains", contains));
    lines.extend(some("body.lacks", lacks));
    lines.extend(regex.as_ref().map(|regex| ("body.regex", quote(regex))));
    lines.extend(own_words.iter().flat_map(json));
    lines
}

fn json(rules: &JsonRules) -> Vec<Line> {
    let JsonRules { fail_on, ignore, warn, parts, at } = rules;
    let fail_on = if *fail_on == FailOn::Failure { "failure" } else { "warning" };
    let mut lines = vec![
        ("json.fail_on", quote(fail_on)),
        ("json.ignore", quote_list(ignore)),
        ("json.warn", quote_list(warn)),
        ("json.parts", quote_list(parts)),
    ];
    if let Some(JsonAt { pointer, is, min, max }) = at {
        lines.push(("json.at", quote(pointer)));
        lines.extend((!is.is_empty()).then(|| ("json.is", quote_list(is))));
        lines.extend(min.iter().map(|min| ("json.min", min.to_string())));
        lines.extend(max.iter().map(|max| ("json.max", max.to_string())));
    }
    lines
}

pub(crate) fn latency_fail(question: &Question) -> Option<Line> {
    question.latency.fail.map(|fail| ("latency.fail", quote_duration(fail)))
}

/// The list of `escalate`.
pub(crate) fn steps(rungs: &[Rung]) -> String {
    let shown = |rung: &Rung| match rung {
        Rung::Command(words) => quote_list(words),
        Rung::Reload | Rung::Restart | Rung::Kill | Rung::Wake => quote(rung.act().code()),
    };
    format!("[{}]", rungs.iter().map(shown).collect::<Vec<_>>().join(", "))
}
