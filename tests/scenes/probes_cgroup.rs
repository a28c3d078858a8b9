//! `cgroup = "shop.service"`: how near its memory is to its limit.

use std::fs;

use crate::harness::Scene;
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
        .logs(&["❓*what the kernel says of its memory is not understood", "✅ app warns no more: *"]);
    tick("104857600", "max", "52428800")
        .exits(1)
        .logs(&["⚠️*1/2: 100% of MemoryMax used (50M of 50M) (fail 97%)"]);
    tick("104857600", "max", "52428800")
        .exits(1)
        .logs(&["⚠️*2/2*", "🔄*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn one_that_has_no_fail_only_warns_and_is_not_all_that_a_service_has() {
    let scene = Scene::new();
    scene.keys("[service.app.probe.memory]\ncgroup = \"no-such.service\"");
    scene.tick().exits(0).logs(&["⚠️ app warns: memory: *"]);
    let without_url = "[service.app]\n[service.app.probe.memory]\ncgroup = \"app.service\"";
    for (text, told) in [
        (without_url.to_owned(), "*: none of its probes counts: each is optional, or has no fail; add url*"),
        (
            format!("{without_url}\noptional = false"),
            "*.optional: cannot be false without fail: nothing of it could fail; say*",
        ),
    ] {
        scene.config(&text);
        scene.run(&["config", "check"]).ends(2).prints("", &format!("unhang: {told}\n"));
    }
    // What is wrong with fail itself is told, and nothing else.
    scene.config(&format!("{without_url}\noptional = false\nfail = \"9x\""));
    let told = scene.run(&["config", "check"]).ends(2);
    assert_eq!(String::from_utf8_lossy(&told.output.stderr).lines().count(), 1);
    told.prints("", "unhang: *.fail: must be *\n");
    scene.config(&format!("{without_url}\nfail = \"97%\"\n"));
    scene.run(&["config", "show"]).ends(0).prints("*optional = false*", "");
}
