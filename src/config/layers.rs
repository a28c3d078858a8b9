//! Layers of tables, one over the other, read key by key. Every value that a layer holds is judged, also
//! one that a stronger layer hides, so that no fault waits for the day a flag is left out. What was asked
//! for is what exists: a setting that nobody asked for is an unknown key.

use std::borrow::Cow;

use super::settings::{Fault, Origin, Part, Setting, Table, Value, Wrong, parts};
use super::table_values::{self, Plain};
use crate::keys::{Key, Row};
use crate::suggest;

/// Proof that a fault was recorded: without one, no value may be missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused(());

impl Refused {
    pub(super) fn with(fault: Fault, faults: &mut Vec<Fault>) -> Self {
        faults.push(fault);
        Self(())
    }
}

/// A value with the setting that it came from.
#[derive(Debug)]
pub(super) struct Said<'a, T> {
    pub(super) value: T,
    pub(super) setting: Cow<'a, Setting>,
}

#[derive(Debug)]
pub(super) struct Reading<'a> {
    /// Weakest first; below them is the table of keys.
    layers: Vec<&'a Table>,
    asked: Vec<&'static str>,
    /// Whatever they are called.
    taken: Vec<Vec<Part>>,
    faults: Vec<Fault>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(layers: Vec<&'a Table>) -> Self {
        Self { layers, asked: Vec::with_capacity(KEYS), taken: Vec::new(), faults: Vec::new() }
    }

    /// The strongest value of a key (`budget.window`) that has no default, if any layer has one.
    pub(super) fn find<T>(
        &mut self,
        key: &'static str,
        word: impl Fn(&Value) -> Result<T, Wrong>,
    ) -> Result<Option<Said<'a, T>>, Refused> {
        self.asked.push(key);
        let (mut strongest, mut refused) = (None, None);
        let parts = parts(key);
        for setting in self.layers.iter().filter_map(|layer| layer.find(parts)) {
            match word(&setting.value) {
                Ok(value) => strongest = Some(Said { value, setting: Cow::Borrowed(setting) }),
                Err(wrong) => refused = Some(Refused::with(setting.fault(wrong), &mut self.faults)),
            }
        }
        refused.map_or(Ok(strongest), Err)
    }

    /// Whether no layer has a key, or a table of keys, of which the first part is one of `firsts`: rare keys are then
    /// looked for in one go. `keys`: all of them, which exist whether somebody said them or not.
    pub(super) fn nobody_said(&mut self, firsts: &[&str], keys: &[&'static str]) -> bool {
        let is_one = |layer: &Table, setting: &Setting| {
            layer.short(setting).next().is_some_and(|first| firsts.contains(&first))
        };
        let is_said =
            self.layers.iter().any(|layer| layer.settings.iter().any(|setting| is_one(layer, setting)));
        if !is_said {
            self.asked.extend_from_slice(keys);
        }
        !is_said
    }

    /// Likewise of a key that has a default, with a reader of its own.
    pub(super) fn need<K, T>(
        &mut self,
        key: &'static Key<K>,
        word: impl Fn(&Value) -> Result<T, Wrong>,
    ) -> Result<Said<'a, T>, Refused> {
        if let Some(said) = self.find(key.row.name, &word)? {
            return Ok(said);
        }
        let Some(setting) = table_values::default_setting(&key.row) else {
            return Err(self.refuse(Origin::Default.fault(format!("{} has no default", key.row.name))));
        };
        match word(&setting.value) {
            Ok(value) => Ok(Said { value, setting: Cow::Owned(setting) }),
            Err(wrong) => Err(self.refuse(setting.fault(wrong))),
        }
    }

    /// The value of a key of the table. A fault is recorded, and reading goes on with the default, so that all faults
    /// are reported at once; `sound` says in the end whether there was one.
    pub(super) fn get<T: Plain>(&mut self, key: &'static Key<T>) -> T {
        let said = self.find(key.row.name, |value| T::read(key.row.takes, value));
        let default =
            || table_values::default(&key.row).and_then(|value| T::read(key.row.takes, &value).ok());
        match said {
            Ok(Some(said)) => said.value,
            Ok(None) | Err(_) => default().unwrap_or_default(),
        }
    }

    /// Likewise, of a key that may be left out.
    pub(super) fn get_if_any<T: Plain>(&mut self, key: &'static Key<T>) -> Option<Said<'a, T>> {
        self.find(key.row.name, |value| T::read(key.row.takes, value)).ok().flatten()
    }

    /// The strongest value with its setting, for rules about several keys; `None`: its fault is known.
    pub(super) fn good<T: Plain>(&self, key: &'static Key<T>) -> Option<Said<'a, T>> {
        let setting = self.strongest(&key.row)?;
        Some(Said { value: T::read(key.row.takes, &setting.value).ok()?, setting })
    }

    /// An error: some fault was recorded.
    pub(super) fn sound(&self) -> Result<(), Refused> {
        if self.faults.is_empty() { Ok(()) } else { Err(Refused(())) }
    }

    /// The setting that wins, judged or not.
    pub(super) fn strongest(&self, row: &'static Row) -> Option<Cow<'a, Setting>> {
        let said = self.said(row.name).map(Cow::Borrowed);
        said.or_else(|| table_values::default_setting(row).map(Cow::Owned))
    }

    /// Of what somebody said.
    pub(super) fn said(&self, key: &str) -> Option<&'a Setting> {
        let parts = parts(key);
        self.layers.iter().rev().find_map(|layer| layer.find(parts))
    }

    /// The settings of a table whose keys are free (`headers`), layer by layer, weakest first.
    pub(super) fn inner(&mut self, table: &'static str) -> Vec<Vec<(&'a str, &'a Setting)>> {
        self.asked.push(table);
        let within = |layer: &&'a Table| {
            let layer: &'a Table = layer;
            let named = layer.settings.iter().filter_map(|setting| {
                let mut key = layer.short(setting);
                let named = (key.next(), key.next(), key.next());
                matches!(named, (Some(first), _, None) if first == table).then_some((named.1, setting))
            });
            named.filter_map(|(name, setting)| Some((name?, setting))).collect()
        };
        self.layers.iter().map(within).collect()
    }

    pub(super) fn refuse(&mut self, fault: Fault) -> Refused {
        Refused::with(fault, &mut self.faults)
    }

    /// Where it is not known what a table is about, none of its keys is unknown.
    pub(super) fn take_all(&mut self, table: &Table) {
        self.taken = table.settings.iter().map(|setting| setting.key.clone()).collect();
    }

    pub(super) fn asked(&self) -> &[&'static str] {
        &self.asked
    }

    /// The faults, with those settings of one layer that nobody asked for.
    pub(super) fn faults(mut self, layer: &Table) -> Vec<Fault> {
        let unknown: Vec<_> =
            layer.settings.iter().filter_map(|setting| self.unknown(layer, setting)).collect();
        self.faults.extend(unknown);
        self.faults
    }

    fn unknown(&self, layer: &Table, setting: &Setting) -> Option<Fault> {
        if self.taken.contains(&setting.key) {
            return None;
        }
        let key: Vec<&str> = layer.short(setting).collect();
        let first = key.first().copied().unwrap_or_default();
        let starts = |asked: &str| asked.split('.').next() == Some(first);
        let is_key = |asked: &&str| match asked.split_once('.') {
            Some((table, name)) => key == [table, name],
            None => key == [*asked],
        };
        let last = key.last().copied().unwrap_or_default();
        if self.asked.iter().filter(|asked| asked.ends_with(last)).any(is_key) {
            let misused =
                key.len() == 1 && FREE_TABLES.contains(&first) && setting.value != Value::EmptyTable;
            return misused.then(|| setting.fault(not_a_table(first, &setting.value)));
        }
        if FREE_TABLES.contains(&first) {
            return (key.len() > 2).then(|| setting.fault("takes a text in quotes, not a table"));
        }
        if key.len() > 1 && self.asked.contains(&first) {
            return Some(setting.fault(format!("{first} takes one value, not a table")));
        }
        if key.len() == 1 && self.asked.iter().copied().any(starts) {
            return (setting.value != Value::EmptyTable)
                .then(|| setting.fault(not_a_table(first, &setting.value)));
        }
        Some(setting.fault(self.unknown_key(layer, &key)))
    }

    fn unknown_key(&self, layer: &Table, key: &[&str]) -> Wrong {
        let what = "unknown key";
        if let Some(near) = suggest::nearest(&key.join("."), self.asked.iter().copied()) {
            return Wrong::cure(what, format!("did you mean {near}?"));
        }
        // [service.my.shop] is the table `shop` of a service `my`.
        let rest = key.split_first().map(|(_, rest)| rest.join(".")).unwrap_or_default();
        match (layer.name.as_slice(), key.first()) {
            ([_, name], Some(first)) if self.asked.contains(&rest.as_str()) => {
                Wrong::cure(what, format!("a NAME with a dot stands in quotes: [service.\"{name}.{first}\"]"))
            }
            _ => Wrong::cure(what, "man unhang.toml lists them"),
        }
    }
}

/// About as many as a service has.
const KEYS: usize = 80;

/// Their keys are names of the operator's own.
const FREE_TABLES: [&str; 1] = ["headers"];

fn not_a_table(key: &str, got: &Value) -> Wrong {
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
