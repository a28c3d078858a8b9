//! What a service says of its own health: no text breaks the reader, and none is taken for well that does not say so.
//! The first byte tells the rules: parts that are ignored, that only warn, that fail anywhere, and a pointer.

use serde_json::Value;

use unhang::plan::{JsonAt, JsonFailLevel, JsonRules};
use unhang::probe::health::{Health, parse_health};

pub fn holds(bytes: &[u8]) {
    let Some((how, body)) = bytes.split_first() else { return };
    let names = |bit: u8, names: &[&str]| {
        let is_set = how & bit != 0;
        names.iter().filter(|_| is_set).map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    let at = JsonAt { pointer: "/data/state".to_owned(), is: names(16, &["ok"]), min: None, max: None };
    let rules = |fail_on| JsonRules {
        fail_on,
        ignore: names(1, &["cache", "memory"]),
        warn: names(2, &["redis"]),
        parts: names(4, &["last_backup"]),
        at: (how & 8 != 0).then(|| at.clone()),
    };
    let (mild, strict) = (
        parse_health(body, &rules(JsonFailLevel::Failure)),
        parse_health(body, &rules(JsonFailLevel::Warning)),
    );
    for said in [&mild, &strict] {
        if let Health::Warning(words) | Health::Failing(words) | Health::NotKnown(words) = said {
            assert!(!words.contains(char::is_control), "{words:?}");
        }
    }
    let text = String::from_utf8_lossy(body);
    if mild == Health::Well {
        says_so(&text);
        assert_eq!(strict, Health::Well, "what has nothing to warn of has no warning that fails");
    }
    if how & 2 == 0 {
        assert!(!matches!(strict, Health::Warning(_)), "a warning that fails is none");
    }
    if let Health::Failing(_) = mild {
        assert!(matches!(strict, Health::Failing(_)), "stricter rules find no less");
    }
    if how & 11 == 0 && is_bad(&text) {
        assert_ne!(mild, Health::Well, "{text:?}");
    }
}

/// Some word of it is a good one, or a truth.
fn says_so(text: &str) {
    let good = [
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
        "true",
        "green",
        "serving",
        "pong",
        "online",
        "working",
        "info",
        "passed",
        "succeeded",
        "reachable",
        "responding",
    ];
    // As JSON may write it: \u006fk is ok.
    let plain =
        serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}').trim()).map(|value| words(&value));
    let text = plain.unwrap_or_else(|_| text.to_owned()).to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    assert!(words.any(|word| good.contains(&word)), "{text:?}");
}

/// All texts and truths in it.
fn words(value: &Value) -> String {
    match value {
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::Object(object) => object.values().map(words).collect::<Vec<_>>().join(" "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// It says so of the whole, in so many words.
fn is_bad(text: &str) -> bool {
    let Ok(Value::Object(object)) = serde_json::from_str(text) else { return false };
    let status = object.get("overall_status").or_else(|| object.get("status"));
    let bad = ["unhealthy", "critical", "error", "failed", "disconnected", "down"];
    status.and_then(Value::as_str).is_some_and(|status| bad.contains(&status))
}
