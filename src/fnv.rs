//! A hash by which a long text is recognised. Pure.

/// FNV-1a of 64 bits (draft-eastlake-fnv, section 2) of all that is added, one after the other: the same in every
/// release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv1a(u64);

impl Fnv1a {
    /// Starts with no bytes.
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    }

    pub(crate) const fn hash(self) -> u64 {
        self.0
    }
}

/// Hashes these bytes alone.
pub(crate) fn fnv1a_hash(bytes: &[u8]) -> u64 {
    let mut hash = Fnv1a::new();
    hash.add(bytes);
    hash.hash()
}
