//! What a service says of its own health, in JSON or in a word. Pure: from foreign text to a verdict. Never panics, and
//! is never healthy by accident. Read by structure, since bodies are nobody's standard:
//!
//! - `parts` finds the whole and the parts, by `names` and `words`; `json` reads the text, `pointer` one value of it;
//! - where a whole says that it is well, a failing part that the service cannot do without fails it, and any other
//!   ill word warns; where no whole speaks, the parts decide, worst first.

mod json;
mod names;
mod parts;
mod pointer;
mod words;

use crate::plan::{FailOn, JsonAt, JsonRules};

use json::Json;
use parts::{Body, Claim, Part, Said};
use words::Grade;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Well,
    /// With the part that is worst, and what it says.
    Warning(String),
    Failing(String),
    NotKnown(String),
}

/// `body`: all of it.
#[must_use]
pub fn of(body: &[u8], rules: &JsonRules) -> Health {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    let json = Json::read(text);
    match (&rules.at, json) {
        (None, Some(json)) => judge(&parts::read(&json, &rules.parts), rules),
        (None, None) => judge(&Body { whole: Some(Said::of_text(text)), ..Body::default() }, rules),
        (Some(at), Some(json)) => at_pointer(&json, at, rules),
        (Some(_), None) => Health::NotKnown("the body is no JSON, and json.at looks into one".to_owned()),
    }
}

fn at_pointer(json: &Json, at: &JsonAt, rules: &JsonRules) -> Health {
    let values = pointer::values_at(json, &at.pointer);
    if values.is_empty() {
        return Health::NotKnown(crate::words::escaped(&format!("there is no {} in the body", at.pointer)));
    }
    pointer::judge(&values, at).unwrap_or_else(|| {
        let found = values.into_iter().map(|value| judge(&parts::read(value, &rules.parts), rules));
        found
            .reduce(|worst, other| if rank(&other) > rank(&worst) { other } else { worst })
            .unwrap_or(Health::Well)
    })
}

/// A later one is worse.
const fn rank(health: &Health) -> u8 {
    match health {
        Health::Well => 0,
        Health::Warning(_) => 1,
        Health::NotKnown(_) => 2,
        Health::Failing(_) => 3,
    }
}

/// What one of them comes to, before the worst is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weighed {
    Well,
    /// Whatever `fail_on` says.
    Warns,
    /// Fails where warnings do.
    Mild,
    /// Said by a part of a whole that is well; not known where warnings fail.
    Doubtful,
    NotKnown,
    Fails,
}

fn judge(body: &Body, rules: &JsonRules) -> Health {
    let is_any = |part: &Part, names: &[String]| names.iter().any(|name| parts::is_below(&part.path, name));
    let (ignored, counted): (Vec<&Part>, Vec<&Part>) =
        body.parts.iter().partition(|part| is_any(part, &rules.ignore));
    let only_warns = |part: &Part| is_any(part, &rules.warn);
    let excused: Vec<&Part> =
        ignored.iter().copied().chain(counted.iter().copied().filter(|part| only_warns(part))).collect();
    // The whole may be as bad as it is for what does not matter.
    let is_excused = |whole: &&Said| {
        matches!(whole.grade, Grade::Mild | Grade::Bad)
            && excused.iter().any(|part| part.said.grade >= whole.grade)
    };
    let whole = body.whole.as_ref();
    let excused_whole = whole.filter(is_excused);
    let whole = whole.filter(|whole| !is_excused(whole));
    let speaks = whole.filter(|whole| whole.grade != Grade::NotUnderstood);
    let mut found: Vec<(Weighed, String)> =
        whole.iter().map(|whole| (weight(whole.grade), told(&[], whole))).collect();
    for part in counted.iter().filter(|part| !only_warns(part)) {
        let weighed = match (speaks, part.said.claim) {
            (Some(_), Claim::Unknown) => None,
            (Some(_), Claim::MayBeNone) if !part.is_strong => None,
            (Some(whole), _) => Some(beside_a_whole(whole, part)),
            // Without the word of the whole, what was not understood may be what it meant.
            (None, Claim::MayBeNone) if excused_whole.is_none() => None,
            (None, _) => Some(weight(part.said.grade)),
        };
        found.extend(weighed.map(|weighed| (weighed, told(&part.path, &part.said))));
    }
    for part in counted.iter().filter(|part| only_warns(part) && part.said.grade > Grade::Good) {
        found.push((Weighed::Warns, told(&part.path, &part.said)));
    }
    found.extend(missing(body, rules));
    if found.is_empty() && !excused.is_empty() {
        return Health::Well;
    }
    worst(&found, whole.is_some(), rules.fail_on)
}

fn weight(grade: Grade) -> Weighed {
    match grade {
        Grade::Good => Weighed::Well,
        Grade::Mild => Weighed::Mild,
        Grade::NotUnderstood => Weighed::NotKnown,
        Grade::Bad => Weighed::Fails,
    }
}

/// A whole that fails names all that do.
fn beside_a_whole(whole: &Said, part: &Part) -> Weighed {
    match part.said.grade {
        Grade::Good => Weighed::Well,
        Grade::Bad if part.is_strong || whole.grade == Grade::Bad => Weighed::Fails,
        Grade::Mild | Grade::Bad => Weighed::Mild,
        Grade::NotUnderstood => Weighed::Doubtful,
    }
}

/// Parts that the operator counts on, and of which nothing is said.
fn missing(body: &Body, rules: &JsonRules) -> Vec<(Weighed, String)> {
    let is_said = |name: &&String| body.parts.iter().any(|part| parts::is_below(&part.path, name));
    let missing = rules.parts.iter().filter(|name| !is_said(name));
    missing
        .map(|name| (Weighed::Doubtful, escaped(&format!("{name}: the body says nothing of it"))))
        .collect()
}

/// The worst counts; of several as bad, all are named.
fn worst(found: &[(Weighed, String)], has_whole: bool, fail_on: FailOn) -> Health {
    let Some(worst) = found.iter().map(|(weighed, _)| *weighed).max() else {
        return Health::NotKnown("the body says nothing of health".to_owned());
    };
    let as_bad: Vec<&str> =
        found.iter().filter(|(weighed, _)| *weighed == worst).map(|(_, words)| words.as_str()).collect();
    // The whole comes first, and is as bad for what its parts say already.
    let of_whole = usize::from(has_whole && found.first().is_some_and(|(weighed, _)| *weighed == worst));
    let named = as_bad.get(of_whole..).filter(|parts| !parts.is_empty()).unwrap_or(&as_bad);
    let words: String = named.join("; ").chars().take(LONGEST).collect();
    match (worst, fail_on) {
        (Weighed::Well, _) => Health::Well,
        (Weighed::Mild, FailOn::Warning) | (Weighed::Fails, _) => Health::Failing(words),
        (Weighed::NotKnown, _) | (Weighed::Doubtful, FailOn::Warning) => Health::NotKnown(words),
        (Weighed::Warns, _) | (Weighed::Mild | Weighed::Doubtful, FailOn::Failure) => Health::Warning(words),
    }
}

/// `path`: of the whole, none.
fn told(path: &[String], said: &Said) -> String {
    let is_whole = path.is_empty();
    let text = match &said.reason {
        _ if said.told.is_empty() => "says nothing".to_owned(),
        // Of a part that it fails is known from its being named.
        Some(reason) if said.grade == Grade::Bad && !is_whole => reason.clone(),
        Some(reason) if said.grade > Grade::Good => format!("{}: {reason}", said.told),
        Some(_) | None => said.told.clone(),
    };
    let start: String = text.chars().take(40).collect();
    let words = match (parts::display(path), said.grade) {
        (name, Grade::NotUnderstood) if name.is_empty() => format!("no word of health: \"{start}\""),
        (name, _) if name.is_empty() => format!("it says {text}"),
        (name, Grade::NotUnderstood) => format!("{name}: no word of health: \"{start}\""),
        (name, _) => format!("{name}: {text}"),
    };
    escaped(&words)
}

fn escaped(text: &str) -> String {
    crate::words::escaped(text)
}

/// Of a line.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests;
