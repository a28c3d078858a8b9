//! Whose fault it is: a service that requires something which fails itself is not restarted for that.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Observation, StoredCause};

/// One of all that was asked in a tick: a service, or an address that one requires.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    pub name: &'a str,
    /// What it requires, as places in the same list.
    pub requires: &'a [usize],
    /// `None`: not asked in this tick.
    pub seen: Option<&'a Observation>,
}

/// A requirement that fails its own probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingRequirement {
    pub name: String,
    pub cause: StoredCause,
    /// The requirement of the service's own that it stands behind, if it is not that itself.
    pub through: Option<String>,
}

/// For the service at `of`: the deepest failing requirement, through such as fail themselves or could not be
/// judged. One that is healthy vouches for what it requires.
#[must_use]
pub fn failing_requirement(nodes: &[Node<'_>], of: usize) -> Option<FailingRequirement> {
    let own = nodes.get(of)?;
    own.requires.iter().find_map(|first| {
        let (name, cause) = deepest(nodes, *first, &mut Vec::new())?;
        let through = nodes.get(*first).map(|node| node.name).filter(|through| *through != name);
        Some(FailingRequirement { name: String::from(name), cause, through: through.map(String::from) })
    })
}

/// `walked`: a loop, which `config` refuses, ends here all the same.
fn deepest<'a>(nodes: &[Node<'a>], at: usize, walked: &mut Vec<usize>) -> Option<(&'a str, StoredCause)> {
    let node = nodes.get(at).filter(|_| !walked.contains(&at))?;
    let own = match node.seen? {
        Observation::Healthy => return None,
        Observation::Unhealthy(cause) => Some((node.name, StoredCause::from(cause))),
        Observation::Unknown(_) => None,
    };
    walked.push(at);
    node.requires.iter().find_map(|next| deepest(nodes, *next, walked)).or(own)
}
