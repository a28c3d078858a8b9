//! Catches a panic without a word on stderr, which cron would mail. Only panics of the closure it
//! was given: those of other threads, and of this one before and after, are reported as ever.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static HOOK_SILENT: Cell<bool> = const { Cell::new(false) };
}

static HOOK_INSTALLED: Once = Once::new();

/// What it returned, or the words it panicked with.
pub(crate) fn catch_panic<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    HOOK_INSTALLED.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !HOOK_SILENT.get() {
                loud(panic);
            }
        }));
    });
    let before = HOOK_SILENT.replace(true);
    // What the closure borrowed is not looked at again when it panicked.
    let result = panic::catch_unwind(AssertUnwindSafe(act));
    HOOK_SILENT.set(before);
    result.map_err(|panic| panic_text(panic.as_ref()).to_owned())
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(words), _) => words,
        (_, Some(words)) => words,
        (None, None) => "for an unknown reason",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_words() {
        assert_eq!(catch_panic(|| 7), Ok(7));
        assert_eq!(catch_panic(|| -> u8 { panic!("plain") }), Err("plain".into()));
        assert_eq!(catch_panic(|| -> u8 { panic!("with {}", 1) }), Err("with 1".into()));
        assert_eq!(catch_panic(|| -> u8 { panic::panic_any(1) }), Err("for an unknown reason".into()));
        assert!(!HOOK_SILENT.get());
    }
}
