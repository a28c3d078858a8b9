//! Whose fault it is: a service that requires something which fails itself is not restarted for that.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::{Observation, StoredCause};

/// One of all that was asked in a tick: a service, or an address that one requires.
#[derive(Debug, Clone, Copy)]
pub struct RequirementNode<'a> {
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
pub fn find_failing_requirement(nodes: &[RequirementNode<'_>], of: usize) -> Option<FailingRequirement> {
    let own = nodes.get(of)?;
    let mut walked = vec![false; nodes.len()];
    own.requires.iter().find_map(|first| {
        let (name, cause) = deepest_failure(nodes, *first, &mut walked)?;
        let through = nodes.get(*first).map(|node| node.name).filter(|through| *through != name);
        Some(FailingRequirement { name: String::from(name), cause, through: through.map(String::from) })
    })
}

/// `walked`: nothing fails there, nor behind it. A loop, which `config` refuses, ends here all the same.
fn deepest_failure<'a>(
    nodes: &[RequirementNode<'a>],
    first: usize,
    walked: &mut [bool],
) -> Option<(&'a str, StoredCause)> {
    let mut entered = Some(first);
    // Each with the requirement that is to be followed next.
    let mut way: Vec<(usize, usize)> = Vec::new();
    loop {
        if let Some(at) = entered.take().filter(|at| does_not_vouch(nodes, *at))
            && let Some(walked) = walked.get_mut(at).filter(|walked| !**walked)
        {
            *walked = true;
            way.push((at, 0));
        }
        let (at, next) = way.last_mut()?;
        let node = nodes.get(*at)?;
        entered = node.requires.get(*next).copied();
        *next += 1;
        if entered.is_none() {
            if let Some(Observation::Unhealthy(cause)) = node.seen {
                return Some((node.name, StoredCause::from(cause)));
            }
            way.pop();
        }
    }
}

fn does_not_vouch(nodes: &[RequirementNode<'_>], at: usize) -> bool {
    nodes.get(at).and_then(|node| node.seen).is_some_and(|seen| *seen != Observation::Healthy)
}
