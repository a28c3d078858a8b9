//! What the body of an answer must be, and what it says. Pure. What would need what lies behind the limit is unknown.

use regex_lite::Regex;

use crate::plan::{BodyRules, KeyConflict, KeySpec, MAX_BODY_BYTES, Params, ValueType};
use crate::toml_text::format_size;

use super::body_text::{BodyText, Raw, read_text};
use super::fault::quote_error;
use super::health::{self, Health};

/// Of a probe that is no url: how much of what it says is looked at.
pub(super) const MAX: KeySpec =
    KeySpec::new("body.max", ValueType::Size).default("64K").help("How much of what it says is looked at");

/// Bytes that are looked at.
pub(super) fn limit_of(given: &Params) -> usize {
    given.number(&MAX).and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(BodyRules::default().max)
}

pub(super) fn limit_conflict(given: &Params) -> Option<KeyConflict> {
    let bytes = given.number(&MAX).filter(|bytes| *bytes > u64::from(MAX_BODY_BYTES))?;
    let what = format!("must be at most {}, got {}", format_size(MAX_BODY_BYTES.into()), format_size(bytes));
    Some(KeyConflict { key: MAX.name, what, cure: "have what it looks for said earlier" })
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BodyVerdict {
    Well,
    Near(String),
    /// With the code of the rule.
    Failing(&'static str, String),
    NotKnown(String),
}

/// Of what `contains`, `lacks` and `regex` say.
pub(super) const BODY: &str = "body";
/// Of what it says of itself.
pub(super) const JSON: &str = "json";

/// The worst that a rule finds: what fails, then what is not known, then what warns.
pub(super) fn judge_body(rules: &BodyRules, raw: &Raw<'_>) -> BodyVerdict {
    let body = match read_text(raw, rules.max) {
        Ok(body) => body,
        Err(why) => return BodyVerdict::NotKnown(why),
    };
    let found = [
        judge_contains(rules, &body),
        judge_lacks(rules, &body),
        judge_regex(rules, &body),
        judge_json(rules, &body),
    ];
    found
        .into_iter()
        .reduce(|worst, other| if other.severity() > worst.severity() { other } else { worst })
        .unwrap_or(BodyVerdict::Well)
}

impl BodyVerdict {
    const fn severity(&self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Near(_) => 1,
            Self::NotKnown(_) => 2,
            Self::Failing(..) => 3,
        }
    }
}

fn judge_contains(rules: &BodyRules, body: &BodyText<'_>) -> BodyVerdict {
    let is_missing = |wanted: &&String| !body.text.contains(wanted.as_str());
    let Some(missing) = rules.contains.iter().find(is_missing) else { return BodyVerdict::Well };
    // One that is certain, if there is one.
    let is_certain = |wanted: &&String| body.is_whole && body.can_hold(wanted);
    match rules.contains.iter().filter(is_missing).find(is_certain) {
        Some(missing) => BodyVerdict::Failing(BODY, format!("the body has no \"{}\"", quote_error(missing))),
        None if !body.is_whole => BodyVerdict::NotKnown(format!(
            "the body is longer than {}, and so far has no \"{}\": raise body.max",
            format_limit(rules.max),
            quote_error(&missing)
        )),
        None => BodyVerdict::NotKnown(uncertain_text(missing)),
    }
}

fn judge_lacks(rules: &BodyRules, body: &BodyText<'_>) -> BodyVerdict {
    if let Some(unwanted) = rules.lacks.iter().find(|unwanted| body.text.contains(unwanted.as_str())) {
        return BodyVerdict::Failing(BODY, format!("the body has \"{}\" in it", quote_error(unwanted)));
    }
    match rules.lacks.iter().find(|unwanted| !body.can_hold(unwanted)) {
        Some(unwanted) => BodyVerdict::NotKnown(uncertain_text(unwanted)),
        None if body.is_whole || rules.lacks.is_empty() => BodyVerdict::Well,
        None => too_long("lacks", rules.max),
    }
}

fn judge_regex(rules: &BodyRules, body: &BodyText<'_>) -> BodyVerdict {
    let Some(pattern) = &rules.regex else { return BodyVerdict::Well };
    let regex = match Regex::new(pattern) {
        Ok(regex) => regex,
        Err(error) => return BodyVerdict::NotKnown(format!("body.regex: {}", quote_error(&error))),
    };
    match regex.find(&body.text) {
        // Where the text is cut, `$` matches what is no end.
        Some(found) if body.is_whole || found.end() < body.text.len() => BodyVerdict::Well,
        _ if !body.is_whole => too_long("regex", rules.max),
        _ if !body.can_hold(pattern) => BodyVerdict::NotKnown(uncertain_text(pattern)),
        _ => BodyVerdict::Failing(BODY, format!("the body does not match {}", quote_error(pattern))),
    }
}

fn judge_json(rules: &BodyRules, body: &BodyText<'_>) -> BodyVerdict {
    let Some(json) = &rules.json else { return BodyVerdict::Well };
    if !body.is_whole {
        return too_long("json", rules.max);
    }
    match health::parse_health(body.text.as_bytes(), json) {
        Health::Well => BodyVerdict::Well,
        Health::Warning(words) => BodyVerdict::Near(words),
        Health::Failing(words) => BodyVerdict::Failing(JSON, words),
        Health::NotKnown(words) => BodyVerdict::NotKnown(words),
    }
}

impl BodyText<'_> {
    /// False: its letters are a guess, and those of the rule may be written otherwise.
    fn can_hold(&self, rule: &str) -> bool {
        !self.is_guessed || rule.is_ascii()
    }
}

fn too_long(rule: &str, max: usize) -> BodyVerdict {
    BodyVerdict::NotKnown(format!(
        "the body is longer than {}, and {rule} needs all of it: raise body.max",
        format_limit(max)
    ))
}

/// `64K`
pub(super) fn format_limit(max: usize) -> String {
    format_size(u64::try_from(max).unwrap_or(u64::MAX))
}

fn uncertain_text(rule: &str) -> String {
    format!(
        "the letters of the body are uncertain, so that \"{}\" cannot be looked for: have the server send UTF-8",
        quote_error(&rule)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::JsonRules;

    fn rules(change: impl FnOnce(&mut BodyRules)) -> BodyRules {
        let mut rules = BodyRules::default();
        change(&mut rules);
        rules
    }

    fn judge(rules: &BodyRules, bytes: &[u8]) -> BodyVerdict {
        judge_body(rules, &Raw { bytes, ..Raw::default() })
    }

    #[test]
    fn each_rule_is_kept_or_told() {
        let contains = rules(|rules| rules.contains = vec!["shop".to_owned(), "cart".to_owned()]);
        let lacks = rules(|rules| rules.lacks = vec!["Traceback".to_owned()]);
        let regex = rules(|rules| rules.regex = Some(r#""version":\s*"2\."#.to_owned()));
        for (rules, body, expected) in [
            (&contains, "shop and cart", BodyVerdict::Well),
            (&contains, "shop", BodyVerdict::Failing(BODY, "the body has no \"cart\"".to_owned())),
            (&lacks, "fine", BodyVerdict::Well),
            (
                &lacks,
                "Traceback (most",
                BodyVerdict::Failing(BODY, "the body has \"Traceback\" in it".to_owned()),
            ),
            (&regex, r#"{"version": "2.1"}"#, BodyVerdict::Well),
            (
                &regex,
                r#"{"version": "3.1"}"#,
                BodyVerdict::Failing(BODY, r#"the body does not match "version":\s*"2\."#.to_owned()),
            ),
        ] {
            assert_eq!(judge(rules, body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn what_needs_what_lies_behind_the_limit_is_not_known() {
        let long = |tail: &str| format!("start{}{tail}", "x".repeat(64 * 1024)).into_bytes();
        let contains = |text: &str| rules(|rules| rules.contains = vec![text.to_owned()]);
        let lacks = |text: &str| rules(|rules| rules.lacks = vec![text.to_owned()]);
        let regex = |text: &str| rules(|rules| rules.regex = Some(text.to_owned()));
        let json = rules(|rules| rules.json = Some(JsonRules::default()));
        let raised = rules(|rules| (rules.contains, rules.max) = (vec!["end".to_owned()], 128 * 1024));
        for (rules, known) in [
            (contains("start"), true),
            (contains("end"), false),
            (lacks("start"), true),
            (lacks("end"), false),
            (regex("^start"), true),
            (regex("xx$"), false),
            (regex("nd"), false),
            (json, false),
            (raised, true),
        ] {
            let judged = judge(&rules, &long("end"));
            assert_eq!(!matches!(judged, BodyVerdict::NotKnown(_)), known, "{rules:?}: {judged:?}");
        }
        let both =
            rules(|rules| (rules.contains, rules.lacks) = (vec!["end".to_owned()], vec!["start".to_owned()]));
        assert!(matches!(judge(&both, &long("end")), BodyVerdict::Failing(..)), "what fails is known");
    }

    #[test]
    fn a_text_that_may_be_written_otherwise_is_not_missed() {
        let contains = |text: &str| rules(|rules| rules.contains = vec![text.to_owned()]);
        let lacks = |text: &str| rules(|rules| rules.lacks = vec![text.to_owned()]);
        let body = b"ge\xf6ffnet";
        assert_eq!(judge(&contains("geöffnet"), body), BodyVerdict::Well);
        assert!(matches!(judge(&contains("готово"), body), BodyVerdict::NotKnown(_)));
        assert!(matches!(judge(&lacks("ошибка"), body), BodyVerdict::NotKnown(_)));
        assert!(matches!(judge(&contains("open"), body), BodyVerdict::Failing(..)));
        let of = |bytes, content_type| Raw { bytes, content_type: Some(content_type), encoding: None };
        let russian = of(&b"\xcf\xcb open"[..], "text/html; charset=koi8-r");
        assert_eq!(judge_body(&contains("open"), &russian), BodyVerdict::Well);
        assert!(matches!(judge_body(&contains("shut"), &russian), BodyVerdict::Failing(..)));
        assert!(matches!(judge_body(&contains("ок"), &russian), BodyVerdict::NotKnown(_)));
        let misnamed = of("geöffnet".as_bytes(), "text/html; charset=iso-8859-1");
        assert_eq!(judge_body(&contains("geöffnet"), &misnamed), BodyVerdict::Well);
        assert!(matches!(judge_body(&contains("zu für heute"), &misnamed), BodyVerdict::NotKnown(_)));
        let packed = Raw { bytes: b"?", encoding: Some("br"), content_type: None };
        assert!(matches!(judge_body(&contains("open"), &packed), BodyVerdict::NotKnown(_)));
        assert!(matches!(judge_body(&lacks("Traceback"), &packed), BodyVerdict::NotKnown(_)));
    }
}
