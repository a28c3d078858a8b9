//! What `systemctl show` printed, as facts. Pure, and never panics, whatever the text. The rules rest
//! on recorded output (tests/host/recorded): order of properties is systemd's, unknown ones are left
//! out, blocks are parted by an empty line, an alias answers under the real Id.

use std::time::Duration;

use unhang_core::{
    ActiveState, AfterExit, LoadState, RelatedUnit, Relation, ReloadSupport, UnitCondition, UnitResult,
    UnitSnapshot,
};

/// What to ask for, in one call for all units.
pub(super) const SHOW_PROPERTIES: &str = "Id,Names,LoadState,ActiveState,Result,UnitFileState,NeedDaemonReload,CanStart,CanStop,CanReload,Job,InvocationID,\
NRestarts,FreezerState,Type,RemainAfterExit,Restart,ConditionResult,ConditionTimestampMonotonic,\
InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic,ActiveExitTimestampMonotonic,\
ExecMainExitTimestampMonotonic,RuntimeMaxUSec,TimeoutStartUSec,TimeoutStopUSec,Wants,Requires,Requisite,BindsTo,\
Conflicts,ConflictedBy";

/// One unit's properties.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PropertyBlock<'a>(Vec<(&'a str, &'a str)>);

#[must_use]
pub fn parse_blocks(text: &str) -> Vec<PropertyBlock<'_>> {
    let mut blocks = vec![PropertyBlock::default()];
    for line in text.lines() {
        if line.is_empty() {
            blocks.push(PropertyBlock::default());
        } else if let (Some(block), Some(property)) = (blocks.last_mut(), line.split_once('=')) {
            block.0.push(property);
        }
    }
    blocks.retain(|block| !block.0.is_empty());
    blocks
}

impl<'a> PropertyBlock<'a> {
    pub(super) fn unit_id(&self) -> &'a str {
        self.property("Id").unwrap_or_default()
    }

    /// Does it answer for this name, be it an alias?
    #[must_use]
    pub fn has_name(&self, name: &str) -> bool {
        self.unit_id() == name || self.property_words("Names").any(|known| known == name)
    }

    /// `monotonic`: CLOCK_MONOTONIC now. `None`: it lacks what every systemd tells, or tells it twice.
    pub fn parse_snapshot(&self, monotonic: Duration) -> Option<UnitSnapshot> {
        if self.is_malformed() {
            return None;
        }
        let active = match self.property("ActiveState")? {
            _ if self.property("Job").is_some_and(|job| !job.is_empty()) => ActiveState::Changing,
            "active" if self.property("FreezerState").is_some_and(|state| state != "running") => {
                ActiveState::Frozen
            }
            "active" => ActiveState::Active,
            "inactive" => ActiveState::Inactive,
            "failed" => ActiveState::Failed,
            _ => ActiveState::Changing,
        };
        let load = match self.property("LoadState")? {
            "not-found" => LoadState::NotFound,
            "masked" => LoadState::Masked,
            "loaded" if self.property("CanStart") == Some("no") => LoadState::NotStartable,
            // A restart is a stop, too: systemd refuses it whatever the state of the unit.
            "loaded" if self.property("CanStop") == Some("no") => LoadState::NotStoppable,
            "loaded" => LoadState::Loaded,
            _ => LoadState::NotStartable,
        };
        let active_enter = self.timestamp("ActiveEnterTimestampMonotonic");
        let is_up = matches!(active, ActiveState::Active | ActiveState::Frozen);
        let tried = !self.timestamp("ConditionTimestampMonotonic").is_zero();
        Some(UnitSnapshot {
            load,
            active,
            result: self.unit_result(),
            incarnation: self.property("InvocationID").filter(|id| !id.is_empty()).map(str::to_owned),
            own_restarts: self.property("NRestarts").and_then(|n| n.parse().ok()).unwrap_or(0),
            disabled: self.property("UnitFileState") == Some("disabled"),
            condition_unmet: tried && self.property("ConditionResult") == Some("no"),
            inactive_exit: self.timestamp("InactiveExitTimestampMonotonic"),
            active_enter,
            active_exit: self.timestamp("ActiveExitTimestampMonotonic"),
            main_exit: self
                .property("ExecMainExitTimestampMonotonic")
                .map(|_| self.timestamp("ExecMainExitTimestampMonotonic")),
            reload: if self.property("CanReload") == Some("no") {
                ReloadSupport::Unsupported
            } else {
                ReloadSupport::Supported
            },
            after_exit: self.after_exit(),
            runtime_limited: self.property("RuntimeMaxUSec").is_some_and(|text| text != "infinity"),
            age: (is_up && !active_enter.is_zero()).then(|| monotonic.saturating_sub(active_enter)),
            neighbours: Vec::new(),
        })
    }

    /// The units that a restart of this one would start or stop, each once. Devices, slices and scopes
    /// come and go by themselves.
    #[must_use]
    pub fn related_names(&self) -> Vec<(&'a str, Relation)> {
        let mut found: Vec<(&str, Relation)> = Vec::new();
        for (property, relation) in [
            ("Requires", Relation::Required),
            ("Requisite", Relation::Required),
            ("BindsTo", Relation::Required),
            ("Wants", Relation::Wanted),
            ("Conflicts", Relation::Conflicting),
            ("ConflictedBy", Relation::Conflicting),
        ] {
            for name in self.property_words(property) {
                let passing = [".device", ".slice", ".scope"].iter().any(|kind| name.ends_with(kind));
                if !passing && name != SHUTDOWN_TARGET && !found.iter().any(|(known, _)| *known == name) {
                    found.push((name, relation));
                }
            }
        }
        found
    }

    /// A oneshot that has done its work is inactive, and so is a mount that expired: only a service that
    /// runs tells by its stamps that somebody stopped it.
    #[must_use]
    pub fn parse_related(&self, unit: &str, relation: Relation) -> Option<RelatedUnit> {
        let life = self.parse_snapshot(Duration::ZERO)?;
        let tells =
            life.load != LoadState::NotFound && life.main_exit.is_some() && !self.is_passing_oneshot();
        let shown = life.condition();
        let condition = if shown == UnitCondition::Stopped && !tells { UnitCondition::Ended } else { shown };
        Some(RelatedUnit { unit: unit.to_owned(), relation, condition })
    }

    /// How long systemd itself waits for the stop and the start; `None`: without end.
    #[must_use]
    pub fn restart_limit(&self) -> Option<Duration> {
        let stop = parse_systemd_duration(self.property("TimeoutStopUSec")?)?;
        Some(stop.saturating_add(parse_systemd_duration(self.property("TimeoutStartUSec")?)?))
    }

    /// Somebody changed its unit file, and systemd has not read it since.
    pub(super) fn has_changed_file(&self) -> bool {
        self.property("NeedDaemonReload") == Some("yes")
    }

    #[must_use]
    pub fn stop_limit(&self) -> Option<Duration> {
        parse_systemd_duration(self.property("TimeoutStopUSec")?)
    }

    /// It ends and is well: nothing that could hang.
    #[must_use]
    pub fn is_passing_oneshot(&self) -> bool {
        self.property("Type") == Some("oneshot") && !self.remains_after_exit()
    }

    fn remains_after_exit(&self) -> bool {
        self.property("RemainAfterExit") == Some("yes")
    }

    /// systemd itself calls the host stopping when this is so of `shutdown.target`.
    #[must_use]
    pub fn is_active_or_pending(&self) -> bool {
        let job = self.property("Job").is_some_and(|job| !job.is_empty());
        job || matches!(self.property("ActiveState"), Some("active" | "activating" | "reloading"))
    }

    fn after_exit(&self) -> AfterExit {
        match self.property("Restart") {
            _ if self.is_passing_oneshot() => AfterExit::IsDone,
            Some("always" | "on-success") => AfterExit::StaysUp,
            _ if self.remains_after_exit() => AfterExit::StaysUp,
            _ => AfterExit::StaysDown,
        }
    }

    fn unit_result(&self) -> UnitResult {
        match self.property("Result").unwrap_or_default() {
            "success" => UnitResult::Success,
            "exit-code" => UnitResult::ExitCode,
            "signal" => UnitResult::Signal,
            "core-dump" => UnitResult::CoreDump,
            "timeout" => UnitResult::Timeout,
            _ => UnitResult::Other,
        }
    }

    /// systemd says each property once for a unit; here two have run together.
    fn is_malformed(&self) -> bool {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [name, next] if name == next))
    }

    fn property(&self, property: &str) -> Option<&'a str> {
        self.0.iter().find(|(name, _)| *name == property).map(|(_, value)| *value)
    }

    fn property_words(&self, property: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.property(property).unwrap_or_default().split_ascii_whitespace()
    }

    /// Microseconds of CLOCK_MONOTONIC.
    fn timestamp(&self, property: &str) -> Duration {
        let micros = self.property(property).and_then(|text| text.parse().ok());
        Duration::from_micros(micros.unwrap_or(0))
    }
}

/// One property of the only unit that a text tells of. `None`: it is not said, or not once, or the text ends in the
/// middle of a line.
pub(crate) fn single_property<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let text = text.strip_suffix('\n')?;
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// Every service conflicts with it by default; asked for beside the units, see `is_active_or_pending`.
pub(super) const SHUTDOWN_TARGET: &str = "shutdown.target";

/// systemd.time(7) as systemctl prints it: `1min 30s`, `500ms`, `2.500000s`, `infinity`.
fn parse_systemd_duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for word in text.split_ascii_whitespace() {
        let (number, unit) = word.split_at(word.find(|c: char| c.is_ascii_alphabetic())?);
        let seconds = match unit {
            "us" => 0.000_001,
            "ms" => 0.001,
            "s" => 1.0,
            "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            "month" => 2_629_800.0,
            "y" => 31_557_600.0,
            _ => return None,
        };
        let span = number.parse::<f64>().ok()? * seconds;
        total = total.checked_add(Duration::try_from_secs_f64(span).ok()?)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Recorded on systemd 252; see tests/host/recorded/README.md.
    fn recorded(name: &str) -> String {
        let path = format!("{}/tests/host/recorded/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[track_caller]
    fn life(name: &str) -> UnitSnapshot {
        let text = recorded(name);
        let blocks = parse_blocks(&text);
        assert_eq!(blocks.len(), 1, "{name}");
        blocks[0].parse_snapshot(Duration::from_secs(9_000)).unwrap()
    }

    #[rustfmt::skip]
    #[test]
    fn what_a_real_systemd_shows_is_understood() {
        use UnitCondition::{Active, Changing, StartConditionUnmet, EndedWell, Failed, NeverStarted, Stopped};
        for (name, condition) in [
            ("running",                   Active),
            ("running-gunicorn",          Active),
            ("hung-flag",                 Active),
            ("hung-sigstop",              Active),
            ("stopped",                   Stopped),
            ("stopped-disabled",          NeverStarted), // a disabled unit keeps no trace of its life
            ("stopped-exit-code",         Stopped),
            ("stopped-timeout",           Stopped),
            ("hung-stopped",              Stopped),
            ("hung-flag-stopped",         Stopped),
            ("hung-flag-stopped-timeout", Stopped),
            ("restart-canceled-by-stop",  Stopped),
            ("deactivating-stop-ended",   Stopped),
            ("crashed",                   Failed),
            ("crashed-sigkill",           Failed),
            ("crashed-after-stop-post",   Failed),
            ("runtime-max",               Failed),
            ("start-limit-hit",           Failed),
            ("start-limit-crash-loop",    Failed),
            ("execstartpre-failed",       Failed),
            ("start-timeout",             Failed),
            ("start-exit-1",              Failed),
            ("exited",                    EndedWell),
            ("killed-term",               EndedWell),
            ("auto-restart-stopped",      Stopped),
            ("auto-restart",              Changing),
            ("activating",                Changing),
            ("activating-first",          Changing),
            ("reloading",                 Changing),
            ("deactivating-stop",         Changing),
            ("deactivating-restart",      Changing),
            ("waiting-for-dependency",    Changing),
            ("oneshot-done",              NeverStarted), // disabled
            ("condition-not-met",         StartConditionUnmet),
            ("never-started",             NeverStarted),
            ("never-started-enabled",     NeverStarted),
            ("dependency-failed",         NeverStarted),
            ("oneshot-remain",            Active),
        ] {
            assert_eq!(life(name).condition(), condition, "{name}");
        }
        for (name, load) in [
            ("running", LoadState::Loaded), ("masked-running", LoadState::Masked), ("not-found", LoadState::NotFound),
            ("file-gone-running", LoadState::NotFound), ("bad-setting-running", LoadState::NotStartable),
        ] {
            assert_eq!(life(name).load, load, "{name}");
        }
        assert!(life("crashed-disabled").disabled && !life("crashed").disabled);
        assert!(life("auto-restart").incarnation.is_some() && life("never-started").incarnation.is_none());
        assert_eq!(life("start-limit-crash-loop").own_restarts, 3);
        let running = life("running");
        assert_eq!(running.age, Duration::from_secs(9_000).checked_sub(running.active_enter));
        assert_eq!(life("stopped").age, None);
    }

    #[test]
    fn one_call_answers_for_many_units() {
        let text = recorded("batch");
        let blocks = parse_blocks(&text);
        assert_eq!(blocks.len(), 4);
        assert!(!blocks[3].is_active_or_pending(), "{}", blocks[3].unit_id());
        assert_eq!(blocks[3].unit_id(), SHUTDOWN_TARGET);
        assert_eq!(blocks[1].parse_snapshot(Duration::ZERO).unwrap().load, LoadState::NotFound);
        let alias = recorded("running-enabled-alias");
        let block = &super::parse_blocks(&alias)[0];
        assert!(
            block.property_words("Names").count() > 1
                && block.property_words("Names").all(|name| block.has_name(name))
        );
    }

    #[test]
    fn two_units_that_have_run_together_are_none() {
        let one = "LoadState=loaded\nActiveState=active\nJob=\n";
        assert!(parse_blocks(one)[0].parse_snapshot(Duration::ZERO).is_some());
        for more in ["Job=77\n", "ActiveState=failed\n", "FreezerState=running\nFreezerState=frozen\n"] {
            assert_eq!(
                parse_blocks(&format!("{one}{more}"))[0].parse_snapshot(Duration::ZERO),
                None,
                "{more}"
            );
        }
    }

    #[test]
    fn a_property_is_said_once_and_to_its_end() {
        let text = "Id=a.service\nActiveState=active\nEmpty=\n";
        assert_eq!(single_property(text, "ActiveState"), Some("active"));
        assert_eq!(single_property(text, "Empty"), Some(""));
        assert_eq!((single_property(text, "Active"), single_property(text, "Names")), (None, None));
        assert_eq!(single_property(text.trim_end(), "ActiveState"), None, "cut");
        assert_eq!(single_property(&text.repeat(2), "ActiveState"), None, "of two units");
    }

    #[test]
    fn relations_are_each_named_once() {
        let text = "Id=a.service\nRequires=sysinit.target system.slice db.service\nWants=db.service tmp.mount\n\
            Conflicts=shutdown.target old.service\nBindsTo=dev-sda.device\n";
        let expected = [
            ("sysinit.target", Relation::Required),
            ("db.service", Relation::Required),
            ("tmp.mount", Relation::Wanted),
            ("old.service", Relation::Conflicting),
        ];
        assert_eq!(parse_blocks(text)[0].related_names(), expected);
    }

    #[test]
    fn spans_as_systemctl_prints_them() {
        for (text, seconds) in [
            ("1min 30s", 90.0),
            ("500ms", 0.5),
            ("2.500000s", 2.5),
            ("1h 30min", 5400.0),
            ("1w 1d", 691_200.0),
            ("0", -1.0),
            ("infinity", -1.0),
            ("5 parsecs", -1.0),
            ("1y 1month", 34_187_400.0),
            ("1us", 0.000_001),
        ] {
            let expected = (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds));
            assert_eq!(parse_systemd_duration(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|\n|=){0,400}") {
            for block in parse_blocks(&text) {
                let _ = (block.parse_snapshot(Duration::MAX), block.related_names(), block.restart_limit());
            }
        }

        #[test]
        fn no_recording_cut_or_changed_makes_it_panic(at in 0..3000_usize, byte in any::<char>()) {
            let mut text = recorded("batch");
            let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.insert(at, byte);
            for block in parse_blocks(&text) {
                let _ = (block.parse_snapshot(Duration::ZERO), block.related_names(), block.restart_limit());
            }
            text.truncate(at);
            for block in parse_blocks(&text) {
                let _ = block.parse_snapshot(Duration::ZERO);
            }
        }
    }
}
