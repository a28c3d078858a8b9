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

use crate::plan::{JsonAt, JsonFailLevel, JsonRules};

use json::Json;
use parts::{Body, BodyPart, Claim, HealthPart};
use words::WordGrade;

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
pub fn parse_health(body: &[u8], rules: &JsonRules) -> Health {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    let json = Json::read(text);
    match (&rules.at, json) {
        (None, Some(json)) => judge_body(&parts::read_body(&json, &rules.parts), rules),
        (None, None) => {
            judge_body(&Body { whole: Some(HealthPart::of_text(text)), ..Body::default() }, rules)
        }
        (Some(at), Some(json)) => at_pointer(&json, at, rules),
        (Some(_), None) => Health::NotKnown("the body is no JSON, and json.at looks into one".to_owned()),
    }
}

fn at_pointer(json: &Json, at: &JsonAt, rules: &JsonRules) -> Health {
    let values = pointer::values_at(json, &at.pointer);
    if values.is_empty() {
        return Health::NotKnown(crate::words::escaped(&format!("there is no {} in the body", at.pointer)));
    }
    pointer::judge_values(&values, at).unwrap_or_else(|| {
        let found = values.into_iter().map(|value| judge_body(&parts::read_body(value, &rules.parts), rules));
        found
            .reduce(|worst, other| if severity(&other) > severity(&worst) { other } else { worst })
            .unwrap_or(Health::Well)
    })
}

/// A later one is worse.
const fn severity(health: &Health) -> u8 {
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

fn judge_body(body: &Body, rules: &JsonRules) -> Health {
    let is_any =
        |part: &BodyPart, names: &[String]| names.iter().any(|name| parts::is_below(&part.path, name));
    let (ignored, counted): (Vec<&BodyPart>, Vec<&BodyPart>) =
        body.parts.iter().partition(|part| is_any(part, &rules.ignore));
    let only_warns = |part: &BodyPart| is_any(part, &rules.warn);
    let excused: Vec<&BodyPart> =
        ignored.iter().copied().chain(counted.iter().copied().filter(|part| only_warns(part))).collect();
    // The whole may be as bad as it is for what does not matter.
    let is_excused = |whole: &&HealthPart| {
        matches!(whole.grade, WordGrade::Mild | WordGrade::Bad)
            && excused.iter().any(|part| part.said.grade >= whole.grade)
    };
    let whole = body.whole.as_ref();
    let excused_whole = whole.filter(is_excused);
    let whole = whole.filter(|whole| !is_excused(whole));
    let speaks = whole.filter(|whole| whole.grade != WordGrade::NotUnderstood);
    let mut found: Vec<(Weighed, String)> =
        whole.iter().map(|whole| (weigh_grade(whole.grade), part_text(&[], whole))).collect();
    for part in counted.iter().filter(|part| !only_warns(part)) {
        let weighed = match (speaks, part.said.claim) {
            (Some(_), Claim::Unknown) => None,
            (Some(_), Claim::MayBeNone) if !part.is_strong => None,
            (Some(whole), _) => Some(beside_a_whole(whole, part)),
            // Without the word of the whole, what was not understood may be what it meant.
            (None, Claim::MayBeNone) if excused_whole.is_none() => None,
            (None, _) => Some(weigh_grade(part.said.grade)),
        };
        found.extend(weighed.map(|weighed| (weighed, part_text(&part.path, &part.said))));
    }
    for part in counted.iter().filter(|part| only_warns(part) && part.said.grade > WordGrade::Good) {
        found.push((Weighed::Warns, part_text(&part.path, &part.said)));
    }
    found.extend(missing_parts(body, rules));
    if found.is_empty() && !excused.is_empty() {
        return Health::Well;
    }
    worst_part(&found, whole.is_some(), rules.fail_on)
}

fn weigh_grade(grade: WordGrade) -> Weighed {
    match grade {
        WordGrade::Good => Weighed::Well,
        WordGrade::Mild => Weighed::Mild,
        WordGrade::NotUnderstood => Weighed::NotKnown,
        WordGrade::Bad => Weighed::Fails,
    }
}

/// A whole that fails names all that do.
fn beside_a_whole(whole: &HealthPart, part: &BodyPart) -> Weighed {
    match part.said.grade {
        WordGrade::Good => Weighed::Well,
        WordGrade::Bad if part.is_strong || whole.grade == WordGrade::Bad => Weighed::Fails,
        WordGrade::Mild | WordGrade::Bad => Weighed::Mild,
        WordGrade::NotUnderstood => Weighed::Doubtful,
    }
}

/// Parts that the operator counts on, and of which nothing is said.
fn missing_parts(body: &Body, rules: &JsonRules) -> Vec<(Weighed, String)> {
    let is_said = |name: &&String| body.parts.iter().any(|part| parts::is_below(&part.path, name));
    let missing = rules.parts.iter().filter(|name| !is_said(name));
    missing
        .map(|name| (Weighed::Doubtful, escape_part(&format!("{name}: the body says nothing of it"))))
        .collect()
}

/// The worst counts; of several as bad, all are named.
fn worst_part(found: &[(Weighed, String)], has_whole: bool, fail_on: JsonFailLevel) -> Health {
    let Some(worst) = found.iter().map(|(weighed, _)| *weighed).max() else {
        return Health::NotKnown("the body has no health status; is url right?".to_owned());
    };
    let as_bad: Vec<&str> =
        found.iter().filter(|(weighed, _)| *weighed == worst).map(|(_, words)| words.as_str()).collect();
    // The whole comes first, and is as bad for what its parts say already.
    let of_whole = usize::from(has_whole && found.first().is_some_and(|(weighed, _)| *weighed == worst));
    let named = as_bad.get(of_whole..).filter(|parts| !parts.is_empty()).unwrap_or(&as_bad);
    let words: String = named.join("; ").chars().take(MAX_HEALTH_TEXT_CHARS).collect();
    match (worst, fail_on) {
        (Weighed::Well, _) => Health::Well,
        (Weighed::Mild, JsonFailLevel::Warning) | (Weighed::Fails, _) => Health::Failing(words),
        (Weighed::NotKnown, _) | (Weighed::Doubtful, JsonFailLevel::Warning) => Health::NotKnown(words),
        (Weighed::Warns, _) | (Weighed::Mild | Weighed::Doubtful, JsonFailLevel::Failure) => {
            Health::Warning(words)
        }
    }
}

/// `path`: of the whole, none.
fn part_text(path: &[String], said: &HealthPart) -> String {
    let is_whole = path.is_empty();
    let text = match &said.reason {
        _ if said.told.is_empty() => "says nothing".to_owned(),
        // Of a part that it fails is known from its being named.
        Some(reason) if said.grade == WordGrade::Bad && !is_whole => reason.clone(),
        Some(reason) if said.grade > WordGrade::Good => format!("{}: {reason}", said.told),
        Some(_) | None => said.told.clone(),
    };
    let start: String = text.chars().take(40).collect();
    let words = match (parts::display_path(path), said.grade) {
        (name, WordGrade::NotUnderstood) if name.is_empty() => format!("unknown health word: \"{start}\""),
        (name, _) if name.is_empty() => format!("it says {text}"),
        (name, WordGrade::NotUnderstood) => format!("{name}: unknown health word: \"{start}\""),
        (name, _) => format!("{name}: {text}"),
    };
    escape_part(&words)
}

fn escape_part(text: &str) -> String {
    crate::words::escaped(text)
}

/// Of a line.
const MAX_HEALTH_TEXT_CHARS: usize = 200;

#[cfg(test)]
mod tests;
