//! The program: its memory, and the library's `main`.

use std::process::ExitCode;

#[global_allocator]
static MEMORY: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    unhang::main()
}
