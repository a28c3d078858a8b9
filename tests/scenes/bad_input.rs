//! A clear line, exit code 2, and nothing probed.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::harness::{Answer, Scene};

#[track_caller]
fn refused(scene: &Scene, arguments: &[&str], message: &str) {
    scene.run(arguments).ends(2).prints("", message);
    assert_eq!(scene.server.requests().len(), 0, "nothing was probed");
}

#[test]
fn a_fault_of_the_configuration_names_file_line_key_and_cure() {
    let scene = Scene::new();
    for (key, message) in [
        ("max_failures = 0", "max_failures: *1 or more*0*"),
        ("timeout = 5", "timeout: *\"5s\"*"),
        ("max_failure = 3", "max_failure: *did you mean max_failures?*"),
        ("mode = \"maybe\"", "mode: *act*observe*"),
    ] {
        scene.keys(key);
        refused(&scene, &["run"], &format!("unhang: *unhang.toml:10: service.app.{message}\n"));
        refused(&scene, &["config", "check"], &format!("unhang: *unhang.toml:10: service.app.{message}\n"));
    }
}

#[test]
fn a_flag_and_a_variable_are_named_as_typed() {
    let scene = Scene::new();
    refused(&scene, &["run", "--max-failures", "two"], "unhang: *--max-failures*two*\n");
    scene.env("UNHANG_TIMEOUT", "soon");
    refused(&scene, &["run"], "unhang: *UNHANG_TIMEOUT*soon*\n");
}

#[test]
fn an_unknown_service_gets_the_list_of_the_known() {
    refused(&Scene::new(), &["run", "--only", "ap"], "unhang: --only: no service \"ap\"*app*\n");
}

#[test]
fn a_command_line_that_cannot_be_is_one_line_with_what_to_type() {
    let scene = Scene::new();
    refused(&scene, &["statsu"], "unhang: statsu: no such command; did you mean unhang status?\n");
    refused(&scene, &["run", "app"], "unhang: app: run takes no NAME alone; type unhang run --only app\n");
    scene.run(&["config"]).ends(2).prints("", "unhang: config: needs a command; see unhang config --help\n");
}

#[test]
fn a_missing_file_says_what_to_write() {
    let scene = Scene::new();
    let output = scene
        .bare(std::path::Path::new(env!("CARGO_BIN_EXE_unhang")))
        .args(["run", "--config", "/nowhere/unhang.toml"])
        .output()
        .unwrap();
    scene.ran(output).ends(2).prints("", "unhang: /nowhere/unhang.toml: *\n");
}

#[test]
fn a_user_who_has_a_file_of_their_own_uses_that() {
    let scene = Scene::new();
    open_to(scene.dir.path(), 0o755);
    let at = |folder: &str| scene.path(folder).display().to_string();
    for (variables, folder) in [
        (vec![("XDG_CONFIG_HOME", at("own")), ("HOME", at("home"))], "own"),
        (vec![("HOME", at("home"))], "home/.config"),
        (vec![("XDG_CONFIG_HOME", "own".to_owned()), ("HOME", at("home"))], "home/.config"),
    ] {
        let file = scene.path(folder).join("unhang/unhang.toml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "[service.mine]\nurl = \"http://localhost/\"\n").unwrap();
        let output = as_no_root(&scene).args(["config", "show"]).envs(variables).output().unwrap();
        scene.ran(output).ends(0).prints(&format!("[service.mine]\nurl *  # {}:2\n*", file.display()), "");
        std::fs::remove_file(&file).unwrap();
    }
}

/// Who is root already has no file of their own.
fn as_no_root(scene: &Scene) -> Command {
    if !rustix::process::geteuid().is_root() {
        return scene.bare(Path::new(env!("CARGO_BIN_EXE_unhang")));
    }
    // The folder that it was built in may be root's alone.
    let program = scene.path("bin/unhang");
    if !program.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_unhang"), &program).unwrap();
    }
    let mut command = scene.bare(&program);
    command.uid(65_534).gid(65_534);
    command
}

fn open_to(folder: &Path, mode: u32) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn flags_beat_the_environment_and_that_beats_the_file() {
    let scene = Scene::new();
    scene.keys("max_failures = 7").server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/7"]);
    scene.env("UNHANG_MAX_FAILURES", "5");
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*2/5"]);
    scene.pass(120);
    scene.run(&["run", "--max-failures", "4"]).exits(1).logs(&["⚠️*3/4"]);
    // An empty variable is none.
    scene.env("UNHANG_MAX_FAILURES", "").env("UNHANG_URL", "");
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*4/7"]);
}

#[test]
fn config_check_says_that_all_is_right() {
    let scene = Scene::new();
    scene.run(&["config", "check"]).ends(0).prints("ok: 1 service(s): app\n", "");
    assert_eq!(scene.server.requests().len(), 0);
}

#[test]
fn config_check_says_what_the_host_lacks_for_the_plan() {
    let scene = Scene::new();
    let (missing, plain) = (scene.path("missing.sh"), scene.path("plain.sh"));
    std::fs::write(&plain, "#!/bin/sh\n").unwrap();
    // It is where the caller's PATH leads, and not cron's.
    scene.executable("bin/elsewhere", "#!/bin/sh\n").executable("text", "systemctl restart app\n");
    let restart = |program: &str| format!("restart = [\"{program}\", \"an argument\"]");
    let at = |path: &std::path::Path| path.display().to_string();
    for (keys, fault) in [
        (
            restart(&at(&missing)),
            "restart: a restart would fail: there is no program */missing.sh; install it, or correct the path",
        ),
        (
            restart("missing.sh"),
            "restart: a restart would fail: there is no program missing.sh; install it, or correct the path",
        ),
        (
            "restart = [\"systemctl restart app\"]".to_owned(),
            "restart: a restart would fail: there is no program systemctl restart app; write each word apart: [\"cmd\", \"an argument\"]",
        ),
        (
            restart("elsewhere"),
            "restart: a restart would fail: cron would not find elsewhere (its PATH is /usr/bin:/bin); write its full path: */bin/elsewhere",
        ),
        (
            restart("/nowhere/elsewhere"),
            "restart: a restart would fail: there is no program /nowhere/elsewhere; write its full path: */bin/elsewhere",
        ),
        (
            restart(&at(&plain)),
            "restart: a restart would fail: */plain.sh may not be executed; type chmod +x */plain.sh",
        ),
        (
            restart(&at(scene.dir.path())),
            "restart: a restart would fail: * is a folder; write the path of a program",
        ),
        (
            restart(&at(&scene.path("text"))),
            "restart: a restart would fail: */text is a text that no program runs; let its first line say what does",
        ),
        (
            "unit = \"gone\"".to_owned(),
            "unit: a restart would fail: systemd knows no gone.service; write its name; this lists them: systemctl list-units --all --type=service",
        ),
        (
            "escalate = [\"restart\", [\"missing.sh\"]]".to_owned(),
            "escalate: this step would be skipped: there is no program missing.sh; install it, or correct the path",
        ),
    ] {
        scene.keys(&keys);
        let message = format!("unhang: */unhang.toml:10: service.app.{fault}\n");
        scene.run(&["config", "check"]).ends(2).prints("", &message).acts(&[]);
    }
    // A key that nobody wrote is told at its table.
    scene.keys("").config(&scene.config_text().replace("service.app", "service.gone"));
    let message = "unhang: */unhang.toml:7: service.gone.unit: a restart would fail: systemd knows no gone.service; *\n";
    scene.run(&["config", "check"]).ends(2).prints("", message).acts(&[]);
    scene
        .keys("[service.app.probe.x]\ncommand = [\"missing.sh\"]\n[service.app.probe.y]\ncommand = [\"sh\"]");
    let message = "unhang: */unhang.toml:11: service.app.probe.x.command: the probe would tell nothing: there is no program missing.sh; *\n";
    scene.run(&["config", "check"]).ends(2).prints("", message).acts(&[]);
    scene.env("UNHANG_RESTART_COMMAND", "missing.sh").env("UNHANG_URL", "http://x").env("UNHANG_NAME", "x");
    let message =
        "unhang: UNHANG_RESTART_COMMAND: a restart would fail: there is no program missing.sh; *\n*";
    scene.run(&["config", "check"]).ends(2).prints("", message).acts(&[]);
    for name in ["UNHANG_RESTART_COMMAND", "UNHANG_URL", "UNHANG_NAME"] {
        scene.env(name, "");
    }
    scene.keys(&restart("sh"));
    scene.run(&["config", "check"]).ends(0).prints("ok: *\n", "");
    let logs = scene.path("none/app.log");
    scene.env("UNHANG_LOG_FILE", &at(&logs));
    let message = "unhang: UNHANG_LOG_FILE: nothing would be logged: */none/app.log cannot be written: there is no folder */none; \
                   make the folder, or name another file\n";
    scene.run(&["config", "check"]).ends(2).prints("", message);
    assert!(!logs.exists() && scene.server.requests().is_empty());
}

#[test]
fn config_check_says_who_else_could_change_the_configuration() {
    let scene = Scene::new();
    open_to(scene.dir.path(), 0o777);
    // What is not root's is its owner's own affair.
    let (code, stdout, stderr) = if rustix::process::geteuid().is_root() {
        let who = "unhang: *: writable by others (mode 0777), who could run commands as root";
        (2, "", format!("{who}; put the file into a folder that only root may write, such as /etc/unhang\n"))
    } else {
        (0, "ok: *\n", String::new())
    };
    scene.run(&["config", "check"]).ends(code).prints(stdout, &stderr);
    open_to(scene.dir.path(), 0o755);
    scene.run(&["config", "check"]).ends(0).prints("ok: *\n", "");
}
