//! What the shell offers to somebody who presses Tab, and what -h says.

use std::path::Path;

use crate::harness::Scene;

fn script(shell: &str) -> String {
    let scene = Scene::new();
    let output =
        scene.bare(Path::new(env!("CARGO_BIN_EXE_unhang"))).args(["completions", shell]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    String::from_utf8(output.stdout).unwrap()
}

/// Of the words typed so far, the last is to be completed.
fn offered(typed: &[&str]) -> Vec<String> {
    let scene = Scene::new();
    let (last, words) = (typed[typed.len() - 1], typed.join(" "));
    let text = format!(
        "{}\nCOMP_WORDS=({words}); COMP_CWORD={}\n_unhang unhang '{last}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script("bash"),
        typed.len() - 1,
        typed[typed.len() - 2],
    );
    let output = scene.bare(Path::new("bash")).args(["--norc", "-c", &text]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_offers_commands_and_flags() {
    assert_eq!(offered(&["unhang", "ch"]), ["check"]);
    assert_eq!(offered(&["unhang", "config", "sh"]), ["show"]);
    assert_eq!(offered(&["unhang", "run", "--max"]), ["--max-failures"]);
    assert_eq!(offered(&["unhang", "completions", "f"]), ["fish"]);
    assert_eq!(offered(&["unhang", "dem"]), ["demo"], "and nothing that is not for typing");
}

#[test]
fn zsh_and_fish_know_the_same_words() {
    for shell in ["zsh", "fish"] {
        let script = script(shell);
        for word in ["check", "status", "why", "reset", "config", "completions", "max-failures", "dry-run"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains("demo-"), "{shell}");
    }
}

#[test]
fn another_shell_is_told_which_there_are() {
    let scene = Scene::new();
    scene.run(&["completions", "tcsh"]).ends(2).prints(
        "",
        "unhang: SHELL: must be one of bash, zsh, fish, got \"tcsh\"; unhang completions --help says more\n",
    );
}

#[test]
fn each_command_says_first_what_it_is_for() {
    let help = |words: &[&str]| {
        let output = Scene::new().bare(Path::new(env!("CARGO_BIN_EXE_unhang"))).args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let all = help(&["-h"]);
    let listed =
        all.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let mut commands = 0;
    for (name, purpose) in listed.filter_map(|line| line.trim().split_once(' ')) {
        let own = help(&[name, "-h"]);
        assert_eq!(own.lines().next(), Some(purpose.trim()), "{name}");
        commands += 1;
    }
    assert!(commands > 10, "{all}");
}
