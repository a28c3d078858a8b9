//! What a service says of its own health, in JSON or in a word, in the shapes that are about. Pure: from foreign
//! text to a verdict. Never panics, and is never healthy by accident: good is what says so in a whole word and
//! nothing else, and what it has no word for is not known.

use serde_json::{Map, Value};

use crate::plan::{FailOn, JsonRules};
use crate::words;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Well,
    /// With the component that is worst, and what it says.
    Warning(String),
    Failing(String),
    NotKnown(String),
}

/// `body`: all of it.
#[must_use]
pub fn of(body: &[u8], rules: &JsonRules) -> Health {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    let said = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) => of_object(&object, rules),
        Ok(Value::String(word)) => vec![Said::of_text(ITSELF, &word)],
        Ok(_) => Vec::new(),
        Err(_) => vec![Said::of_text(ITSELF, text)],
    };
    worst(&said, rules.fail_on)
}

/// The whole, where no component has a name.
const ITSELF: &str = "";

/// Of the whole, in the order in which they are looked for.
const OVERALL: [&str; 2] = ["overall_status", "status"];
const TRUTHS: [&str; 3] = ["healthy", "ok", "success"];

/// Tables, or lists, of components.
const CONTAINERS: [&str; 4] = ["checks", "services", "components", "dependencies"];

/// Components that stand beside the overall status, as do all whose names end with `_status`.
const LOOSE: [&str; 12] = [
    "database",
    "db",
    "cache",
    "redis",
    "mongo",
    "mongodb",
    "postgres",
    "postgresql",
    "queue",
    "broker",
    "celery",
    "storage",
];

/// Why it is as it is, next to a status.
const REASONS: [&str; 4] = ["error", "reason", "message", "detail"];

const GOOD: [&str; 14] = [
    "healthy",
    "ok",
    "okay",
    "alive",
    "up",
    "running",
    "operational",
    "connected",
    "success",
    "pass",
    "passing",
    "ready",
    "available",
    "good",
];
const MILD: [&str; 4] = ["degraded", "warning", "warn", "info"];
const BAD: [&str; 16] = [
    "unhealthy",
    "critical",
    "error",
    "failed",
    "failing",
    "fail",
    "failure",
    "disconnected",
    "down",
    "unavailable",
    "dead",
    "stopped",
    "out_of_service",
    "fatal",
    "timeout",
    "bad",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Good,
    Mild,
    NotUnderstood,
    Bad,
}

/// What one component says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    component: String,
    word: Word,
    text: String,
}

impl Said {
    fn new(component: &str, word: Word, text: &str) -> Self {
        Self { component: component.to_owned(), word, text: text.trim().to_owned() }
    }

    /// `ok`, `error: connection refused`
    fn of_text(component: &str, text: &str) -> Self {
        let text = text.trim();
        let is_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let end = text.find(|c| !is_of_word(c)).unwrap_or(text.len());
        let (first, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let first = first.to_ascii_lowercase();
        let is = |words: &[&str]| words.contains(&first.as_str());
        let word = match rest {
            "" if is(&GOOD) => Word::Good,
            _ if is(&MILD) => Word::Mild,
            _ if is(&BAD) => Word::Bad,
            _ => Word::NotUnderstood,
        };
        let detail = rest.trim_start_matches([':', ' ', '-', ',']);
        // The word itself says no more than that it fails.
        let text = if word == Word::Bad && !detail.is_empty() { detail } else { text };
        Self::new(component, word, text)
    }

    fn words(&self) -> String {
        let Self { component, word, text } = self;
        let text = if text.is_empty() { "says nothing" } else { text };
        let said = match (component.as_str(), word) {
            (ITSELF, Word::NotUnderstood) => format!("no word of health: \"{}\"", start(text)),
            (ITSELF, _) => format!("it says {text}"),
            (name, Word::NotUnderstood) => format!("{name}: no word of health: \"{}\"", start(text)),
            (name, _) => format!("{name}: {text}"),
        };
        words::escaped(&said)
    }
}

fn start(text: &str) -> String {
    text.chars().take(40).collect()
}

fn of_object(object: &Map<String, Value>, rules: &JsonRules) -> Vec<Said> {
    let mut components = Vec::new();
    for container in CONTAINERS {
        components.extend(object.get(container).map(of_container).unwrap_or_default());
    }
    let loose =
        object.iter().filter(|(name, _)| is_loose(name)).filter_map(|(name, value)| of_one(name, value));
    components.extend(loose);
    components.extend(object.iter().filter_map(connected));
    let is_ignored = |said: &Said| rules.ignore.iter().any(|name| name.eq_ignore_ascii_case(&said.component));
    let (ignored, counted): (Vec<Said>, Vec<Said>) = components.into_iter().partition(is_ignored);
    let overall = overall(object).filter(|overall| {
        // It may be as bad as it is for what does not matter.
        ignored.iter().all(|ignored| ignored.word < overall.word)
    });
    let of_ignored_alone = !ignored.is_empty() && overall.is_none() && counted.is_empty();
    let nothing_else = of_ignored_alone.then(|| Said::new(ITSELF, Word::Good, ""));
    counted.into_iter().chain(overall).chain(nothing_else).collect()
}

fn overall(object: &Map<String, Value>) -> Option<Said> {
    told(ITSELF, &OVERALL, object).or_else(|| {
        // It has nothing but an error to tell.
        let error = object.get("error").filter(|error| is_said(error))?;
        Some(Said::new(ITSELF, Word::Bad, &format!("error: {}", text_of(error))))
    })
}

/// The worst of its word and its truths. A number, such as the status of HTTP, is no word of health.
fn told(name: &str, words: &[&str], object: &Map<String, Value>) -> Option<Said> {
    let is_word = |value: &&Value| !value.is_null() && !value.is_number();
    let word = words.iter().find_map(|key| object.get(*key).filter(is_word));
    let truths = TRUTHS.iter().filter_map(|key| object.get(*key).filter(|value| value.is_boolean()));
    let said = word.into_iter().chain(truths).filter_map(|value| with_reason(name, value, object));
    said.reduce(|worst, other| if other.word > worst.word { other } else { worst })
}

fn of_container(container: &Value) -> Vec<Said> {
    match container {
        Value::Object(named) => named.iter().filter_map(|(name, value)| of_one(name, value)).collect(),
        Value::Array(list) => list.iter().filter_map(of_listed).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// `{"name": "redis", "status": "ok"}`
fn of_listed(value: &Value) -> Option<Said> {
    let name = value.get("name").and_then(Value::as_str).unwrap_or("a component");
    of_one(name, value)
}

/// A number says nothing of health; anything else does, or is not understood.
fn of_one(name: &str, value: &Value) -> Option<Said> {
    match value {
        Value::Number(_) => None,
        Value::Object(object) => {
            let error = || object.get("error").is_some_and(is_said);
            told(name, &["status"], object).or_else(|| {
                let failed = || Said::new(name, Word::Bad, &reason(object).unwrap_or_default());
                Some(if error() { failed() } else { Said::new(name, Word::NotUnderstood, "no status") })
            })
        }
        // Of each of its nodes, as draft-inadarei-api-health-check has it: the worst.
        Value::Array(list) => list.iter().filter_map(|one| of_one(name, one)).max_by_key(|said| said.word),
        Value::Null | Value::Bool(_) | Value::String(_) => with_reason(name, value, &Map::new()),
    }
}

fn with_reason(name: &str, status: &Value, beside: &Map<String, Value>) -> Option<Said> {
    let said = match status {
        Value::String(text) => Said::of_text(name, text),
        Value::Bool(true) => Said::new(name, Word::Good, "true"),
        Value::Bool(false) => Said::new(name, Word::Bad, "false"),
        Value::Null => Said::new(name, Word::NotUnderstood, "null"),
        // Such as that of HTTP, beside what it says in words.
        Value::Number(_) => return None,
        Value::Array(_) | Value::Object(_) => Said::new(name, Word::NotUnderstood, "no text"),
    };
    match reason(beside) {
        Some(reason) if matches!(said.word, Word::Bad | Word::Mild) => {
            let whole = format!("{}: {reason}", said.text);
            // Of a component that it fails is known from its being named.
            let text = if name == ITSELF || said.word == Word::Mild { whole } else { reason };
            Some(Said { text, ..said })
        }
        _ => Some(said),
    }
}

fn reason(beside: &Map<String, Value>) -> Option<String> {
    REASONS.iter().find_map(|key| beside.get(*key).filter(|value| is_said(value)).map(text_of))
}

fn is_said(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_loose(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let of_status = name.ends_with("_status") && !OVERALL.contains(&name.as_str());
    of_status || LOOSE.contains(&name.as_str())
}

/// `"db_connected": false`
fn connected((name, value): (&String, &Value)) -> Option<Said> {
    let component = name.strip_suffix("_connected")?;
    value.as_bool().map(|is| {
        let (word, text) = if is { (Word::Good, "connected") } else { (Word::Bad, "disconnected") };
        Said::new(component, word, text)
    })
}

/// The worst wins; of several as bad, all are named.
fn worst(said: &[Said], fail_on: FailOn) -> Health {
    let Some(worst) = said.iter().map(|said| said.word).max() else {
        return Health::NotKnown("the body says nothing of health".to_owned());
    };
    let named: Vec<&Said> = said.iter().filter(|said| said.word == worst).collect();
    // The whole is as bad for what its parts say already.
    let parts = named.iter().any(|said| said.component != ITSELF);
    let named = named.into_iter().filter(|said| !parts || said.component != ITSELF);
    let words = named.map(Said::words).collect::<Vec<_>>().join("; ");
    let words: String = words.chars().take(LONGEST).collect();
    match (worst, fail_on) {
        (Word::Good, _) => Health::Well,
        (Word::Mild, FailOn::Failure) => Health::Warning(words),
        (Word::Mild, FailOn::Warning) | (Word::Bad, _) => Health::Failing(words),
        (Word::NotUnderstood, _) => Health::NotKnown(words),
    }
}

/// Of a line.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests;
