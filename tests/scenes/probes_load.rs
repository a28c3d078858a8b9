//! `load = "5m"`: how much each processor has to bear.

use std::fs;

use crate::harness::Scene;
use crate::view;

#[test]
fn a_high_load_warns_and_counts_only_if_it_is_to() {
    let scene = Scene::new();
    let keys = |more: &str| format!("[service.app.probe.load]\nload = \"5m\"\n{more}");
    if !view::can_be_set() {
        return;
    }
    fs::write(scene.path("online"), "0-3\n").unwrap();
    let run = |load: &str, arguments: &[&str]| {
        fs::write(scene.path("loadavg"), format!("99.00 {load} 99.00 1/100 4711\n")).unwrap();
        scene.pass(120);
        let shown = [("loadavg", "/proc/loadavg"), ("online", "/sys/devices/system/cpu/online")];
        view::run(&scene, &shown, arguments)
    };
    scene.keys(&keys(""));
    run("15.99", &["run"]).exits(0);
    run("16.00", &["check"])
        .ends(1)
        .prints("UNHANG WARNING - app: *load: load 4.00 per processor (5m) (warn 4.00)*\n", "");
    run("x", &["check"]).ends(1).prints("*/proc/loadavg does not say the load*\n", "");
    scene.keys(&keys("fail = \"20\"\noptional = false"));
    run("x", &["run"]).exits(1).logs(&["❓*load: /proc/loadavg does not say the load*"]);
    run("80.00", &["run"]).exits(1).logs(&["⚠️*1/2: load 20.00 per processor (5m) (fail 20.00)"]);
    run("80.00", &["run"])
        .exits(1)
        .logs(&["⚠️*2/2*", "🔄*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}
