//! What is to be played, as typed: the pattern, and how the time goes. Knows nothing of what comes of it.

use std::time::Duration;

/// What one run meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Healthy,
    Fails,
    /// Through no fault of the service.
    Unknown,
    /// By somebody; it stays so until another sign follows.
    Stopped,
    /// By somebody, a moment ago; it does not answer yet.
    Restarted,
}

impl Sign {
    pub(super) const ALL: [Self; 5] =
        [Self::Healthy, Self::Fails, Self::Unknown, Self::Stopped, Self::Restarted];

    pub(super) const fn letter(self) -> char {
        match self {
            Self::Healthy => '.',
            Self::Fails => 'x',
            Self::Unknown => '?',
            Self::Stopped => 's',
            Self::Restarted => 'r',
        }
    }
}

/// Valid: at least one sign, and no more runs than `MOST_RUNS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    pub(super) pattern: Vec<Sign>,
    pub(super) repeat: u32,
    /// From one run to the next.
    pub(super) every: Duration,
    /// After each start, it answers nothing for so long.
    pub(super) start_takes: Duration,
}

/// Nearly four years of a run every 2 minutes.
pub(super) const MOST_RUNS: u32 = 1_000_000;

/// A run does what it does within this time: the next one must not begin before.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);

impl Script {
    /// Each fault is one line, before which the caller puts `unhang: `.
    pub(crate) fn new(
        pattern: &str,
        repeat: u32,
        every: Duration,
        start_takes: Duration,
    ) -> Result<Self, String> {
        if every < SHORTEST {
            return Err("--every: must be 1s or more; nothing was played".to_owned());
        }
        let pattern = parse_signs(pattern)?;
        let most = u32::try_from(pattern.len()).ok().and_then(|signs| MOST_RUNS.checked_div(signs));
        match most {
            Some(most) if repeat <= most => Ok(Self { pattern, repeat, every, start_takes }),
            most => {
                let most = most.unwrap_or(0);
                Err(format!(
                    "--repeat: must be at most {most} with this pattern, got {repeat}; {MOST_RUNS} runs are the most"
                ))
            }
        }
    }

    pub(super) fn signs(&self) -> impl Iterator<Item = Sign> {
        (0..self.repeat).flat_map(|_| self.pattern.iter().copied())
    }

    /// As it was typed.
    pub(super) fn letters(&self) -> String {
        self.pattern.iter().map(|sign| sign.letter()).collect()
    }
}

const SIGNS: &str =
    "the signs are . healthy, x fails, ? cannot be told, s stopped by somebody, r restarted by somebody";

fn parse_signs(pattern: &str) -> Result<Vec<Sign>, String> {
    if pattern.is_empty() {
        return Err(format!("--pattern: is empty; {SIGNS}"));
    }
    let sign = |(at, letter): (usize, char)| {
        let known = Sign::ALL.into_iter().find(|sign| sign.letter() == letter);
        let place = at.saturating_add(1);
        known.ok_or_else(|| format!("--pattern: no sign \"{letter}\" (place {place}); {SIGNS}"))
    };
    pattern.chars().enumerate().map(sign).collect()
}
