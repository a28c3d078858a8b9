//! The manual says what there is, all of it and nothing else: flags, commands, variables, keys with their
//! defaults, codes, exit statuses, log marks. What it says of them, nobody but a reader can judge.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that fails says where"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use unhang_core::{Cause, Doubt, Reason, VerdictKind};

mod page;
mod program;

use page::{Line, Page, typed};
use program::{Help, ONE, commands, in_seconds, keys_of_kinds, shown, unhang, unhang_ends};

/// What stands under COMMANDS and is none.
const SHARED: &str = "All commands";
const KEYS: &str = "Keys as flags";
const JSON: &str = "JSON";
const CHECK_JSON: &str = "JSON of check";

type Names = BTreeSet<String>;

#[test]
fn every_command_and_each_of_its_flags_is_in_the_manual_and_no_other() {
    let page = Page::read("unhang.8");
    let mut documented = page.parts("COMMANDS");
    documented.retain(|part| ![SHARED, KEYS, JSON, CHECK_JSON].contains(&part.as_str()));
    assert_eq!(page.synopsis(), documented, "SYNOPSIS and COMMANDS");
    let commands = commands();
    assert_eq!(documented, commands.keys().cloned().collect());
    let (shared, keys) = (page.item_flags("COMMANDS", SHARED), page.item_flags("COMMANDS", KEYS));
    assert_eq!(shared, Help::of(&[]).flags);
    for (command, flags) in commands {
        let mut said = page.item_flags("COMMANDS", &command);
        said.extend(shared.iter().cloned());
        if flags.contains("--url") {
            said.extend(keys.iter().cloned());
        }
        assert_eq!(said, flags, "{command}");
    }
}

#[test]
fn no_flag_is_named_that_does_not_exist() {
    let commands = commands();
    let known: Names = commands.values().flatten().cloned().collect();
    for name in ["unhang.8", "unhang.toml.5"] {
        let page = Page::read(name);
        for line in &page.lines {
            let unknown: Vec<String> =
                line.flags().into_iter().filter(|flag| !known.contains(flag)).collect();
            assert!(unknown.is_empty(), "{name}: {unknown:?}");
        }
        let typed = page.lines.iter().filter_map(|line| typed(&line.text));
        for words in typed {
            let begins = |command: &str| command.split(' ').eq(words.iter().take(command.split(' ').count()));
            let exists = commands.keys().map(String::as_str).any(begins);
            assert!(exists, "{name}: unhang {words:?}");
            for word in words.iter().filter(|word| word.starts_with('-')) {
                assert!(known.contains(word), "{name}: unhang {words:?}");
            }
        }
    }
}

#[test]
fn every_variable_is_in_the_manual_beside_its_flag_and_its_key() {
    let page = Page::read("unhang.8");
    let text = ["cli/mod", "keys"].map(|file| product(&format!("src/{file}.rs"))).concat();
    let quoted = text.split('"').filter(|word| word.starts_with("UNHANG_") && *word != "UNHANG_");
    let exist: Names = quoted.map(str::to_owned).collect();
    let mut said: Names = page.lines.iter().flat_map(|line| line.after("Ev")).collect();
    said.retain(|name| name.starts_with("UNHANG_") && name != "UNHANG_*");
    assert_eq!(said, exist);

    let mut keys: Names = shown().into_values().flat_map(BTreeMap::into_keys).collect();
    for row in page.items("COMMANDS", KEYS).iter().skip(1) {
        let flag = row.flags().pop_first().unwrap();
        match row.after("Ev").pop_first() {
            Some(variable) => {
                let mirrored = flag.trim_start_matches('-').replace('-', "_").to_uppercase();
                assert_eq!(variable, format!("UNHANG_{mirrored}"));
            }
            None => assert_eq!(flag, "--header"),
        }
        let key = row.after("Cm").pop_first().unwrap();
        assert!(keys.remove(&key), "{flag}: {key}");
    }
    // A run that somebody types without them would not be held.
    let in_files_only = [
        "scope",
        "wake.pings",
        "wake.every",
        "wake.timeout",
        "restart.docker",
        "restart.podman",
        "restart.compose",
        "restart.project",
        "restart.supervisor",
        "restart.config",
        "restart.hook",
        "requires",
        "pause_file",
        "pause_file_max_age",
        "status_warn",
        "request_body",
        "server_name",
        "client_cert",
        "client_key",
        "maintenance.status",
        "maintenance.header",
        "body.contains",
        "body.lacks",
        "body.regex",
        "body.max",
        "json.fail_on",
        "json.ignore",
        "json.warn",
        "json.parts",
        "json.at",
        "json.is",
        "json.min",
        "json.max",
        "latency.warn",
        "latency.fail",
        "pause_on_dpkg",
        "held_too_long",
        "escalate",
        "flapping.failures",
        "flapping.of",
        "flapping.restart",
        "when_exited",
        "hold_when.memory_some_avg60",
        "hold_when.memory_full_avg60",
        "hold_when.cpu_some_avg60",
        "hold_when.io_some_avg60",
        "hold_when.io_full_avg60",
    ];
    assert_eq!(keys, in_files_only.map(str::to_owned).into(), "keys without a flag");
}

#[test]
fn every_key_is_in_the_manual_with_its_default_and_no_other() {
    let page = Page::read("unhang.toml.5");
    for (section, name) in [("service", "KEYS OF A SERVICE"), ("host", "KEYS OF THE HOST")] {
        let mut exist = shown().remove(section).unwrap();
        let mut said = BTreeMap::new();
        for item in page.items_of(name) {
            let Some(key) = item.after("Cm").pop_first() else { continue };
            let default = item.text.split_once("No = Li ").map(|(_, default)| default.replace("NAME", "x"));
            assert!(said.insert(key, default).is_none(), "{}", item.text);
        }
        // Not shown, for want of any; and made by what only the operator knows.
        for (key, default) in EXAMPLES {
            if let Some(found) = exist.get_mut(key) {
                *found = default.map(str::to_owned);
            }
        }
        let plain = |keys: BTreeMap<String, Option<String>>| -> BTreeMap<String, Option<String>> {
            keys.into_iter().map(|(key, default)| (key, default.map(|text| in_seconds(&text)))).collect()
        };
        assert_eq!(plain(said), plain(exist), "{name}");
    }
}

#[test]
fn every_key_of_a_probe_is_in_the_manual_with_its_default_and_no_other() {
    let page = Page::read("unhang.toml.5");
    let kinds = keys_of_kinds();
    assert_eq!(page.parts("PROBES").into_iter().collect::<Names>(), kinds.keys().cloned().collect());
    for (kind, exist) in kinds {
        let mut said = BTreeMap::new();
        for item in page.items("PROBES", &kind) {
            let Some(key) = item.after("Cm").pop_first() else { continue };
            let default =
                item.text.split_once("No = Li ").map(|(_, default)| default.trim_matches('"').to_owned());
            said.insert(key, default);
        }
        assert_eq!(said, exist, "{kind}");
    }
}

/// Keys that `shown` has by an example, with what they are if nobody says anything.
const EXAMPLES: [(&str, Option<&str>); 36] = [
    ("status_warn", None),
    ("request_body", None),
    ("wake.pings", None),
    ("wake.every", Some("\"30s\"")),
    ("wake.timeout", Some("\"30s\"")),
    ("restart.docker", None),
    ("restart.podman", None),
    ("restart.compose", None),
    ("restart.project", None),
    ("restart.supervisor", None),
    ("restart.config", None),
    ("restart.hook", None),
    ("body.contains", None),
    ("body.lacks", None),
    ("body.regex", None),
    ("json.fail_on", None),
    ("json.ignore", None),
    ("json.warn", None),
    ("json.parts", None),
    ("json.at", None),
    ("json.is", None),
    ("json.min", None),
    ("json.max", None),
    ("latency.warn", None),
    ("latency.fail", None),
    ("headers", Some("{}")),
    ("requires", Some("[]")),
    ("maintenance.status", None),
    ("maintenance.header", None),
    ("url", None),
    ("restart", None),
    ("hold_when.memory_some_avg60", None),
    ("hold_when.memory_full_avg60", None),
    ("hold_when.cpu_some_avg60", None),
    ("hold_when.io_some_avg60", None),
    ("hold_when.io_full_avg60", None),
];

/// The sample says what holds if its comments stay comments.
#[test]
fn the_sample_writes_every_key_out_with_its_default() {
    let text = source("contrib/unhang.toml");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("unhang.toml");
    // A comment that is no key is a sentence; a unit and a command go together nowhere.
    let lines = text.lines().filter(|line| {
        !line.starts_with("# restart") && !line.starts_with("# wake") && !line.starts_with("# request_body")
    });
    let is_key = |line: &&str| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let lines = lines.map(|line| line.strip_prefix("# ").filter(is_key).unwrap_or(line));
    fs::write(&file, lines.flat_map(|line| [line, "\n"]).collect::<String>()).unwrap();
    let (ends_well, told) = unhang(&["config", "show", "--config", file.to_str().unwrap()]);
    assert!(ends_well, "{told}");
    let mut section = "";
    let mut written = BTreeMap::new();
    for line in told.lines().filter(|line| !line.ends_with("# default")) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.split(['.', ']']).next().unwrap();
        }
        let Some((key, rest)) = line.split_once(" = ") else { continue };
        let value = rest.rsplit_once("  # ").unwrap().0.trim_end().to_owned();
        written.insert((section.to_owned(), key.to_owned()), value);
    }
    for (section, keys) in shown() {
        for (key, default) in
            keys.iter().filter(|(key, _)| !EXAMPLES.iter().any(|(example, _)| example == key))
        {
            let value = written.get(&(section.clone(), key.clone()));
            let value = value.map(|value| in_seconds(&value.replace("roams-django", "x")));
            assert_eq!(value, default.as_deref().map(in_seconds), "{key}");
        }
    }
}

#[test]
fn every_example_of_a_configuration_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("unhang.toml");
    let check = |text: &str| {
        fs::write(&file, text).unwrap();
        let (ends_well, said) = unhang(&["config", "show", "--config", file.to_str().unwrap()]);
        assert!(ends_well, "{text}\n{said}");
    };
    let (mut whole, mut single) = (0, 0);
    for (section, display) in Page::read("unhang.toml.5").displays() {
        // Files that no test has.
        let is_there = |line: &String| !["ca_file", "client_"].iter().any(|key| line.starts_with(key));
        let display: Vec<String> = display.into_iter().filter(is_there).collect();
        if display.first().is_some_and(|line| line.starts_with('[')) {
            check(&display.join("\n"));
            whole += 1;
            continue;
        }
        for line in display {
            let is_url = line.starts_with("url");
            let service = if is_url { "[service.x]" } else { "[service.x]\nurl = \"https://localhost/\"" };
            let host = section == "KEYS OF THE HOST";
            check(&if host { format!("{service}\n[host]\n{line}") } else { format!("{service}\n{line}") });
            single += 1;
        }
    }
    assert!(whole >= 6 && single >= 15, "{whole} {single}");
}

/// Each stands for one of the systems that unhang replaces.
#[test]
fn every_example_of_contrib_is_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/examples");
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 5);
    // A file of another owner, as in a checkout of somebody else, root does not read.
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let own = dir.path().join(file.file_name().unwrap());
        fs::write(&own, fs::read(&file).unwrap()).unwrap();
        let (ends_well, said) = unhang(&["config", "show", "--config", own.to_str().unwrap()]);
        assert!(ends_well, "{said}");
    }
}

#[test]
fn every_code_is_in_the_manual_and_no_other() {
    let page = Page::read("unhang.8");
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    let verdicts: Vec<&str> = VerdictKind::ALL.iter().map(|verdict| verdict.code()).collect();
    // What a body says, and how long it took, the probe itself finds.
    let causes = [Cause::CODES, &["body", "json", "slow"]].concat();
    for (part, codes) in
        [("Verdicts", &*verdicts), ("Reasons", &*reasons), ("Causes", &*causes), ("Doubts", Doubt::CODES)]
    {
        let mut said: Vec<String> =
            page.items("VERDICTS AND REASONS", part).into_iter().map(Line::heading).collect();
        said.sort();
        let mut exist = codes.to_vec();
        exist.sort_unstable();
        assert_eq!(said, exist, "{part}");
    }
}

#[test]
fn every_exit_status_is_in_the_manual() {
    let page = Page::read("unhang.8");
    let text = product("src/exit.rs");
    let (run, check) = text.split_once("enum PluginLevel").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let fixed = ["--log-file", log.to_str().unwrap(), "--state-dir", dir.path().to_str().unwrap()];
    let paused = |arguments: &[&str]| {
        let status = unhang_ends(&[&["paused", "x"], &ONE[..], &fixed, arguments].concat());
        status.code().unwrap().to_string()
    };
    let of_paused: Names =
        [&["--for", "2d", "--", "true"][..], &["--", "/dev/null"], &["--", "/nowhere"]].map(paused).into();
    let said: Names = page.items("EXIT STATUS", "paused").into_iter().map(Line::heading).collect();
    assert_eq!(said, of_paused, "paused");
    for (part, text) in [("run", run), ("check", check)] {
        let arrows = text.split("=> ").skip(1).filter_map(|rest| rest.split(',').next());
        let exist: Names = arrows.filter(|word| word.parse::<u8>().is_ok()).map(str::to_owned).collect();
        let said: Names = page.items("EXIT STATUS", part).into_iter().map(Line::heading).collect();
        assert_eq!(said, exist, "{part}");
    }
}

#[test]
fn every_field_of_the_json_is_in_the_manual() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    for (command, part) in [("status", JSON), ("why", JSON), ("check", CHECK_JSON)] {
        let (_, json) = unhang(&[&[command, "--json", "--state-dir", state], &ONE[..]].concat());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let exist: Names = json["services"][0].as_object().unwrap().keys().cloned().collect();
        let page = Page::read("unhang.8");
        let said: Names = page.items("COMMANDS", part).into_iter().map(Line::heading).collect();
        assert_eq!(said, exist, "{command}");
    }
}

#[test]
fn every_mark_of_the_log_is_in_the_manual_with_an_example() {
    let text = product("src/log.rs");
    let starts = text.split('"').filter(|text| text.starts_with(|c: char| !c.is_ascii()));
    let exist: Names = starts.filter_map(|text| text.split(' ').next()).map(str::to_owned).collect();
    let page = Page::read("unhang.8");
    let said: Names = page.items("LOG", "").into_iter().map(Line::heading).collect();
    assert_eq!(said, exist);
    let shown = page.displays().into_iter().filter(|(section, _)| section == "LOG");
    let shown: Vec<String> = shown.flat_map(|(_, display)| display).collect();
    for mark in exist {
        assert!(shown.iter().any(|line| line.contains(&format!(" - {mark} "))), "{mark}");
    }
}

/// A promise without its test is none.
#[test]
fn every_test_that_security_names_exists() {
    let page = Page::read("unhang.8");
    let threats = page.lines.iter().filter(|line| line.text.starts_with(".Pq Li "));
    let named: Names = threats.flat_map(|line| line.after("Li")).collect();
    assert!(named.len() > 15, "{named:?}");
    let sources = rust_files("src").into_iter().chain(rust_files("tests"));
    let text: String = sources.map(|path| fs::read_to_string(path).unwrap()).collect();
    for name in named {
        assert!(text.contains(&format!("fn {name}(")), "no test is called {name}");
    }
}

fn rust_files(below: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(below)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                found.push(path);
            }
        }
    }
    found
}

fn source(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Without its tests.
fn product(path: &str) -> String {
    source(path).split("#[cfg(test)]").next().unwrap().to_owned()
}
