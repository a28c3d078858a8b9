//! What the plan asks and restarts as lines of TOML, in one spelling: what `config show` prints, and what a
//! fingerprint is made from.

use std::path::{Path, PathBuf};

use unhang_core::Step;

use super::{BodyRules, HttpRequest, JsonAt, JsonFailLevel, JsonRules, KeySpec, ParamValue, RestartMethod};
use crate::toml_text::{format_size, quote_duration, quote_list, quote_toml};

/// A key, and its value as TOML.
pub(crate) type KeyLine = (&'static str, String);

/// The restart method of a service.
pub(crate) fn restart_lines(restarter: &RestartMethod) -> Vec<KeyLine> {
    let line = |key: &KeySpec| Some((key.name, param_text(restarter.given.0.get(key.name)?)));
    restarter.method.keys().filter_map(line).collect()
}

/// A value of a restart method or a kind of probe; a share, a size or a number of a load as the number that it is
/// compared by.
pub(crate) fn param_text(value: &ParamValue) -> String {
    match value {
        ParamValue::Text(text) => quote_toml(text),
        ParamValue::Number(number) => number.to_string(),
        ParamValue::Span(duration) => quote_duration(*duration),
        ParamValue::List(list) => quote_list(list),
    }
}

/// How a url is asked: all but the url itself, the headers and the body of the request, which may hold secrets.
pub(crate) fn request_lines(question: &HttpRequest) -> Vec<KeyLine> {
    let trust = &question.trust;
    let path = |path: Option<&PathBuf>| {
        quote_toml(&path.map_or(Path::new(""), PathBuf::as_path).display().to_string())
    };
    let client = trust.client.as_ref();
    let mut lines = Vec::from(method_and_status(question));
    lines.extend([
        ("redirects", question.redirects.to_string()),
        ("ca_file", path(trust.ca_file.as_ref())),
        ("insecure", trust.insecure.to_string()),
        ("server_name", quote_toml(trust.server_name.as_deref().unwrap_or_default())),
        ("client_cert", path(client.map(|client| &client.certificate))),
        ("client_key", path(client.map(|client| &client.key))),
    ]);
    lines.extend(status_warn(question));
    lines.extend(question.request_body.as_ref().map(|_| ("request_body", quote_toml("(hidden)"))));
    lines.push(("body.max", quote_toml(&format_size(u64::try_from(question.body.max).unwrap_or(u64::MAX)))));
    lines.extend(body_lines(&question.body));
    lines.extend(question.latency.warn.map(|warn| ("latency.warn", quote_duration(warn))));
    lines.extend(latency_fail(question));
    if let Some(maintenance) = &question.maintenance {
        lines.push(("maintenance.status", quote_toml(&maintenance.status.to_string())));
        lines.extend(maintenance.header.iter().map(|header| ("maintenance.header", quote_toml(header))));
    }
    lines
}

pub(crate) fn method_and_status(question: &HttpRequest) -> [KeyLine; 2] {
    [("method", quote_toml(&question.method)), ("status", quote_toml(&question.status.to_string()))]
}

pub(crate) fn status_warn(question: &HttpRequest) -> Option<KeyLine> {
    question.status_warn.as_ref().map(|warn| ("status_warn", quote_toml(&warn.to_string())))
}

/// The rules for the body of an answer, but for `body.max`: it decides what is known, not what is well.
pub(crate) fn body_lines(rules: &BodyRules) -> Vec<KeyLine> {
    let mut lines = Vec::new();
    let BodyRules { contains, lacks, regex, json: own_words, max: _ } = rules;
    let some = |key, list: &[String]| (!list.is_empty()).then(|| (key, quote_list(list)));
    lines.extend(some("body.contains", contains));
    lines.extend(some("body.lacks", lacks));
    lines.extend(regex.as_ref().map(|regex| ("body.regex", quote_toml(regex))));
    lines.extend(own_words.iter().flat_map(json_lines));
    lines
}

fn json_lines(rules: &JsonRules) -> Vec<KeyLine> {
    let JsonRules { fail_on, ignore, warn, parts, at } = rules;
    let fail_on = if *fail_on == JsonFailLevel::Failure { "failure" } else { "warning" };
    let mut lines = vec![
        ("json.fail_on", quote_toml(fail_on)),
        ("json.ignore", quote_list(ignore)),
        ("json.warn", quote_list(warn)),
        ("json.parts", quote_list(parts)),
    ];
    if let Some(JsonAt { pointer, is, min, max }) = at {
        lines.push(("json.at", quote_toml(pointer)));
        lines.extend((!is.is_empty()).then(|| ("json.is", quote_list(is))));
        lines.extend(min.iter().map(|min| ("json.min", min.to_string())));
        lines.extend(max.iter().map(|max| ("json.max", max.to_string())));
    }
    lines
}

pub(crate) fn latency_fail(question: &HttpRequest) -> Option<KeyLine> {
    question.latency.fail.map(|fail| ("latency.fail", quote_duration(fail)))
}

/// The list of `escalate`.
pub(crate) fn steps_text(rungs: &[Step]) -> String {
    let shown = |rung: &Step| match rung {
        Step::Command(words) => quote_list(words),
        Step::Reload | Step::Restart | Step::Kill | Step::Wake => quote_toml(rung.kind().code()),
    };
    format!("[{}]", rungs.iter().map(shown).collect::<Vec<_>>().join(", "))
}
