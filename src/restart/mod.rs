//! Restarts what a service runs in, and says how that is: a file for each means. Starts programs without a shell and
//! within a time limit; decides nothing. What a program says at its end is never taken for the outcome: the next
//! incarnation and the probe tell that.

mod asked;
pub(crate) mod command;
pub(crate) mod unit;

pub(crate) use asked::Asked;
pub(crate) use unit::{Look, Looked};
