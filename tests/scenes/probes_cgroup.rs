//! `cgroup = "shop.service"`: how near its memory is to its limit.

use std::fs;

use crate::harness::{Answer, Scene};
use crate::view;

#[test]
fn a_unit_near_its_memory_limit_warns_and_one_over_fail_is_restarted() {
    let scene = Scene::new();
    scene.keys("[service.app.probe.memory]\ncgroup = \"app.service\"\nfail = \"97%\"");
    scene.tick().exits(1).logs(&["❓ app not judged (unknown): memory: *"]);
    if !view::can_be_set() {
        return;
    }
    let group = scene.path("groups/system.slice/app.service");
    fs::create_dir_all(&group).unwrap();
    fs::write(scene.path("groups/cgroup.controllers"), "memory pids\n").unwrap();
    fs::write(group.join("memory.stat"), "anon 1\ninactive_file 52428800\n").unwrap();
    let tick = |used: &str, high: &str, max: &str| {
        for (name, text) in [("current", used), ("high", high), ("max", max)] {
            fs::write(group.join(format!("memory.{name}")), format!("{text}\n")).unwrap();
        }
        scene.pass(120);
        view::run(&scene, &[("groups", "/sys/fs/cgroup")], &["run"])
    };
    tick("104857600", "max", "max").exits(0).logs(&["✅*"]);
    tick("104857600", "104857600", "max").exits(0);
    tick("104857600", "57671680", "max").exits(0).logs(&["*90% of MemoryHigh used (50M of 55M) (warn 90%)*"]);
    tick("104857600", "max", "x")
        .exits(1)
        .logs(&["❓*cannot parse the kernel's memory figures", "✅ app warning cleared: *"]);
    tick("104857600", "max", "52428800")
        .exits(1)
        .logs(&["⚠️*1/2: 100% of MemoryMax used (50M of 50M) (fail 97%)"]);
    tick("104857600", "max", "52428800")
        .exits(1)
        .logs(&["⚠️*2/2*", "🔄*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn one_that_has_no_fail_only_warns() {
    let scene = Scene::new();
    scene.keys("[service.app.probe.memory]\ncgroup = \"no-such.service\"");
    scene.tick().exits(0).logs(&["⚠️ app warning: memory: *"]);
    let without_url = "[service.app]\n[service.app.probe.memory]\ncgroup = \"app.service\"";
    scene.config(&format!("{without_url}\noptional = false"));
    let told = "*.optional: cannot be false without fail: nothing of it could fail; say*";
    scene.run(&["config", "check"]).ends(2).prints("", &format!("unhang: {told}\n"));
    // What is wrong with fail itself is told, and nothing else.
    scene.config(&format!("{without_url}\noptional = false\nfail = \"9x\""));
    let told = scene.run(&["config", "check"]).ends(2);
    assert_eq!(String::from_utf8_lossy(&told.output.stderr).lines().count(), 1);
    told.prints("", "unhang: *.fail: must be *\n");
    scene.config(&format!("{without_url}\nfail = \"97%\"\n"));
    scene.run(&["config", "show"]).ends(0).prints("*optional = false*", "");
}

/// What a host has and no service: its disks, its memory, its backup.
#[test]
fn a_service_may_be_made_of_warnings_only() {
    let scene = Scene::new();
    let log = scene.path("app.log").display().to_string();
    let text = |path: &str| {
        format!(
            "[defaults]\nlog_file = \"{log}\"\n[service.host.probe.backup]\nfile = \"{path}\"\nage.fail = \"26h\"\n\
             [service.host.probe.disk]\ndisk = \"/\"\nwarn = \"100%\"\n"
        )
    };
    scene.config(&text(&log));
    std::fs::write(&log, "").unwrap();
    scene.run(&["config", "check"]).ends(0).prints("ok: 1 service(s): host\n", "").acts(&[]).calls(&[]);
    scene.tick().exits(0).logs(&[]).calls(&[]);
    scene.run(&["check"]).ends(0).prints("UNHANG OK - host: 2 probes healthy | host=U;;5;0;5\n", "");
    scene.config(&text("/nowhere/backup"));
    scene.tick().exits(0).logs(&["⚠️ host warning: backup: *"]).calls(&[]);
    scene
        .run(&["check"])
        .ends(1)
        .prints("UNHANG WARNING - host: 1 probe healthy; warning: backup: * | *\n", "");
    scene.config(&text(&log));
    scene.tick().exits(0).logs(&["✅ host warning cleared: backup: *"]).calls(&[]);
}

#[test]
fn several_services_may_write_one_log() {
    let scene = Scene::new();
    let (log, url) = (scene.path("app.log").display().to_string(), scene.server.url());
    let service = |name: &str| format!("[service.{name}]\nurl = \"{url}\"\nrestart = []\n");
    let names: Vec<String> = (0..8).map(|n| format!("s{n}")).collect();
    let services: String = names.iter().map(|name| service(name)).collect();
    scene.config(&format!("[defaults]\nlog_file = \"{log}\"\n{services}"));
    scene.server.answers(&[Answer::Status(502)]);
    let ran = scene.tick().ends(1);
    let mut told: Vec<&str> = ran.log.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told, names);
    drop(ran.logs(&["*"]).exits(1));
}
