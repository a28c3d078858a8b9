//! A state file: readable or broken, read as it was written, and nothing in it can break a run or a terminal.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use tempfile::TempDir;
use unhang_core::{
    Active, AfterExit, Case, Cause, Ended, Host, Life, Load, Moment, Observation, Pause, Phase, Policy, Reload, Rung,
    State, Unit, UnitResult, decide, events_of_decision, foresee, in_the_way, intend, look_again, outlook, reset,
    settle,
};

use super::{scratch, typed};
use unhang::places::Places;
use unhang::plan::Service;
use unhang::report::{self, Depth, Picture, Screen, Style};
use unhang::store::{Loaded, NoState, Saved, Store};
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
        let places = Places { state: folder.clone(), fallback: None, locks: folder.clone() };
        let cli = typed(&["run", "--url", "http://localhost/", "--unit", "app"]);
        let service = config::plan(&cli.sources()).unwrap().services.remove(0);
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
        Err(NoState::Newer { version, .. }) => {
            assert!(version > 1);
            return assert_eq!(fs::read(&file).unwrap(), bytes, "it is left alone");
        }
        Err(NoState::NotRead(why)) => panic!("{why}"),
    };
    if found.unreadable.is_some() {
        assert!(!file.exists(), "it is set aside");
        assert_eq!(found.record.state, State::after_loss(&now()));
        let kept = fs::read_dir(folder).unwrap().count();
        return assert!(kept <= 3, "{kept} are kept");
    }
    let mut record = found.record;
    assert!(matches!(store.save("app", &mut record), Saved::OnDisk));
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
    let escalate = vec![Rung::Reload, Rung::Restart, Rung::Kill, Rung::Command(vec!["failover".into()])];
    is_carried_on_by(before, &Policy { escalate, ..usual.clone() });
    let _ = reset(before);
}

fn is_carried_on_by(state: &State, policy: &Policy) {
    let (now, host, service) = (now(), Host::quiet(), &stage().service);
    let paused = Pause::Over { since: now.clone() };
    for unit in [Unit::NotAsked, Unit::Command { running: false }, Unit::ProbeOnly, Unit::Seen(running())] {
        for seen in [Observation::Healthy, Observation::Unhealthy(Cause::TimedOut(Phase::Wait))] {
            let (pause, upstream, common_cause) = (&paused, None, None);
            let (before, account) = (&state.counts, &state.account);
            let case = Case {
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
            let _ = (foresee(&case, account), in_the_way(&case), look_again(&decision, &case, account));
            for event in events_of_decision(policy, state, &decision, &seen, &now) {
                let _ = log::line(&event, service, &now);
            }
            let cause = Cause::TimedOut(Phase::Wait);
            let intended = intend(&decision.next.counts, &cause, policy, &unit, &now, &now);
            assert!(intended.restarts.len() <= policy.budget.restarts);
            for ended in [
                Ended::Healed,
                Ended::NotHealed,
                Ended::Open,
                Ended::Refused,
                Ended::NeverRan,
                Ended::Forbidden,
            ] {
                let _ = settle(&decision.next, &intended, ended, &unit, &now);
            }
        }
    }
}

fn running() -> Life {
    Life {
        load: Load::Loaded,
        active: Active::Active,
        result: UnitResult::Success,
        incarnation: Some("i".into()),
        own_restarts: 0,
        disabled: false,
        condition_unmet: false,
        inactive_exit: Duration::from_secs(1),
        active_enter: Duration::from_secs(1),
        active_exit: Duration::ZERO,
        main_exit: None,
        reload: Reload::Possible,
        after_exit: AfterExit::StaysDown,
        runtime_limited: false,
        age: Some(Duration::from_secs(8_999)),
        neighbours: Vec::new(),
    }
}

fn is_told(found: &Loaded) {
    let Stage { service, folder, .. } = stage();
    let state = found.record.state.clone();
    let outlook = outlook(&state.counts, &service.policy, &now());
    let picture = Picture {
        is_stuck: false,
        service,
        state,
        outlook,
        last_tick: Some(Duration::from_secs(40)),
        unreadable: None,
        locks: folder,
        paused: None,
    };
    let plain = Screen { style: Style::Plain, width: Some(80) };
    let mut lines = report::why(&picture, &now());
    let pictures = [picture];
    lines.extend(report::table(&pictures, &now(), Depth::Everything, &plain));
    lines.push(report::json(&pictures, &now()).to_string());
    for line in lines {
        assert_eq!(words::escaped(&line), line, "it drives a terminal");
    }
}
