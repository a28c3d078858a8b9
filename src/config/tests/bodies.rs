//! The rules for bodies: what is read, and what is refused.

use super::*;
use crate::plan::{Figure, JsonAt, JsonFailLevel, JsonRules};

fn body_of(line: &str) -> BodyRules {
    one(&format!("{SHOP}{line}"), &[]).probes.remove(0).http_request().unwrap().body.clone()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn as_much_is_read_as_body_max_says() {
    assert_eq!(body_of("").max, 64 * 1024);
    assert_eq!(body_of("body.max = \"1M\"").max, 1024 * 1024);
    assert_eq!(body_of("body = { contains = \"x\", max = \"8M\" }").max, 8 * 1024 * 1024);
    for value in ["\"1023\"", "\"9M\"", "\"64k\"", "\"\"", "65536"] {
        let faults = read(&format!("{SHOP}body.max = {value}"), &[]).unwrap_err();
        let wrong = format!("body.max: must be a size of 1K to 8M, such as \"256K\", got {value}; nothing");
        assert!(faults[0].contains(&wrong), "{faults:?}");
    }
}

#[test]
fn any_key_of_json_has_the_body_read_for_health() {
    assert_eq!(body_of("body.max = \"1M\"").json, None);
    assert_eq!(body_of("json = {}").json, Some(JsonRules::default()));
    let parts = "json = { fail_on = \"warning\", ignore = \"a\", warn = [\"b\"], parts = [\"c\", \"d.e\"] }";
    let expected = JsonRules {
        fail_on: JsonFailLevel::Warning,
        ignore: texts(&["a"]),
        warn: texts(&["b"]),
        parts: texts(&["c", "d.e"]),
        at: None,
    };
    assert_eq!(body_of(parts).json, Some(expected));
    let at = |line: &str| body_of(line).json.unwrap().at.unwrap();
    let plain = JsonAt { pointer: "/a~1b/0".to_owned(), is: vec![], min: None, max: None };
    assert_eq!(at("json.at = \"/a~1b/0\""), plain);
    assert_eq!(at("json.at = \"\"").pointer, "", "the whole body");
    assert_eq!(
        at("json = { at = \"/a\", is = [\"up\", 3, true, 0.5] }").is,
        texts(&["up", "3", "true", "0.5"])
    );
    assert_eq!(at("json = { at = \"/a\", is = 3 }").is, texts(&["3"]));
    let bounds = at("json = { at = \"/a\", min = -1, max = 0.5 }");
    assert_eq!((bounds.min, bounds.max), (Figure::read("-1"), Figure::read("0.5")));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (line, wrong) in [
        ("json.is = \"x\"", "json.is: needs a place in the body; add json.at"),
        ("json.max = 1", "json.max: needs a place in the body; add json.at"),
        ("json.at = \"a\"", "json.at: must be a JSON pointer"),
        ("json.at = \"/a~2\"", "json.at: must be a JSON pointer"),
        ("json = { at = \"/a\", is = [] }", "json.is: must not be empty"),
        ("json = { at = \"/a\", is = [[1]] }", "json.is: must be a text, a number, true or false"),
        ("json = { at = \"/a\", min = \"1\" }", "json.min: must be a number"),
        ("json = { at = \"/a\", max = nan }", "json.max: must be a number"),
        (
            "json = { at = \"/a\", min = 2, max = 1 }",
            "json.max: must not be less than json.min, which is 2, got 1",
        ),
        ("method = \"HEAD\"\njson.warn = \"x\"", "json.warn: has no meaning for HEAD"),
        ("probe.x = { tcp = \"x:1\", body.max = \"9M\" }", "body.max: must be at most 8M, got 9M"),
    ] {
        let faults = read(&format!("{SHOP}{line}"), &[]).unwrap_err();
        assert!(faults[0].contains(wrong), "{line}: {faults:?}");
    }
}

#[test]
fn what_a_request_sends_goes_with_its_method_and_is_shown_nowhere() {
    let table = |keys: &str| format!("[service.a]\nurl = 'http://x'\n{keys}\n");
    for method in ["post", "PUT", "PATCH"] {
        let text = table(&format!("method = '{method}'\nrequest_body = 'a=secret'\nstatus_warn = '429,5xx'"));
        let services = read(&text, &[]).unwrap().services;
        let question = services[0].main_request().unwrap();
        assert_eq!(question.request_body.as_deref(), Some("a=secret"));
        assert_eq!(question.status_warn, Some(StatusSet(vec![(429, 429), (500, 599)])));
        let shown = lines::request_lines(question);
        assert!(shown.contains(&("request_body", "\"(hidden)\"".to_owned())), "{shown:?}");
        assert!(shown.contains(&("status_warn", "\"429,500-599\"".to_owned())), "{shown:?}");
    }
    for (keys, told) in [
        (
            "method = 'POST'\nrequest_body = ''",
            "u.toml:4: service.a.request_body: must be 1 to 16384 bytes; nothing was probed",
        ),
        (
            "method = 'POST'\nrequest_body = 5",
            "u.toml:4: service.a.request_body: must be a text in quotes; nothing was probed",
        ),
        (
            "method = 'HEAD'\nrequest_body = 'secret'",
            "u.toml:4: service.a.request_body: goes with POST, PUT and PATCH alone; set method = \"POST\"",
        ),
    ] {
        assert_eq!(read(&table(keys), &[]).unwrap_err(), [told]);
    }
}
