//! How a URL is asked, and what is taken for a good answer: of a service's own, and of a probe's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::layers::{Reading, Refused, Said};
use super::settings::{Fault, Setting, Table, Value, Wrong};
use super::target;
use super::values;
use ureq::http::HeaderName;

use crate::keys;
use crate::plan::{
    BodyRules, Client, FailOn, Figure, JsonAt, JsonRules, Latency, Maintenance, Question, StatusSet, Target,
    Trust,
};
use crate::toml_text::format_duration;

pub(super) struct Asking<'a> {
    method: Said<'a, String>,
    headers: BTreeMap<String, String>,
    status: Said<'a, StatusSet>,
    redirects: u32,
    ca_file: Said<'a, Option<PathBuf>>,
    insecure: bool,
    rare: Rare<'a>,
    maintenance: Option<Maintenance>,
    body: BodyRules,
    latency: Latency,
}

/// What hardly anybody says.
#[derive(Default)]
struct Rare<'a> {
    status_warn: Option<StatusSet>,
    request_body: Option<Said<'a, String>>,
    server_name: Option<String>,
    client: Option<Client>,
}

impl<'a> Asking<'a> {
    /// All are read before the first that was refused ends it: every fault is told at once.
    pub(super) fn read(reading: &mut Reading<'a>) -> Result<Self, Refused> {
        let method = reading.need(&keys::METHOD, target::method);
        let headers = target::headers(reading);
        let status = reading.need(&keys::STATUS, target::status);
        let redirects = reading.get(&keys::REDIRECTS);
        let ca_file = reading.need(&keys::CA_FILE, values::ca_file);
        let insecure = reading.get(&keys::INSECURE);
        let rare = rare(reading);
        let maintenance = maintenance(reading);
        let body = body(reading);
        let latency = latency(reading);
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
    pub(super) fn at(self, target: Target, reading: &mut Reading<'_>) -> Result<Question, Refused> {
        let has_no_body = if target.is_tcp() {
            Some(Wrong::cure("has no meaning for a connection, which is asked nothing", "leave it out"))
        } else {
            let of_head = || Wrong::cure("has no meaning for HEAD, whose answer has no body", "leave it out");
            (self.method.value == "HEAD").then(of_head)
        };
        if let Some(said) = &self.rare.request_body
            && (target.is_tcp() || !["POST", "PUT", "PATCH"].contains(&self.method.value.as_str()))
        {
            let wrong = Wrong::cure("goes with POST, PUT and PATCH alone", "set method = \"POST\"");
            return Err(reading.refuse(said.setting.fault(wrong)));
        }
        let (mut body, mut latency) = (self.body, self.latency);
        if let Some(wrong) = has_no_body {
            let keys = BODY_RULES
                .into_iter()
                .chain(["json"])
                .chain(JSON_KEYS)
                .chain(LATENCY_KEYS.into_iter().filter(|_| target.is_tcp()));
            if let Some(setting) = keys.into_iter().find_map(|key| reading.said(key))
                && setting.key.first().is_none_or(|table| table != "defaults")
            {
                return Err(reading.refuse(setting.fault(wrong)));
            }
            body = BodyRules::default();
            if target.is_tcp() {
                latency = Latency::default();
            }
        }
        Ok(Question {
            target,
            trust: Trust {
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
fn body(reading: &mut Reading<'_>) -> Result<BodyRules, Refused> {
    let contains = reading.find("body.contains", texts);
    let lacks = reading.find("body.lacks", texts);
    let regex = reading.find("body.regex", pattern);
    let max = reading.get(&keys::BODY_MAX);
    let json = json(reading);
    Ok(BodyRules {
        contains: contains?.map(|said| said.value).unwrap_or_default(),
        lacks: lacks?.map(|said| said.value).unwrap_or_default(),
        regex: regex?.map(|said| said.value),
        json: json?,
        max,
    })
}

fn json(reading: &mut Reading<'_>) -> Result<Option<JsonRules>, Refused> {
    if reading.nobody_said(&["json"], &JSON_KEYS) {
        return Ok(None);
    }
    let fail_on = reading.find("json.fail_on", fail_on);
    let lists = ["json.ignore", "json.warn", "json.parts"].map(|key| reading.find(key, texts));
    let at = at(reading);
    let is_asked = reading.said("json").is_some_and(|setting| setting.value == Value::EmptyTable);
    let (fail_on, [ignore, warn, parts], at) = (fail_on?, lists, at?);
    let (ignore, warn, parts) = (ignore?, warn?, parts?);
    let is_said = fail_on.is_some() || at.is_some() || ignore.is_some() || warn.is_some() || parts.is_some();
    let names = |said: Option<Said<'_, Vec<String>>>| said.map(|said| said.value).unwrap_or_default();
    Ok((is_asked || is_said).then(|| JsonRules {
        fail_on: fail_on.map(|said| said.value).unwrap_or_default(),
        ignore: names(ignore),
        warn: names(warn),
        parts: names(parts),
        at,
    }))
}

/// `json = { at = "/data/state", is = "ready" }`
fn at(reading: &mut Reading<'_>) -> Result<Option<JsonAt>, Refused> {
    let pointer = reading.find("json.at", pointer);
    let is = reading.find("json.is", plain_values);
    let (min, max) = (reading.find("json.min", figure), reading.find("json.max", figure));
    let (pointer, is, min, max) = (pointer?, is?, min?, max?);
    if let (Some(min), Some(max)) = (&min, &max)
        && min.value.number() > max.value.number()
    {
        let what = format!("must not be less than json.min, which is {}, got {}", min.value, max.value);
        return Err(reading.refuse(max.setting.fault(what)));
    }
    let settings = [
        is.as_ref().map(|said| &said.setting),
        min.as_ref().map(|said| &said.setting),
        max.as_ref().map(|said| &said.setting),
    ];
    let Some(pointer) = pointer else {
        return match settings.into_iter().flatten().next() {
            Some(setting) => {
                let wrong = Wrong::cure("needs a place in the body", "add json.at, such as \"/data/state\"");
                Err(reading.refuse(setting.fault(wrong)))
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
fn pointer(value: &Value) -> Result<String, Wrong> {
    let text = values::text(value)?;
    let is_escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if (text.is_empty() || text.starts_with('/')) && is_escaped && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    let what = format!("must be a JSON pointer, such as \"/data/state\" or \"/nodes/0/up\", got {value}");
    Err(Wrong::cure(what, "a / in a name is ~1, a ~ is ~0"))
}

fn figure(value: &Value) -> Result<Figure, Wrong> {
    written_number(value)
        .and_then(|text| Figure::read(&text))
        .ok_or_else(|| format!("must be a number, got {value}").into())
}

fn written_number(value: &Value) -> Option<String> {
    match value {
        Value::Whole(number) => Some(number.to_string()),
        Value::Odd(number) => Figure::read(number).map(|number| number.to_string()),
        Value::Text(_) | Value::Truth(_) | Value::List(_) | Value::EmptyTable => None,
    }
}

/// As JSON writes them, without quotes.
fn plain_values(value: &Value) -> Result<Vec<String>, Wrong> {
    let one = |value: &Value| match value {
        Value::Text(text) => Ok(text.to_string()),
        Value::Truth(truth) => Ok(truth.to_string()),
        Value::Whole(_) | Value::Odd(_) | Value::List(_) | Value::EmptyTable => written_number(value)
            .ok_or_else(|| Wrong::from(format!("must be a text, a number, true or false, got {value}"))),
    };
    match value {
        Value::List(list) if list.is_empty() => Err("must not be empty".into()),
        Value::List(list) => list.iter().map(one).collect(),
        Value::Text(_) | Value::Truth(_) | Value::Whole(_) | Value::Odd(_) | Value::EmptyTable => {
            Ok(vec![one(value)?])
        }
    }
}

/// Never shown in a message: it may hold a secret.
fn request_body(value: &Value) -> Result<String, Wrong> {
    let text = values::text(value).map_err(|_| Wrong::from("must be a text in quotes"))?;
    if text.is_empty() || text.len() > MOST_REQUEST_BODY {
        return Err(format!("must be 1 to {MOST_REQUEST_BODY} bytes").into());
    }
    Ok(text.to_owned())
}

/// Of a question about health, this is much.
const MOST_REQUEST_BODY: usize = 16 * 1024;

fn latency(reading: &mut Reading<'_>) -> Latency {
    let (warn, fail) = (reading.get_if_any(&keys::LATENCY_WARN), reading.get_if_any(&keys::LATENCY_FAIL));
    if let (Some(warn), Some(fail)) = (&warn, &fail)
        && warn.value >= fail.value
    {
        let wrong = format!(
            "must be longer than latency.warn, which is {}, got {}",
            format_duration(warn.value),
            fail.setting.value
        );
        reading.refuse(fail.setting.fault(Wrong::cure(wrong, "warn first, fail later")));
    }
    Latency { warn: warn.map(|said| said.value), fail: fail.map(|said| said.value) }
}

/// One, or a list of them.
fn texts(value: &Value) -> Result<Vec<String>, Wrong> {
    let one = |value: &Value| match values::text(value)? {
        "" => Err(Wrong::from("must not be empty")),
        text => Ok(text.to_owned()),
    };
    if let Value::List(list) = value { list.iter().map(one).collect() } else { Ok(vec![one(value)?]) }
}

fn pattern(value: &Value) -> Result<String, Wrong> {
    values::text(value)?;
    Ok(values::patterns(value)?.concat())
}

fn fail_on(value: &Value) -> Result<FailOn, Wrong> {
    match value.text() {
        Some("failure") => Ok(FailOn::Failure),
        Some("warning") => Ok(FailOn::Warning),
        _ => Err(values::not_one_of(value, &["failure", "warning"])),
    }
}

const RARE_KEYS: [&str; 5] = ["status_warn", "request_body", "server_name", "client_cert", "client_key"];

fn rare<'a>(reading: &mut Reading<'a>) -> Result<Rare<'a>, Refused> {
    if reading.nobody_said(&RARE_KEYS, &RARE_KEYS) {
        return Ok(Rare::default());
    }
    let status_warn = reading.find("status_warn", target::status);
    let request_body = reading.find("request_body", request_body);
    let server_name = reading.find("server_name", values::server_name);
    let client = client(reading);
    Ok(Rare {
        status_warn: status_warn?.map(|said| said.value),
        request_body: request_body?,
        server_name: server_name?.and_then(|said| said.value),
        client: client?,
    })
}

/// `client_cert` and `client_key`: both, or none.
fn client(reading: &mut Reading<'_>) -> Result<Option<Client>, Refused> {
    let certificate =
        reading.find("client_cert", |value| values::path_or_none(value, "/etc/unhang/client.pem"));
    let key = reading.find("client_key", |value| values::path_or_none(value, "/etc/unhang/client.key"));
    let (certificate, key) = (certificate?, key?);
    let path = |said: &Option<Said<'_, Option<PathBuf>>>| said.as_ref().and_then(|said| said.value.clone());
    let (alone, wrong) = match (path(&certificate), path(&key)) {
        (Some(certificate), Some(key)) => return Ok(Some(Client { certificate, key })),
        (Some(_), None) => (
            certificate,
            Wrong::cure("stands without client_key", "add the file of its key, for nobody else to read"),
        ),
        (None, Some(_)) => {
            (key, Wrong::cure("stands without client_cert", "add the file of the certificate to it"))
        }
        (None, None) => return Ok(None),
    };
    match alone {
        Some(said) => Err(reading.refuse(said.setting.fault(wrong))),
        None => Ok(None),
    }
}

/// `maintenance = { status = "503", header = "X-Maintenance" }`: both, where both are said.
fn maintenance(reading: &mut Reading<'_>) -> Result<Option<Maintenance>, Refused> {
    let status = reading.find("maintenance.status", target::status);
    let header = reading.find("maintenance.header", header_name);
    let (status, header) = (status?, header?.map(|said| said.value));
    if let (None, Some(setting)) = (&status, reading.said("maintenance.header")) {
        let cure = "add status, such as { status = \"503\", header = \"X-Maintenance\" }";
        return Err(reading.refuse(setting.fault(Wrong::cure("needs a status beside it", cure))));
    }
    Ok(status.map(|said| Maintenance { status: said.value, header }))
}

fn header_name(value: &Value) -> Result<String, Wrong> {
    let text = values::text(value)?;
    HeaderName::from_bytes(text.as_bytes())
        .map(|name| name.as_str().to_owned())
        .map_err(|_| format!("must be the name of a header, letters, digits and -_., got {value}").into())
}

/// What was said about TLS to a service that does not speak it.
pub(super) fn without_meaning(table: &Table) -> impl Iterator<Item = Fault> {
    let keys = ["ca_file", "insecure", "server_name", "client_cert", "client_key"];
    let said = keys.into_iter().filter_map(|key| table.get(key));
    said.filter(|setting| asks_for_something(setting)).map(|setting| setting.fault(no_meaning()))
}

fn asks_for_something(setting: &Setting) -> bool {
    setting.value != Value::Truth(false) && setting.value.text() != Some("")
}

fn no_meaning() -> Wrong {
    Wrong::cure("has no meaning for a url that is not https", "leave it out, or begin url with https://")
}
