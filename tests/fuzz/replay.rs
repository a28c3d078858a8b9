//! The laws over what is kept: the corpus, what a real systemd printed, and the sample configuration. Needs no
//! libFuzzer. Files that are named after a law's name are tried alone: replay http FILE...

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use unhang_fuzz::laws::law;

/// Below the root of the house; the names are those of the laws.
const KEPT: [(&str, &str); 8] = [
    ("config", "tests/fuzz/corpus/config"),
    ("config", "contrib/unhang.toml"),
    ("health", "tests/fuzz/corpus/health"),
    ("http", "tests/fuzz/corpus/http"),
    ("show", "tests/fuzz/corpus/show"),
    ("show", "tests/host/recorded"),
    ("state", "tests/fuzz/corpus/state"),
    ("url", "tests/fuzz/corpus/url"),
];

fn main() {
    let mut arguments = env::args().skip(1);
    if let Some(name) = arguments.next() {
        arguments.for_each(|file| try_all(&name, Path::new(&file)));
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (name, below) in KEPT {
        try_all(name, &root.join(below));
    }
}

/// A law that does not hold panics, and ends it.
fn try_all(name: &str, path: &Path) {
    let Some(law) = law(name) else {
        eprintln!("replay: {name}: no such law; there are config, health, http, show, state and url");
        process::exit(2);
    };
    let files = files(path);
    for file in &files {
        // Seen when it panics.
        let broken = Named(name, file);
        law(&fs::read(file).unwrap());
        std::mem::forget(broken);
    }
    assert!(!files.is_empty(), "{}: nothing is kept there", path.display());
    println!("{name}: holds for {} file(s) of {}", files.len(), path.display());
}

struct Named<'a>(&'a str, &'a Path);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        eprintln!("{}: broken by {}", self.0, self.1.display());
    }
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut found: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}
