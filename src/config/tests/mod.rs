//! What the operator writes, and the plan that comes of it; in the files beside, what is refused.

mod alone;
mod bodies;
mod faults;
mod files;
mod keys;
mod properties;
mod restart_methods;
mod trust;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use unhang_core::{
    BackoffRule, BudgetRule, FlappingAction, FlappingRule, Mode, Policy, ProbeRole, Step, WhenExited,
};

use super::*;
use crate::cli::{Cli, PlanFlags, Typed};
use crate::keys::KeyRow;
use crate::plan::{
    BodyRules, HostSettings, HttpRequest, LatencyLimits, MaintenanceRule, PauseFileRule, PressureKind,
    ProbeTarget, RestartMethod, StatusSet, TlsTrust, UrlTarget, lines,
};

const SHOP: &str = "[service.shop]\nurl = \"http://localhost:8000/health/\"\n";

fn cli(flags: &[&str]) -> Cli {
    Cli::try_parse_from(["unhang", "run"].iter().chain(flags)).unwrap()
}

fn with(text: &str, sources: &Sources<'_>) -> Result<Plan, Vec<String>> {
    let plan = plan_from_tables(sources, |faults| {
        ConfigTables::from_main_file(Ok(text.to_owned()), Path::new("u.toml"), faults)
    });
    plan.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn read(text: &str, flags: &[&str]) -> Result<Plan, Vec<String>> {
    with(text, &cli(flags).config_sources())
}

#[track_caller]
fn one(text: &str, flags: &[&str]) -> Service {
    let mut services = read(text, flags).unwrap().services;
    assert_eq!(services.len(), 1);
    services.remove(0)
}

fn by_unit(unit: &str) -> RestartMethod {
    one(&format!("{SHOP}unit = '{unit}'"), &[]).restarter
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Section 5 of the design, word for word.
const SAMPLE: &str = r#"
[service.roams-django]          # two lines are a complete configuration
url = "http://localhost:8000/health/"

# every other key, with its default
# name = "roams-django"         # what log lines call it
# unit = "roams-django.service" # NAME + ".service"; or instead: restart = ["cmd", "arg"]  (no shell; own process group; no unit facts)
# method = "GET"
# headers = {}
# status = "200"                # "200,204", "2xx", "200-399"
# redirects = 0
# timeout = "5s"                # whole request, connect included
# ca_file = ""                  # besides the system's roots
# insecure = false
# max_failures = 2
# min_successes = 1
# grace = "30s"
# verify = "30s"                # after a restart, probe once a second until healthy or this long
# min_gap = "45s"
# stale_after = "10m"
# budget = { restarts = 5, window = "1h" }
# backoff = { first = "2m", max = "1h" }
# mode = "act"                  # or "observe": everything but the restart
# log_file = "/var/log/roams-django-monitor.log"

[host]
# deadline = "110s"
# boot_grace = "2m"
"#;

#[test]
fn the_defaults_are_those_of_the_sample() {
    let lines = SAMPLE
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).unwrap_or(line));
    let written_out: String = lines.flat_map(|line| [line, "\n"]).collect();
    let plan = read(SAMPLE, &[]).unwrap();
    assert_eq!(read(&written_out, &[]).unwrap(), plan);
    let expected = Plan {
        services: vec![Service {
            key: "roams-django".into(),
            name: "roams-django".into(),
            restarter: by_unit("roams-django.service"),
            probes: vec![own_url(
                5_000,
                HttpRequest {
                    target: http("http://localhost:8000/health/"),
                    trust: TlsTrust::default(),
                    method: "GET".into(),
                    headers: BTreeMap::new(),
                    status: StatusSet(vec![(200, 200)]),
                    status_warn: None,
                    request_body: None,
                    redirects: 0,
                    maintenance: None,
                    body: BodyRules::default(),
                    latency: LatencyLimits::default(),
                },
            )],
            policy: Policy {
                max_failures: 2,
                min_successes: 1,
                grace: seconds(30),
                min_gap: seconds(45),
                stale_after: seconds(600),
                budget: BudgetRule { restarts: 5, window: seconds(3600) },
                backoff: BackoffRule { first: seconds(120), max: seconds(3600) },
                mode: Mode::Act,
                held_too_long: seconds(1800),
                flapping: FlappingRule { failures: 5, of: 12, then: FlappingAction::ReportOnly },
                when_exited: WhenExited::Restart,
                escalate: vec![],
                means: Step::Restart,
            },
            verify: seconds(30),
            requires: vec![],
            pause_file: PauseFileRule { path: None, max_age: seconds(3600) },
            log_file: "/var/log/roams-django-monitor.log".into(),
        }],
        required: vec![],
        host: HostSettings { deadline: seconds(110), boot_grace: seconds(120), ..quiet_host() },
        owner: crate::plan::Invoker::User,
        state_dir: None,
    };
    assert_eq!(plan, expected);
}

const EVERY_KEY: &str = r#"
name = "Django"
unit = "gunicorn"
method = "head"
headers = { Host = "shop.example", X-Probe = "unhang" }
status = "2xx,304-304, 400-404"
redirects = 3
timeout = "1s500ms"
ca_file = ""
insecure = true
max_failures = 3
min_successes = 4
grace = "1m"
verify = "0s"
min_gap = "1s"
stale_after = "1h30m"
budget = { restarts = 7, window = "1d" }
backoff = { first = "2h", max = "2h" }
mode = "observe"
escalate = ["reload", "restart", "kill", ["failover", "now"]]
log_file = "/var/log/roams/x.log"
requires = ["tcp:127.0.0.1:6379", "tcp:127.0.0.1:6379"]
pause_file = "/run/shop/deploying"
pause_file_max_age = "20m"
held_too_long = "10m"
flapping = { failures = 3, of = 6, restart = true }
when_exited = "hold"
maintenance = { status = "503", header = "X-Maintenance" }
latency = { warn = "1s", fail = "3s" }
"#;

/// The rest of it.
fn quiet_host() -> HostSettings {
    HostSettings {
        deadline: seconds(110),
        boot_grace: seconds(120),
        pause_on_dpkg: false,
        budget: BudgetRule { restarts: 3, window: seconds(3600) },
        hold_when: vec![],
    }
}

fn own_url(timeout_ms: u64, question: HttpRequest) -> Probe {
    let (timeout, asks) = (Duration::from_millis(timeout_ms), ProbeTarget::Http(Box::new(question)));
    Probe { name: None, weight: ProbeRole::Required, timeout, asks }
}

fn http(url: &str) -> UrlTarget {
    UrlTarget::parse_http(url).unwrap()
}

/// The question of its own url.
fn asked(service: &Service) -> HttpRequest {
    service.main_request().unwrap().clone()
}

fn every_key() -> Service {
    Service {
        key: "shop".into(),
        name: "Django".into(),
        restarter: by_unit("gunicorn.service"),
        probes: vec![own_url(
            1_500,
            HttpRequest {
                target: http("http://localhost:8000/health/"),
                trust: TlsTrust { insecure: true, ..TlsTrust::default() },
                method: "HEAD".into(),
                headers: [("Host", "shop.example"), ("X-Probe", "unhang")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                status: StatusSet(vec![(200, 299), (304, 304), (400, 404)]),
                status_warn: None,
                request_body: None,
                redirects: 3,
                maintenance: Some(MaintenanceRule {
                    status: StatusSet(vec![(503, 503)]),
                    header: Some("x-maintenance".into()),
                }),
                body: BodyRules::default(),
                latency: LatencyLimits { warn: Some(seconds(1)), fail: Some(seconds(3)) },
            },
        )],
        policy: Policy {
            max_failures: 3,
            min_successes: 4,
            grace: seconds(60),
            min_gap: seconds(1),
            stale_after: seconds(5400),
            budget: BudgetRule { restarts: 7, window: seconds(86_400) },
            backoff: BackoffRule { first: seconds(7200), max: seconds(7200) },
            mode: Mode::Observe,
            held_too_long: seconds(600),
            flapping: FlappingRule { failures: 3, of: 6, then: FlappingAction::Restart },
            when_exited: WhenExited::Hold,
            escalate: vec![
                Step::Reload,
                Step::Restart,
                Step::Kill,
                Step::Command(vec!["failover".into(), "now".into()]),
            ],
            means: Step::Restart,
        },
        verify: Duration::ZERO,
        requires: vec!["tcp:127.0.0.1:6379".into()],
        pause_file: PauseFileRule { path: Some("/run/shop/deploying".into()), max_age: seconds(1200) },
        log_file: "/var/log/roams/x.log".into(),
    }
}

#[test]
fn every_key_arrives() {
    assert_eq!(one(&format!("{SHOP}{EVERY_KEY}"), &[]), every_key());
    let plan = read(&format!("{SHOP}[host]\ndeadline = \"45s\"\nboot_grace = \"0s\""), &[]).unwrap();
    assert_eq!(plan.host, HostSettings { deadline: seconds(45), boot_grace: Duration::ZERO, ..quiet_host() });
}

#[test]
fn every_key_may_stand_for_all_but_those_of_one() {
    let own = ["name", "unit", "log_file", "requires"];
    let (of_one, of_all): (Vec<&str>, Vec<&str>) =
        EVERY_KEY.lines().partition(|line| own.iter().any(|key| line.starts_with(key)));
    let text = format!("[defaults]\n{}\n{SHOP}{}", of_all.join("\n"), of_one.join("\n"));
    assert_eq!(one(&text, &[]), every_key());
}

#[test]
fn every_flag_arrives() {
    let flags = [
        "--name=Django",
        "--unit=gunicorn",
        "--url=http://localhost:8000/health/",
        "--method=head",
        "--header=Host: shop.example",
        "--header=X-Probe:unhang",
        "--status=2xx,304-304, 400-404",
        "--redirects=3",
        "--timeout=1s500ms",
        "--ca-file=",
        "--insecure",
        "--max-failures=3",
        "--min-successes=4",
        "--grace=1m",
        "--verify=0s",
        "--min-gap=1s",
        "--stale-after=1h30m",
        "--budget-restarts=7",
        "--budget-window=1d",
        "--backoff-first=2h",
        "--backoff-max=2h",
        "--mode=observe",
        "--log-file=/var/log/roams/x.log",
        "--deadline=40s",
        "--boot-grace=0s",
        "--state-dir=/tmp/s",
    ];
    let plan = plan_from_tables(&cli(&flags).config_sources(), |_| panic!("a file was read")).unwrap();
    // What has no flag stands in a file.
    let unsaid = one(SHOP, &[]);
    let question =
        HttpRequest { maintenance: None, latency: LatencyLimits::default(), ..asked(&every_key()) };
    let probes = vec![own_url(1_500, question)];
    let Policy { held_too_long, flapping, when_exited, escalate, .. } = unsaid.policy;
    let policy = Policy { held_too_long, flapping, when_exited, escalate, ..every_key().policy };
    let Service { requires, pause_file, .. } = unsaid;
    let key = "gunicorn".into();
    assert_eq!(plan.services, [Service { key, probes, policy, requires, pause_file, ..every_key() }]);
    assert_eq!(plan.host, HostSettings { deadline: seconds(40), boot_grace: Duration::ZERO, ..quiet_host() });
    assert_eq!(plan.state_dir, Some(PathBuf::from("/tmp/s")));
}

#[test]
fn every_key_of_the_host_arrives() {
    let text = "[host]\npause_on_dpkg = true\nbudget = { restarts = 7, window = \"2h\" }\nhold_when = { memory_full_avg60 = \"40%\", io_some_avg60 = \"100%\" }";
    let host = read(&format!("{SHOP}{text}"), &["--budget-restarts", "1"]).unwrap().host;
    assert!(host.pause_on_dpkg);
    assert_eq!(host.budget, BudgetRule { restarts: 7, window: seconds(7200) }, "a flag is about services");
    assert_eq!(host.hold_when, [(PressureKind::MemoryFull, 40), (PressureKind::IoSome, 100)]);
}

#[test]
fn an_address_may_be_a_service_and_nothing_need_restart_it() {
    for url in ["tcp:127.0.0.1:5432", "TCP:127.0.0.1:5432", "tcp://127.0.0.1:5432"] {
        let service = one(&format!("[service.postgres]\nurl = \"{url}\"\nrestart = []"), &[]);
        assert_eq!(asked(&service).target, UrlTarget::Tcp { host: "127.0.0.1".into(), port: 5432 }, "{url}");
        assert_eq!(lines::restart_lines(&service.restarter), [("restart", "[]".to_owned())]);
        assert_eq!(service.requires, Vec::<String>::new());
    }
}

#[test]
fn what_services_require_is_asked_also_where_the_run_is_not_about_it() {
    let text = "[service.app]\nurl = \"http://x\"\nrequires = [\"api\", \"tcp:cache:6379\"]\n\
                [service.api]\nurl = \"http://y\"\nrequires = [\"db\"]\n[service.db]\nurl = \"tcp:db:5432\"\nrestart = []\n";
    let names = |plan: Plan| plan.required.into_iter().map(|required| required.name).collect::<Vec<_>>();
    assert_eq!(names(read(text, &[]).unwrap()), ["tcp:cache:6379"]);
    let only = ["app".to_owned()];
    let cli = cli(&[]);
    let sources = Sources { only: &only, ..cli.config_sources() };
    assert_eq!(names(with(text, &sources).unwrap()), ["api", "db", "tcp:cache:6379"]);
}

#[test]
fn stronger_layers_win_key_by_key() {
    let variable = PlanFlags(vec![Typed {
        flag: "max-failures",
        variable: Some("UNHANG_MAX_FAILURES"),
        text: "5".into(),
    }]);
    let (defaults, own) = ("[defaults]\nmax_failures = 3\n", format!("{SHOP}max_failures = 4\n"));
    let count = |text: &str, flags: &[&str]| one(text, flags).policy.max_failures;
    assert_eq!(count(SHOP, &[]), 2);
    assert_eq!(count(&format!("{defaults}{SHOP}"), &[]), 3);
    assert_eq!(count(&format!("{defaults}{own}"), &[]), 4);
    let cli = cli(&[]);
    let from_environment = Sources { plan: &variable, ..cli.config_sources() };
    let services = with(&format!("{defaults}{own}"), &from_environment).unwrap().services;
    assert_eq!(services[0].policy.max_failures, 5);
    // That a flag beats its variable is clap's doing.
    assert_eq!(count(&format!("{defaults}{own}"), &["--max-failures", "6"]), 6);
}

#[test]
fn tables_merge_key_by_key() {
    let text = format!(
        "[defaults]\nbudget.restarts = 3\nbackoff = {{ max = \"3h\" }}\nheaders = {{ host = \"a\", X = \"1\" }}\n\
         {SHOP}budget.window = \"2h\"\nheaders = {{ Host = \"b\" }}\n"
    );
    let service = one(&text, &["--backoff-first", "1m", "--header", "x: 2"]);
    assert_eq!(service.policy.budget, BudgetRule { restarts: 3, window: seconds(7200) });
    assert_eq!(service.policy.backoff, BackoffRule { first: seconds(60), max: seconds(10_800) });
    let headers: Vec<_> =
        asked(&service).headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(headers, ["Host: b", "x: 2"]);
}

#[test]
fn units_take_a_suffix_and_names_may_have_one() {
    for (name, line, expected) in [
        ("shop", "", "shop.service"),
        ("\"shop.service\"", "", "shop.service"),
        ("\"shop.socket\"", "", "shop.socket"),
        ("\"my.shop\"", "", "my.shop.service"),
        ("\"worker@1\"", "", "worker@1.service"),
        ("shop", "unit = \"a:b\\\\x2d_c@1.service\"", "a:b\\x2d_c@1.service"),
    ] {
        let service = one(&format!("[service.{name}]\nurl = \"http://x\"\n{line}"), &[]);
        assert_eq!(service.restarter, by_unit(expected));
        assert_eq!(service.key, name.trim_matches('"'));
        assert_eq!(service.log_file, PathBuf::from(format!("/var/log/{}-monitor.log", service.key)));
    }
}

#[test]
fn a_command_instead_of_a_unit() {
    let text = format!("{SHOP}restart = [\"/usr/bin/docker\", \"restart\", \"my shop\"]");
    let command = |words: &str| vec![("restart", words.to_owned())];
    let lines = |service: &Service| lines::restart_lines(&service.restarter);
    assert_eq!(lines(&one(&text, &[])), command("[\"/usr/bin/docker\", \"restart\", \"my shop\"]"));
    for (name, typed, words) in [
        ("shop", "docker  restart shop", r#"["docker", "restart", "shop"]"#),
        ("shop", r#"["docker", 'restart', "my shop"]"#, r#"["docker", "restart", "my shop"]"#),
    ] {
        let service = one("", &["--url", "http://x", "--restart-command", typed, "--name", name]);
        assert_eq!((lines(&service), service.key.as_str()), (command(words), name));
        assert_eq!(service.name, name);
    }
    // Two such plans without a name would share one count.
    for flags in [
        &["--url", "http://x", "--restart-command", "a b"][..],
        &["--url", "http://x", "--restart-command", "a", "--name", "My shop"],
    ] {
        let faults = read("", flags).unwrap_err();
        let expected =
            "--restart-command: needs a --name of A-Z a-z 0-9 _ . @ -; count, lock and log are kept under it";
        assert_eq!(faults, [expected]);
    }
}

#[test]
fn the_key_of_a_plan_of_one() {
    for (unit, key) in [
        ("shop", "shop"),
        ("shop.service", "shop"),
        ("shop.socket", "shop.socket"),
        ("worker@1", "worker@1"),
        ("a:b\\x2d.service", "a_b_x2d"),
        (".hidden", "_hidden"),
    ] {
        assert_eq!(one("", &["--url", "http://x", "--unit", unit]).key, key);
    }
}

#[test]
fn good_urls() {
    for url in [
        "http://localhost",
        "HTTP://localhost:8000",
        "http://127.0.0.1:1/",
        "http://[::1]:65535/health/?a=b%20c",
        "http://my_host.example.org/x@y",
        "https://localhost",
        "HTTPS://[::1]:8443/health/",
    ] {
        let question = asked(&one(&format!("[service.a]\nurl = '{url}'"), &[]));
        assert_eq!(question.target, http(url));
    }
}

#[test]
fn a_unix_socket_is_asked_as_localhost() {
    for (written, socket, url) in [
        ("unix:/run/gunicorn.sock:/health/", "/run/gunicorn.sock", "http://localhost/health/"),
        ("UNIX:/run/gunicorn.sock:/health/?a=b:/c", "/run/gunicorn.sock", "http://localhost/health/?a=b:/c"),
        ("unix:/run/gunicorn.sock", "/run/gunicorn.sock", "http://localhost/"),
        ("unix:///run/my app.sock:/", "///run/my app.sock", "http://localhost/"),
    ] {
        let question = asked(&one(&format!("[service.a]\nurl = '{written}'"), &[]));
        assert_eq!(question.target.request_url(), url);
        let path = url.strip_prefix("http://localhost").unwrap().to_owned();
        assert_eq!(question.target, UrlTarget::HttpOverUnix { socket: socket.into(), path }, "{written}");
    }
    let longest = format!("unix:/{}:/", "a".repeat(106));
    assert!(read(&format!("[service.a]\nurl = '{longest}'"), &[]).is_ok());
    assert!(read(&format!("[service.a]\nurl = '{}'", longest.replace("/a", "/aa")), &[]).is_err());
}

#[test]
fn what_is_shown_stands_in_a_file_and_drives_no_terminal() {
    let text = format!("{SHOP}name = 'S\u{202e}'\nrestart = [\"a\", \"b\\n\\u001b[2J\\\\\\\"\u{9b}\"]");
    let dir = tempfile::tempdir().unwrap();
    let main = dir.path().join("u.toml");
    std::fs::write(&main, &text).unwrap();
    let nowhere = dir.path().join("none");
    let places = ConfigPlaces { user: None, main, folder: nowhere, as_root: false };
    let cli = cli(&[]);
    let sections = show_config_at(&places, &cli.config_sources()).unwrap();
    let shown = |key: &str| {
        let line = sections[0].entries.iter().find(|entry| entry.key == key).unwrap();
        format!("{key} = {}\n", line.value)
    };
    assert_eq!(shown("restart"), "restart = [\"a\", \"b\\u000A\\u001B[2J\\\\\\\"\\u009B\"]\n");
    let again = one(&format!("{SHOP}{}{}", shown("name"), shown("restart")), &[]);
    assert_eq!(again, one(&text, &[]));
}

#[test]
fn only_some() {
    let text = (10..40).map(|n| format!("[service.s{n}]\nurl = \"http://x\"\n")).collect::<Vec<_>>().concat();
    let keys = |plan: Plan| plan.services.into_iter().map(|service| service.key).collect::<Vec<_>>();
    assert_eq!(keys(read(&text, &["--only", "s30", "--only", "s11"]).unwrap()), ["s11", "s30"]);
    let faults = read(&text, &["--only", "nonsense"]).unwrap_err();
    assert!(faults[0].ends_with("s28, s29 and 10 more"), "{faults:?}");
}
