//! The keys of the restart methods: how the method is chosen, and what it is told.

use super::*;
use crate::restart::METHODS;

/// Each method, and all keys that it takes with their defaults. These lines are what a fingerprint is made from.
const CHOSEN: &[(&str, &str)] = &[
    ("", "unit = \"shop.service\"\nscope = \"system\"\n"),
    ("scope = \"user\"", "unit = \"shop.service\"\nscope = \"user\"\n"),
    ("unit = \"a\"", "unit = \"a.service\"\nscope = \"system\"\n"),
    ("restart = [\"a\", \"b c\"]", "restart = [\"a\", \"b c\"]\n"),
    ("restart = []", "restart = []\n"),
    ("restart.docker = \"web\"", "restart.docker = \"web\"\n"),
    ("restart.docker = \"web\"\nscope = \"system\"", "restart.docker = \"web\"\n"),
    ("restart.podman = \"web\"", "restart.podman = \"web\"\n"),
    (
        "restart = { compose = \"web\", project = \"/opt/a\" }",
        "restart.compose = \"web\"\nrestart.project = \"/opt/a\"\n",
    ),
    ("restart.supervisor = \"a:b\"", "restart.supervisor = \"a:b\"\n"),
    (
        "restart = { supervisor = \"web\", config = \"/a\" }",
        "restart.supervisor = \"web\"\nrestart.config = \"/a\"\n",
    ),
    ("restart.hook = \"/a\"", "restart.hook = \"/a\"\n"),
    ("wake.pings = 2\nrestart = []", "wake.pings = 2\nwake.every = \"30s\"\nwake.timeout = \"30s\"\n"),
    (
        "wake = { pings = 3, every = \"1s\", timeout = \"2s\" }",
        "wake.pings = 3\nwake.every = \"1s\"\nwake.timeout = \"2s\"\n",
    ),
];

#[test]
fn a_key_chooses_the_method_and_its_other_keys_have_their_defaults() {
    for (said, expected) in CHOSEN {
        let service = one(&format!("{SHOP}{said}"), &[]);
        let lines = lines::restart_lines(&service.restarter);
        let lines: String = lines.iter().flat_map(|(key, value)| [key, " = ", value, "\n"]).collect();
        assert_eq!(lines, *expected, "{said}");
    }
    for method in METHODS {
        let key = method.spec.main_key.name;
        assert!(CHOSEN.iter().any(|(_, lines)| lines.starts_with(&format!("{key} = "))), "{key}");
    }
}

#[test]
fn what_does_not_go_together_is_a_fault() {
    for (said, expected) in [
        ("unit = \"a\"\nrestart.docker = \"b\"", "unit: cannot stand together with restart.docker"),
        ("unit = \"a\"\nwake.pings = 2", "unit: cannot stand together with wake.pings"),
        ("unit = \"a\"\nrestart = []", "unit: cannot stand together with restart"),
        ("wake.every = \"2s\"", "wake.every: only together with wake.pings"),
        (
            "restart.docker = \"a\"\nrestart.project = \"/a\"",
            "restart.project: only together with restart.compose",
        ),
        ("restart.compose = \"a\"", "restart.compose: needs a project beside it"),
        ("restart.docker = \"a\"\nscope = \"user\"", "scope: only for systemd units"),
        ("wake.pings = 21", "wake.pings: must be a whole number, 1 to 20, got 21"),
        ("restart.supervisor = \"shop:\"", "restart.supervisor: must be one program of supervisord's"),
        ("restart.supervisor = \"all\"", "restart.supervisor: must be one program of supervisord's"),
        (
            "restart = { compose = \"a\", project = \"opt\" }",
            "restart.project: must be the absolute path of a folder, such as \"/opt/shop\"",
        ),
        (
            "restart.hook = \"hook\"",
            "restart.hook: must be the absolute path of a file, such as \"/etc/unhang/shop.hook\"",
        ),
        ("scope = \"root\"", "scope: must be one of \"system\", \"user\", got \"root\""),
    ] {
        let faults = read(&format!("{SHOP}{said}"), &[]).unwrap_err();
        let is_told = |fault: &String| fault.contains(&format!("service.shop.{expected}"));
        assert!(faults.len() == 1 && faults.iter().any(is_told), "{said}: {faults:?}");
    }
}
