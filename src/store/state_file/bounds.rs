//! How long what stands in a state may be, so that the whole stays below `MAX_STATE_BYTES`. Whoever makes a text or a list
//! stays within these bounds; what does not is cut.

/// The bounds of each text, in bytes of JSON, and of each list.
pub(super) mod most {
    /// The bound of an incarnation or a boot.
    pub(in super::super) const IDENTITY: usize = 128;
    /// The bound of a code or of the name of a probe.
    pub(in super::super) const NAME: usize = 64;
    pub(in super::super) const PROSE: usize = 1_600;
    pub(in super::super) const WARNING: usize = 800;
    /// The bound of a probe's cursor.
    pub(in super::super) const MEMORY: usize = 1_024;
    /// What a budget may allow.
    pub(in super::super) const RESTARTS: usize = 100;
    /// Probes of a service, and kinds of faults.
    pub(in super::super) const ENTRIES: usize = 20;
}

/// The beginning of a text that takes at most so many bytes as JSON.
pub(super) fn cut_text(text: &str, most: usize) -> String {
    let mut left = most;
    let fits = |c: &char| {
        let length = match c {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            '\0'..=' ' if *c != ' ' => 6,
            c => c.len_utf8(),
        };
        left.checked_sub(length).inspect(|rest| left = *rest).is_some()
    };
    text.chars().take_while(fits).collect()
}

pub(super) fn cut_some(text: Option<&str>, most: usize) -> Option<String> {
    text.map(|text| cut_text(text, most))
}
