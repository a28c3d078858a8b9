//! What must hold for any bytes that come from outside: laws over the rooms of the library.

pub mod laws;
