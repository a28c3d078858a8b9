//! What identifies the configuration of a service: a hash of what is asked, one of what restarts it, and one of the
//! steps beyond a restart. Each is FNV-1a over lines of text (`lines`), and so the same in every release that writes
//! these lines alike; no type of the program is hashed.

use unhang_core::{Fingerprint, ProbeRole};

use super::{Probe, ProbeTarget, Service, lines};
use crate::fnv::Fnv1a;
use crate::toml_text::quote_toml;

impl Service {
    /// Tells whether two runs had the same configuration. It shows none of it, since a URL may hold a secret.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let steps = Some(self.policy.escalate.as_slice()).filter(|steps| !steps.is_empty());
        Fingerprint {
            asked: stable_hash(|add| add_probes(&self.probes, add)),
            restarted: stable_hash(|add| add_lines(lines::restart_lines(&self.restarter), add)),
            escalation: steps.map(|steps| stable_hash(|add| add(&lines::steps_text(steps)))),
        }
    }
}

/// The probes that count, in their order; their names do not matter. Of a url it is what decides which answers are
/// healthy. Headers and the body of the request are no part of it: they are
/// secrets, and change with each token.
fn add_probes(probes: &[Probe], add: &mut dyn FnMut(&str)) {
    for probe in probes.iter().filter(|probe| probe.weight == ProbeRole::Required) {
        add("[probe]\n");
        match &probe.asks {
            ProbeTarget::Http(question) => {
                add_lines([("url", quote_toml(&question.target.to_string()))], add);
                add_lines(lines::method_and_status(question), add);
                add_lines(lines::status_warn(question), add);
                add_lines(lines::body_lines(&question.body), add);
                add_lines(lines::latency_fail(question), add);
            }
            ProbeTarget::Kind { given, .. } => {
                add_lines(given.0.iter().map(|(key, value)| (*key, lines::param_text(value))), add);
            }
        }
    }
}

fn add_lines(lines: impl IntoIterator<Item = lines::KeyLine>, add: &mut dyn FnMut(&str)) {
    for (key, value) in lines {
        for part in [key, " = ", &value, "\n"] {
            add(part);
        }
    }
}

fn stable_hash(add_all: impl FnOnce(&mut dyn FnMut(&str))) -> u64 {
    let mut hash = Fnv1a::new();
    add_all(&mut |text| hash.add(text.as_bytes()));
    hash.hash()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use unhang_core::Step;

    use crate::plan::{
        BodyRules, HttpRequest, JsonRules, LatencyLimits, ParamValue, Params, StatusSet, UrlTarget,
    };

    fn hash_text(text: &str) -> u64 {
        stable_hash(|add| add(text))
    }

    fn asked_text(probes: &[Probe]) -> String {
        let mut text = String::new();
        add_probes(probes, &mut |part| text.push_str(part));
        text
    }

    fn url(url: &str) -> HttpRequest {
        let target = UrlTarget::parse_http(url).unwrap();
        let status = StatusSet(vec![(200, 200)]);
        HttpRequest { method: "GET".to_owned(), status, ..HttpRequest::for_tcp(target) }
    }

    fn counting(asks: ProbeTarget) -> Probe {
        Probe { name: None, weight: ProbeRole::Required, timeout: Duration::from_secs(5), asks }
    }

    fn asked(question: HttpRequest) -> Probe {
        counting(ProbeTarget::Http(Box::new(question)))
    }

    #[test]
    fn the_hash_is_the_published_one() {
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(hash_text(text), hash, "{text}");
        }
    }

    /// The texts are literals here, so that no type of the program can move a number on disk.
    #[test]
    fn a_url_is_known_by_its_lines() {
        let plain = url("http://localhost:8000/health/?key=1");
        let rules = HttpRequest {
            body: BodyRules {
                contains: vec!["a \"b\"".to_owned()],
                json: Some(JsonRules {
                    fail_on: crate::plan::JsonFailLevel::Warning,
                    ..JsonRules::default()
                }),
                ..BodyRules::default()
            },
            latency: LatencyLimits { warn: None, fail: Some(Duration::from_secs(90)) },
            ..plain.clone()
        };
        let lines =
            "[probe]\nurl = \"http://localhost:8000/health/?key=1\"\nmethod = \"GET\"\nstatus = \"200\"\n";
        let of_rules = "body.contains = [\"a \\\"b\\\"\"]\njson.fail_on = \"warning\"\njson.ignore = []\njson.warn = []\njson.parts = []\nlatency.fail = \"1m30s\"\n";
        assert_eq!(asked_text(&[asked(plain.clone())]), lines);
        assert_eq!(asked_text(&[asked(rules)]), format!("{lines}{of_rules}"));

        let warns = HttpRequest { status_warn: Some(StatusSet(vec![(429, 429)])), ..plain.clone() };
        assert_eq!(asked_text(&[asked(warns)]), format!("{lines}status_warn = \"429\"\n"));

        let mut other = plain.clone();
        other.headers.insert("Authorization".to_owned(), "secret".to_owned());
        other.request_body = Some("secret".to_owned());
        other.redirects = 3;
        other.trust.insecure = true;
        other.latency.warn = Some(Duration::from_secs(1));
        assert_eq!(asked_text(&[asked(other)]), lines, "neither headers, nor the way, nor what only warns");
        assert_eq!(hash_text(lines), 0x954e_78af_13db_fa3f);
    }

    #[test]
    fn a_kind_is_known_by_its_values_and_what_only_warns_does_not_matter() {
        let given = Params(
            [
                ("disk", ParamValue::Text("/var".to_owned())),
                ("fail", ParamValue::Number(95)),
                ("age.warn", ParamValue::Span(Duration::from_secs(3600))),
                ("lacks", ParamValue::List(vec!["a".to_owned(), "b".to_owned()])),
            ]
            .into(),
        );
        let kind = counting(ProbeTarget::Kind { kind: "disk", given });
        let warns = Probe { weight: ProbeRole::Optional, ..kind.clone() };
        let lines = "[probe]\nage.warn = \"1h\"\ndisk = \"/var\"\nfail = 95\nlacks = [\"a\", \"b\"]\n";
        assert_eq!(asked_text(&[kind.clone(), warns]), lines);
        let tcp = asked(HttpRequest::for_tcp(UrlTarget::Tcp { host: "db".to_owned(), port: 5432 }));
        assert_eq!(
            asked_text(&[tcp, kind]),
            format!("[probe]\nurl = \"tcp:db:5432\"\nmethod = \"\"\nstatus = \"\"\n{lines}")
        );
    }

    #[test]
    fn a_restart_method_is_known_by_the_hash_of_its_lines() {
        assert_eq!(hash_text("unit = \"a.service\"\nscope = \"user\"\n"), 0x63bc_394c_9348_63d6);
    }

    #[test]
    fn the_steps_beyond_a_restart_are_known_by_their_list() {
        let steps = [Step::Reload, Step::Command(vec!["a".to_owned(), "b".to_owned()]), Step::Kill];
        let line = "[\"reload\", [\"a\", \"b\"], \"kill\"]";
        assert_eq!(lines::steps_text(&steps), line);
        assert_eq!(hash_text(line), 0xc240_e37b_c0f2_0e2d);
    }
}
