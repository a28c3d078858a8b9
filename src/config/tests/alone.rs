//! What no service stands behind: a URL by itself, what a service requires, the length of a pause.

use super::*;

fn asked(arguments: &[&str]) -> Result<String, Vec<String>> {
    let cli = Cli::try_parse_from(["unhang", "check"].iter().chain(arguments)).unwrap();
    let url = arguments.iter().find(|argument| argument.contains("//")).unwrap();
    let asked = request_for_url(&cli.config_sources(), url);
    asked.map(|(shown, _)| shown).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

#[test]
fn a_url_is_asked_by_itself() {
    assert_eq!(asked(&["http://localhost/health/"]), Ok("http://localhost/health/".to_owned()));
    assert_eq!(asked(&["http://localhost/", "--timeout=2s"]), Ok("http://localhost/".to_owned()));
    assert_eq!(
        asked(&["http://localhost/", "shop"]),
        Err(vec!["URL: must stand alone; ask for one URL at a time, or for services by NAME".to_owned()])
    );
    let beside = "--unit: cannot stand beside a URL; write --url URL --unit UNIT, or leave it out";
    assert_eq!(asked(&["http://localhost/", "--unit=shop"]), Err(vec![beside.to_owned()]));
}

#[test]
fn a_url_is_asked_as_the_flags_say_whatever_unit_the_environment_names() {
    let cli = Cli::try_parse_from(["unhang", "check", "https://x/", "--timeout=2s", "--insecure"]).unwrap();
    let unit = Typed { flag: "unit", variable: Some("UNHANG_UNIT"), text: "shop".into() };
    let typed = PlanFlags([cli.config_sources().plan.0.as_slice(), &[unit]].concat());
    let (_, probe) =
        request_for_url(&Sources { plan: &typed, ..cli.config_sources() }, "https://x/").unwrap();
    assert_eq!((probe.timeout, probe.http_request().unwrap().trust.insecure), (seconds(2), true));
    let without_tls = "--insecure: only for https; remove it or begin url with https://";
    assert_eq!(asked(&["http://x/", "--insecure"]), Err(vec![without_tls.to_owned()]));
}

#[test]
fn a_url_is_at_most_4096_bytes_long() {
    let long = |bytes: usize| "http://localhost/".to_owned() + &"a".repeat(bytes - 17);
    assert!(asked(&[&long(4_096)]).is_ok());
    for bytes in [4_097, 9_000] {
        let faults = asked(&[&long(bytes)]).unwrap_err();
        assert!(faults[0].ends_with("must be at most 4096 bytes; nothing was probed"), "{faults:?}");
    }
}

#[test]
fn no_pause_is_longer_than_the_longest() {
    let length = |text| parse_pause_length("--for", text, seconds(86_400)).map_err(|fault| fault.to_string());
    assert_eq!((length("15m"), length("24h")), (Ok(seconds(900)), Ok(seconds(86_400))));
    let longer = "--for: must be at most 1d, got \"25h\"; nothing was paused";
    assert_eq!(length("25h"), Err(longer.to_owned()));
    assert!(length("0s").is_err());
}

#[test]
fn a_pattern_is_played_as_its_flags_say() {
    assert_eq!(parse_span_flag("--every", "5m").ok(), Some(seconds(300)));
    assert_eq!(
        (parse_count_flag("--repeat", "1").ok(), parse_count_flag("--repeat", "30").ok()),
        (Some(1), Some(30))
    );
    let told = |fault: ConfigFault| fault.to_string();
    let no_span = "--every: must be a time with its unit, such as \"5s\", \"2m\", \"1h30m\", got \"2\"; nothing was probed";
    assert_eq!(parse_span_flag("--every", "2").map_err(told), Err(no_span.to_owned()));
    let no_count = "--repeat: must be 1 or more, got 0; nothing was probed";
    assert_eq!(parse_count_flag("--repeat", "0").map_err(told), Err(no_count.to_owned()));
}

#[test]
fn what_a_service_requires_is_asked_as_its_own_table_says() {
    let text = "[service.shop]\nurl = 'http://shop/'\nrequires = ['db', 'tcp:cache:6379']\n\
        [service.db]\nurl = 'http://db/'\nrequires = ['disk']\n\
        [service.disk]\nurl = 'http://disk/'\n[service.other]\nurl = 'http://other/'\n";
    let required = |flags: &[&str]| -> Vec<(String, String)> {
        let required = read(text, flags).unwrap().required;
        required
            .into_iter()
            .map(|one| (one.name, one.probes[0].http_request().unwrap().target.to_string()))
            .collect()
    };
    let found = |name: &str, url: &str| (name.to_owned(), url.to_owned());
    let cache = found("tcp:cache:6379", &required(&[])[0].1);
    assert_eq!(required(&[]), std::slice::from_ref(&cache), "the others are asked anyway");
    let expected = [found("db", "http://db/"), found("disk", "http://disk/"), cache];
    assert_eq!(required(&["--only=shop"]), expected);
}
