//! What the name of a member says of it: a status, a part whose failure is that of the service, or neither. A name is
//! read by its words, so that `Cache backend: default`, `cacheBackend` and `caches` are all about a cache.

/// Of a table that tells of itself, first of all.
const STATUS: [&str; 2] = ["status", "overall_status"];
/// Where it has none of these.
const STATUS_TOO: [&str; 7] =
    ["state", "health", "overall", "result", "outcome", "health_status", "health_state"];
const TRUTH: [&str; 3] = ["healthy", "ok", "success"];
const TRUTH_TOO: [&str; 14] = [
    "passed",
    "pass",
    "up",
    "alive",
    "ready",
    "available",
    "working",
    "connected",
    "online",
    "operational",
    "succeeded",
    "is_healthy",
    "is_ok",
    "is_up",
];

/// Why something is as it is, next to a status.
pub(super) const REASONS: [&str; 6] = ["error", "reason", "message", "detail", "output", "description"];

/// Members that name or describe what they stand in, and may hold a word of health by accident.
const DESCRIPTIONS: [&str; 24] = [
    "error",
    "errors",
    "reason",
    "message",
    "msg",
    "detail",
    "description",
    "output",
    "stacktrace",
    "name",
    "id",
    "title",
    "type",
    "kind",
    "mode",
    "level",
    "log_level",
    "severity",
    "environment",
    "env",
    "stage",
    "profile",
    "color",
    "version",
];

/// Each member of such a table is a part, also one that is true or false.
const PART_TABLES: [&str; 8] =
    ["check", "service", "component", "dependency", "indicator", "subsystem", "healthcheck", "probe"];
/// What stands in these is a part if it speaks of its health.
const TABLES: [&str; 6] = ["entry", "result", "detail", "backend", "connection", "resource"];
/// What a service cannot do without.
const NOUNS: [&str; 23] = [
    "database",
    "metadatabase",
    "db",
    "cache",
    "redis",
    "mongo",
    "mongodb",
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "sql",
    "queue",
    "broker",
    "rabbit",
    "rabbitmq",
    "kafka",
    "celery",
    "memcached",
    "elasticsearch",
    "opensearch",
    "valkey",
    "storage",
];
/// Words that may stand beside these.
const QUALIFIERS: [&str; 24] = [
    "status",
    "health",
    "check",
    "state",
    "connection",
    "connected",
    "backend",
    "server",
    "service",
    "cluster",
    "primary",
    "secondary",
    "replica",
    "default",
    "main",
    "master",
    "read",
    "write",
    "alias",
    "pool",
    "client",
    "node",
    "instance",
    "ping",
];
/// A part of that ending is one, whatever it is called.
const ENDINGS: [&str; 5] = ["status", "health", "check", "connected", "healthcheck"];
/// What is over, or is done beside the service: that it failed is no hang.
const JOBS: [&str; 24] = [
    "last",
    "previous",
    "history",
    "backup",
    "job",
    "cron",
    "import",
    "export",
    "report",
    "sync",
    "build",
    "deploy",
    "deployment",
    "update",
    "upgrade",
    "release",
    "test",
    "mail",
    "email",
    "newsletter",
    "recovery",
    "schedule",
    "license",
    "login",
];

/// How a member stands in what a service says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// The status of the table that it stands in.
    Status,
    /// The same, where there is no better one.
    StatusToo,
    /// Likewise, where it is true or false.
    Truth,
    TruthToo,
    Description,
    /// A table of parts, all of whose members are some.
    PartTable,
    /// A table that may hold parts.
    Table,
    /// A part, or a table of such: a database, or what ends as such do.
    Part,
    /// Something that is over, or is done beside the service.
    Job,
    Other,
}

pub(super) fn kind_of(name: &str) -> Name {
    let written = words_of(name);
    let joined = written.join("_");
    let is = |list: &[&str]| list.contains(&joined.as_str());
    let words: Vec<&str> = written.iter().map(|word| singular_form(word)).collect();
    let last = words.last().copied().unwrap_or_default();
    let is_plural = written.last().is_some_and(|written| written != last);
    let is_of_part = |word: &&str| NOUNS.contains(word) || QUALIFIERS.contains(word) || is_number(word);
    if is(&STATUS) {
        Name::Status
    } else if is(&STATUS_TOO) {
        Name::StatusToo
    } else if is(&TRUTH) {
        Name::Truth
    } else if is(&TRUTH_TOO) {
        Name::TruthToo
    } else if is(&DESCRIPTIONS) {
        Name::Description
    } else if words.iter().any(|word| JOBS.contains(word)) {
        Name::Job
    } else if words.iter().any(|word| NOUNS.contains(word)) && words.iter().all(is_of_part) {
        Name::Part
    } else if is_plural && PART_TABLES.contains(&last) {
        Name::PartTable
    } else if is_plural && TABLES.contains(&last) {
        Name::Table
    } else if words.len() > 1 && ENDINGS.contains(&last) {
        Name::Part
    } else {
        Name::Other
    }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// In lower case.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.extend(c.to_lowercase()));
        }
        was_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// As far as the lists above have the word.
fn singular_form(word: &str) -> &str {
    const AS_THEY_ARE: [&str; 6] = ["status", "redis", "success", "alias", "pass", "postgres"];
    match word {
        "dependencies" => "dependency",
        "entries" => "entry",
        _ if AS_THEY_ARE.contains(&word) || is_number(word) => word,
        _ => {
            let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
            word.strip_suffix('s').unwrap_or(word)
        }
    }
}

/// A name that only says that parts follow: it is left out where a part is named.
pub(super) fn is_generic(name: &str) -> bool {
    matches!(kind_of(name), Name::PartTable | Name::Table | Name::Status | Name::StatusToo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_by_its_words() {
        for (name, kind) in [
            ("status", Name::Status),
            ("overallStatus", Name::Status),
            ("state", Name::StatusToo),
            ("ok", Name::Truth),
            ("isHealthy", Name::TruthToo),
            ("checks", Name::PartTable),
            ("health_checks", Name::PartTable),
            ("Dependencies", Name::PartTable),
            ("entries", Name::Table),
            ("details", Name::Table),
            ("detail", Name::Description),
            ("results", Name::Table),
            ("database", Name::Part),
            ("databases", Name::Part),
            ("caches", Name::Part),
            ("db_check", Name::Part),
            ("redis_status", Name::Part),
            ("db_connected", Name::Part),
            ("worker_status", Name::Part),
            ("Cache backend: default", Name::Part),
            ("Database(alias='default')", Name::Part),
            ("mainDatabase2", Name::Part),
            ("last_backup", Name::Job),
            ("backup_status", Name::Job),
            ("database_backup", Name::Job),
            ("importJobs", Name::Job),
            ("mail", Name::Job),
            ("log_level", Name::Description),
            ("rabbitHole", Name::Other),
            ("analytics", Name::Other),
            ("service", Name::Other),
            ("", Name::Other),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }
}
