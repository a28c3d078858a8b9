//! Pauses, as they are written and read.

use super::*;
use crate::places::StatePlaces;
use crate::store::tests::copies::without_roots_rights;
use std::os::unix::fs::PermissionsExt;
use std::time::UNIX_EPOCH;

fn at(boot: &str, up: u64, wall: u64) -> Moment {
    Moment {
        boot: Some(boot.to_owned()),
        since_boot: Duration::from_secs(up),
        wall: Duration::from_secs(1_700_000_000 + wall),
    }
}

fn note(minutes: u64) -> PauseRecord {
    let since = at("a", 1_000, 1_000);
    let until = since.plus(Duration::from_secs(minutes * 60));
    PauseRecord { who: "anna".to_owned(), why: Some("deploy".to_owned()), since, until }
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let places = StatePlaces { state: at("disk"), fallback: Some(at("memory")), locks: at("memory") };
    let store = Store::open(&places).unwrap();
    (dir, store)
}

fn pause(store: &Store, key: &str, now: &Moment) -> PauseState {
    store.read_pauses().unwrap().pause_of(key, now).unwrap()
}

fn left(pause: &PauseState) -> Option<u64> {
    match pause {
        PauseState::Active(paused) => paused.left.map(|left| left.as_secs()),
        PauseState::None | PauseState::Ended { .. } => None,
    }
}

#[test]
fn a_pause_lasts_as_long_as_it_was_meant_to_whatever_the_clock_does() {
    let note = note(15);
    for (now, expected) in [
        (at("a", 1_000, 1_000), Some(900)),
        (at("a", 1_600, 1_600), Some(300)),
        (at("a", 1_900, 1_900), None),
        (at("a", 1_600, 90_000), Some(300)),
        (at("a", 1_600, 0), Some(300)),
        (at("b", 30, 1_600), Some(300)),
        (at("b", 30, 1_900), None),
        (at("b", 30, 0), Some(900)), // no clock in the machine: never longer than it was meant
    ] {
        assert_eq!(note.time_left(&now).map(|left| left.as_secs()), expected, "{now:?}");
    }
    assert_eq!(note.as_ended(&at("b", 30, 0)), PauseState::None);
    let endless = PauseRecord { until: note.since.plus(Duration::from_secs(1 << 40)), ..note };
    assert_eq!(endless.time_left(&endless.since), Some(MAX_PAUSE), "a file says what it likes");
}

#[test]
fn it_is_there_until_somebody_ends_it_and_leaves_when_it_began() {
    let (_dir, store) = store();
    let now = at("a", 1_060, 1_060);
    assert_eq!(pause(&store, "shop", &now), PauseState::None);
    assert_eq!(store.write_pause("shop", &note(15)).unwrap(), None);
    assert_eq!(left(&pause(&store, "shop", &now)), Some(840));
    let of_person = store.pause_of_person("shop", &now).unwrap().and_then(|paused| paused.left);
    assert_eq!(of_person, Some(Duration::from_secs(840)));
    assert_eq!(store.pause_of_person("shop", &at("a", 9_000, 9_000)).unwrap(), None);
    assert_eq!(pause(&store, "sho", &now), PauseState::None);
    assert!(store.remove_pause("shop", &now).unwrap() && !store.remove_pause("shop", &now).unwrap());
    assert_eq!(pause(&store, "shop", &now), PauseState::Ended { since: note(15).since });
}

#[test]
fn that_of_a_command_ends_with_its_process() {
    let (dir, store) = store();
    let now = at("a", 1_060, 1_060);
    let held = store.hold_pause("shop", 7, &note(15)).unwrap();
    let other = store.hold_pause("shop", 8, &note(5)).unwrap();
    let first = pause(&store, "shop", &now);
    assert!(matches!(first, PauseState::Active(ActivePause { by: PauseSource::Command { pid: 7, .. }, .. })));
    drop(held);
    assert_eq!(left(&pause(&store, "shop", &now)), Some(240), "the other lasts");
    drop(store.hold_pause("shop", 10, &note(5)).unwrap());
    assert!(dir.path().join("memory/shop+7.pause").exists(), "its beginning still says something");
    let after = at("a", 1_301, 1_301);
    assert_eq!(left(&pause(&store, "shop", &after)), None, "its end is the backstop");
    drop(other);
    assert_eq!(pause(&store, "shop", &now), PauseState::Ended { since: note(5).since });
    let late = PauseRecord { since: at("a", 9_000, 9_000), until: at("a", 9_900, 9_900), ..note(1) };
    let _held = store.hold_pause("shop", 9, &late).unwrap();
    let names: Vec<_> = std::fs::read_dir(dir.path().join("memory")).unwrap().collect();
    assert_eq!(names.len(), 1, "what was left behind is gone: {names:?}");
}

#[test]
fn the_end_of_a_login_ends_no_pause_of_a_command() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let logged_in =
        StatePlaces { state: state.clone(), fallback: Some(dir.path().join("run")), locks: state.clone() };
    let by_cron = StatePlaces { fallback: None, ..logged_in.clone() };
    let now = at("a", 1_060, 1_060);
    // Where the disk has no room, memory is the second choice.
    let in_the_way = state.join(".shop+8.pause.new/in the way");
    std::fs::create_dir_all(in_the_way).unwrap();
    let store = Store::open(&logged_in).unwrap();
    let held = store.hold_pause("shop", 8, &note(15)).unwrap();
    assert_eq!(left(&pause(&store, "shop", &now)), Some(840));
    assert!(Store::open(&by_cron).unwrap().hold_pause("shop", 8, &note(15)).is_err());
    drop((held, store));
    for (holds, looks) in [(&logged_in, &by_cron), (&by_cron, &logged_in)] {
        let (holder, run) = (Store::open(holds).unwrap(), Store::open(looks).unwrap());
        let held = holder.hold_pause("shop", 7, &note(15)).unwrap();
        assert_eq!(left(&pause(&run, "shop", &now)), Some(840), "{holds:?}");
        drop(held);
        assert_eq!(left(&pause(&run, "shop", &now)), None);
    }
}

#[test]
fn what_a_command_holds_and_cannot_be_read_is_no_leave_to_restart() {
    let (dir, store) = store();
    std::fs::create_dir(dir.path().join("memory/shop+7.pause")).unwrap();
    let now = at("a", 1_060, 1_060);
    assert!(store.read_pauses().unwrap().pause_of("shop", &now).is_err());
    assert_eq!(pause(&store, "other", &now), PauseState::None);
}

#[test]
fn a_disk_that_cannot_be_written_takes_no_pause_away() {
    let (dir, store) = store();
    drop(store);
    std::fs::remove_dir(dir.path().join("disk")).unwrap();
    std::fs::write(dir.path().join("disk"), "").unwrap();
    let at_ = |name: &str| dir.path().join(name);
    let places = StatePlaces { state: at_("disk"), fallback: Some(at_("memory")), locks: at_("memory") };
    let store = Store::open(&places).unwrap();
    assert!(store.write_pause("shop", &note(15)).unwrap().is_some_and(|why| why.contains("directory")));
    let now = at("a", 1_060, 1_060);
    assert_eq!(left(&pause(&store, "shop", &now)), Some(840));
    assert!(store.remove_pause("shop", &now).unwrap());
}

#[test]
fn what_cannot_be_read_is_a_pause_all_the_same_for_a_day() {
    let (dir, store) = store();
    let file = dir.path().join("disk/shop.pause");
    std::fs::write(&file, "{").unwrap();
    let written = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(written).unwrap();
    for (age, expected) in [(0, Some(86_400)), (86_399, Some(1)), (86_400, None), (999_999, None)] {
        assert_eq!(left(&pause(&store, "shop", &at("a", 1, age))), expected, "{age}");
    }
    let now = at("a", 1, 5);
    assert!(store.remove_pause("shop", &now).unwrap());
    assert_eq!(left(&pause(&store, "shop", &now)), None);
    assert!(PauseRecord::from_bytes(br#"{"version":2}"#).is_none());
}

#[test]
fn what_is_somebody_elses_to_read_shows_nothing_and_stops_nobody() {
    let (dir, store) = store();
    let _held = store.hold_pause("shop", 7, &note(15)).unwrap();
    let file = dir.path().join("memory/shop+7.pause");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    let now = at("a", 1_060, 1_060);
    assert_eq!(
        without_roots_rights(|| store.read_pauses().unwrap().pause_of("shop", &now).unwrap()),
        PauseState::None
    );
}

/// A `git log` in it, which no file of a pause could hold.
#[test]
fn a_long_reason_is_kept_as_far_as_it_is_shown() {
    let (_dir, store) = store();
    let why = "é".repeat(100_000);
    store.write_pause("shop", &PauseRecord { why: Some(why), ..note(15) }).unwrap();
    let shown = pause(&store, "shop", &at("a", 1_060, 1_060));
    let PauseState::Active(ActivePause { by: PauseSource::Person { who, why }, .. }) = shown else {
        panic!()
    };
    assert_eq!((who.as_str(), why), ("anna", Some("é".repeat(200))));
    assert!(store.remove_pause("shop", &at("a", 1_060, 1_060)).unwrap());
}

/// A release that did not cut the reason wrote such files.
#[test]
fn a_pause_that_is_too_long_to_be_read_is_one_and_can_be_ended() {
    let (dir, store) = store();
    for file in ["disk/shop.pause", "memory/shop+7.pause"] {
        let file = dir.path().join(file);
        std::fs::write(&file, "x".repeat(9_000)).unwrap();
        let written = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(written).unwrap();
    }
    let now = at("a", 1, 400);
    assert_eq!(left(&pause(&store, "shop", &now)), Some(86_000));
    assert!(store.remove_pause("shop", &now).unwrap());
    assert_eq!(left(&pause(&store, "shop", &now)), None);
}

proptest::proptest! {
    #[test]
    fn any_note_that_is_written_is_read_back(
        who in "\\PC{0,400}",
        why in proptest::option::of(proptest::collection::vec(proptest::char::any(), 0..4_000)),
        boot in proptest::option::of(".{0,500}"),
    ) {
        let since = Moment { boot, ..at("a", 1_000, 1_000) };
        let why = why.map(|why| why.into_iter().collect::<String>());
        let note = PauseRecord { who, why, until: since.plus(MAX_PAUSE), since };
        let bytes = note.to_bytes();
        proptest::prop_assert!(u64::try_from(bytes.len()).unwrap() <= MAX_PAUSE_FILE_BYTES);
        let read = PauseRecord::from_bytes(&bytes).unwrap();
        proptest::prop_assert_eq!((&read.who, read.why), (&shorten_text(&note.who), note.why.as_deref().map(shorten_text)));
    }
}

#[test]
fn a_reason_cannot_drive_a_terminal() {
    let note = PauseRecord { why: Some("a\u{1b}[2J\n".to_owned()), ..note(1) };
    let read = PauseRecord::from_bytes(&note.to_bytes()).unwrap();
    assert_eq!(read.why.as_deref(), Some(r"a\u{1b}[2J\n"));
}
