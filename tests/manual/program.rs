//! What the program itself says that there is: commands, flags, keys with their defaults.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, ExitStatus};

use crate::Names;

/// A plan that needs no file, and a port where nobody is.
pub(crate) const ONE: [&str; 4] = ["--unit", "x.service", "--url", "http://localhost:1/"];

/// In an environment of its own; how it ended.
pub(crate) fn unhang_ends(arguments: &[&str]) -> ExitStatus {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unhang"));
    command.env_clear().args(arguments).output().unwrap().status
}

/// Likewise; whether it ended well, and what it printed.
pub(crate) fn unhang(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unhang"));
    let output = command.env_clear().args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

pub(crate) struct Help {
    pub(crate) commands: Vec<String>,
    pub(crate) flags: Names,
}

impl Help {
    /// Commands stand two columns in, below `Commands:`; a flag two columns in if it has a short one, else six.
    pub(crate) fn of(command: &[&str]) -> Self {
        let (_, text) = unhang(&[command, &["--help"]].concat());
        let (mut help, mut heading) = (Self { commands: vec![], flags: Names::new() }, "");
        for line in text.lines() {
            let words = line.trim_start();
            match line.len() - words.len() {
                0 => heading = line,
                2 if heading == "Commands:" => {
                    help.commands.push(words.split(' ').next().unwrap().to_owned());
                }
                2 | 6 if words.starts_with('-') => help.flags.extend(flags_of(words)),
                _ => {}
            }
        }
        help
    }
}

/// `-v, --verbose   Copy`: both.
pub(crate) fn flags_of(line: &str) -> impl Iterator<Item = String> {
    let head = line.split("  ").next().unwrap();
    head.split(", ").map(|flag| flag.split([' ', '[', '<']).next().unwrap().to_owned())
}

/// `config check` and its flags; every command that can be run.
pub(crate) fn commands() -> BTreeMap<String, Names> {
    let mut found = BTreeMap::new();
    let mut to_ask: Vec<Vec<String>> = vec![vec![]];
    while let Some(path) = to_ask.pop() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let help = Help::of(&words);
        if help.commands.is_empty() {
            found.insert(path.join(" "), help.flags);
        } else {
            to_ask.extend(help.commands.into_iter().map(|name| [&path[..], &[name]].concat()));
        }
    }
    assert!(found.len() >= 7, "{found:?}");
    found
}

pub(crate) const EVERY_KEY_WITHOUT_A_DEFAULT: &str = r#"
[service.x]
url = "http://localhost/"
restart = ["x"]
headers = { A = "b" }
requires = ["tcp:localhost:1"]
maintenance = { status = "503", header = "A" }
body = { contains = "a", lacks = "b", regex = "c" }
json = { fail_on = "warning", ignore = ["cache"], warn = ["memory"], parts = ["backup"], at = "/a", is = "b", min = 1, max = 2 }
latency = { warn = "1s", fail = "2s" }
status_warn = "429"
method = "POST"
request_body = "x"
[service.y]
url = "http://localhost/"
restart = { compose = "web", project = "/x" }
[service.z]
url = "http://localhost/"
restart = { supervisor = "web", config = "/x" }
[service.v]
url = "http://localhost/"
restart.docker = "x"
[service.w]
url = "http://localhost/"
restart.podman = "x"
[service.t]
url = "http://localhost/"
wake.pings = 1
[service.u]
url = "http://localhost/"
restart.hook = "/x"
[host]
hold_when = { memory_some_avg60 = "9%", memory_full_avg60 = "9%", cpu_some_avg60 = "9%", io_some_avg60 = "9%", io_full_avg60 = "9%" }
"#;

/// `service` and `host`, each with its keys and their values, as `config show` tells them.
pub(crate) fn shown() -> BTreeMap<String, BTreeMap<String, Option<String>>> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("unhang.toml");
    fs::write(&file, EVERY_KEY_WITHOUT_A_DEFAULT).unwrap();
    let in_a_file = ["--config", file.to_str().unwrap()];
    let mut sections = BTreeMap::<String, BTreeMap<String, Option<String>>>::new();
    // The second time for what the first has not.
    for plan in [&ONE[..], &in_a_file] {
        let (ends_well, text) = unhang(&[&["config", "show"], plan].concat());
        assert!(ends_well, "{text}");
        let mut section = String::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(header) = line.strip_prefix('[') {
                header.trim_end_matches(']').split('.').next().unwrap().clone_into(&mut section);
                continue;
            }
            let (key, rest) = line.split_once(" = ").unwrap();
            let key = if key.starts_with("headers.") { "headers" } else { key };
            let value = rest.rsplit_once("  # ").unwrap().0.trim_end();
            let keys = sections.entry(section.clone()).or_default();
            keys.entry(key.to_owned()).or_insert_with(|| Some(value.to_owned()));
        }
    }
    sections
}

/// `"1m50s"` and `"110s"` are the same.
pub(crate) fn in_seconds(value: &str) -> String {
    let mut left = value.trim_matches('"');
    let mut seconds = 0;
    while let Some(end) = left.find(|c: char| !c.is_ascii_digit()) {
        let Ok(number) = left[..end].parse::<u64>() else { return value.to_owned() };
        seconds += number
            * match &left[end..=end] {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                _ => return value.to_owned(),
            };
        left = &left[end + 1..];
    }
    if left.is_empty() && seconds > 0 { format!("{seconds} seconds") } else { value.to_owned() }
}

/// The kinds of probe, each with its keys and their defaults.
pub(crate) fn keys_of_kinds() -> BTreeMap<String, BTreeMap<String, Option<String>>> {
    let (_, list) = unhang(&["config", "keys"]);
    let mut kinds = BTreeMap::new();
    for section in list.split("\n\n") {
        let (heading, keys) = section.split_once('\n').unwrap();
        let Some(kind) = heading.strip_prefix("[service.NAME.probe.PROBE] with ") else { continue };
        let of_line = |line: &str| {
            let columns: Vec<&str> =
                line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
            (columns[0].to_owned(), Some(columns[2].to_owned()).filter(|default| default != "-"))
        };
        if kind != "url" {
            kinds.insert(kind.to_owned(), keys.lines().map(of_line).collect());
        }
    }
    assert!(kinds.len() > 10, "{kinds:?}");
    kinds
}
