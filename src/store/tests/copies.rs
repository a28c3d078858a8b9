//! What is said of a state that cannot be used, and of the lock beside it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use unhang_core::{Backoff, State};

use super::*;
use crate::reported_faults::OwnFault;

#[test]
fn what_cannot_be_read_as_a_state_is_set_aside_and_the_wait_begins() {
    let host = Host::new();
    let store = host.store();
    fs::write(host.at("disk/app.json"), "{").unwrap();
    let loaded = store.load("app", &now()).unwrap();
    assert_eq!(loaded.record.state.counts.backoff, Some(Backoff { step: 1, from: now() }));
    let said = loaded.unreadable.unwrap();
    let kept = host.at("disk/app.json.corrupt-20231114T221320");
    assert!(said.contains("): kept as app.json.corrupt-20231114T221320; counting from zero"), "{said}");
    assert_eq!(fs::read_to_string(kept).unwrap(), "{");
}

#[test]
fn a_folder_in_the_place_of_a_state_is_set_aside_too() {
    let host = Host::new();
    let store = host.store();
    fs::create_dir(host.at("disk/app.json")).unwrap();
    let said = store.load("app", &now()).unwrap().unreadable.unwrap();
    assert!(said.contains("kept as app.json.corrupt-"), "{said}");
}

#[test]
fn who_only_asks_sets_nothing_aside_and_makes_nothing() {
    let host = Host::new();
    let asking = Store::open_read_only(&host.places());
    let loaded = asking.load("app", &now()).unwrap();
    assert_eq!((loaded.unreadable, loaded.record), (None, StoredService::default()), "nobody ran yet");
    assert!(!host.at("disk").exists() && !host.at("memory").exists());
    host.store();
    fs::write(host.at("disk/app.json"), "{").unwrap();
    let said = Store::open_read_only(&host.places()).load("app", &now()).unwrap().unreadable.unwrap();
    assert!(said.contains("left as it is"), "{said}");
    assert!(host.at("disk/app.json").exists());
}

#[test]
fn a_state_of_somebody_else_is_not_set_aside_for_that() {
    let host = Host::new();
    let store = host.store();
    let file = host.at("disk/app.json");
    fs::write(&file, state_file::write_state(&record(3, 1))).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    let loaded = without_roots_rights(|| store.load("app", &now()));
    let Err(LoadFailure::Unreadable(said)) = loaded else { panic!("{loaded:?}") };
    assert!(said.ends_with(": run it as root, or as the user that cron runs it as"), "{said}");
    assert!(file.exists());
}

#[test]
fn a_folder_that_may_not_be_looked_into_is_no_loss_to_who_only_asks() {
    let host = Host::new();
    let load = |access, kind: io::ErrorKind| {
        Store { disk: Err(kind.into()), access, ..host.store() }.load("app", &now())
    };
    let denied = io::ErrorKind::PermissionDenied;
    assert!(matches!(load(StoreAccess::ReadOnly, denied), Err(LoadFailure::Unreadable(_))));
    for (access, kind) in
        [(StoreAccess::ReadWrite, denied), (StoreAccess::ReadOnly, io::ErrorKind::NotADirectory)]
    {
        let loaded = load(access, kind).unwrap();
        assert!(loaded.unreadable.unwrap().contains("its folder cannot be used"));
        assert_eq!(loaded.record.state, State::for_lost_file(&now()));
    }
    let gone = load(StoreAccess::ReadWrite, io::ErrorKind::NotFound).unwrap();
    assert_eq!((gone.unreadable, gone.record.state), (None, State::default()));
}

#[test]
fn the_longest_of_states_is_read() {
    let host = Host::new();
    let store = host.store();
    let mut long = record(3, 1);
    long.state.account.together = Some("b".repeat(1_600));
    assert!(matches!(store.save("app", &mut long), SavedTo::Disk));
    assert_eq!(store.load("app", &now()).unwrap().record, long);
    long.state.account.together = Some("b".repeat(256 * 1024));
    assert!(matches!(store.save("app", &mut long), SavedTo::Disk));
    let kept = store.load("app", &now()).unwrap();
    assert_eq!(
        (kept.unreadable, kept.record.state.account.together.map(|text| text.len())),
        (None, Some(1_600))
    );
}

#[test]
fn what_was_told_is_remembered_with_the_state() {
    let host = Host::new();
    let store = host.store();
    let mut told = StoredService::default();
    assert!(told.faults.should_report(OwnFault::Disk, &now()));
    assert!(matches!(store.save("app", &mut told), SavedTo::Disk));
    let mut later = store.load("app", &now()).unwrap().record;
    assert!(!later.faults.should_report(OwnFault::Disk, &now()), "it was told already");
    assert!(later.faults.should_report(OwnFault::Log, &now()));
}

#[test]
fn a_lock_keeps_the_other_run_away_and_tells_when_the_last_was() {
    let host = Host::new();
    let (store, other) = (host.store(), host.store());
    assert_eq!(store.last_run_age("app"), None);
    assert!(!other.is_locked("app").unwrap() && !host.at("memory/app.lock").exists(), "asking makes none");
    let lock = store.lock_service("app").unwrap().unwrap();
    assert_eq!(store.lock_path("app"), host.at("memory/app.lock"));
    assert!(other.lock_service("app").unwrap().is_none() && other.is_locked("app").unwrap());
    assert!(other.lock_service("shop").unwrap().is_some(), "each service has its own");
    lock.stamp().unwrap();
    let written = fs::metadata(host.at("memory/app.lock")).unwrap().modified().unwrap();
    let written = written.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(store.last_run_age("app"), Some(Duration::from_secs(written.as_secs())));
    drop(lock);
    assert!(!other.is_locked("app").unwrap() && other.lock_service("app").unwrap().is_some());
}

/// root reads every file; a thread without this right of root's is like anybody else.
pub(in crate::store) fn without_roots_rights<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    let unprivileged = move || {
        let mut held = capabilities(None).unwrap();
        held.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
        set_capabilities(None, held).unwrap();
        act()
    };
    std::thread::scope(|scope| scope.spawn(unprivileged).join().unwrap())
}
