//! What `systemctl show` printed: facts or none, and "active" only where systemd said nothing else.

use std::time::Duration;

use unhang_core::{ActiveState, Relation};

use unhang::managers::systemd::properties::{PropertyBlock, parse_blocks};

pub fn holds(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes); // as `systemd` has it
    let blocks = parse_blocks(&text);
    let said = said(&text);
    assert_eq!(blocks.len(), said.len());
    for (block, said) in blocks.iter().zip(said) {
        is_understood(block, &said);
    }
}

fn is_understood(block: &PropertyBlock<'_>, said: &[&str]) {
    for monotonic in [Duration::ZERO, Duration::from_secs(9_000), Duration::MAX] {
        let Some(life) = block.parse_snapshot(monotonic) else { continue };
        assert!(life.age.is_none_or(|age| age <= monotonic), "{life:?}");
        if life.active == ActiveState::Active {
            assert!(all(said, "ActiveState", |state| state == "active"), "{said:?}");
            assert!(all(said, "Job", str::is_empty), "{said:?}");
            assert!(all(said, "FreezerState", |state| state == "running"), "{said:?}");
        }
        let _ = life.condition();
    }
    let units: Vec<&str> = block.related_names().iter().map(|(unit, _)| *unit).collect();
    assert!(units.iter().all(|unit| !unit.is_empty() && !unit.contains([' ', '\n'])), "{units:?}");
    let mut once = units.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), units.len(), "each is named once");
    let _ = block.parse_related("db.service", Relation::Required);
    let _ = (block.restart_limit(), block.stop_limit(), block.has_name("app.service"));
    let _ = (block.is_passing_oneshot(), block.is_active_or_pending());
}

/// The lines of each unit that say something, read the simplest way there is.
fn said(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().collect();
    let units = lines.split(|line| line.is_empty());
    let said = units.map(|unit| unit.iter().copied().filter(|line| line.contains('=')).collect());
    said.filter(|unit: &Vec<&str>| !unit.is_empty()).collect()
}

fn all(said: &[&str], property: &str, is: impl Fn(&str) -> bool) -> bool {
    said.iter().filter_map(|line| line.split_once('=')).all(|(name, value)| name != property || is(value))
}
