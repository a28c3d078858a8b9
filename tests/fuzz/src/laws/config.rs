//! A configuration file: a plan that can be carried out, or faults that a person can read.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use tempfile::TempDir;
use toml::de::{DeTable, DeValue};
use unhang_core::ProbeRole;

use super::{SECRET, is_one_harmless_line, scratch, typed};
use unhang::cli::Cli;
use unhang::config;
use unhang::plan::{HttpRequest, Plan, Probe, Service};
use unhang::report;
use unhang::restart::wake::Pings;
use unhang::words;

const YEAR: Duration = Duration::from_secs(365 * 86_400);

struct Stage {
    file: PathBuf,
    cli: Cli,
    _dir: TempDir,
}

fn stage() -> &'static Stage {
    static STAGE: LazyLock<Stage> = LazyLock::new(|| {
        let dir = scratch();
        let file = dir.path().join("u.toml");
        let cli = typed(&["run", "--config", file.to_str().unwrap()]);
        Stage { file, cli, _dir: dir }
    });
    &STAGE
}

pub fn holds(bytes: &[u8]) {
    match read(bytes) {
        Ok(plan) => {
            is_valid(&plan);
            shows_itself(&plan);
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a word");
            faults.iter().for_each(|fault| is_one_harmless_line(fault));
            let text = String::from_utf8_lossy(bytes);
            if is_secret(&text) {
                assert!(!faults.iter().any(|fault| fault.contains(SECRET)), "{faults:?}");
            }
        }
    }
}

fn read(bytes: &[u8]) -> Result<Plan, Vec<String>> {
    fs::write(&stage().file, bytes).unwrap();
    let plan = config::load_plan(&stage().cli.config_sources());
    plan.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn is_valid(plan: &Plan) {
    let keys: Vec<&str> = plan.services.iter().map(|service| service.key.as_str()).collect();
    assert!(!keys.is_empty() && keys.is_sorted_by(|one, next| one < next), "{keys:?}");
    let units: Vec<String> =
        plan.services.iter().filter_map(|service| Some(format!("{:?}", service.restarter.unit()?))).collect();
    assert_eq!(units.iter().collect::<BTreeSet<_>>().len(), units.len(), "two services with one unit");
    assert!((Duration::from_secs(40)..=YEAR).contains(&plan.host.deadline), "{:?}", plan.host);
    assert!(plan.host.boot_grace <= YEAR);
    plan.services.iter().for_each(|service| is_valid_service(service, plan.host.deadline));
}

fn is_valid_service(service: &Service, deadline: Duration) {
    let Service { key, name, restarter, probes, policy, verify, requires, pause_file, log_file } = service;
    let of_key = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
    assert!(
        key.chars().all(of_key) && !key.starts_with(['.', '-']) && (1..=200).contains(&key.len()),
        "{key:?}"
    );
    is_one_harmless_line(name);
    let word = restarter.label();
    assert!(!word.is_empty() && !word.starts_with('-') && !word.contains('\0'), "{word:?}");
    match restarter.key() {
        "restart" => {}
        "restart.hook" => assert!(word.starts_with('/'), "{word:?}"),
        "wake.pings" => {
            let pings = Pings::of(&restarter.given);
            assert!(pings.count >= 1 && pings.longest() < deadline, "{pings:?}");
        }
        key => {
            assert!(!word.contains(['/', '*', ' ']), "{word:?}");
            assert!(key != "unit" || word.contains('.'), "{word:?}");
            is_one_harmless_line(word);
        }
    }
    for name in requires {
        is_one_harmless_line(name);
        assert!(!name.is_empty() && *name != *key, "{name:?}");
    }
    assert!(pause_file.path.as_ref().is_none_or(|path| path.is_absolute()), "{pause_file:?}");
    assert!(!pause_file.max_age.is_zero() && pause_file.max_age <= YEAR, "{pause_file:?}");
    let flapping = &policy.flapping;
    assert!((2..flapping.of).contains(&flapping.failures) && flapping.of <= 64, "{flapping:?}");
    assert!(!policy.held_too_long.is_zero() && policy.held_too_long <= YEAR, "{policy:?}");
    assert!(policy.max_failures >= 1 && policy.min_successes >= 1, "{policy:?}");
    assert!((1..=100).contains(&policy.budget.restarts), "{policy:?}");
    assert!(!policy.budget.window.is_zero() && policy.budget.window <= YEAR, "{policy:?}");
    assert!(policy.backoff.first <= policy.backoff.max && policy.backoff.max <= YEAR, "{policy:?}");
    assert!(policy.min_gap < policy.stale_after && policy.stale_after <= YEAR, "{policy:?}");
    assert!(policy.grace <= YEAR && *verify <= YEAR, "{policy:?} {verify:?}");
    assert!(log_file.is_absolute());
    is_one_harmless_line(log_file.to_str().unwrap());

    assert!((1..=21).contains(&probes.len()), "{probes:?}");
    let only_warns = probes.iter().all(|probe| probe.weight == ProbeRole::Optional);
    assert!(!only_warns || !probes.iter().any(|probe| probe.name.is_none()), "{probes:?}");
    for (at, probe) in probes.iter().enumerate() {
        assert!(!probe.timeout.is_zero() && probe.timeout * 2 < deadline, "{probe:?}");
        assert!(probe.name.is_some() || at == 0, "only its own url has no name");
        is_one_harmless_line(probe.name.as_deref().unwrap_or("url"));
        if let Some(request) = probe.http_request() {
            is_valid_question(request);
        }
    }
}

fn is_valid_question(question: &HttpRequest) {
    assert!(question.redirects <= 20);
    assert!(!question.status.0.is_empty());
    assert!(
        question.status.0.iter().all(|(from, to)| 100 <= *from && from <= to && *to < 600),
        "{question:?}"
    );
    for (header, value) in &question.headers {
        assert!(header.is_ascii() && !header.contains([' ', ':']), "{header:?}");
        is_one_harmless_line(header);
        assert!(!value.contains(['\r', '\n', '\0']), "a header of {header} would be two");
    }
    super::url::can_be_asked(question);
}

/// What `config show` prints is itself a file that means the same, where nothing of it is hidden.
fn shows_itself(plan: &Plan) {
    let sections = config::show_config(&stage().cli.config_sources()).unwrap();
    let mut text = String::new();
    for section in &sections {
        let rows = section.entries.iter().map(|entry| [&*entry.key, &*entry.value, &*entry.origin]).collect();
        for line in report::settings((&section.name, rows)) {
            assert_eq!(words::escaped(&line), line, "it drives a terminal");
            text.push_str(&line);
            text.push('\n');
        }
    }
    let hides =
        |question: &HttpRequest| !question.headers.is_empty() || question.target.to_string().contains('?');
    if plan.services.iter().flat_map(|service| &service.probes).filter_map(Probe::http_request).any(hides) {
        return;
    }
    assert_eq!(read(text.as_bytes()).as_ref(), Ok(plan), "{text}");
}

/// Does the secret stand nowhere but in values that no message may show?
fn is_secret(text: &str) -> bool {
    let all = text.matches(SECRET).count();
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // A fault of grammar shows no value at all.
        return all > 0 && all == text.matches(&format!("= \"{SECRET}")).count();
    }
    all > 0 && all == hidden(&DeValue::Table(root.into_inner()), false)
}

fn hidden(value: &DeValue<'_>, is_hidden: bool) -> usize {
    match value {
        DeValue::String(text) if is_hidden => text.matches(SECRET).count(),
        DeValue::Array(list) => list.iter().map(|value| hidden(value.get_ref(), is_hidden)).sum(),
        DeValue::Table(table) => {
            let hides = |key: &str| is_hidden || ["headers", "url"].contains(&key);
            table.iter().map(|(key, value)| hidden(value.get_ref(), hides(key.get_ref()))).sum()
        }
        _ => 0,
    }
}
