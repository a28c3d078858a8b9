//! How a URL is asked, and what is taken for a good answer: of a service's own, and of a probe's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::layers::{AlreadyReported, LayeredReader, Sourced};
use super::settings::{ConfigFault, Problem, Setting, SettingTable, SettingValue};
use super::target;
use super::values;
use ureq::http::HeaderName;

use crate::keys;
use crate::plan::{
    BodyRules, Client, Figure, HttpRequest, JsonAt, JsonFailLevel, JsonRules, LatencyLimits, MaintenanceRule,
    StatusSet, TlsTrust, UrlTarget,
};
use crate::toml_text::format_duration;

pub(super) struct HttpOptions<'a> {
    method: Sourced<'a, String>,
    headers: BTreeMap<String, String>,
    status: Sourced<'a, StatusSet>,
    redirects: u32,
    ca_file: Sourced<'a, Option<PathBuf>>,
    insecure: bool,
    rare: Rare<'a>,
    maintenance: Option<MaintenanceRule>,
    body: BodyRules,
    latency: LatencyLimits,
}

/// What hardly anybody says.
#[derive(Default)]
struct Rare<'a> {
    status_warn: Option<StatusSet>,
    request_body: Option<Sourced<'a, String>>,
    server_name: Option<String>,
    client: Option<Client>,
}

impl<'a> HttpOptions<'a> {
    /// All are read before the first that was refused ends it: every fault is told at once.
    pub(super) fn read_http_options(reading: &mut LayeredReader<'a>) -> Result<Self, AlreadyReported> {
        let method = reading.read_required(&keys::METHOD, target::parse_method);
        let headers = target::read_headers(reading);
        let status = reading.read_required(&keys::STATUS, target::parse_status);
        let redirects = reading.read_key(&keys::REDIRECTS);
        let ca_file = reading.read_required(&keys::CA_FILE, values::parse_ca_file);
        let insecure = reading.read_key(&keys::INSECURE);
        let rare = read_rare_options(reading);
        let maintenance = read_maintenance(reading);
        let body = read_body_rules(reading);
        let latency = read_latency_limits(reading);
        Ok(Self {
            method: method?,
            headers: headers?,
            status: status?,
            rare: rare?,
            redirects,
            ca_file: ca_file?,
            insecure,
            maintenance: maintenance?,
            body: body?,
            latency,
        })
    }

    /// What this URL cannot have is a fault, unless `[defaults]` gave it to all.
    pub(super) fn into_request(
        self,
        target: UrlTarget,
        reading: &mut LayeredReader<'_>,
    ) -> Result<HttpRequest, AlreadyReported> {
        let has_no_body = if target.is_tcp() {
            Some(Problem::with_cure(
                "has no meaning for a connection, which is asked nothing",
                "leave it out",
            ))
        } else {
            let of_head =
                || Problem::with_cure("has no meaning for HEAD, whose answer has no body", "leave it out");
            (self.method.value == "HEAD").then(of_head)
        };
        if let Some(said) = &self.rare.request_body
            && (target.is_tcp() || !["POST", "PUT", "PATCH"].contains(&self.method.value.as_str()))
        {
            let wrong = Problem::with_cure("goes with POST, PUT and PATCH alone", "set method = \"POST\"");
            return Err(reading.report(said.setting.fault(wrong)));
        }
        let (mut body, mut latency) = (self.body, self.latency);
        if let Some(wrong) = has_no_body {
            let keys = BODY_RULES
                .into_iter()
                .chain(["json"])
                .chain(JSON_KEYS)
                .chain(LATENCY_KEYS.into_iter().filter(|_| target.is_tcp()));
            if let Some(setting) = keys.into_iter().find_map(|key| reading.explicit_setting(key))
                && setting.key.first().is_none_or(|table| table != "defaults")
            {
                return Err(reading.report(setting.fault(wrong)));
            }
            body = BodyRules::default();
            if target.is_tcp() {
                latency = LatencyLimits::default();
            }
        }
        Ok(HttpRequest {
            target,
            trust: TlsTrust {
                ca_file: self.ca_file.value,
                insecure: self.insecure,
                server_name: self.rare.server_name,
                client: self.rare.client,
            },
            method: self.method.value,
            headers: self.headers,
            status: self.status.value,
            status_warn: self.rare.status_warn,
            request_body: self.rare.request_body.map(|said| said.value),
            redirects: self.redirects,
            maintenance: self.maintenance,
            body,
            latency,
        })
    }
}

const BODY_RULES: [&str; 4] = ["body.contains", "body.lacks", "body.regex", "body.max"];

const JSON_KEYS: [&str; 8] =
    ["json.fail_on", "json.ignore", "json.warn", "json.parts", "json.at", "json.is", "json.min", "json.max"];

const LATENCY_KEYS: [&str; 2] = ["latency.warn", "latency.fail"];

/// `body = { contains = "shop", lacks = ["Traceback"], regex = "v[0-9]+" }`, `json = { ignore = ["cache"] }`
fn read_body_rules(reading: &mut LayeredReader<'_>) -> Result<BodyRules, AlreadyReported> {
    let contains = reading.read_optional("body.contains", parse_texts);
    let lacks = reading.read_optional("body.lacks", parse_texts);
    let regex = reading.read_optional("body.regex", parse_pattern);
    let max = reading.read_key(&keys::BODY_MAX);
    let json = read_json_rules(reading);
    Ok(BodyRules {
        contains: contains?.map(|said| said.value).unwrap_or_default(),
        lacks: lacks?.map(|said| said.value).unwrap_or_default(),
        regex: regex?.map(|said| said.value),
        json: json?,
        max,
    })
}

fn read_json_rules(reading: &mut LayeredReader<'_>) -> Result<Option<JsonRules>, AlreadyReported> {
    if reading.nobody_said(&["json"], &JSON_KEYS) {
        return Ok(None);
    }
    let fail_on = reading.read_optional("json.fail_on", parse_fail_level);
    let lists = ["json.ignore", "json.warn", "json.parts"].map(|key| reading.read_optional(key, parse_texts));
    let at = read_json_at(reading);
    let is_asked =
        reading.explicit_setting("json").is_some_and(|setting| setting.value == SettingValue::EmptyTable);
    let (fail_on, [ignore, warn, parts], at) = (fail_on?, lists, at?);
    let (ignore, warn, parts) = (ignore?, warn?, parts?);
    let is_said = fail_on.is_some() || at.is_some() || ignore.is_some() || warn.is_some() || parts.is_some();
    let names = |said: Option<Sourced<'_, Vec<String>>>| said.map(|said| said.value).unwrap_or_default();
    Ok((is_asked || is_said).then(|| JsonRules {
        fail_on: fail_on.map(|said| said.value).unwrap_or_default(),
        ignore: names(ignore),
        warn: names(warn),
        parts: names(parts),
        at,
    }))
}

/// `json = { at = "/data/state", is = "ready" }`
fn read_json_at(reading: &mut LayeredReader<'_>) -> Result<Option<JsonAt>, AlreadyReported> {
    let pointer = reading.read_optional("json.at", parse_pointer);
    let is = reading.read_optional("json.is", plain_values);
    let (min, max) =
        (reading.read_optional("json.min", parse_figure), reading.read_optional("json.max", parse_figure));
    let (pointer, is, min, max) = (pointer?, is?, min?, max?);
    if let (Some(min), Some(max)) = (&min, &max)
        && min.value.number() > max.value.number()
    {
        let what = format!("must not be less than json.min, which is {}, got {}", min.value, max.value);
        return Err(reading.report(max.setting.fault(what)));
    }
    let settings = [
        is.as_ref().map(|said| &said.setting),
        min.as_ref().map(|said| &said.setting),
        max.as_ref().map(|said| &said.setting),
    ];
    let Some(pointer) = pointer else {
        return match settings.into_iter().flatten().next() {
            Some(setting) => {
                let wrong =
                    Problem::with_cure("needs a place in the body", "add json.at, such as \"/data/state\"");
                Err(reading.report(setting.fault(wrong)))
            }
            None => Ok(None),
        };
    };
    Ok(Some(JsonAt {
        pointer: pointer.value,
        is: is.map(|said| said.value).unwrap_or_default(),
        min: min.map(|said| said.value),
        max: max.map(|said| said.value),
    }))
}

/// RFC 6901: nothing, or `/` and a name, again and again.
fn parse_pointer(value: &SettingValue) -> Result<String, Problem> {
    let text = values::quote_text(value)?;
    let is_escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if (text.is_empty() || text.starts_with('/')) && is_escaped && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    let what = format!("must be a JSON pointer, such as \"/data/state\" or \"/nodes/0/up\", got {value}");
    Err(Problem::with_cure(what, "a / in a name is ~1, a ~ is ~0"))
}

fn parse_figure(value: &SettingValue) -> Result<Figure, Problem> {
    written_number(value)
        .and_then(|text| Figure::read(&text))
        .ok_or_else(|| format!("must be a number, got {value}").into())
}

fn written_number(value: &SettingValue) -> Option<String> {
    match value {
        SettingValue::Integer(number) => Some(number.to_string()),
        SettingValue::Unsupported(number) => Figure::read(number).map(|number| number.to_string()),
        SettingValue::Text(_)
        | SettingValue::Boolean(_)
        | SettingValue::List(_)
        | SettingValue::EmptyTable => None,
    }
}

/// As JSON writes them, without quotes.
fn plain_values(value: &SettingValue) -> Result<Vec<String>, Problem> {
    let one = |value: &SettingValue| match value {
        SettingValue::Text(text) => Ok(text.to_string()),
        SettingValue::Boolean(truth) => Ok(truth.to_string()),
        SettingValue::Integer(_)
        | SettingValue::Unsupported(_)
        | SettingValue::List(_)
        | SettingValue::EmptyTable => written_number(value)
            .ok_or_else(|| Problem::from(format!("must be a text, a number, true or false, got {value}"))),
    };
    match value {
        SettingValue::List(list) if list.is_empty() => Err("must not be empty".into()),
        SettingValue::List(list) => list.iter().map(one).collect(),
        SettingValue::Text(_)
        | SettingValue::Boolean(_)
        | SettingValue::Integer(_)
        | SettingValue::Unsupported(_)
        | SettingValue::EmptyTable => Ok(vec![one(value)?]),
    }
}

/// Never shown in a message: it may hold a secret.
fn request_body(value: &SettingValue) -> Result<String, Problem> {
    let text = values::quote_text(value).map_err(|_| Problem::from("must be a text in quotes"))?;
    if text.is_empty() || text.len() > MAX_REQUEST_BODY_BYTES {
        return Err(format!("must be 1 to {MAX_REQUEST_BODY_BYTES} bytes").into());
    }
    Ok(text.to_owned())
}

/// The largest body of a request, in bytes: much for a question about health.
const MAX_REQUEST_BODY_BYTES: usize = 16 * 1024;

fn read_latency_limits(reading: &mut LayeredReader<'_>) -> LatencyLimits {
    let (warn, fail) = (reading.get_if_any(&keys::LATENCY_WARN), reading.get_if_any(&keys::LATENCY_FAIL));
    if let (Some(warn), Some(fail)) = (&warn, &fail)
        && warn.value >= fail.value
    {
        let wrong = format!(
            "must be longer than latency.warn, which is {}, got {}",
            format_duration(warn.value),
            fail.setting.value
        );
        reading.report(fail.setting.fault(Problem::with_cure(wrong, "warn first, fail later")));
    }
    LatencyLimits { warn: warn.map(|said| said.value), fail: fail.map(|said| said.value) }
}

/// One, or a list of them.
fn parse_texts(value: &SettingValue) -> Result<Vec<String>, Problem> {
    let one = |value: &SettingValue| match values::quote_text(value)? {
        "" => Err(Problem::from("must not be empty")),
        text => Ok(text.to_owned()),
    };
    if let SettingValue::List(list) = value { list.iter().map(one).collect() } else { Ok(vec![one(value)?]) }
}

fn parse_pattern(value: &SettingValue) -> Result<String, Problem> {
    values::quote_text(value)?;
    Ok(values::parse_patterns(value)?.concat())
}

fn parse_fail_level(value: &SettingValue) -> Result<JsonFailLevel, Problem> {
    match value.as_text() {
        Some("failure") => Ok(JsonFailLevel::Failure),
        Some("warning") => Ok(JsonFailLevel::Warning),
        _ => Err(values::not_one_of(value, &["failure", "warning"])),
    }
}

const RARE_KEYS: [&str; 5] = ["status_warn", "request_body", "server_name", "client_cert", "client_key"];

fn read_rare_options<'a>(reading: &mut LayeredReader<'a>) -> Result<Rare<'a>, AlreadyReported> {
    if reading.nobody_said(&RARE_KEYS, &RARE_KEYS) {
        return Ok(Rare::default());
    }
    let status_warn = reading.read_optional("status_warn", target::parse_status);
    let request_body = reading.read_optional("request_body", request_body);
    let server_name = reading.read_optional("server_name", values::server_name);
    let client = read_client(reading);
    Ok(Rare {
        status_warn: status_warn?.map(|said| said.value),
        request_body: request_body?,
        server_name: server_name?.and_then(|said| said.value),
        client: client?,
    })
}

/// `client_cert` and `client_key`: both, or none.
fn read_client(reading: &mut LayeredReader<'_>) -> Result<Option<Client>, AlreadyReported> {
    let certificate =
        reading.read_optional("client_cert", |value| values::path_or_none(value, "/etc/unhang/client.pem"));
    let key =
        reading.read_optional("client_key", |value| values::path_or_none(value, "/etc/unhang/client.key"));
    let (certificate, key) = (certificate?, key?);
    let path =
        |said: &Option<Sourced<'_, Option<PathBuf>>>| said.as_ref().and_then(|said| said.value.clone());
    let (alone, wrong) = match (path(&certificate), path(&key)) {
        (Some(certificate), Some(key)) => return Ok(Some(Client { certificate, key })),
        (Some(_), None) => (
            certificate,
            Problem::with_cure(
                "stands without client_key",
                "add the file of its key, for nobody else to read",
            ),
        ),
        (None, Some(_)) => {
            (key, Problem::with_cure("stands without client_cert", "add the file of the certificate to it"))
        }
        (None, None) => return Ok(None),
    };
    match alone {
        Some(said) => Err(reading.report(said.setting.fault(wrong))),
        None => Ok(None),
    }
}

/// `maintenance = { status = "503", header = "X-Maintenance" }`: both, where both are said.
fn read_maintenance(reading: &mut LayeredReader<'_>) -> Result<Option<MaintenanceRule>, AlreadyReported> {
    let status = reading.read_optional("maintenance.status", target::parse_status);
    let header = reading.read_optional("maintenance.header", parse_header_name);
    let (status, header) = (status?, header?.map(|said| said.value));
    if let (None, Some(setting)) = (&status, reading.explicit_setting("maintenance.header")) {
        let cure = "add status, such as { status = \"503\", header = \"X-Maintenance\" }";
        return Err(reading.report(setting.fault(Problem::with_cure("needs a status beside it", cure))));
    }
    Ok(status.map(|said| MaintenanceRule { status: said.value, header }))
}

fn parse_header_name(value: &SettingValue) -> Result<String, Problem> {
    let text = values::quote_text(value)?;
    HeaderName::from_bytes(text.as_bytes())
        .map(|name| name.as_str().to_owned())
        .map_err(|_| format!("must be the name of a header, letters, digits and -_., got {value}").into())
}

/// What was said about TLS to a service that does not speak it.
pub(super) fn keys_without_effect(table: &SettingTable) -> impl Iterator<Item = ConfigFault> {
    let keys = ["ca_file", "insecure", "server_name", "client_cert", "client_key"];
    let said = keys.into_iter().filter_map(|key| table.get(key));
    said.filter(|setting| is_not_default(setting)).map(|setting| setting.fault(no_effect_problem()))
}

fn is_not_default(setting: &Setting) -> bool {
    setting.value != SettingValue::Boolean(false) && setting.value.as_text() != Some("")
}

fn no_effect_problem() -> Problem {
    Problem::with_cure("only for https", "remove it or begin url with https://")
}
