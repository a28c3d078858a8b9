//! A state file: readable or broken, read as it was written, and nothing in it can break a run or a terminal.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use tempfile::TempDir;
use unhang_core::{
    ActiveState, AfterExit, Cause, Facts, HostFacts, LoadState, Moment, Observation, PauseState, Phase,
    Policy, ReloadSupport, RestartResult, State, Step, UnitFacts, UnitResult, UnitSnapshot, blocking_hold,
    decide, decide_second_look, events_of_decision, forecast_next_run, record_end, record_intent,
    reset_state, restart_outlook,
};

use super::{scratch, typed};
use unhang::places::StatePlaces;
use unhang::plan::Service;
use unhang::report::{self, ColorMode, Detail, ServiceStatus, Terminal};
use unhang::store::{LoadFailure, LoadedService, SavedTo, Store};
use unhang::{config, log, words};

struct Stage {
    folder: PathBuf,
    store: Store,
    service: Service,
    _dir: TempDir,
}

fn stage() -> &'static Stage {
    static STAGE: LazyLock<Stage> = LazyLock::new(|| {
        let dir = scratch();
        let folder = dir.path().to_owned();
        let places = StatePlaces { state: folder.clone(), fallback: None, locks: folder.clone() };
        let cli = typed(&["run", "--url", "http://localhost/", "--unit", "app"]);
        let service = config::load_plan(&cli.config_sources()).unwrap().services.remove(0);
        Stage { folder, store: Store::open(&places).unwrap(), service, _dir: dir }
    });
    &STAGE
}

pub fn holds(bytes: &[u8]) {
    let Stage { folder, store, .. } = stage();
    let file = folder.join("app.json");
    fs::write(&file, bytes).unwrap();
    let found = match store.load("app", &now()) {
        Ok(found) => found,
        Err(LoadFailure::NewerVersion { version, .. }) => {
            assert!(version > 1);
            return assert_eq!(fs::read(&file).unwrap(), bytes, "it is left alone");
        }
        Err(LoadFailure::Unreadable(why)) => panic!("{why}"),
    };
    if found.unreadable.is_some() {
        assert!(!file.exists(), "it is set aside");
        assert_eq!(found.record.state, State::for_lost_file(&now()));
        let kept = fs::read_dir(folder).unwrap().count();
        return assert!(kept <= 3, "{kept} are kept");
    }
    let mut record = found.record;
    assert!(matches!(store.save("app", &mut record), SavedTo::Disk));
    let again = store.load("app", &now()).unwrap();
    assert_eq!(again.unreadable, None);
    assert_eq!(again.record, record);
    is_carried_on(&record.state);
    is_told(&again);
}

/// At a moment that its times may lie before or after.
fn now() -> Moment {
    Moment {
        boot: Some("b".into()),
        since_boot: Duration::from_secs(9_000),
        wall: Duration::from_secs(1_770_483_600),
    }
}

/// Whatever is remembered, a tick decides and acts without a panic; and no restart while it answers.
fn is_carried_on(before: &State) {
    let usual = &stage().service.policy;
    is_carried_on_by(before, usual);
    let escalate = vec![Step::Reload, Step::Restart, Step::Kill, Step::Command(vec!["failover".into()])];
    is_carried_on_by(before, &Policy { escalate, ..usual.clone() });
    let _ = reset_state(before);
}

fn is_carried_on_by(state: &State, policy: &Policy) {
    let (now, host, service) = (now(), HostFacts::not_queried(), &stage().service);
    let paused = PauseState::Ended { since: now.clone() };
    for unit in [
        UnitFacts::NotQueried,
        UnitFacts::Command { running: false },
        UnitFacts::ProbeOnly,
        UnitFacts::Known(running()),
    ] {
        for seen in [Observation::Healthy, Observation::Unhealthy(Cause::TimedOut(Phase::FirstByte))] {
            let (pause, upstream, common_cause) = (&paused, None, None);
            let (before, account) = (&state.counts, &state.account);
            let case = Facts {
                now: &now,
                host: &host,
                policy,
                before,
                seen: &seen,
                unit: &unit,
                pause,
                upstream,
                common_cause,
            };
            let decision = decide(&case, account);
            assert!(
                !matches!(decision.verdict, unhang_core::Verdict::Restart(_)) || seen != Observation::Healthy
            );
            let _ = (
                forecast_next_run(&case, account),
                blocking_hold(&case),
                decide_second_look(&decision, &case, account),
            );
            for event in events_of_decision(policy, state, &decision, &seen, &now) {
                let _ = log::event_line(&event, service, &now);
            }
            let cause = Cause::TimedOut(Phase::FirstByte);
            let intended = record_intent(&decision.next.counts, &cause, policy, &unit, &now, &now);
            assert!(intended.restarts.len() <= policy.budget.restarts);
            for ended in [
                RestartResult::Healed,
                RestartResult::NotHealed,
                RestartResult::StillRunning,
                RestartResult::Refused,
                RestartResult::NotStarted,
                RestartResult::NotPermitted,
            ] {
                let _ = record_end(&decision.next, &intended, ended, &unit, &now);
            }
        }
    }
}

fn running() -> UnitSnapshot {
    UnitSnapshot {
        load: LoadState::Loaded,
        active: ActiveState::Active,
        result: UnitResult::Success,
        incarnation: Some("i".into()),
        own_restarts: 0,
        disabled: false,
        condition_unmet: false,
        inactive_exit: Duration::from_secs(1),
        active_enter: Duration::from_secs(1),
        active_exit: Duration::ZERO,
        main_exit: None,
        reload: ReloadSupport::Supported,
        after_exit: AfterExit::StaysDown,
        runtime_limited: false,
        age: Some(Duration::from_secs(8_999)),
        neighbours: Vec::new(),
    }
}

fn is_told(found: &LoadedService) {
    let Stage { service, folder, .. } = stage();
    let state = found.record.state.clone();
    let outlook = restart_outlook(&state.counts, &service.policy, &now());
    let picture = ServiceStatus {
        is_stuck: false,
        service,
        state,
        outlook,
        last_tick: Some(Duration::from_secs(40)),
        unreadable: None,
        locks: folder,
        paused: None,
    };
    let plain = Terminal { style: ColorMode::Plain, width: Some(80) };
    let mut lines = report::why_lines(&picture, &now());
    let pictures = [picture];
    lines.extend(report::status_table(&pictures, &now(), Detail::Full, &plain));
    lines.push(report::status_json(&pictures, &now()).to_string());
    for line in lines {
        assert_eq!(words::escaped(&line), line, "it drives a terminal");
    }
}
