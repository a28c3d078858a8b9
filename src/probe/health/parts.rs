//! The parts of a body, read by its structure: a member, at any depth, whose value is a word of health, or a table that
//! has a status, is a part. Numbers, versions and lists of names are none.

use super::json::Json;
use super::names::{self, Name, kind_of};
use super::words::{StatusWord, WordGrade, is_neutral, is_unknown, is_version};

/// What the whole, or a part of it, says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HealthPart {
    pub(super) grade: WordGrade,
    /// For a person; may be empty.
    pub(super) told: String,
    /// Why, where that stands beside it.
    pub(super) reason: Option<String>,
    pub(super) claim: Claim,
}

/// What a word of a health that is not understood is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Status,
    /// `unknown`: it says itself that it cannot tell.
    Unknown,
    /// It stands where a status may stand, or something else, such as the state of an address.
    MayBeNone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BodyPart {
    /// Names from the outermost inwards.
    pub(super) path: Vec<String>,
    pub(super) said: HealthPart,
    /// The service cannot do without it, as far as its name and place tell.
    pub(super) is_strong: bool,
}

#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) whole: Option<HealthPart>,
    pub(super) parts: Vec<BodyPart>,
}

/// `named`: parts that the operator names, wherever they stand.
pub(super) fn read_body(json: &Json, named: &[String]) -> Body {
    let mut body = Body::default();
    let mut walk = Walk { named, body: &mut body, path: Vec::new() };
    match json {
        Json::Table(members) => {
            let whole = table_statement(members).or_else(|| error_alone(members));
            let is_said = whole.is_some();
            walk.walk_members(members, MemberPlace::TOP, is_said);
            body.whole = whole;
        }
        Json::List(list) => walk.walk_list(list, MemberPlace { is_strong: true, ..MemberPlace::TOP }),
        Json::Text(text) => body.whole = Some(HealthPart::of_text(text)),
        Json::Truth(truth) => body.whole = Some(HealthPart::of_truth(*truth)),
        Json::Null | Json::Number(_) => {}
    }
    body
}

/// Where a member stands.
#[derive(Debug, Clone, Copy)]
struct MemberPlace {
    is_strong: bool,
    /// All members are parts, also those that are true or false.
    is_part_table: bool,
    /// Within something that is over, or is done beside the service.
    is_of_job: bool,
}

impl MemberPlace {
    const TOP: Self = Self { is_strong: false, is_part_table: false, is_of_job: false };

    /// Of what stands in a member of that kind, as long as nothing in between speaks for itself.
    fn within(self, kind: Name) -> Self {
        let is_of_job = self.is_of_job || (kind == Name::Job && !self.is_strong);
        let by_name =
            matches!(kind, Name::PartTable | Name::Table | Name::Part | Name::Status | Name::StatusToo);
        Self {
            is_strong: !is_of_job && (self.is_strong || by_name),
            is_part_table: !is_of_job && matches!(kind, Name::PartTable | Name::Status | Name::StatusToo),
            is_of_job,
        }
    }
}

struct Walk<'a> {
    named: &'a [String],
    body: &'a mut Body,
    path: Vec<String>,
}

impl Walk<'_> {
    /// `is_said`: the table has told of itself, by a status among them.
    fn walk_members(&mut self, members: &[(String, Json)], place: MemberPlace, is_said: bool) {
        let has_status = has_first_status(members);
        for (name, value) in members {
            let kind = kind_of(name);
            let is_status = match kind {
                Name::Status | Name::Truth => true,
                Name::StatusToo | Name::TruthToo => !has_status,
                Name::Description | Name::PartTable | Name::Table | Name::Part | Name::Job | Name::Other => {
                    false
                }
            };
            let is_simple = !matches!(value, Json::List(_) | Json::Table(_));
            if is_said && is_status && is_simple {
                continue;
            }
            self.path.push(name.clone());
            self.walk_member(kind, value, place);
            self.path.pop();
        }
    }

    fn walk_member(&mut self, kind: Name, value: &Json, place: MemberPlace) {
        let inner = place.within(kind);
        let is_named = self.is_named();
        match value {
            Json::Null | Json::Number(_) => {}
            Json::Truth(truth) => self.note_truth(kind, *truth, place, is_named),
            Json::Text(text) => match as_truth(text) {
                Some(truth) => self.note_truth(kind, truth, place, is_named),
                // In a table of checks, one may be called so, too.
                None if kind == Name::Description
                    && !is_named
                    && (!place.is_part_table || StatusWord::of(text).grade == WordGrade::NotUnderstood) => {}
                None => self.note_text(text, place, inner.is_strong || is_named),
            },
            Json::Table(members) => self.walk_table(members, inner, is_named),
            Json::List(list) => self.walk_list(list, inner),
        }
    }

    fn note_truth(&mut self, kind: Name, truth: bool, place: MemberPlace, is_named: bool) {
        let is_of_part = place.is_part_table || kind == Name::Part;
        let is_part = is_of_part || is_named || matches!(kind, Name::Truth | Name::TruthToo);
        if is_part && kind != Name::Description {
            let said = match (self.path.last().is_some_and(|name| name.ends_with("connected")), truth) {
                (true, false) => {
                    HealthPart { told: "disconnected".to_owned(), ..HealthPart::of_truth(false) }
                }
                (_, truth) => HealthPart::of_truth(truth),
            };
            self.add_part(said, is_named || (is_of_part && place.within(kind).is_strong));
        }
    }

    fn note_text(&mut self, text: &str, place: MemberPlace, is_strong: bool) {
        let word = StatusWord::of(text);
        let is_part = match word.grade {
            WordGrade::Good => true,
            WordGrade::Mild | WordGrade::Bad => is_strong || word.stands_apart,
            // Else the name of a thing, or what it is.
            WordGrade::NotUnderstood => {
                let is_sentence = text.trim().is_empty() || text.trim().contains(char::is_whitespace);
                let is_status = is_unknown(text) || place.is_part_table || is_sentence;
                is_strong && is_status && !is_version(text)
            }
        };
        if is_part && !is_neutral(text) {
            self.add_part(HealthPart::of_text(text), is_strong);
        }
    }

    fn walk_table(&mut self, members: &[(String, Json)], place: MemberPlace, is_named: bool) {
        let is_strong = place.is_strong || is_named;
        let failed = || is_strong.then(|| error_alone(members)).flatten();
        let said = table_statement(members).or_else(failed);
        // What speaks for itself speaks for what stands in it, unless that is a table of parts again.
        let is_said = said.is_some();
        if let Some(said) = said.or_else(|| odd_statement(members)) {
            self.add_part(said, is_strong);
        }
        let inner = if is_said {
            MemberPlace { is_strong: false, is_part_table: false, ..place }
        } else {
            MemberPlace { is_strong, ..place }
        };
        self.walk_members(members, inner, is_said);
    }

    fn walk_list(&mut self, list: &[Json], place: MemberPlace) {
        // Beside a word of health a text is one too, else the name of a thing.
        let is_of_words = list.iter().filter_map(Json::text).any(|text| StatusWord::of(text).is_known());
        for one in list {
            match one {
                Json::Table(members) => {
                    self.walk_labelled(members, MemberPlace { is_part_table: false, ..place });
                }
                Json::List(list) => self.walk_list(list, place),
                Json::Text(text) if place.is_strong && is_of_words && !is_neutral(text) => {
                    self.add_part(HealthPart::of_text(text), true);
                }
                Json::Truth(truth) if place.is_part_table => {
                    self.add_part(HealthPart::of_truth(*truth), true);
                }
                Json::Text(_) | Json::Truth(_) | Json::Null | Json::Number(_) => {}
            }
        }
    }

    /// A table that stands in a list.
    fn walk_labelled(&mut self, members: &[(String, Json)], place: MemberPlace) {
        let label = label_of(members).map(str::to_owned);
        let is_labelled = label.is_some();
        self.path.extend(label);
        let is_named = self.is_named();
        self.walk_table(members, place, is_named);
        if is_labelled {
            self.path.pop();
        }
    }

    fn add_part(&mut self, said: HealthPart, is_strong: bool) {
        self.body.parts.push(BodyPart { path: self.path.clone(), said, is_strong });
    }

    fn is_named(&self) -> bool {
        self.named.iter().any(|name| ends_in(&self.path, name))
    }
}

/// `{"name": "redis", "status": "ok"}`
fn label_of(members: &[(String, Json)]) -> Option<&str> {
    ["name", "component", "service", "check", "id"].iter().find_map(|label| {
        let found = members.iter().find(|(name, _)| name.eq_ignore_ascii_case(label));
        found.and_then(|(_, value)| value.text()).filter(|text| !text.trim().is_empty())
    })
}

/// Whether a part is called so: by its own name, or by more of its path, with dots between.
fn ends_in(path: &[String], name: &str) -> bool {
    (0..path.len()).any(|from| display_path(path.get(from..).unwrap_or_default()).eq_ignore_ascii_case(name))
        || path.last().is_some_and(|last| last.eq_ignore_ascii_case(name))
}

/// Whether a part, or what it stands in, is called so.
pub(super) fn is_below(path: &[String], name: &str) -> bool {
    (1..=path.len()).any(|to| ends_in(path.get(..to).unwrap_or_default(), name))
}

/// What the part is called in a line: without names that only say that parts follow.
pub(super) fn display_path(path: &[String]) -> String {
    let telling: Vec<&str> =
        path.iter().map(String::as_str).filter(|name| !names::is_generic(name)).collect();
    match (telling.as_slice(), path.last()) {
        ([], Some(last)) => last.clone(),
        ([only], _) => only.strip_suffix("_connected").unwrap_or(only).to_owned(),
        _ => telling.join("."),
    }
}

/// One that is a word, or true or false, under the name that such has first of all.
fn has_first_status(members: &[(String, Json)]) -> bool {
    members.iter().any(|(name, value)| match kind_of(name) {
        Name::Status => matches!(value, Json::Text(_) | Json::Truth(_)),
        Name::Truth => truth_of(value).is_some(),
        Name::StatusToo
        | Name::TruthToo
        | Name::Description
        | Name::PartTable
        | Name::Table
        | Name::Part
        | Name::Job
        | Name::Other => false,
    })
}

/// What a table says of itself: the worst of its statuses. A number, such as the status of HTTP, is no word of health.
fn table_statement(members: &[(String, Json)]) -> Option<HealthPart> {
    let has_status = has_first_status(members);
    let said = members.iter().filter_map(|(name, value)| match (kind_of(name), value) {
        (Name::Status, Json::Text(text)) => match as_truth(text) {
            Some(truth) => Some(HealthPart::of_truth(truth)),
            None => (!is_neutral(text)).then(|| HealthPart::of_text(text)),
        },
        (Name::Status, Json::Truth(truth)) => Some(HealthPart::of_truth(*truth)),
        (Name::StatusToo, Json::Text(text)) if !has_status => match as_truth(text) {
            Some(truth) => Some(HealthPart::of_truth(truth)),
            None => Some(HealthPart::of_text(text))
                .filter(|said| said.grade != WordGrade::NotUnderstood || is_unknown(text)),
        },
        (Name::StatusToo, Json::Truth(truth)) if !has_status => Some(HealthPart::of_truth(*truth)),
        (Name::Truth, value) => truth_of(value).map(HealthPart::of_truth),
        (Name::TruthToo, value) if !has_status => truth_of(value).map(HealthPart::of_truth),
        _ => None,
    });
    let worst = said.reduce(|worst, other| if other.grade > worst.grade { other } else { worst })?;
    Some(HealthPart { reason: reason_of(members), ..worst })
}

/// A text that may be a status, and has no word that is known.
fn odd_statement(members: &[(String, Json)]) -> Option<HealthPart> {
    let odd =
        members.iter().find_map(|(name, value)| value.text().filter(|_| kind_of(name) == Name::StatusToo))?;
    (!is_neutral(odd) && !is_version(odd))
        .then(|| HealthPart { claim: Claim::MayBeNone, ..HealthPart::of_text(odd) })
}

fn truth_of(value: &Json) -> Option<bool> {
    match value {
        Json::Truth(truth) => Some(*truth),
        Json::Text(text) => as_truth(text),
        Json::Null | Json::Number(_) | Json::List(_) | Json::Table(_) => None,
    }
}

/// As etcd writes it.
fn as_truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// It has nothing but an error to tell.
fn error_alone(members: &[(String, Json)]) -> Option<HealthPart> {
    let (_, error) = members.iter().find(|(name, value)| name == "error" && is_said(value))?;
    Some(HealthPart { told: format!("error: {}", value_text(error)), ..HealthPart::of_truth(false) })
}

fn reason_of(members: &[(String, Json)]) -> Option<String> {
    names::REASONS.iter().find_map(|reason| {
        members
            .iter()
            .find(|(name, value)| name == reason && is_said(value))
            .map(|(_, value)| value_text(value))
    })
}

fn is_said(value: &Json) -> bool {
    match value {
        Json::Null | Json::Truth(false) => false,
        Json::Text(text) => !text.trim().is_empty(),
        Json::List(list) => !list.is_empty(),
        Json::Table(members) => !members.is_empty(),
        Json::Truth(true) | Json::Number(_) => true,
    }
}

fn value_text(value: &Json) -> String {
    match value {
        Json::List(list) => list.iter().map(value_text).collect::<Vec<_>>().join(", "),
        Json::Table(members) => members
            .iter()
            .map(|(name, value)| format!("{name}: {}", value_text(value)))
            .collect::<Vec<_>>()
            .join(", "),
        Json::Null | Json::Truth(_) | Json::Number(_) | Json::Text(_) => {
            value.scalar_text().unwrap_or_default()
        }
    }
}

impl HealthPart {
    pub(super) fn of_text(text: &str) -> Self {
        let word = StatusWord::of(text);
        let claim = if is_unknown(text) { Claim::Unknown } else { Claim::Status };
        Self { grade: word.grade, told: word.told.to_owned(), reason: None, claim }
    }

    fn of_truth(truth: bool) -> Self {
        let grade = if truth { WordGrade::Good } else { WordGrade::Bad };
        Self { grade, told: truth.to_string(), reason: None, claim: Claim::Status }
    }
}
