//! Limits of this process. Raises what it may and tells what there is; never fails.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that nobody counts: standard streams, a log, a folder, the pipes of a child.
const KEPT_BACK: u64 = 16;

/// Room for `descriptors` at once, as far as the hard limit goes, and no further: children inherit
/// the limit, and some close every descriptor below it. Returns for how many there is room.
pub(crate) fn make_room_for(descriptors: usize) -> usize {
    let asked = u64::try_from(descriptors).unwrap_or(u64::MAX);
    let limit = getrlimit(Resource::Nofile);
    let wanted = asked.saturating_add(KEPT_BACK).min(limit.maximum.unwrap_or(u64::MAX));
    if limit.current.is_some_and(|soft| soft < wanted) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    }
    let room = getrlimit(Resource::Nofile).current.map_or(asked, |soft| soft.saturating_sub(KEPT_BACK));
    usize::try_from(room).map_or(descriptors, |room| room.min(descriptors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_needed_and_never_lowered() {
        let before = getrlimit(Resource::Nofile);
        assert_eq!(make_room_for(3), 3);
        assert_eq!(getrlimit(Resource::Nofile), before);
        if let Some(hard) = before.maximum {
            let hard = usize::try_from(hard).unwrap();
            assert_eq!(make_room_for(hard + 5), hard - 16);
            assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
        }
    }
}
