//! The exact words of every fault, as tables of what was written and what is said about it.

use super::*;

#[track_caller]
fn refused(text: &str, flags: &[&str], messages: &[&str]) {
    match read(text, flags) {
        Ok(_) => panic!("was taken: {text} {flags:?}"),
        Err(faults) => assert_eq!(faults, messages, "{text} {flags:?}"),
    }
}

/// One line of a service's table, and all that is said about it.
#[rustfmt::skip]
#[test]
fn faults_of_one_line() {
    let time = "must be a time with its unit, such as \"5s\", \"2m\", \"1h30m\", got";
    let units = "must be the name of a unit: A-Z a-z 0-9 : _ . \\ @ -, not beginning with -, at most 250, got";
    let statuses = "must be statuses of 100 to 599 such as 200, \"200,204\", \"2xx\" or \"200-399\", got";
    for (line, message) in [
        ("max_failures = 0", "max_failures: must be 1 or more, got 0; nothing was probed"),
        ("max_failures = -1", "max_failures: must be 1 or more, got -1; nothing was probed"),
        ("max_failures = 4294967296", "max_failures: must be at most 4294967295, got 4294967296; nothing was probed"),
        ("max_failures = 99999999999999999999", "max_failures: must be a whole number, 1 or more, got 99999999999999999999; nothing was probed"),
        ("max_failures = \"2\"", "max_failures: must be a whole number, 1 or more, got \"2\"; nothing was probed"),
        ("min_successes = 1.5", "min_successes: must be a whole number, 1 or more, got 1.5; nothing was probed"),
        ("redirects = 21", "redirects: must be a whole number, 0 to 20, got 21; nothing was probed"),
        ("redirects = true", "redirects: must be a whole number, 0 to 20, got true; nothing was probed"),
        ("budget.restarts = 101", "budget.restarts: must be a whole number, 1 to 100, got 101; nothing was probed"),
        ("budget = { restarts = 0 }", "budget.restarts: must be a whole number, 1 to 100, got 0; nothing was probed"),
        ("budget.window = \"0s\"", "budget.window: must be longer than 0s, got \"0s\"; nothing was probed"),
        ("budget = 5", "budget: must be a table such as { restarts = 5, window = \"1h\" }, got 5; nothing was probed"),
        ("backoff = \"2m\"", "backoff: must be a table such as { first = \"2m\", max = \"1h\" }, got \"2m\"; nothing was probed"),
        ("backoff.first = \"2h\"", "backoff.first: must not be longer than backoff.max, which is 1h (default), got \"2h\"; nothing was probed"),
        ("backoff.max = \"1m\"", "backoff.max: must not be shorter than backoff.first, which is 2m (default), got \"1m\"; nothing was probed"),
        ("flapping = 5", "flapping: must be a table such as { failures = 5, of = 12, restart = false }, got 5; nothing was probed"),
        ("min_gap = \"10m\"", "min_gap: must be shorter than stale_after, which is 10m (default), got \"10m\"; nothing was probed"),
        ("stale_after = \"45s\"", "stale_after: must be longer than min_gap, which is 45s (default), got \"45s\"; nothing was probed"),
        ("timeout = \"40s\"", "timeout: too long: two probes of 40s and the 30s that a restart needs must fit in host.deadline (1m50s); shorten timeout or raise host.deadline"),
        ("timeout = \"0ms\"", "timeout: must be longer than 0s, got \"0ms\"; nothing was probed"),
        ("timeout = 5", &format!("timeout: {time} 5; nothing was probed")),
        ("timeout = \"5\"", &format!("timeout: {time} \"5\"; nothing was probed")),
        ("timeout = {}", &format!("timeout: {time} {{}}; nothing was probed")),
        ("timeout = { s = 5 }", "timeout.s: timeout takes one value, not a table; nothing was probed"),
        ("grace = 07:32:00", &format!("grace: {time} 07:32:00; nothing was probed")),
        ("verify = \"366d\"", "verify: must be at most 365d, got \"366d\"; nothing was probed"),
        ("mode = \"maybe\"", "mode: must be one of \"act\", \"observe\", got \"maybe\"; nothing was probed"),
        (&format!("mode = \"{}\"", "a".repeat(60)), &format!("mode: must be one of \"act\", \"observe\", got \"{}\"; nothing was probed", "a".repeat(60))),
        (&format!("mode = \"{}\"", "a".repeat(61)), &format!("mode: must be one of \"act\", \"observe\", got \"{}...\"; nothing was probed", "a".repeat(60))),
        ("name = \"\"", "name: must be 1 to 200 characters without line breaks and other control characters; nothing was probed"),
        ("name = \"a\\nb\"", "name: must be 1 to 200 characters without line breaks and other control characters; nothing was probed"),
        ("name = 5", "name: must be a text in quotes, got 5; nothing was probed"),
        ("log_file = \"a.log\"", "log_file: must be the absolute path of a file, such as \"/var/log/shop.log\", got \"a.log\"; nothing was probed"),
        ("log_file = \"/var/\\n\"", "log_file: must be the absolute path of a file, such as \"/var/log/shop.log\", got \"/var/\\n\"; nothing was probed"),
        ("unit = \"a*\"", "unit: must name one unit, got the pattern \"a*\"; write a table for each unit"),
        ("unit = \"a@.service\"", "unit: must not be a template, got \"a@.service\"; write an instance: a@NAME.service"),
        ("unit = \"a@\"", "unit: must not be a template, got \"a@\"; write an instance: a@NAME.service"),
        ("unit = \"-a\"", &format!("unit: {units} \"-a\"; nothing was probed")),
        ("unit = \".service\"", &format!("unit: {units} \".service\"; nothing was probed")),
        ("unit = \"/etc/a.service\"", &format!("unit: {units} \"/etc/a.service\"; nothing was probed")),
        ("unit = \"\"", &format!("unit: {units} \"\"; nothing was probed")),
        ("unit = [\"a\"]", "unit: must be a text in quotes, got a list; nothing was probed"),
        ("unit = \"a\"\nrestart = [\"b\"]", "unit: cannot stand together with restart (u.toml:4); leave one of them out"),
        ("restart = \"a b\"", "restart: must be a list of texts such as [\"cmd\", \"arg\"]; nothing was probed"),
        ("restart = [\"a\", 5]", "restart: must hold nothing but texts, such as [\"cmd\", \"arg\"], got 5; nothing was probed"),
        ("requires = \"db\"", "requires: must list services or addresses such as [\"postgres\", \"tcp:127.0.0.1:6379\"], got \"db\"; nothing was probed"),
        ("requires = [5]", "requires: must be a text in quotes, got 5; nothing was probed"),
        ("requires = [\"shpo\"]", "requires: no service \"shpo\"; did you mean shop?"),
        ("requires = [\"postgres\"]", "requires: no service \"postgres\"; write the NAME of another service, or an address such as \"tcp:127.0.0.1:6379\""),
        ("requires = [\"http://db/\"]", "requires: must list services or addresses such as [\"postgres\", \"tcp:127.0.0.1:6379\"], got \"http://db/\"; nothing was probed"),
        ("requires = [\"tcp:localhost\"]", "requires: must be tcp:HOST:PORT, such as \"tcp:127.0.0.1:6379\"; nothing was probed"),
        ("requires = [\"tcp:localhost:0\"]", "requires: must have a port of 1 to 65535; nothing was probed"),
        ("requires = [\"shop\"]", "requires: services require each other: shop -> shop; remove one"),
        ("pause_file = \"x\"", "pause_file: must be the absolute path of a file, such as \"/run/shop/deploying\", got \"x\"; nothing was probed"),
        ("pause_file_max_age = \"0s\"", "pause_file_max_age: must be longer than 0s, got \"0s\"; nothing was probed"),
        ("maintenance = 5", "maintenance: must be a table such as { status = \"503\" }, got 5; nothing was probed"),
        ("maintenance.header = \"X-A\"", "maintenance.header: needs a status beside it; add status, such as { status = \"503\", header = \"X-Maintenance\" }"),
        ("maintenance = { status = \"503\", header = \"a b\" }", "maintenance.header: must be the name of a header, letters, digits and -_., got \"a b\"; nothing was probed"),
        ("restart = [\"\"]", "restart: must begin with a command, such as [\"cmd\", \"arg\"], got \"\"; nothing was probed"),
        ("restart = [\"./a\"]", "restart: must begin with an absolute path or a plain name, got \"./a\"; cron starts in another folder than you do"),
        ("status = \"20\"", &format!("status: {statuses} \"20\"; nothing was probed")),
        ("status = \"0200\"", &format!("status: {statuses} \"0200\"; nothing was probed")),
        ("status = \"399-200\"", &format!("status: {statuses} \"399-200\"; nothing was probed")),
        ("status = \"200,\"", &format!("status: {statuses} \"200,\"; nothing was probed")),
        ("status = \"6xx\"", &format!("status: {statuses} \"6xx\"; nothing was probed")),
        ("status = 99", &format!("status: {statuses} 99; nothing was probed")),
        ("method = \"GE T\"", "method: must be a method of HTTP such as \"GET\", got \"GE T\"; nothing was probed"),
        ("headers = 5", "headers: must be a table such as { Host = \"example.org\" }; nothing was probed"),
        ("headers.\"a b\" = \"x\"", "headers.\"a b\": is not the name of a header: letters, digits and -_.; nothing was probed"),
        ("headers.A = 5", "headers.A: must be a text in quotes; nothing was probed"),
        ("headers.A.B = \"x\"", "headers.A.B: takes a text in quotes, not a table; nothing was probed"),
        ("headers.A = \"top\\nsecret\"", "headers.A: must not hold line breaks or other control characters; nothing was probed"),
        ("headers = { A = \"x\", a = \"y\" }", "headers.a: given twice; keep one"),
        ("headers.Upgrade = \"websocket\"", "headers.Upgrade: asks for more than one question and its answer, which is all that unhang speaks; leave it out"),
        ("wake = 3", "wake: must be a table such as { pings = 3 }, got 3; nothing was probed"),
        ("headers.Content-length = \"5\"", "headers.Content-length: is set by unhang itself; leave it out"),
        ("request_body = \"secret\"", "request_body: goes with POST, PUT and PATCH alone; set method = \"POST\""),
        ("ca_file = \"/x\"", "ca_file: only for https; remove it or begin url with https://"),
        ("insecure = true", "insecure: only for https; remove it or begin url with https://"),
        ("ca_file = \"x.pem\"", "ca_file: must be the absolute path of a file, such as \"/etc/ssl/shop-ca.pem\", got \"x.pem\"; nothing was probed"),
        ("ca_file = true", "ca_file: must be a text in quotes, got true; nothing was probed"),
        ("insecure = \"yes\"", "insecure: must be true or false, got \"yes\"; nothing was probed"),
        ("max_failure = 3", "max_failure: unknown key; did you mean max_failures?"),
        ("budget.reboots = 3", "budget.reboots: unknown key; did you mean budget.restarts?"),
        ("\"max failures\" = 3", "\"max failures\": unknown key; did you mean max_failures?"),
        ("\"budget.window\" = \"1h\"", "\"budget.window\": unknown key; did you mean budget.window?"),
        ("interval = \"2m\"", "interval: unknown key; man unhang.toml lists them"),
        ("dot.url = \"x\"", "dot.url: unknown key; a NAME with a dot stands in quotes: [service.\"shop.dot\"]"),
    ] {
        refused(&format!("{SHOP}{line}"), &[], &[&format!("u.toml:3: service.shop.{message}")]);
    }
}

/// The means beyond a restart.
#[rustfmt::skip]
#[test]
fn faults_of_escalate() {
    let rungs = "must list \"reload\", \"restart\", \"kill\" and commands such as [\"cmd\", \"arg\"], got";
    for (line, message) in [
        ("escalate = \"kill\"", format!("escalate: {rungs} \"kill\"; nothing was probed")),
        ("escalate = [\"reboot\"]", format!("escalate: {rungs} \"reboot\"; nothing was probed")),
        ("escalate = [5]", format!("escalate: {rungs} 5; nothing was probed")),
        ("escalate = [[]]", format!("escalate: {rungs} a list; nothing was probed")),
        ("escalate = [[\"a\", 5]]", "escalate: must hold nothing but texts, such as [\"cmd\", \"arg\"], got 5; nothing was probed".to_owned()),
        ("escalate = [[\"a\"], [\"a\"]]", "escalate: lists a step twice; each step runs once in an incident; remove one".to_owned()),
        ("escalate = [\"kill\"]\nrestart = [\"a\"]", "escalate: works for systemd units only: kill; write a command that does it, or leave it out".to_owned()),
        ("escalate = [\"restart\"]\nrestart = []", "escalate: cannot stand together with restart = []; leave one of them out".to_owned()),
    ] {
        refused(&format!("{SHOP}{line}"), &[], &[&format!("u.toml:3: service.shop.{message}")]);
    }
}

#[rustfmt::skip]
#[test]
fn faults_of_urls_show_no_secrets() {
    let no_port = "must have a port of 1 to 65535; nothing was probed";
    let socket = "is not how a socket is written; write \"unix:/run/gunicorn.sock:/health/\"";
    let no_host = "has no valid host: a name, an IPv4 address or [an IPv6 address]; nothing was probed";
    let no_socket = "must name a socket by its absolute path, such as \"unix:/run/gunicorn.sock:/health/\"; nothing was probed";
    let no_page = "must have a path that begins with / after the socket and a colon, such as \"unix:/run/gunicorn.sock:/health/\"; nothing was probed";
    let unreadable = "cannot be read as a URL: http://HOST[:PORT][/PATH]; other characters than letters, digits and -._~:/?&= are written as %XX";
    for (url, message) in [
        ("https://u:secret@x/", "must not hold a user or password; use headers = { Authorization = \"Basic ...\" }"),
        ("http://unix:/run/x.sock", socket),
        ("http://unix:/run/x.sock:/health/", socket),
        ("http:unix:/run/x.sock", socket),
        ("http+unix://%2Frun%2Fx.sock/health/", socket),
        ("unix://unix:/run/x.sock", socket),
        ("https://x:0/", no_port),
        ("https:/x", "cannot be read as a URL: https://HOST[:PORT][/PATH]; other characters than letters, digits and -._~:/?&= are written as %XX"),
        ("unix:", no_socket),
        ("unix::/health/", no_socket),
        ("unix:run/x.sock:/health/", no_socket),
        ("unix:/:/health/", no_socket),
        ("unix:/run/x.sock/", no_socket),
        ("unix:/run/x.sock:", no_page),
        ("unix:/run/x.sock:health/", no_page),
        ("unix:/run/x.sock:/a b", "cannot be read as a URL: unix:SOCKET[:/PATH]; other characters than letters, digits and -._~:/?&= are written as %XX"),
        ("localhost:8000/", "must begin with http://, https://, unix:/ or tcp:, such as \"http://localhost:8000/health/\"; nothing was probed"),
        ("", "must begin with http://, https://, unix:/ or tcp:, such as \"http://localhost:8000/health/\"; nothing was probed"),
        ("http://u:secret@x/", "must not hold a user or password; use headers = { Authorization = \"Basic ...\" }"),
        ("http://x:65536/", no_port),
        ("http://x:0/", no_port),
        ("http://x:/", no_port),
        ("http://x:8o/", no_port),
        ("http://999.1.1.1/", no_host),
        ("http://[::g]/", no_host),
        ("http://[::1]=b/", no_host),
        ("http://[::1]8000/", no_host),
        ("http://*/", no_host),
        ("http://", unreadable),
        ("http:///health/", unreadable),
        ("http:/x", unreadable),
        ("http:8000", unreadable),
        ("http://x/# a", unreadable),
        ("http://x/a b", unreadable),
        ("http://x/\u{9b}2J", unreadable),
        ("http://x/\u{202e}", unreadable),
    ] {
        refused(&format!("[service.a]\nurl = '{url}'"), &[], &[&format!("u.toml:2: service.a.url: {message}")]);
    }
}

#[rustfmt::skip]
#[test]
fn faults_of_tables() {
    for (text, messages) in [
        ("", ["u.toml: holds no service; add [service.NAME] and url = \"http://localhost:8000/health/\""].as_slice()),
        ("[service]\nurl = 'http://x'", &["u.toml:2: url stands in [service], which has no name; write [service.NAME] in place of [service], with a name of your own"]),
        ("[service]\nunit = 'x'\nbudget = 5\nshop = 5", &[
            "u.toml:2: unit stands in [service], which has no name; write [service.NAME] in place of [service], with a name of your own",
            "u.toml:3: budget stands in [service], which has no name; write [service.NAME] in place of [service], with a name of your own",
            "u.toml:4: service.shop is not a table; write [service.shop], in single brackets",
        ]),
        ("[service]", &["u.toml: holds no service; add [service.NAME] and url = \"http://localhost:8000/health/\""]),
        ("[service.a]", &["u.toml:1: service.a.url: is missing; add url = \"http://localhost:8000/health/\""]),
        ("service = 5", &["u.toml:1: service is not a table; write [service.NAME], in single brackets"]),
        ("[[service]]", &["u.toml:1: service is not a table; write [service.NAME], in single brackets"]),
        ("[service]\na = 5", &["u.toml:2: service.a is not a table; write [service.a], in single brackets"]),
        ("defaults = 5", &["u.toml:1: defaults is not a table; write [defaults], in single brackets"]),
        ("[services.a]", &["u.toml:1: unknown table services; did you mean [service.NAME]?"]),
        ("[default]", &["u.toml:1: unknown table default; did you mean [defaults]?"]),
        ("[shop]", &["u.toml:1: unknown table shop; did you mean [service.shop]?"]),
        ("url = 'http://x'", &["u.toml:1: url: is outside any table; write it below [service.NAME] or [defaults]"]),
        ("x = 5", &["u.toml:1: x: unknown key; keys stand in [service.NAME], [defaults] or [host]"]),
        ("[service.a]\nurl = 'x", &["u.toml:2: cannot be read as TOML: invalid literal string, expected `'`; nothing was probed"]),
        ("[service.a]\nurl =\n\nname = 'x'", &["u.toml:2: cannot be read as TOML: string values must be quoted, expected literal string; nothing was probed"]),
        ("[service.a]\nurl = 'http://x'\nurl = 'http://x'", &["u.toml:3: url is defined twice in this file; remove one"]),
        ("[service.a]\nurl = 'http://x'\n[service.\"a\"]\nurl = 'http://x'\n[service.b]\nurl = ''\nurl = ''", &[
            "u.toml:3: [service.\"a\"] is defined twice in this file; remove one",
            "u.toml:7: url is defined twice in this file; remove one",
        ]),
        ("[service.a]\nheaders = { A = '', A = '' }", &["u.toml:2: A is defined twice in this file; remove one"]),
        ("[service.a]\nurl = 'http://x'\n[service.b]\nurl = 'http://x'\nunit = 'a'", &["u.toml:3: service.b: restarts a.service, which service.a (u.toml:1) already does; one unit, one service"]),
        ("[host]\ndeadline = '39s'\nnonsense = 5\ngrace = '1s'\n[service.a]\nurl = 'http://x'", &[
            "u.toml:2: host.deadline: must be 40s or more, got \"39s\"; a restart begins only with 30s of it left",
            "u.toml:3: host.nonsense: unknown key; man unhang.toml lists them",
            "u.toml:4: host.grace: unknown key; man unhang.toml lists them",
        ]),
        ("[host]\nhold_when = 5\n[service.a]\nurl = 'http://x'", &["u.toml:2: host.hold_when: must be a table such as { memory_full_avg60 = \"40%\" }, got 5; nothing was probed"]),
        ("[defaults]\nurl = 'http://x'\nname = 'x'\nunit = 'x'\nrestart = ['x']\nlog_file = 'x'\nmax_failures = 0\ninsecure = 1\nmodes = 5", &[
            "u.toml:2: defaults.url: not allowed in [defaults]; every service has its own",
            "u.toml:3: defaults.name: not allowed in [defaults]; every service has its own",
            "u.toml:4: defaults.unit: not allowed in [defaults]; a unit belongs to one service",
            "u.toml:5: defaults.restart: not allowed in [defaults]; what is restarted belongs to one service",
            "u.toml:6: defaults.log_file: must be the absolute path of a file, such as \"/var/log/shop.log\", got \"x\"; nothing was probed",
            "u.toml:7: defaults.max_failures: must be 1 or more, got 0; nothing was probed",
            "u.toml:8: defaults.insecure: must be true or false, got 1; nothing was probed",
            "u.toml:9: defaults.modes: unknown key; did you mean mode?",
        ]),
    ] {
        refused(text, &[], messages);
    }
}

/// Twice as many take about twice as long: of a chain of 1,000 and a circle of as many no way is gone twice.
#[test]
fn chains_and_circles_of_a_thousand_are_judged_at_once() {
    let chain = |last: &str| {
        let one = |n: usize| match n {
            999 => format!("[service.s{n}]\nurl = 'http://x'\nrequires = [{last}]\n"),
            // Two ways to each but the last.
            998 => format!("[service.s{n}]\nurl = 'http://x'\nrequires = ['s999']\n"),
            _ => format!("[service.s{n}]\nurl = 'http://x'\nrequires = ['s{}', 's{}']\n", n + 1, n + 2),
        };
        (0..1_000).map(one).collect::<String>()
    };
    let began = std::time::Instant::now();
    assert_eq!(read(&chain(""), &[]).unwrap().services.len(), 1_000);
    let told = read(&chain("'s0'"), &[]).unwrap_err();
    assert!(!told.is_empty() && told.len() <= 20, "{}", told.len());
    assert!(told[0].contains("services require each other: s0 -> s1 -> s2 -> "), "{}", told[0]);
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn services_that_require_each_other_in_a_circle_are_told_once() {
    let service =
        |name: &str, requires: &str| format!("[service.{name}]\nurl = 'http://x'\nrequires = [{requires}]\n");
    let text =
        [service("d", "'c'"), service("c", "'a', 'd'"), service("a", "'b'"), service("b", "'c'")].concat();
    let told = read(&text, &[]).unwrap_err();
    assert_eq!(told.len(), 2, "two circles: {told:?}");
    assert!(told[0].contains("services require each other: c -> d -> c; remove one"), "{told:?}");
    assert!(told[1].contains("services require each other: a -> b -> c -> a; remove one"), "{told:?}");
    let diamond =
        [service("a", "'b', 'c'"), service("b", "'d'"), service("c", "'d'"), service("d", "")].concat();
    assert_eq!(read(&diamond, &[]).unwrap().services.len(), 4);
}

#[test]
fn units_leave_room_for_the_name_of_their_lock() {
    let unit = |length: usize| format!("{SHOP}unit = \"{}\"", "a".repeat(length - ".service".len()));
    assert!(read(&unit(250), &[]).is_ok());
    assert!(read(&unit(251), &[]).unwrap_err()[0].contains("at most 250, got \"aaa"));
}

#[test]
fn a_header_is_at_most_4096_bytes_long() {
    let header = |length: usize| format!("{SHOP}headers.A = \"{}\"", "a".repeat(length));
    assert!(read(&header(4_096), &[]).is_ok());
    for length in [4_097, 9_000] {
        refused(
            &header(length),
            &[],
            &["u.toml:3: service.shop.headers.A: must be at most 4096 bytes; nothing was probed"],
        );
    }
}

#[test]
fn names_of_services() {
    let long = "a".repeat(201);
    for name in ["", "-a", ".a", "a/b", "a b", "ä", "a\\n", long.as_str()] {
        let faults = read(&format!("[service.\"{name}\"]\nurl = 'http://x'"), &[]).unwrap_err();
        let key = if name == long || name == "-a" { name.to_owned() } else { format!("\"{name}\"") };
        let message = format!(
            "u.toml:1: service.{key}: NAME must be 1 to 200 of A-Z a-z 0-9 _ . @ -, not beginning with . or -; \
             rename it (what log lines call it, name = \"...\", may be any text)"
        );
        assert_eq!(faults, [message], "{name}: told once, and not of its unit too");
    }
    assert!(read(&format!("[service.{}]\nurl = 'http://x'", &long[1..]), &[]).is_ok());
}

#[test]
fn all_faults_are_told_and_each_once() {
    let text = "[defaults]\nmin_gap = \"1h\"\ngrace = 5\n[service.a]\nurl = \"http://x\"\nmax_failures = 0\n\
                [service.b]\nurl = \"http://x\"\nunit = \"a\"\nstale_after = \"2h\"\n[service.c]\nurl = \"x\"\ngrace = \"1s\"\n";
    refused(
        text,
        &["--max-failures", "1", "--verify", "never"],
        &[
            "--verify: must be a time with its unit, such as \"5s\", \"2m\", \"1h30m\", got \"never\"; nothing was probed",
            "u.toml:2: defaults.min_gap: must be shorter than stale_after, which is 10m (default), got \"1h\"; nothing was probed",
            "u.toml:3: defaults.grace: must be a time with its unit, such as \"5s\", \"2m\", \"1h30m\", got 5; nothing was probed",
            "u.toml:6: service.a.max_failures: must be 1 or more, got 0; nothing was probed",
            "u.toml:12: service.c.url: must begin with http://, https://, unix:/ or tcp:, such as \"http://localhost:8000/health/\"; nothing was probed",
        ],
    );
}

#[rustfmt::skip]
#[test]
fn faults_of_flags_name_the_flag() {
    for (flags, message) in [
        (["--max-failures", "0"].as_slice(), "--max-failures: must be 1 or more, got 0; nothing was probed"),
        (&["--max-failures", "two"], "--max-failures: must be a whole number, 1 or more, got \"two\"; nothing was probed"),
        (&["--min-gap", "20m"], "--min-gap: must be shorter than stale_after, which is 10m (default), got \"20m\"; nothing was probed"),
        (&["--timeout", "50s", "--deadline", "45s"], "--timeout: too long: two probes of 50s and the 30s that a restart needs must fit in host.deadline (45s); shorten timeout or raise host.deadline"),
        (&["--deadline", "1s"], "--deadline: must be 40s or more, got \"1s\"; a restart begins only with 30s of it left"),
        (&["--insecure"], "--insecure: only for https; remove it or begin url with https://"),
        (&["--insecure=perhaps"], "--insecure: must be true or false, got \"perhaps\"; nothing was probed"),
        (&["--header", "secret"], "--header: must be 'NAME: VALUE'; nothing was probed"),
        (&["--header", "a b: secret"], "--header: is not the name of a header: letters, digits and -_.; nothing was probed"),
        (&["--log-file", "x"], "--log-file: must be the absolute path of a file, such as \"/var/log/shop.log\", got \"x\"; nothing was probed"),
        (&["--unit", "a"], "--unit: cannot restart every service; add --url for a plan of one without a file, or write it in [service.NAME]"),
        (&["--restart-command", "a"], "--restart-command: cannot restart every service; add --url for a plan of one without a file, or write it in [service.NAME]"),
        (&["--url", "http://x"], "--url: cannot be the URL of every service; add --unit or --restart-command for a plan of one without a file, or write url in [service.NAME]"),
        (&["--name", "a"], "--name: cannot be the name of every service; add --url and --unit for a plan of one without a file, or write name in [service.NAME]"),
        (&["--url", "http://x", "--unit", "a", "--restart-command", "b"], "--unit: cannot be combined with --restart-command; leave one of them out"),
        (&["--url", "http://x", "--restart-command", "[b", "--name", "x"], "--restart-command: must be a list of texts such as [\"cmd\", \"arg\"]; nothing was probed"),
        (&["--url", "http://x", "--restart-command", " ", "--name", "x"], "--restart-command: must be a list of texts such as [\"cmd\", \"arg\"]; nothing was probed"),
        (&["--url", "x", "--unit", "a"], "--url: must begin with http://, https://, unix:/ or tcp:, such as \"http://localhost:8000/health/\"; nothing was probed"),
        (&["--only", "shpo"], "--only: no service \"shpo\"; did you mean shop? The services are shop"),
        (&["--only", "django"], "--only: no service \"django\"; the services are shop"),
    ] {
        refused(SHOP, flags, &[message]);
    }
}

#[test]
fn a_service_asked_for_by_another_of_its_words_is_found() {
    let text = "[service.roams-django]\nurl = 'http://x'\nname = 'Django'\nunit = 'gunicorn.service'";
    for (word, cure) in [
        ("Django", "did you mean roams-django (its name in the log is Django)?"),
        ("django", "did you mean roams-django (its name in the log is Django)?"),
        ("gunicorn", "did you mean roams-django (its unit is gunicorn.service)?"),
        ("gunicorn.service", "did you mean roams-django (its unit is gunicorn.service)?"),
        ("ROAMS-DJANGO", "did you mean roams-django? The services are roams-django"),
    ] {
        refused(text, &["--only", word], &[&format!("--only: no service \"{word}\"; {cure}")]);
    }
}

#[test]
fn faults_of_the_environment_name_the_variable() {
    let variable = |flag, variable, text: &str| {
        PlanFlags(vec![Typed { flag, variable: Some(variable), text: text.into() }])
    };
    for (flags, message) in [
        (
            variable("max-failures", "UNHANG_MAX_FAILURES", "0"),
            "UNHANG_MAX_FAILURES: must be 1 or more, got 0; nothing was probed",
        ),
        (
            variable("mode", "UNHANG_MODE", "on"),
            "UNHANG_MODE: must be one of \"act\", \"observe\", got \"on\"; nothing was probed",
        ),
    ] {
        assert_eq!(
            with(SHOP, &Sources { plan: &flags, ..cli(&[]).config_sources() }),
            Err(vec![message.to_owned()])
        );
    }
}
