//! Layers of tables, one over the other, read key by key. Every value that a layer holds is judged, also
//! one that a stronger layer hides, so that no fault waits for the day a flag is left out. What was asked
//! for is what exists: a setting that nobody asked for is an unknown key.

use std::borrow::Cow;

use super::settings::{
    ConfigFault, KeyPart, Origin, Problem, Setting, SettingTable, SettingValue, split_key,
};
use super::table_values::{self, Plain};
use crate::keys::{Key, KeyRow};
use crate::suggest;

/// Proof that a fault was recorded: without one, no value may be missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlreadyReported(());

impl AlreadyReported {
    pub(super) fn report(fault: ConfigFault, faults: &mut Vec<ConfigFault>) -> Self {
        faults.push(fault);
        Self(())
    }
}

/// A value with the setting that it came from.
#[derive(Debug)]
pub(super) struct Sourced<'a, T> {
    pub(super) value: T,
    pub(super) setting: Cow<'a, Setting>,
}

#[derive(Debug)]
pub(super) struct LayeredReader<'a> {
    /// Weakest first; below them is the table of keys.
    layers: Vec<&'a SettingTable>,
    asked: Vec<&'static str>,
    /// Whatever they are called.
    taken: Vec<Vec<KeyPart>>,
    faults: Vec<ConfigFault>,
}

impl<'a> LayeredReader<'a> {
    pub(super) fn new(layers: Vec<&'a SettingTable>) -> Self {
        Self { layers, asked: Vec::with_capacity(EXPECTED_KEYS), taken: Vec::new(), faults: Vec::new() }
    }

    /// The strongest value of a key (`budget.window`) that has no default, if any layer has one.
    pub(super) fn read_optional<T>(
        &mut self,
        key: &'static str,
        word: impl Fn(&SettingValue) -> Result<T, Problem>,
    ) -> Result<Option<Sourced<'a, T>>, AlreadyReported> {
        self.asked.push(key);
        let (mut strongest, mut refused) = (None, None);
        let parts = split_key(key);
        for setting in self.layers.iter().filter_map(|layer| layer.find(parts)) {
            match word(&setting.value) {
                Ok(value) => strongest = Some(Sourced { value, setting: Cow::Borrowed(setting) }),
                Err(wrong) => refused = Some(AlreadyReported::report(setting.fault(wrong), &mut self.faults)),
            }
        }
        refused.map_or(Ok(strongest), Err)
    }

    /// Whether no layer has a key, or a table of keys, of which the first part is one of `firsts`: rare keys are then
    /// looked for in one go. `keys`: all of them, which exist whether somebody said them or not.
    pub(super) fn nobody_said(&mut self, firsts: &[&str], keys: &[&'static str]) -> bool {
        let is_one = |layer: &SettingTable, setting: &Setting| {
            layer.relative_key(setting).next().is_some_and(|first| firsts.contains(&first))
        };
        let is_said =
            self.layers.iter().any(|layer| layer.settings.iter().any(|setting| is_one(layer, setting)));
        if !is_said {
            self.asked.extend_from_slice(keys);
        }
        !is_said
    }

    /// Likewise of a key that has a default, with a reader of its own.
    pub(super) fn read_required<K, T>(
        &mut self,
        key: &'static Key<K>,
        word: impl Fn(&SettingValue) -> Result<T, Problem>,
    ) -> Result<Sourced<'a, T>, AlreadyReported> {
        if let Some(said) = self.read_optional(key.row.name, &word)? {
            return Ok(said);
        }
        let Some(setting) = table_values::default_setting(&key.row) else {
            return Err(self.report(Origin::Default.fault(format!("{} has no default", key.row.name))));
        };
        match word(&setting.value) {
            Ok(value) => Ok(Sourced { value, setting: Cow::Owned(setting) }),
            Err(wrong) => Err(self.report(setting.fault(wrong))),
        }
    }

    /// The value of a key of the table. A fault is recorded, and reading goes on with the default, so that all faults
    /// are reported at once; `sound` says in the end whether there was one.
    pub(super) fn read_key<T: Plain>(&mut self, key: &'static Key<T>) -> T {
        let said = self.read_optional(key.row.name, |value| T::read(key.row.takes, value));
        let default =
            || table_values::default_value(&key.row).and_then(|value| T::read(key.row.takes, &value).ok());
        match said {
            Ok(Some(said)) => said.value,
            Ok(None) | Err(_) => default().unwrap_or_default(),
        }
    }

    /// Likewise, of a key that may be left out.
    pub(super) fn get_if_any<T: Plain>(&mut self, key: &'static Key<T>) -> Option<Sourced<'a, T>> {
        self.read_optional(key.row.name, |value| T::read(key.row.takes, value)).ok().flatten()
    }

    /// The strongest value with its setting, for rules about several keys; `None`: its fault is known.
    pub(super) fn sound_value<T: Plain>(&self, key: &'static Key<T>) -> Option<Sourced<'a, T>> {
        let setting = self.strongest_setting(&key.row)?;
        Some(Sourced { value: T::read(key.row.takes, &setting.value).ok()?, setting })
    }

    /// An error: some fault was recorded.
    pub(super) fn check_sound(&self) -> Result<(), AlreadyReported> {
        if self.faults.is_empty() { Ok(()) } else { Err(AlreadyReported(())) }
    }

    /// The setting that wins, judged or not.
    pub(super) fn strongest_setting(&self, row: &'static KeyRow) -> Option<Cow<'a, Setting>> {
        let said = self.explicit_setting(row.name).map(Cow::Borrowed);
        said.or_else(|| table_values::default_setting(row).map(Cow::Owned))
    }

    /// Of what somebody said.
    pub(super) fn explicit_setting(&self, key: &str) -> Option<&'a Setting> {
        let parts = split_key(key);
        self.layers.iter().rev().find_map(|layer| layer.find(parts))
    }

    /// The settings of a table whose keys are free (`headers`), layer by layer, weakest first.
    pub(super) fn inner_settings(&mut self, table: &'static str) -> Vec<Vec<(&'a str, &'a Setting)>> {
        self.asked.push(table);
        let within = |layer: &&'a SettingTable| {
            let layer: &'a SettingTable = layer;
            let named = layer.settings.iter().filter_map(|setting| {
                let mut key = layer.relative_key(setting);
                let named = (key.next(), key.next(), key.next());
                matches!(named, (Some(first), _, None) if first == table).then_some((named.1, setting))
            });
            named.filter_map(|(name, setting)| Some((name?, setting))).collect()
        };
        self.layers.iter().map(within).collect()
    }

    pub(super) fn report(&mut self, fault: ConfigFault) -> AlreadyReported {
        AlreadyReported::report(fault, &mut self.faults)
    }

    /// Where it is not known what a table is about, none of its keys is unknown.
    pub(super) fn accept_all_keys(&mut self, table: &SettingTable) {
        self.taken = table.settings.iter().map(|setting| setting.key.clone()).collect();
    }

    pub(super) fn requested_keys(&self) -> &[&'static str] {
        &self.asked
    }

    /// The faults, with those settings of one layer that nobody asked for.
    pub(super) fn into_faults(mut self, layer: &SettingTable) -> Vec<ConfigFault> {
        let unknown: Vec<_> =
            layer.settings.iter().filter_map(|setting| self.unknown_key_fault(layer, setting)).collect();
        self.faults.extend(unknown);
        self.faults
    }

    fn unknown_key_fault(&self, layer: &SettingTable, setting: &Setting) -> Option<ConfigFault> {
        if self.taken.contains(&setting.key) {
            return None;
        }
        let key: Vec<&str> = layer.relative_key(setting).collect();
        let first = key.first().copied().unwrap_or_default();
        let starts = |asked: &str| asked.split('.').next() == Some(first);
        let is_key = |asked: &&str| match asked.split_once('.') {
            Some((table, name)) => key == [table, name],
            None => key == [*asked],
        };
        let last = key.last().copied().unwrap_or_default();
        if self.asked.iter().filter(|asked| asked.ends_with(last)).any(is_key) {
            let misused =
                key.len() == 1 && OPEN_TABLES.contains(&first) && setting.value != SettingValue::EmptyTable;
            return misused.then(|| setting.fault(table_expected(first, &setting.value)));
        }
        if OPEN_TABLES.contains(&first) {
            return (key.len() > 2).then(|| setting.fault("takes a text in quotes, not a table"));
        }
        if key.len() > 1 && self.asked.contains(&first) {
            return Some(setting.fault(format!("{first} takes one value, not a table")));
        }
        if key.len() == 1 && self.asked.iter().copied().any(starts) {
            return (setting.value != SettingValue::EmptyTable)
                .then(|| setting.fault(table_expected(first, &setting.value)));
        }
        Some(setting.fault(self.unknown_key_problem(layer, &key)))
    }

    fn unknown_key_problem(&self, layer: &SettingTable, key: &[&str]) -> Problem {
        let what = "unknown key";
        if let Some(near) = suggest::suggest(&key.join("."), self.asked.iter().copied()) {
            return Problem::with_cure(what, format!("did you mean {near}?"));
        }
        // [service.my.shop] is the table `shop` of a service `my`.
        let rest = key.split_first().map(|(_, rest)| rest.join(".")).unwrap_or_default();
        match (layer.name.as_slice(), key.first()) {
            ([_, name], Some(first)) if self.asked.contains(&rest.as_str()) => Problem::with_cure(
                what,
                format!("a NAME with a dot stands in quotes: [service.\"{name}.{first}\"]"),
            ),
            _ => Problem::with_cure(what, "man unhang.toml lists them"),
        }
    }
}

/// About as many as a service has.
const EXPECTED_KEYS: usize = 80;

/// Their keys are names of the operator's own.
const OPEN_TABLES: [&str; 1] = ["headers"];

fn table_expected(key: &str, got: &SettingValue) -> Problem {
    match key {
        "budget" => format!("must be a table such as {{ restarts = 5, window = \"1h\" }}, got {got}").into(),
        "backoff" => format!("must be a table such as {{ first = \"2m\", max = \"1h\" }}, got {got}").into(),
        "flapping" => {
            format!("must be a table such as {{ failures = 5, of = 12, restart = false }}, got {got}").into()
        }
        "hold_when" => format!("must be a table such as {{ memory_full_avg60 = \"40%\" }}, got {got}").into(),
        "body" => format!("must be a table such as {{ contains = \"shop\" }}, got {got}").into(),
        "json" => format!("must be a table such as {{}} or {{ ignore = [\"cache\"] }}, got {got}").into(),
        "latency" => format!("must be a table such as {{ warn = \"1s\", fail = \"3s\" }}, got {got}").into(),
        "maintenance" => format!("must be a table such as {{ status = \"503\" }}, got {got}").into(),
        "age" => format!("must be a table such as {{ warn = \"20h\", fail = \"26h\" }}, got {got}").into(),
        "size" => format!("must be a table such as {{ warn = \"2M\", fail = \"1M\" }}, got {got}").into(),
        "count" => format!("must be a table such as {{ min = 1, max = 4 }}, got {got}").into(),
        "crash_loop" => format!("must be a table such as {{ restarts = 5 }}, got {got}").into(),
        "wake" => format!("must be a table such as {{ pings = 3 }}, got {got}").into(),
        // Not what it got: the value of a header may be a secret.
        _ => "must be a table such as { Host = \"example.org\" }".into(),
    }
}
