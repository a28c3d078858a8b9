//! What the body of an answer must be, and what it says. Pure.

use regex_lite::Regex;

use crate::plan::BodyRules;

use super::fault::quoted;
use super::health::{self, Health};

/// Read of a body, and no more: what stands behind it is not looked at.
pub(super) const LARGEST: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judged {
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

/// `body`: `LARGEST` and one byte more, where it is longer.
pub(super) fn judged(rules: &BodyRules, body: &[u8]) -> Judged {
    let looked_at = body.get(..LARGEST).unwrap_or(body);
    let text = String::from_utf8_lossy(looked_at);
    if let Some(missing) = rules.contains.iter().find(|wanted| !text.contains(wanted.as_str())) {
        return Judged::Failing(BODY, format!("the body has no \"{}\"", quoted(missing)));
    }
    if let Some(unwanted) = rules.lacks.iter().find(|unwanted| text.contains(unwanted.as_str())) {
        return Judged::Failing(BODY, format!("the body has \"{}\" in it", quoted(unwanted)));
    }
    if let Some(pattern) = &rules.regex {
        match Regex::new(pattern) {
            Ok(pattern) if pattern.is_match(&text) => {}
            Ok(_) => return Judged::Failing(BODY, format!("the body does not match {}", quoted(pattern))),
            Err(error) => return Judged::NotKnown(format!("body.regex: {}", quoted(&error))),
        }
    }
    match &rules.json {
        None => Judged::Well,
        Some(_) if body.len() > LARGEST => {
            Judged::NotKnown(format!("the body is longer than {} KiB", LARGEST / 1024))
        }
        Some(json) => match health::of(body, json) {
            Health::Well => Judged::Well,
            Health::Warning(words) => Judged::Near(words),
            Health::Failing(words) => Judged::Failing(JSON, words),
            Health::NotKnown(words) => Judged::NotKnown(words),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{FailOn, JsonRules};

    fn rules(change: impl FnOnce(&mut BodyRules)) -> BodyRules {
        let mut rules = BodyRules::default();
        change(&mut rules);
        rules
    }

    #[test]
    fn each_rule_is_kept_or_told() {
        let contains = rules(|rules| rules.contains = vec!["shop".to_owned(), "cart".to_owned()]);
        let lacks = rules(|rules| rules.lacks = vec!["Traceback".to_owned()]);
        let regex = rules(|rules| rules.regex = Some(r#""version":\s*"2\."#.to_owned()));
        for (rules, body, expected) in [
            (&contains, "shop and cart", Judged::Well),
            (&contains, "shop", Judged::Failing(BODY, "the body has no \"cart\"".to_owned())),
            (&lacks, "fine", Judged::Well),
            (&lacks, "Traceback (most", Judged::Failing(BODY, "the body has \"Traceback\" in it".to_owned())),
            (&regex, r#"{"version": "2.1"}"#, Judged::Well),
            (
                &regex,
                r#"{"version": "3.1"}"#,
                Judged::Failing(BODY, r#"the body does not match "version":\s*"2\."#.to_owned()),
            ),
        ] {
            assert_eq!(judged(rules, body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_body_that_is_too_long_is_looked_at_so_far_and_not_judged_as_a_whole() {
        let long = |tail: &str| format!("start{}{tail}", "x".repeat(LARGEST)).into_bytes();
        let contains = rules(|rules| rules.contains = vec!["start".to_owned()]);
        assert_eq!(judged(&contains, &long("")), Judged::Well);
        let lacks = rules(|rules| rules.lacks = vec!["end".to_owned()]);
        assert_eq!(judged(&lacks, &long("end")), Judged::Well);
        let json = JsonRules { fail_on: FailOn::Failure, ignore: Vec::new() };
        let json = rules(|rules| rules.json = Some(json));
        assert!(matches!(judged(&json, &long("")), Judged::NotKnown(_)));
    }
}
