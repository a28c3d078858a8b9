//! Real files in a folder that stands for a host: which are read, and which are refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// A host's folders, somewhere else.
struct Host {
    dir: tempfile::TempDir,
    places: ConfigPlaces,
}

impl Host {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("conf.d")).unwrap();
        let places = ConfigPlaces {
            user: Some(at("user.toml")),
            main: at("unhang.toml"),
            folder: at("conf.d"),
            as_root: false,
        };
        Self { dir, places }
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        fs::write(self.dir.path().join(name), text).unwrap();
        self
    }

    /// `KEY N`: each service with its `max_failures`; or the faults.
    fn read(&self, flags: &[&str]) -> Vec<String> {
        let dir = format!("{}/", self.dir.path().display());
        let flags: Vec<String> = flags.iter().map(|flag| flag.replace("DIR/", &dir)).collect();
        let cli = cli(&flags.iter().map(String::as_str).collect::<Vec<_>>());
        match load_plan_at(&self.places, &cli.config_sources()) {
            Ok(plan) => {
                plan.services.iter().map(|s| format!("{} {}", s.key, s.policy.max_failures)).collect()
            }
            Err(faults) => faults.iter().map(|fault| fault.to_string().replace(&dir, "")).collect(),
        }
    }
}

fn service(name: &str) -> String {
    format!("[service.{name}]\nurl = \"http://localhost/\"\n")
}

#[test]
fn who_has_files_in_conf_d_needs_no_main_one() {
    let host = Host::new();
    assert!(host.read(&[])[0].starts_with("unhang.toml: no such file"), "{:?}", host.read(&[]));
    host.write("conf.d/1.toml", service("c"));
    assert_eq!(host.read(&[]), ["c 2"]);
}

#[test]
fn files_of_conf_d_add_services() {
    let host = Host::new();
    host.write("unhang.toml", format!("[defaults]\nmax_failures = 7\n{}", service("b")))
        .write("conf.d/1.toml", service("c"))
        .write("conf.d/0.toml", service("a"))
        .write("conf.d/.hidden.toml", service("d"))
        .write("conf.d/old.toml~", service("e"));
    assert_eq!(host.read(&[]), ["a 7", "b 7", "c 7"]);
    host.write("conf.d/2.toml", format!("{}[defaults]\n[host]\n", service("b")));
    host.write("conf.d/3.toml", format!("{}x = 1\n", service("a")));
    assert_eq!(
        host.read(&[]),
        [
            "conf.d/2.toml:1: service.b: is also defined at unhang.toml:3; remove one",
            "conf.d/2.toml:3: defaults: may stand in the main file only; move it to unhang.toml",
            "conf.d/2.toml:4: host: may stand in the main file only; move it to unhang.toml",
            "conf.d/3.toml:1: service.a: is also defined at conf.d/0.toml:1; remove one",
        ]
    );
    host.write("unhang.toml", "[").write("conf.d/1.toml", "]");
    let faults = host.read(&[]);
    assert!(
        faults.len() >= 2 && faults[0].starts_with("conf.d/1.toml:1: cannot be read as TOML"),
        "{faults:?}"
    );
}

#[test]
fn one_file_may_replace_all() {
    let host = Host::new();
    host.write("unhang.toml", service("a")).write("conf.d/1.toml", service("b"));
    assert_eq!(host.read(&[]), ["a 2", "b 2"]);
    host.write("user.toml", service("c"));
    assert_eq!(host.read(&[]), ["c 2"]);
    host.write("x.toml", service("d"));
    assert_eq!(host.read(&["--config", "DIR/x.toml"]), ["d 2"]);
    assert_eq!(host.read(&["--unit", "e", "--url", "http://x"]), ["e 2"]);
}

#[test]
fn files_that_are_not_there() {
    let mut host = Host::new();
    let sample = "two lines in it are enough: [service.NAME] and url = \"http://localhost:8000/health/\"";
    assert_eq!(host.read(&["--config", "DIR/x"]), [format!("x: no such file; {sample}")]);
    assert_eq!(host.read(&[]), [format!("unhang.toml: no such file, nor user.toml; {sample}")]);
    host.places.user = None;
    assert_eq!(host.read(&[]), [format!("unhang.toml: no such file; {sample}")]);
    host.places.folder = host.dir.path().join("nowhere");
    host.write("unhang.toml", service("a"));
    assert_eq!(host.read(&[]), ["a 2"]);
}

#[test]
fn files_that_are_no_text() {
    let host = Host::new();
    let refused = |text: &[u8], message: &str| {
        host.write("x", text);
        assert_eq!(host.read(&["--config", "DIR/x"]), [format!("x: {message}; nothing was probed")]);
    };
    refused(b"# a\n# \xff\n", "line 2 is not UTF-8");
    refused(&vec![b'\n'; 1024 * 1024 + 1], "is larger than 1 MiB");
    assert_eq!(
        host.read(&["--config", "DIR/conf.d"]),
        ["conf.d: cannot be read: is not a regular file; nothing was probed"]
    );
    assert_eq!(
        host.read(&["--config", "/dev/zero"]),
        ["/dev/zero: cannot be read: is not a regular file; nothing was probed"]
    );
    host.write("y", vec![b'\n'; 1024 * 1024]);
    assert!(host.read(&["--config", "DIR/y"])[0].starts_with("y: holds no service"));
}

#[test]
fn root_reads_only_what_root_alone_may_write() {
    use std::os::unix::fs::PermissionsExt;
    let mut host = Host::new();
    host.places.as_root = true;
    host.places.user = None;
    host.write("unhang.toml", service("a"));
    let chmod =
        |name: &str, mode| fs::set_permissions(host.dir.path().join(name), fs::Permissions::from_mode(mode));
    chmod("unhang.toml", 0o666).unwrap();
    let faults = host.read(&[]).join("\n");
    assert!(faults.contains("unhang.toml: "), "{faults}");
    assert!(faults.ends_with("could run commands as root; chown root unhang.toml && chmod go-w unhang.toml"));
    if rustix::process::geteuid().is_root() {
        assert!(faults.starts_with("unhang.toml: writable by others (mode 0666), who could"), "{faults}");
        chmod("unhang.toml", 0o644).unwrap();
        assert_eq!(host.read(&[]), ["a 2"]);
        chmod("conf.d", 0o777).unwrap();
        assert!(host.read(&[])[0].starts_with("conf.d: writable by others (mode 0777)"));
    }
}

#[test]
fn every_value_is_shown_with_its_origin_and_no_secret_with_it() {
    let host = Host::new();
    let text = "[defaults]\ntimeout = \"3s\"\n[service.shop]\nurl = \"http://localhost/?token=xyzzy\"\n\
        headers = { Authorization = \"Bearer xyzzy\", Host = \"shop.example\" }\nbudget = { restarts = 3 }\n";
    host.write("unhang.toml", text);
    let dir = format!("{}/", host.dir.path().display());
    let cli = cli(&["--max-failures", "4"]);
    let sections = show_config_at(&host.places, &cli.config_sources()).unwrap();
    let shown: Vec<String> = sections
        .iter()
        .flat_map(|section| {
            section.entries.iter().map(|entry| format!("{} = {}  # {}", entry.key, entry.value, entry.origin))
        })
        .map(|line| line.replace(&dir, ""))
        .collect();
    for line in [
        "url = \"http://localhost/?(hidden)\"  # unhang.toml:4",
        "unit = \"shop.service\"  # default",
        "timeout = \"3s\"  # unhang.toml:2",
        "max_failures = 4  # --max-failures",
        "budget.restarts = 3  # unhang.toml:6",
        "budget.window = \"1h\"  # default",
        "headers.Authorization = \"(hidden)\"  # unhang.toml:5",
        "headers.Host = \"shop.example\"  # unhang.toml:5",
        "boot_grace = \"2m\"  # default",
    ] {
        assert!(shown.iter().any(|shown| shown == line), "{line}\n{shown:#?}");
    }
    assert!(!shown.concat().contains("xyzzy"));
    assert_eq!(
        sections.iter().map(|section| section.name.as_str()).collect::<Vec<_>>(),
        ["service.shop", "host"]
    );
}

#[test]
fn what_is_shown_could_stand_in_a_file() {
    let host = Host::new();
    host.write(
        "unhang.toml",
        format!(
            "{}max_failures = 3\nstatus = \"200,204\"\n[service.a]\nurl = \"unix:/run/a.sock:/health/\"\nrequires = [\"shop\"]\n\
             [service.b]\nurl = \"https://localhost\"\ninsecure = true\nca_file = \"/x.pem\"\n",
            service("shop")
        ),
    );
    let sections = show_config_at(&host.places, &cli(&[]).config_sources()).unwrap();
    let text: String = sections
        .iter()
        .flat_map(|section| {
            let entries = section.entries.iter().map(|entry| format!("{} = {}\n", entry.key, entry.value));
            std::iter::once(format!("[{}]\n", section.name)).chain(entries)
        })
        .collect();
    let before = load_plan_at(&host.places, &cli(&[]).config_sources()).unwrap();
    host.write("unhang.toml", text);
    assert_eq!(load_plan_at(&host.places, &cli(&[]).config_sources()).unwrap(), before);
}

#[test]
fn a_folder_that_others_may_write_is_told_to_root() {
    // The folder of a test belongs to whoever runs it, and root takes no other owner.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let mut host = Host::new();
    let told = |host: &Host, flags: &[&str]| -> Vec<String> {
        let cli = cli(flags);
        let plan = load_plan_at(&host.places, &cli.config_sources()).unwrap();
        unsafe_folders_at(&host.places, &cli.config_sources(), &plan)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    host.write("unhang.toml", service("a")).write("other.toml", service("b"));
    host.places.user = None;
    fs::set_permissions(host.dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(told(&host, &[]), Vec::<String>::new(), "no root reads it");
    host.places.as_root = true;
    let others = format!("{}: writable by others (mode 0777)", host.dir.path().display());
    let other = format!("--config={}/other.toml", host.dir.path().display());
    for flags in [&[] as &[&str], &[&other]] {
        let told = told(&host, flags);
        assert!(told.len() == 1 && told[0].starts_with(&others), "{told:?}");
    }
    assert_eq!(told(&host, &["--unit=a", "--url=http://a"]), Vec::<String>::new(), "no file is read");
    fs::set_permissions(host.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(told(&host, &[]), Vec::<String>::new());
}
