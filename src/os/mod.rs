//! The operating system, made safe and bounded: the only place that opens files and reads clocks. It chooses no
//! program: rooms say which, and here each is started, waited for and ended. Only `demo` tidies up and starts its
//! server by itself. Rooms use this; `core` cannot. It decides nothing and knows no word of the domain.

pub(crate) mod catch_panic;
pub(crate) mod certificates;
pub(crate) mod cgroups;
pub(crate) mod clock;
pub(crate) mod disk;
pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod foreground_child;
pub(crate) mod limits;
pub(crate) mod newest_file;
pub(crate) mod notify;
pub(crate) mod proc;
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod rights;
pub(crate) mod signals;
pub(crate) mod stderr;
pub(crate) mod tail_file;
pub(crate) mod time_limit;
pub(crate) mod way;
