//! `memory = "ram"`, `memory = "swap"`: how full they are.

use std::fs;

use crate::harness::Scene;
use crate::view;

#[test]
fn a_full_memory_warns_and_counts_only_if_it_is_to() {
    let scene = Scene::new();
    let keys = |optional: &str| {
        format!(
            "[service.app.probe.memory]\nmemory = \"ram\"\nfail = \"95%\"\n{optional}\n[service.app.probe.swap]\nmemory = \"swap\""
        )
    };
    if !view::can_be_set() {
        return;
    }
    let run = |left: &str, arguments: &[&str]| {
        let text = format!("MemTotal: 1000 kB\nMemAvailable: {left} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
        fs::write(scene.path("meminfo"), text).unwrap();
        scene.pass(120);
        view::run(&scene, &[("meminfo", "/proc/meminfo")], arguments)
    };
    scene.keys(&keys(""));
    run("101", &["run"]).exits(0);
    run("100", &["check"])
        .ends(1)
        .prints("UNHANG WARNING - app: *memory: 90% of the memory used (warn 90%)*\n", "");
    run("10", &["run"]).exits(0).logs(&["*memory: 99% of the memory used (fail 95%)*"]);
    run("x", &["check"]).ends(1).prints("*does not say how much memory is left*\n", "");
    scene.keys(&keys("optional = false"));
    run("x", &["run"])
        .exits(1)
        .logs(&["❓*memory: /proc/meminfo does not say how much memory is left*", "*"]);
    run("10", &["run"]).exits(1).logs(&["⚠️*1/2: 99% of the memory used (fail 95%)"]);
    run("10", &["run"])
        .exits(1)
        .logs(&["⚠️*2/2*", "🔄*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}
