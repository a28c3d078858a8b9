//! The walls of the house, as `src/lib.rs` tells them: invariants that are absences, which no test of
//! behaviour can see.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that fails says where"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms that only those of `CALLERS` may call.
const ROOMS: [&str; 12] = [
    "config", "probe", "restart", "managers", "store", "log", "report", "simulate", "demo", "run", "setup",
    "command",
];

/// Rooms that may call the clients of systemd, supervisord and container runtimes besides.
const USE_MANAGERS: [&str; 2] = ["restart", "probe"];

/// Rooms that call others, each with those that it may not call: `command` calls `setup` and `run`, `setup` calls
/// `run`, and never the other way round.
const CALLERS: [(&str, &[&str]); 3] =
    [("command", &[]), ("setup", &["command"]), ("run", &["command", "setup"])];

/// What a room may lean on besides core, the standard library and crates.
const COMMON: [&str; 9] =
    ["plan", "words", "toml_text", "suggest", "os", "places", "exit", "sink", "reported_faults"];

fn sources(below: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(below)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The code above the tests, without comments.
fn code(text: &str) -> String {
    let product = text.split("\nmod tests {").next().unwrap_or_default();
    product.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms that a text names: `crate::ROOM`, also within `use crate::{ROOM, OTHER::{..}}`.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let name = |text: &str| text.chars().take_while(|c| is_of_name(*c)).collect::<String>();
    let mut rooms = BTreeSet::new();
    for (at, head) in text.match_indices("crate::") {
        let rest = &text[at + head.len()..];
        if text[..at].ends_with(is_of_name) || !rest.starts_with('{') {
            rooms.insert(name(rest));
            continue;
        }
        let (mut depth, mut is_start) = (0, true);
        for (at, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ if depth == 1 && is_start && is_of_name(c) => {
                    rooms.insert(name(&rest[at..]));
                    is_start = false;
                }
                _ => {}
            }
            is_start |= c == ',' || at == 0;
            if depth == 0 {
                break;
            }
        }
    }
    rooms
}

#[test]
fn rooms_in_groups_are_seen() {
    let text =
        "use crate::{report, words::{self, report_all}, store};\nlet x = crate::reported_faults::new();";
    assert_eq!(
        rooms_named(text).into_iter().collect::<Vec<_>>(),
        ["report", "reported_faults", "store", "words"]
    );
}

fn is_test(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.contains("/tests") || path.contains("/scenes")
}

fn room_of(path: &Path) -> String {
    let first = path.components().nth(1).unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn rooms_do_not_call_each_other() {
    for (path, text) in sources("src") {
        let room = room_of(&path);
        if ["core", "lib"].contains(&room.as_str()) || is_test(&path) {
            continue;
        }
        let named = rooms_named(&code(&text));
        let above = CALLERS.iter().find(|(caller, _)| *caller == room).map(|(_, above)| *above);
        let others = ROOMS.iter().filter(|other| **other != room && named.contains(**other));
        for other in others {
            let allowed = above.is_some_and(|above| !above.contains(other))
                // The demo tells its story through the one room that prints.
                || room == "demo" && *other == "report"
                // One client for each outside system, for all who ask it.
                || *other == "managers" && USE_MANAGERS.contains(&room.as_str())
                // What a kind of probe and a restart method take is declared where they are carried out, and nowhere else.
                || room == "config" && *other == "probe" && !code(&text).replace("crate::probe::KINDS", "").contains("crate::probe")
                || room == "config" && *other == "restart" && !code(&text).replace("crate::restart::METHODS", "").contains("crate::restart");
            assert!(allowed, "{}: names the room {other}", path.display());
        }
    }
}

#[test]
fn what_all_rooms_lean_on_leans_on_no_room() {
    for (path, text) in sources("src") {
        let room = room_of(&path);
        if COMMON.contains(&room.as_str()) && !is_test(&path) {
            for other in ROOMS.iter().chain(["cli"].iter()) {
                assert!(!rooms_named(&code(&text)).contains(*other), "{}: names {other}", path.display());
            }
        }
    }
}

#[test]
fn core_names_nothing_but_itself_and_alloc() {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split('[').next().unwrap();
    assert_eq!(dependencies.trim(), "", "core has no dependency");
    for (path, text) in sources("src/core") {
        if is_test(&path) {
            continue;
        }
        for line in code(&text).lines().filter(|line| line.trim_start().starts_with("use ")) {
            let known = ["use alloc::", "use core::", "use crate::", "pub use "];
            assert!(
                known.iter().any(|start| line.trim_start().starts_with(start)),
                "{}: {line}",
                path.display()
            );
        }
        assert!(!code(&text).contains("std::"), "{}", path.display());
    }
    assert!(
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core/lib.rs"))
            .unwrap()
            .contains("#![no_std]")
    );
}

#[test]
fn only_those_who_call_rooms_read_the_clocks() {
    for (path, text) in sources("src") {
        if !is_test(&path) && !["run", "command", "setup", "os"].contains(&room_of(&path).as_str()) {
            assert!(
                !code(&text).contains("clock::now") && !code(&text).contains("clock::monotonic"),
                "{}",
                path.display()
            );
        }
    }
}

/// Programs of the operator and of managers, getent, and the demo's own two.
const CHOOSE_PROGRAMS: [&str; 9] = [
    "src/demo.rs",
    "src/managers/containers.rs",
    "src/managers/supervisord.rs",
    "src/managers/systemd.rs",
    "src/managers/systemd/outside.rs",
    "src/probe/command.rs",
    "src/probe/log/journal.rs",
    "src/probe/name_service.rs",
    "src/restart/command.rs",
];

/// Settings, who started us, what the terminal can do, where the authorities are; the rest hand PATH on.
const READ_ENVIRONMENT: [&str; 8] = [
    "src/command/context.rs",
    "src/command/run.rs",
    "src/config/files.rs",
    "src/demo.rs",
    "src/managers/systemd.rs",
    "src/os/programs.rs",
    "src/probe/log/journal.rs",
    "src/probe/tls.rs",
];

/// The files of the product whose code has one of `texts`, by name.
fn files_with(texts: &[&str]) -> BTreeSet<String> {
    let product = sources("src").into_iter().filter(|(path, _)| !is_test(path));
    let with = product.filter(|(_, text)| texts.iter().any(|sought| code(text).contains(sought)));
    with.map(|(path, _)| path.to_string_lossy().into_owned()).collect()
}

/// A file-wide expectation opens every wall to its file; these lists do not.
#[test]
fn only_the_files_listed_choose_programs_and_read_the_environment() {
    let listed = |files: &[&str]| files.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(files_with(&["Command::new("]), listed(&CHOOSE_PROGRAMS));
    assert_eq!(files_with(&["env::var"]), listed(&READ_ENVIRONMENT));
}

#[test]
fn only_command_report_and_log_print_and_the_writer_to_stderr() {
    for (path, text) in sources("src") {
        let prints = ["print!(", "println!", "io::stdout", "io::stderr"]
            .iter()
            .any(|print| code(&text).contains(print));
        assert!(
            !prints
                || is_test(&path)
                || path.ends_with("os/stderr.rs")
                || ["report", "log", "command"].contains(&room_of(&path).as_str()),
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        assert!(text.starts_with("//!") || short(&text), "{}: no //! at its top", path.display());
    }
}

/// A file of one type, which says it there.
fn short(text: &str) -> bool {
    text.lines().count() < 60 && text.contains("///")
}

#[test]
fn files_fit_in_the_head() {
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        assert!(text.lines().count() <= 500, "{}: {} lines", path.display(), text.lines().count());
    }
}

/// One word has one meaning: CONTRIBUTING.md has the glossary. `Value` and `Target` are what serde and Deref call theirs.
#[test]
fn no_type_is_defined_twice() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in sources("src") {
        if is_test(&path) {
            continue;
        }
        for line in code(&text).lines() {
            let words: Vec<&str> =
                line.split_whitespace().skip_while(|word| word.starts_with("pub")).collect();
            if let ["struct" | "enum" | "trait" | "type", name, ..] = words[..] {
                let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
                places.entry(name).or_default().push(path.display().to_string());
            }
        }
    }
    assert!(places.len() > 200, "types are written otherwise now");
    places.retain(|name, places| places.len() > 1 && name != "Value" && name != "Target");
    assert_eq!(places, BTreeMap::new());
}

#[test]
fn no_glob_imports_but_in_tests() {
    for (path, text) in sources("src") {
        if !is_test(&path) {
            assert!(!code(&text).contains("::*;"), "{}", path.display());
        }
    }
}

/// Who wants more reads the manual.
#[test]
fn the_readme_is_short_and_keeps_its_two_commands() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(readme.lines().count() <= 150, "README.md has {} lines", readme.lines().count());
    for command in ["cargo run --release -- demo", "cargo test"] {
        assert!(readme.lines().any(|line| line == command), "{command}");
    }
}
