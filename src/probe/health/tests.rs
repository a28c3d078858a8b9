//! The bodies that the replaced systems serve, each by its shape; and whatever else may come.

use super::*;
use proptest::prelude::*;

fn health(body: &str) -> Health {
    parse_health(body.as_bytes(), &JsonRules::default())
}

fn rules(change: impl FnOnce(&mut JsonRules)) -> JsonRules {
    let mut rules = JsonRules::default();
    change(&mut rules);
    rules
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn told(health: &Health) -> String {
    match health {
        Health::Well => "well".to_owned(),
        Health::Warning(words) => format!("warns: {words}"),
        Health::Failing(words) => format!("fails: {words}"),
        Health::NotKnown(words) => format!("not known: {words}"),
    }
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
    (r#"{"overall_status":"healthy","checks":{"memory":{"status":"info","message":"psutil not available"}}}"#, "well"),
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
    (r#"{"detail":"Service unavailable"}"#, "not known: the body has no health status; is url right?"),
    // AI-IA
    (r#"{"status":"ok","services":{"database":"ok","cache":"ok"},"timestamp":null}"#, "well"),
    (r#"{"status":"degraded","services":{"database":"error: connection refused","cache":"ok"},"timestamp":null}"#, "fails: database: connection refused"),
    ("OK\n", "well"),
    (r#"{"services":[{"name":"web","status":"ok"},{"name":"db","status":"error"}],"logs":[]}"#, "fails: db: error"),
    (r#"{"error":"docker is away"}"#, "fails: it says error: docker is away"),
];

/// What frameworks and products serve, each by its shape.
#[rustfmt::skip]
const ELSEWHERE: &[(&str, &str)] = &[
    // Spring Boot
    (r#"{"status":"UP","components":{"db":{"status":"UP"},"disk":{"status":"DOWN"}}}"#, "fails: disk: DOWN"),
    (r#"{"status":"UP","components":{"discovery":{"status":"UNKNOWN"}}}"#, "well"),
    (r#"{"status":"UP","components":{"db":{"status":"UP","details":{"database":"PostgreSQL","validationQuery":"isValid()"}}}}"#, "well"),
    (r#"{"status":"UP","components":{"db":{"status":"UP","components":{"replica":{"status":"OUT_OF_SERVICE"}}}}}"#, "fails: db.replica: OUT_OF_SERVICE"),
    (r#"{"components":{"a":{"status":"UP"},"b":{"status":"UNKNOWN"}}}"#, r#"not known: b: unknown health word: "UNKNOWN""#),
    // health+json (draft-inadarei-api-health-check)
    (r#"{"status":"pass","checks":{"db:time":[{"status":"pass"},{"status":"fail"}]}}"#, "fails: db:time: fail"),
    (r#"{"status":"pass","version":"1","notes":[""],"checks":{"uptime":[{"componentType":"system","observedValue":1209600.2,"observedUnit":"s"}],"db:time":[{"status":"pass"}]}}"#, "well"),
    // django-health-check 3 and 4
    (r#"{"Cache backend: default":"working","DatabaseHeartBeatCheck":"working"}"#, "well"),
    (r#"{"Cache backend: default":"unavailable: key does not match","DiskUsage":"working"}"#, "fails: Cache backend: default: unavailable: key does not match"),
    (r#"{"Storage":"unknown error: no space","DiskUsage":"warning: 91%"}"#, "fails: Storage: no space"),
    (r#"{"DiskUsage":"warning: 91%"}"#, "warns: DiskUsage: warning: 91%"),
    (r#"{"Database(alias='default')":"OK","Mail(timeout=15)":"OK"}"#, "well"),
    (r#"{"Database(alias='default')":"Unavailable: refused","Mail(timeout=15)":"OK"}"#, "fails: Database(alias='default'): Unavailable: refused"),
    // django-watchman
    (r#"{"storage":{"ok":true},"databases":[{"default":{"ok":true}}],"caches":[{"default":{"ok":true}}]}"#, "well"),
    (r#"{"storage":{"ok":true},"databases":[{"default":{"ok":false,"error":"could not connect","stacktrace":"..."}}],"caches":[{"default":{"ok":true}}]}"#, "fails: databases.default: could not connect"),
    // laravel-health, laravel-healthcheck
    (r#"{"DB":"OK","CACHE":"OK","MAIL":"CRITICAL"}"#, "fails: MAIL: CRITICAL"),
    (r#"{"finishedAt":1,"checkResults":[{"name":"Redis","label":"Redis","status":"failed","notificationMessage":"no"},{"name":"Disk","status":"ok","meta":{"disk_space_used_percentage":3}}]}"#, "fails: Redis: failed"),
    // GitLab
    (r#"{"status":"ok","master_check":[{"status":"ok"}]}"#, "well"),
    (r#"{"status":"ok","db_check":[{"status":"failed","message":"PG::Error"}]}"#, "fails: db_check: PG::Error"),
    // ASP.NET
    (r#"{"status":"Healthy","totalDuration":"00:00:00.1","entries":{"sql":{"data":{},"status":"Unhealthy","tags":[]}}}"#, "fails: sql: Unhealthy"),
    (r#"{"status":"Healthy","results":{"sql":{"status":"Degraded","description":"slow"}}}"#, "warns: sql: Degraded: slow"),
    // Airflow: always 200, its parts at the top
    (r#"{"metadatabase":{"status":"healthy"},"scheduler":{"status":"healthy","latest_scheduler_heartbeat":"2026-02-07T17:30:00+00:00"},"triggerer":{"status":null}}"#, "well"),
    (r#"{"metadatabase":{"status":"healthy"},"scheduler":{"status":"unhealthy","latest_scheduler_heartbeat":null}}"#, "fails: scheduler: unhealthy"),
    // Elasticsearch, gRPC gateways, etcd, terminus, Kubernetes' JSON, and small ones
    (r#"{"cluster_name":"x","status":"green","timed_out":false,"number_of_nodes":1}"#, "well"),
    (r#"{"cluster_name":"x","status":"yellow"}"#, "warns: it says yellow"),
    (r#"{"cluster_name":"x","status":"red"}"#, "fails: it says red"),
    (r#"{"status":"SERVING"}"#, "well"),
    (r#"{"status":"NOT_SERVING"}"#, "fails: it says NOT_SERVING"),
    (r#"{"health":"true","reason":""}"#, "well"),
    (r#"{"health":"false","reason":"no leader"}"#, "fails: it says false: no leader"),
    (r#"{"status":"error","info":{"db":{"status":"up"}},"error":{"cache":{"status":"down","message":"refused"}},"details":{"db":{"status":"up"},"cache":{"status":"down","message":"refused"}}}"#, "fails: error.cache: refused; cache: refused"),
    (r#"{"status":"ok","redis":"PONG"}"#, "well"),
    (r#"{"state":"online"}"#, "well"),
    (r#"[{"name":"db","passed":true},{"name":"cache","passed":false}]"#, "fails: cache: false"),
    (r#"{"checks":[{"name":"db","passed":true},{"name":"cache","passed":true}]}"#, "well"),
    (r#"{"status":"ok","checks":["ok","failed: no disk"]}"#, "fails: checks: no disk"),
    (r#"{"status":"ok","checks":[true,false]}"#, "fails: checks: false"),
    (r#"{"checks":["ok","ok"]}"#, "well"),
    (r#"{"checks":["ok","slow"]}"#, r#"not known: checks: unknown health word: "slow""#),
    (r#"{"checks":[[{"name":"db","status":"down"}]]}"#, "fails: db: down"),
    (r#"{"status":"ok","actions":["up","down"],"notes":["failed"]}"#, "well"),
    // Kafka Connect, MicroProfile, Dropwizard, Consul
    (r#"{"name":"c","connector":{"state":"RUNNING","worker_id":"x"},"tasks":[{"id":0,"state":"FAILED","trace":"x"}]}"#, "fails: tasks: FAILED"),
    (r#"{"outcome":"DOWN","checks":[{"name":"db","state":"DOWN"},{"name":"disk","state":"UP"}]}"#, "fails: db: DOWN"),
    (r#"{"deadlocks":{"healthy":true},"db":{"healthy":false,"message":"refused"}}"#, "fails: db: refused"),
    (r#"[{"ServiceName":"web","Status":"critical","Output":"refused"},{"Status":"passing"}]"#, "fails: it says critical"),
    (r#"{"data":{"health":{"db":"ok","queue":"down"}}}"#, "fails: data.queue: down"),
    // No parts: versions, lists of names, features, places
    (r#"{"status":"ok","dependencies":{"django":"4.2.7","redis":"7.0.11"},"services":["web","db"]}"#, "well"),
    (r#"{"status":"ok","database":"postgresql","cache":{"backend":"redis"},"storage":"s3"}"#, "well"),
    (r#"{"status":"ok","features":{"beta":false},"details":{"debug":false},"state":"CA","last_error":null}"#, "well"),
    // Numbers are none either
    (r#"{"status":503,"healthy":false,"error":"db down"}"#, "fails: it says false: db down"),
    (r#"{"status":200,"checks":{"db":{"status":1,"ok":false}}}"#, "fails: db: false"),
    (r#"{"status":200}"#, "not known: the body has no health status; is url right?"),
    (r#"{"address":{"state":"CA"}}"#, "not known: the body has no health status; is url right?"),
    (r#"{"a":"b"}"#, "not known: the body has no health status; is url right?"),
    ("{}", "not known: the body has no health status; is url right?"),
    ("[]", "not known: the body has no health status; is url right?"),
    ("3", "not known: the body has no health status; is url right?"),
    // The worst of what is said of one thing
    (r#"{"status":"ok","healthy":false}"#, "fails: it says false"),
    (r#"{"status":"error","status":"ok"}"#, "fails: it says error"),
    (r#"{"status":"ok","status":"error"}"#, "fails: it says error"),
    (r#"{"checks":{"db":"down"},"checks":{"db":"ok"}}"#, "fails: db: down"),
    (r#"{"ok":true}"#, "well"),
    (r#"{"success":false,"message":"no disk"}"#, "fails: it says false: no disk"),
    (r#""healthy""#, "well"),
    ("\u{feff}{\"status\":\"ok\"}", "well"),
    (r#"{"status":"ok","error":null}"#, "well"),
    // Beside a whole that is well: what it cannot do without fails, and the rest warns
    (r#"{"status":"ok","last_backup":"failed"}"#, "warns: last_backup: failed"),
    (r#"{"status":"ok","jobs":{"backup":{"status":"failed","error":"no disk"}}}"#, "warns: jobs.backup: no disk"),
    (r#"{"status":"ok","rabbits":{"status":"down"}}"#, "fails: rabbits: down"),
    (r#"{"status":"ok","printer":{"status":"down"}}"#, "warns: printer: down"),
    (r#"{"status":"ok","ready":false}"#, "warns: ready: false"),
    (r#"{"status":"ok","checks":{"db":{"status":"ok","mirror":"offline"}}}"#, "warns: db.mirror: offline"),
    (r#"{"status":"ok","message":"failed: nothing"}"#, "well"),
];

#[track_caller]
fn assert_told(shapes: &[(&str, &str)]) {
    let found = shapes.iter().map(|(body, expected)| (body, *expected, told(&health(body))));
    let wrong: Vec<_> = found.filter(|(_, expected, told)| told != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_shape_that_the_replaced_systems_serve() {
    assert_told(SHAPES);
}

#[test]
fn shapes_that_are_about_elsewhere() {
    assert_told(ELSEWHERE);
}

#[test]
fn a_word_counts_as_a_whole() {
    for text in
        ["not healthy", "unhealthy", "healthyish", "ok but slow", "NOT OK", "OKAYISH", "healthy\nno", ""]
    {
        assert!(!matches!(health(text), Health::Well), "{text}");
        let body = format!(r#"{{"status":"ok","checks":{{"db":{}}}}}"#, serde_json::Value::from(text));
        assert!(!matches!(health(&body), Health::Well), "{text}");
    }
    assert_eq!(health("<html>nginx</html>"), not_known("unknown health word: \"<html>nginx</html>\""));
    let said = r#"{"status":"ok","checks":{"db":"slow","cache":null,"queue":{}}}"#;
    assert_eq!(told(&health(said)), r#"warns: db: unknown health word: "slow""#);
    let strict = rules(|rules| rules.fail_on = JsonFailLevel::Warning);
    assert_eq!(
        told(&parse_health(said.as_bytes(), &strict)),
        r#"not known: db: unknown health word: "slow""#
    );
    assert_eq!(
        told(&health(r#"{"checks":{"db":"slow","queue":"ok"}}"#)),
        r#"not known: db: unknown health word: "slow""#
    );
}

#[test]
fn a_part_is_named_to_fail_or_to_warn() {
    let with = |body: &str, rules: &JsonRules| told(&parse_health(body.as_bytes(), rules));
    let parts = rules(|rules| rules.parts = names(&["last_backup"]));
    assert_eq!(with(r#"{"status":"ok","last_backup":"failed"}"#, &parts), "fails: last_backup: failed");
    assert_eq!(
        with(r#"{"status":"ok","jobs":{"last_backup":{"status":"failed"}}}"#, &parts),
        "fails: jobs.last_backup: failed"
    );
    assert_eq!(with(r#"{"status":"ok","last_backup":false}"#, &parts), "fails: last_backup: false");
    assert_eq!(with(r#"{"status":"ok","last_backup":"ok"}"#, &parts), "well");
    assert_eq!(with(r#"{"status":"ok"}"#, &parts), "warns: last_backup: the body says nothing of it");
    let warn = rules(|rules| (rules.warn, rules.fail_on) = (names(&["memory"]), JsonFailLevel::Warning));
    let body = r#"{"status":"unhealthy","checks":{"memory":{"status":"critical","error":"98%"},"db":"ok"}}"#;
    assert_eq!(with(body, &warn), "warns: memory: 98%");
    assert_eq!(with(&body.replace(r#""ok""#, r#""down""#), &warn), "fails: db: down");
    assert_eq!(with(r#"{"status":"unhealthy","checks":{"memory":"ok"}}"#, &warn), "fails: it says unhealthy");
}

#[test]
fn one_value_is_looked_at_where_a_pointer_says() {
    let at = |is: &[&str]| {
        let at = JsonAt { pointer: "/data/state".to_owned(), is: names(is), min: None, max: None };
        rules(|rules| rules.at = Some(at))
    };
    let with = |body: &str, rules: &JsonRules| told(&parse_health(body.as_bytes(), rules));
    assert_eq!(with(r#"{"status":"down","data":{"state":"ready"}}"#, &at(&[])), "well");
    assert_eq!(with(r#"{"data":{"state":false}}"#, &at(&[])), "fails: it says false");
    assert_eq!(with(r#"{"data":{"state":{"db":"ok","cache":"down"}}}"#, &at(&[])), "fails: cache: down");
    assert_eq!(with(r#"{"data":{"state":"RUN"}}"#, &at(&["RUN"])), "well");
    assert_eq!(
        with(r#"{"data":{"state":"ok"}}"#, &at(&["RUN", "IDLE"])),
        r#"fails: /data/state: is "ok", not "RUN" or "IDLE""#
    );
    assert_eq!(
        with(r#"{"data":{"state":"RUN","state":"x"}}"#, &at(&["RUN"])),
        r#"fails: /data/state: is "x", not "RUN""#
    );
    assert_eq!(with(r#"{"data":{}}"#, &at(&["RUN"])), "not known: there is no /data/state in the body");
    assert_eq!(with("ok", &at(&["RUN"])), "not known: the body is no JSON, and json.at looks into one");
}

#[test]
fn what_does_not_matter_is_left_out_with_its_share_of_the_whole() {
    let ignoring = rules(|rules| rules.ignore = names(&["Cache", "redis"]));
    for (body, expected) in [
        (r#"{"status":"degraded","services":{"database":"ok","cache":"error: away"}}"#, Health::Well),
        (r#"{"status":"unhealthy","checks":{"cache":{"status":"down"}}}"#, Health::Well),
        (r#"{"status":"unhealthy","checks":{"cache":{"status":"ok"}}}"#, failing("it says unhealthy")),
        (
            r#"{"status":"degraded","services":{"database":"error: away","cache":"error: away"}}"#,
            failing("database: away"),
        ),
        // Behind one that is ignored, another one that fails.
        (
            r#"{"status":"DOWN","redis":{"status":"DOWN"},"rabbit":{"status":"DOWN"}}"#,
            failing("rabbit: DOWN"),
        ),
        (
            r#"{"status":"DOWN","redis":{"status":"DOWN"},"printer":{"status":"DOWN"}}"#,
            failing("printer: DOWN"),
        ),
        (
            r#"{"status":"DOWN","redis":{"status":"DOWN"},"worker":{"state":"kaputt"}}"#,
            not_known("worker: unknown health word: \"kaputt\""),
        ),
        (r#"{"status":"DOWN","redis":{"status":"DOWN"},"worker":{"status":"UP"},"pid":7}"#, Health::Well),
        (r#"{"status":"kaputt","redis":"down"}"#, not_known("unknown health word: \"kaputt\"")),
    ] {
        assert_eq!(parse_health(body.as_bytes(), &ignoring), expected, "{body}");
    }
}

#[test]
fn a_warning_fails_where_that_is_asked_for() {
    let strict = rules(|rules| rules.fail_on = JsonFailLevel::Warning);
    assert_eq!(parse_health(br#"{"status":"degraded"}"#, &strict), failing("it says degraded"));
    assert_eq!(parse_health(br#"{"status":"ok"}"#, &strict), Health::Well);
}

#[test]
fn what_a_service_says_cannot_drive_a_terminal_or_fill_a_page() {
    let body = format!(r#"{{"status":"error","error":"\u001b[31m{}"}}"#, "x".repeat(5000));
    let Health::Failing(words) = health(&body) else { panic!() };
    assert!(
        words.starts_with(r"it says error: \u{1b}[31mxxx") && words.chars().count() <= MAX_HEALTH_TEXT_CHARS,
        "{words}"
    );
}

use serde_json::{Map, Value};

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

/// Texts that a service may say, from good to bad.
const WORSE: [&str; 3] = ["ok", "degraded", "failed"];

/// Bodies of words that are known alone, in every kind of place.
fn words_in_places() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        proptest::sample::select(&WORSE[..]).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(Value::from(3)),
    ];
    let key = proptest::sample::select(
        &[
            "status",
            "state",
            "ok",
            "ready",
            "passed",
            "checks",
            "services",
            "details",
            "results",
            "entries",
            "database",
            "caches",
            "db_check",
            "db_connected",
            "last_backup",
            "jobs",
            "data",
            "name",
            "worker_status",
            "message",
            "printer",
            "Cache backend: default",
            "overall_status",
        ][..],
    );
    word.prop_recursive(4, 30, 5, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => proptest::collection::vec((key.clone(), inner), 1..6).prop_map(|members| {
                Value::from(
                    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// The same with the word at `place` worse than it was; `None`: there is none, or it is the worst already.
fn worsened(value: &mut Value, place: &mut usize) -> Option<()> {
    let is_here = |place: &mut usize| {
        let here = *place == 0;
        *place = place.wrapping_sub(1);
        here
    };
    match value {
        Value::Array(list) => list.iter_mut().find_map(|one| worsened(one, place)),
        Value::Object(members) => members.values_mut().find_map(|one| worsened(one, place)),
        Value::Bool(truth) if is_here(place) => truth.then(|| *truth = false),
        Value::String(text) if is_here(place) => {
            let at = WORSE.iter().position(|word| word == text)?;
            *text = (*WORSE.get(at + 1)?).to_owned();
            Some(())
        }
        _ => None,
    }
}

/// Does a status somewhere say something bad? By another way than the one that is tried.
fn says_bad(value: &Value) -> bool {
    let bad = |text: &str| {
        let text = text.trim().to_ascii_lowercase();
        let first: String = text.chars().take_while(|c| c.is_alphanumeric() || "_-".contains(*c)).collect();
        words::StatusWord::of(&first).grade == WordGrade::Bad
    };
    let status = |object: &Value| {
        ["overall_status", "status"].iter().find_map(|key| object[*key].as_str()).is_some_and(bad)
    };
    let components = ["checks", "services"].iter().filter_map(|key| value[*key].as_object());
    // Beside a status, `error` is no part but tells why.
    let mut components = components.flatten().filter(|(name, _)| *name != "error").map(|(_, one)| one);
    status(value) || components.any(|one| one.as_str().is_some_and(bad) || status(one))
}

proptest! {
    #[test]
    fn no_text_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_health(&body, &JsonRules::default());
    }

    #[test]
    fn a_text_is_good_only_as_a_good_word(body in ".{0,40}") {
        if health(&body) == Health::Well {
            let word = body.trim_start_matches('\u{feff}').trim().trim_matches('"').trim().to_ascii_lowercase();
            prop_assert!(word == "true" || words::StatusWord::of(&word).grade == WordGrade::Good, "{body:?}");
        }
    }

    #[test]
    fn what_says_bad_anywhere_is_never_healthy(value in json()) {
        let found = health(&value.to_string());
        if says_bad(&value) {
            prop_assert!(!matches!(found, Health::Well | Health::Warning(_)), "{value}: {found:?}");
        }
    }

    #[test]
    fn a_part_that_gets_worse_never_makes_the_verdict_better(
        value in words_in_places(),
        strict in any::<bool>(),
        named in any::<bool>(),
    ) {
        let rules = rules(|rules| {
            rules.fail_on = if strict { JsonFailLevel::Warning } else { JsonFailLevel::Failure };
            rules.parts = if named { names(&["last_backup", "printer"]) } else { Vec::new() };
        });
        let before = parse_health(value.to_string().as_bytes(), &rules);
        for place in 0..30 {
            let mut worse = value.clone();
            if worsened(&mut worse, &mut { place }).is_some() {
                let after = parse_health(worse.to_string().as_bytes(), &rules);
                prop_assert!(severity(&after) >= severity(&before), "{value}: {before:?}\n{worse}: {after:?}");
            }
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
