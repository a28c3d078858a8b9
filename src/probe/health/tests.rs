//! The bodies that the replaced systems serve, each by its shape; and whatever else may come.

use super::*;
use proptest::prelude::*;

const STRICT: JsonRules = JsonRules { fail_on: FailOn::Failure, ignore: Vec::new() };

fn health(body: &str) -> Health {
    of(body.as_bytes(), &STRICT)
}

fn failing(words: &str) -> Health {
    Health::Failing(words.to_owned())
}

fn not_known(words: &str) -> Health {
    Health::NotKnown(words.to_owned())
}

#[rustfmt::skip]
const SHAPES: &[(&str, &str)] = &[
    // ROAMS
    (r#"{"status":"healthy","timestamp":"2026-02-07T17:30:00+03:00","service":"roams-django"}"#, "well"),
    (r#"{"status":"healthy","timestamp":"T","checks":{"database":{"status":"ok","latency_ms":12.34}},"response_time_ms":1.23}"#, "well"),
    (r#"{"status":"degraded","timestamp":"T","checks":{"database":{"status":"error","latency_ms":null}},"response_time_ms":1.23}"#, "fails: database: error"),
    (r#"{"status":"ok","message":"Backend server is running","timestamp":"T"}"#, "well"),
    // WHIT
    (r#"{"status":"healthy","database":"connected","debug":false,"version":"1.0.0"}"#, "well"),
    (r#"{"status":"unhealthy"}"#, "fails: it says unhealthy"),
    (r#"{"status":"unhealthy","error":"no such table"}"#, "fails: it says unhealthy: no such table"),
    (r#"{"message":"WHIT","version":"1.0.0","status":"operational","endpoints":{"api":"/api/"}}"#, "well"),
    // TeamTrack
    (r#"{"overall_status":"healthy","checks":{"database":{"status":"healthy","response_time":"< 100ms"},"cache":{"status":"healthy","response_time":"< 50ms"},"static_files":{"status":"healthy","static_files":"accessible"},"memory":{"status":"healthy","usage_percent":45.2}},"service":"TeamTrack","version":"1.0.0"}"#, "well"),
    (r#"{"overall_status":"warning","checks":{"database":{"status":"healthy"},"static_files":{"status":"warning","static_files":"directory not found"}}}"#, "warns: static_files: warning"),
    (r#"{"overall_status":"unhealthy","checks":{"database":{"status":"unhealthy","error":"connection refused"},"cache":{"status":"healthy"}}}"#, "fails: database: connection refused"),
    (r#"{"overall_status":"healthy","checks":{"memory":{"status":"info","message":"psutil not available"}}}"#, "warns: memory: info: psutil not available"),
    (r#"{"overall_status":"critical","error":"boom","timestamp":"T"}"#, "fails: it says critical: boom"),
    (r#"{"status":"alive","timestamp":"T","message":"App is alive","database_status":"healthy","uptime":"unknown","environment":"production"}"#, "well"),
    (r#"{"status":"alive","database_status":"unhealthy","uptime":"3d 4h 5m","environment":"production"}"#, "fails: database_status: unhealthy"),
    (r#"{"status":"error","timestamp":"T","error":"no module"}"#, "fails: it says error: no module"),
    (r#"{"status":"healthy","database":"connected","environment":"production","debug":false,"allowed_hosts":["*"]}"#, "well"),
    (r#"{"status":"unhealthy","timestamp":"T","database":"unhealthy","service":"TeamTrack","message":"m","recovery":{"attempted":true,"backup_available":false}}"#, "fails: database: unhealthy"),
    (r#"{"status":"error","message":"m","database":"disconnected"}"#, "fails: database: disconnected"),
    (r#"{"status":"unhealthy","timestamp":"T","checks":{"database":"ok","cache":"error: timed out"}}"#, "fails: cache: timed out"),
    (r#"{"error":"Database connection error","message":"try again","timestamp":"T"}"#, "fails: it says error: Database connection error"),
    // telegram-bot-v3
    (r#"{"status":"healthy","service":"api-v2","version":"2.0.0"}"#, "well"),
    (r#"{"service":"api","version":"2.0.0","status":"running","documentation":"/docs"}"#, "well"),
    (r#"{"status":"unhealthy","reason":"api down"}"#, "fails: it says unhealthy: api down"),
    (r#"{"status":"unhealthy","engine":"enforcement","error":"mongo away"}"#, "fails: it says unhealthy: mongo away"),
    (r#"{"status":"healthy","engine":"enforcement","db_connected":true,"telegram_api_ready":true}"#, "well"),
    (r#"{"status":"healthy","engine":"enforcement","db_connected":false,"telegram_api_ready":true}"#, "fails: db: disconnected"),
    (r#"{"status":"ok","analytics":true,"automation":false,"moderation":true,"timestamp":"T"}"#, "well"),
    (r#"{"status":"healthy","pending_actions":0}"#, "well"),
    (r#"{"status":"degraded"}"#, "warns: it says degraded"),
    (r#"{"detail":"Service unavailable"}"#, "not known: the body says nothing of health"),
    // AI-IA
    (r#"{"status":"ok","services":{"database":"ok","cache":"ok"},"timestamp":null}"#, "well"),
    (r#"{"status":"degraded","services":{"database":"error: connection refused","cache":"ok"},"timestamp":null}"#, "fails: database: connection refused"),
    ("OK\n", "well"),
    (r#"{"services":[{"name":"web","status":"ok"},{"name":"db","status":"error"}],"logs":[]}"#, "fails: db: error"),
    (r#"{"error":"docker is away"}"#, "fails: it says error: docker is away"),
];

#[test]
fn every_shape_that_the_replaced_systems_serve() {
    for (body, expected) in SHAPES {
        let told = match health(body) {
            Health::Well => "well".to_owned(),
            Health::Warning(words) => format!("warns: {words}"),
            Health::Failing(words) => format!("fails: {words}"),
            Health::NotKnown(words) => format!("not known: {words}"),
        };
        assert_eq!(told, *expected, "{body}");
    }
}

#[test]
fn shapes_that_are_about_elsewhere() {
    for (body, expected) in [
        (
            r#"{"status":"UP","components":{"db":{"status":"UP"},"disk":{"status":"DOWN"}}}"#,
            failing("disk: DOWN"),
        ),
        (
            r#"{"status":"pass","checks":{"db:time":[{"status":"pass"},{"status":"fail"}]}}"#,
            failing("db:time: fail"),
        ),
        (
            r#"{"status":"UP","components":{"a":{"status":"UNKNOWN"}}}"#,
            not_known("a: no word of health: \"UNKNOWN\""),
        ),
        (r#"{"status":503,"healthy":false,"error":"db down"}"#, failing("it says false: db down")),
        (r#"{"status":"ok","healthy":false}"#, failing("it says false")),
        (r#"{"status":200,"checks":{"db":{"status":1,"ok":false}}}"#, failing("db: false")),
        (r#"{"status":200}"#, not_known("the body says nothing of health")),
        (r#"{"ok":true}"#, Health::Well),
        (r#"{"success":false,"message":"no disk"}"#, failing("it says false: no disk")),
        (r#""healthy""#, Health::Well),
        ("\u{feff}{\"status\":\"ok\"}", Health::Well),
        (r#"{"status":"ok","error":null}"#, Health::Well),
    ] {
        assert_eq!(health(body), expected, "{body}");
    }
}

#[test]
fn a_word_counts_as_a_whole() {
    for text in
        ["not healthy", "unhealthy", "healthyish", "ok but slow", "NOT OK", "OKAYISH", "healthy\nno", ""]
    {
        assert!(!matches!(health(text), Health::Well), "{text}");
        let body = format!(r#"{{"status":"ok","checks":{{"db":{}}}}}"#, Value::from(text));
        assert!(!matches!(health(&body), Health::Well), "{text}");
    }
    assert_eq!(health("<html>nginx</html>"), not_known("no word of health: \"<html>nginx</html>\""));
    let said = r#"{"status":"ok","checks":{"db":"slow","cache":null,"queue":{}}}"#;
    let expected = r#"cache: no word of health: "null"; db: no word of health: "slow"; queue: no word of health: "no status""#;
    assert_eq!(health(said), not_known(expected));
}

#[test]
fn what_does_not_matter_is_left_out_with_its_share_of_the_whole() {
    let ignoring = JsonRules { ignore: vec!["Cache".to_owned()], ..STRICT };
    for (body, expected) in [
        (r#"{"status":"degraded","services":{"database":"ok","cache":"error: away"}}"#, Health::Well),
        (r#"{"status":"unhealthy","checks":{"cache":{"status":"down"}}}"#, Health::Well),
        (r#"{"status":"unhealthy","checks":{"cache":{"status":"ok"}}}"#, failing("it says unhealthy")),
        (
            r#"{"status":"degraded","services":{"database":"error: away","cache":"error: away"}}"#,
            failing("database: away"),
        ),
    ] {
        assert_eq!(of(body.as_bytes(), &ignoring), expected, "{body}");
    }
}

#[test]
fn a_warning_fails_where_that_is_asked_for() {
    let strict = JsonRules { fail_on: FailOn::Warning, ..STRICT };
    assert_eq!(of(br#"{"status":"degraded"}"#, &strict), failing("it says degraded"));
    assert_eq!(of(br#"{"status":"ok"}"#, &strict), Health::Well);
}

#[test]
fn what_a_service_says_cannot_drive_a_terminal_or_fill_a_page() {
    let body = format!(r#"{{"status":"error","error":"\u001b[31m{}"}}"#, "x".repeat(5000));
    let Health::Failing(words) = health(&body) else { panic!() };
    assert!(
        words.starts_with(r"it says error: \u{1b}[31mxxx") && words.chars().count() <= LONGEST,
        "{words}"
    );
}

fn json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        proptest::sample::select(&["ok", "healthy", "UP", "degraded", "error: x", "down", "slow", ""][..])
            .prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<u8>().prop_map(Value::from),
        Just(Value::Null),
        ".{0,20}".prop_map(Value::from),
    ];
    let key = proptest::sample::select(
        &[
            "status",
            "overall_status",
            "checks",
            "services",
            "database",
            "cache",
            "error",
            "db_connected",
            "name",
            "x",
        ][..],
    );
    word.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                Value::from(
                    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// Does a status somewhere say something bad? By another way than the one that is tried.
fn says_bad(value: &Value) -> bool {
    let bad = |text: &str| {
        let text = text.trim().to_ascii_lowercase();
        let first: String = text.chars().take_while(|c| c.is_alphanumeric() || "_-".contains(*c)).collect();
        BAD.contains(&first.as_str())
    };
    let status = |object: &Value| {
        ["overall_status", "status"].iter().find_map(|key| object[*key].as_str()).is_some_and(bad)
    };
    let components = ["checks", "services"].iter().filter_map(|key| value[*key].as_object());
    let mut components = components.flat_map(Map::values);
    status(value) || components.any(|one| one.as_str().is_some_and(bad) || status(one))
}

proptest! {
    #[test]
    fn no_text_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = of(&body, &STRICT);
    }

    #[test]
    fn a_text_is_good_only_as_a_good_word(body in ".{0,40}") {
        if health(&body) == Health::Well {
            let word = body.trim_start_matches('\u{feff}').trim().trim_matches('"').trim().to_ascii_lowercase();
            prop_assert!(GOOD.contains(&word.as_str()), "{body:?}");
        }
    }

    #[test]
    fn what_says_bad_anywhere_is_never_healthy(value in json()) {
        let found = health(&value.to_string());
        if says_bad(&value) {
            prop_assert!(!matches!(found, Health::Well | Health::Warning(_)), "{value}: {found:?}");
        }
    }

    /// Half an answer may not look like a whole one.
    #[test]
    fn what_is_cut_is_not_healthy(value in json(), at in any::<prop::sample::Index>()) {
        let text = value.to_string();
        prop_assume!(value.is_object() && text.is_ascii());
        let cut = &text[..at.index(text.len())];
        prop_assert!(health(cut) != Health::Well, "{cut}");
    }
}
