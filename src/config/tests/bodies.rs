//! The rules for bodies: what is read, and what is refused.

use super::*;

fn body_of(line: &str) -> BodyRules {
    one(&format!("{SHOP}{line}"), &[]).probes.remove(0).question().unwrap().body.clone()
}

#[test]
fn as_much_is_read_as_body_max_says() {
    assert_eq!(body_of("").max, 64 * 1024);
    assert_eq!(body_of("body.max = \"1M\"").max, 1024 * 1024);
    assert_eq!(body_of("body = { contains = \"x\", max = \"8M\" }").max, 8 * 1024 * 1024);
    for value in ["\"1023\"", "\"9M\"", "\"64k\"", "\"\"", "65536"] {
        let faults = read(&format!("{SHOP}body.max = {value}"), &[]).unwrap_err();
        let wrong = format!("body.max: must be a size of 1K to 8M, such as \"256K\", got {value}; nothing");
        assert!(faults[0].contains(&wrong), "{faults:?}");
    }
}

#[test]
fn a_probe_that_is_no_url_has_the_same_limit() {
    let faults = read(&format!("{SHOP}probe.x = {{ tcp = \"x:1\", body.max = \"9M\" }}"), &[]).unwrap_err();
    assert!(faults[0].contains("body.max: must be at most 8M, got 9M"), "{faults:?}");
}
