//! The words in which services speak of their health. Good is what says so in a whole word and nothing else, and what
//! there is no word for is not understood.

/// How bad a word is; a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WordGrade {
    Good,
    Mild,
    NotUnderstood,
    Bad,
}

const GOOD: [&str; 24] = [
    "healthy",
    "ok",
    "okay",
    "alive",
    "up",
    "running",
    "operational",
    "connected",
    "success",
    "pass",
    "passing",
    "ready",
    "available",
    "good",
    "green",
    "serving",
    "pong",
    "online",
    "working",
    "info",
    "passed",
    "succeeded",
    "reachable",
    "responding",
];
const MILD: [&str; 7] = ["degraded", "warning", "warn", "yellow", "amber", "impaired", "partial"];
const BAD: [&str; 28] = [
    "unhealthy",
    "critical",
    "error",
    "failed",
    "failing",
    "fail",
    "failure",
    "disconnected",
    "down",
    "unavailable",
    "dead",
    "stopped",
    "out_of_service",
    "fatal",
    "timeout",
    "timed_out",
    "bad",
    "red",
    "offline",
    "unreachable",
    "unresponsive",
    "crashed",
    "broken",
    "refused",
    "aborted",
    "outage",
    "panic",
    "nok",
];
/// What a few frameworks say in two words: django-health-check's messages.
const BAD_PHRASES: [&str; 4] = ["unknown error", "unexpected result", "out of service", "timed out"];
/// Of bad words, those that say no more than that it fails: a reason behind them says it all.
const PLAIN_BAD: [&str; 9] =
    ["error", "fail", "failed", "failing", "failure", "bad", "unhealthy", "unknown error", "critical"];
/// It makes no claim.
const NEUTRAL: [&str; 9] = [
    "disabled",
    "skipped",
    "skip",
    "n/a",
    "none",
    "not_configured",
    "not configured",
    "unused",
    "not_applicable",
];

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatusWord<'a> {
    pub(super) grade: WordGrade,
    /// What of the text tells a person more than the grade.
    pub(super) told: &'a str,
    /// A text of which the word is all, or which goes on behind a mark: `failed (2 of 3)`, `error: refused`.
    pub(super) stands_apart: bool,
}

impl<'a> StatusWord<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let first_ends = lower.find(|c| !is_of_word(c)).unwrap_or(lower.len());
        let phrase_ends =
            BAD_PHRASES.iter().find_map(|phrase| ends_word(&lower, phrase).then_some(phrase.len()));
        let ends = phrase_ends.or_else(|| negation_end(&lower)).unwrap_or(first_ends);
        let (word, _) = lower.split_at_checked(ends).unwrap_or((&lower, ""));
        let rest = text.get(ends..).unwrap_or_default();
        let is = |words: &[&str]| words.contains(&word);
        let is_bad = phrase_ends.is_some() || ends != first_ends || is(&BAD) || negation_end(word).is_some();
        let grade = match rest {
            _ if is_bad => WordGrade::Bad,
            "" if is(&GOOD) => WordGrade::Good,
            _ if is(&MILD) => WordGrade::Mild,
            _ => WordGrade::NotUnderstood,
        };
        let detail = rest.trim_start_matches([':', ' ', '-', ',']);
        let told =
            if grade == WordGrade::Bad && is(&PLAIN_BAD) && !detail.is_empty() { detail } else { text };
        let behind = rest.trim_start().chars().next();
        Self {
            grade,
            told,
            stands_apart: behind.is_none_or(|mark| [':', '(', '-', ',', ';', '!', '.'].contains(&mark)),
        }
    }
}

impl StatusWord<'_> {
    pub(super) fn is_known(&self) -> bool {
        self.stands_apart && self.grade != WordGrade::NotUnderstood
    }
}

/// `not ok`, `not_serving`: where it ends.
fn negation_end(lower: &str) -> Option<usize> {
    let rest = lower.strip_prefix("not")?.strip_prefix([' ', '_', '-'])?;
    GOOD.iter().find(|good| ends_word(rest, good)).map(|good| "not ".len() + good.len())
}

fn ends_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_of_word))
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// A text that makes no claim about health, wherever it stands.
pub(super) fn is_neutral(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    NEUTRAL.contains(&text.as_str())
}

/// `unknown`, as Spring says of a part that cannot tell.
pub(super) fn is_unknown(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("unknown")
}

/// `4.2.7`, `v2`, `2026-02-07T17:30:00`, `PostgreSQL 14.2 on x86`: what is no word of health.
pub(super) fn is_version(text: &str) -> bool {
    let text = text.trim();
    let is_one = !text.contains(char::is_whitespace) && text.contains(|c: char| c.is_ascii_digit());
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let is_dotted = || {
        text.as_bytes()
            .windows(3)
            .any(|three| matches!(three, [a, b'.', b] if digit(Some(a)) && digit(Some(b))))
    };
    is_one || is_dotted()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_graded_by_its_first_word_and_good_only_alone() {
        for (text, grade, told) in [
            ("ok", WordGrade::Good, "ok"),
            (" PONG\n", WordGrade::Good, "PONG"),
            ("SERVING", WordGrade::Good, "SERVING"),
            ("ok but slow", WordGrade::NotUnderstood, "ok but slow"),
            ("okayish", WordGrade::NotUnderstood, "okayish"),
            ("degraded: slow", WordGrade::Mild, "degraded: slow"),
            ("error: refused", WordGrade::Bad, "refused"),
            ("unavailable: key does not match", WordGrade::Bad, "unavailable: key does not match"),
            ("unknown error: x", WordGrade::Bad, "x"),
            ("Timed out", WordGrade::Bad, "Timed out"),
            ("NOT_SERVING", WordGrade::Bad, "NOT_SERVING"),
            ("not ok", WordGrade::Bad, "not ok"),
            ("not ok yet", WordGrade::Bad, "not ok yet"),
            ("not okayish", WordGrade::NotUnderstood, "not okayish"),
            ("unknown", WordGrade::NotUnderstood, "unknown"),
            ("down", WordGrade::Bad, "down"),
            ("downstream", WordGrade::NotUnderstood, "downstream"),
            ("", WordGrade::NotUnderstood, ""),
        ] {
            let word = StatusWord::of(text);
            assert_eq!((word.grade, word.told), (grade, told), "{text}");
        }
        for (text, apart) in
            [("failed", true), ("failed (2)", true), ("error: x", true), ("Failed to log in", false)]
        {
            assert_eq!(StatusWord::of(text).stands_apart, apart, "{text}");
        }
    }

    #[test]
    fn versions_and_times_are_no_words() {
        for text in ["4.2.7", "v2", "abc123f", "2026-02-07T17:30:00+03:00", "PostgreSQL 14.2 on x86"] {
            assert!(is_version(text), "{text}");
        }
        for text in ["slow", "not so well", "2 of 3 are down", ""] {
            assert!(!is_version(text), "{text}");
        }
    }
}
