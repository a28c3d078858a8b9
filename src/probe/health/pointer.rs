//! `json.at`: the value at a JSON pointer (RFC 6901), and what it must be.

use crate::plan::{Figure, JsonAt};
use crate::words;

use super::Health;
use super::json::Json;

/// All that stand there: of a key that is said twice, both.
pub(super) fn values_at<'a>(json: &'a Json, pointer: &str) -> Vec<&'a Json> {
    pointer.split('/').skip(1).fold(vec![json], |found, name| {
        let name = name.replace("~1", "/").replace("~0", "~");
        found.into_iter().flat_map(|value| members_named(value, &name)).collect()
    })
}

fn members_named<'a>(value: &'a Json, name: &str) -> Vec<&'a Json> {
    match value {
        Json::Table(members) => {
            members.iter().filter(|(own, _)| own == name).map(|(_, value)| value).collect()
        }
        Json::List(list) => {
            // RFC 6901, 4: no leading zeros.
            let is_index =
                name == "0" || (!name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit()));
            let at = is_index.then(|| name.parse::<usize>().ok()).flatten();
            at.and_then(|at| list.get(at)).into_iter().collect()
        }
        Json::Null | Json::Truth(_) | Json::Number(_) | Json::Text(_) => Vec::new(),
    }
}

/// `None`: the rules say no more than where to look.
pub(super) fn judge_values(values: &[&Json], rules: &JsonAt) -> Option<Health> {
    if rules.is.is_empty() && rules.min.is_none() && rules.max.is_none() {
        return None;
    }
    let found = values.iter().map(|value| judge_one(value, rules));
    found.reduce(|worst, other| if super::severity(&other) > super::severity(&worst) { other } else { worst })
}

fn judge_one(value: &Json, rules: &JsonAt) -> Health {
    let JsonAt { pointer, is, min, max } = rules;
    let told = |what: String| {
        words::escaped(&format!("{pointer}: {what}"))
            .chars()
            .take(super::MAX_HEALTH_TEXT_CHARS)
            .collect::<String>()
    };
    let Some(plain) = value.scalar_text() else {
        return Health::NotKnown(told("a list or a table, where json wants one value".to_owned()));
    };
    let shown: String = plain.chars().take(60).collect();
    if !is.is_empty() && !is.iter().any(|wanted| *wanted == plain || is_same_number(value, wanted)) {
        return Health::Failing(told(format!("is \"{shown}\", not \"{}\"", is.join("\" or \""))));
    }
    if min.is_none() && max.is_none() {
        return Health::Well;
    }
    let Some(number) = plain.trim().parse::<f64>().ok().filter(|number| number.is_finite()) else {
        return Health::NotKnown(told(format!("\"{shown}\" is no number")));
    };
    if let Some(min) = min.as_ref().filter(|min| number < min.number()) {
        return Health::Failing(told(format!("{shown} (min {min})")));
    }
    if let Some(max) = max.as_ref().filter(|max| number > max.number()) {
        return Health::Failing(told(format!("{shown} (max {max})")));
    }
    Health::Well
}

/// `1.0` is 1.
fn is_same_number(value: &Json, wanted: &str) -> bool {
    let Json::Number(number) = value else { return false };
    let wanted = Figure::read(wanted);
    number.as_f64().zip(wanted).is_some_and(|(number, wanted)| number.total_cmp(&wanted.number()).is_eq())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6901, 5.
    #[test]
    fn a_pointer_names_what_the_rfc_says() {
        let text =
            r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#;
        let json = Json::read(text).unwrap();
        for (pointer, expected) in [
            ("/foo/0", "bar"),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ] {
            let found: Vec<_> = values_at(&json, pointer).into_iter().filter_map(Json::scalar_text).collect();
            assert_eq!(found, [expected], "{pointer}");
        }
        assert_eq!(values_at(&json, ""), [&json]);
        for pointer in ["/foo/00", "/foo/-", "/foo/2", "/foo/x", "/bar", "/foo/0/x"] {
            assert!(values_at(&json, pointer).is_empty(), "{pointer}");
        }
    }

    #[test]
    fn the_value_there_is_held_against_what_it_must_be() {
        let rules = |is: &[&str], min: Option<&str>, max: Option<&str>| JsonAt {
            pointer: "/a".to_owned(),
            is: is.iter().map(|text| (*text).to_owned()).collect(),
            min: min.and_then(Figure::read),
            max: max.and_then(Figure::read),
        };
        let judged =
            |value: &str, rules: &JsonAt| judge_values(&[&Json::read(value).unwrap()], rules).unwrap();
        let well = |value, rules: &JsonAt| judged(value, rules) == Health::Well;
        let failing = |value, rules: &JsonAt| matches!(judged(value, rules), Health::Failing(_));
        let not_known = |value, rules: &JsonAt| matches!(judged(value, rules), Health::NotKnown(_));
        let ready = rules(&["ready", "3", "true"], None, None);
        assert!(
            well(r#""ready""#, &ready) && well("3", &ready) && well("3.0", &ready) && well("true", &ready)
        );
        assert!(failing(r#""READY""#, &ready) && failing("null", &ready) && not_known("[]", &ready));
        let between = rules(&[], Some("0.5"), Some("10"));
        assert!(well("0.5", &between) && well("10", &between) && well(r#""7""#, &between));
        assert!(failing("0.4", &between) && failing("11", &between) && failing("-1e300", &between));
        assert!(not_known(r#""many""#, &between) && not_known("null", &between) && not_known("{}", &between));
        assert_eq!(judged("11", &between), Health::Failing("/a: 11 (max 10)".to_owned()));
    }
}
