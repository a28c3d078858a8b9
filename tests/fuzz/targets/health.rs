//! `health` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| unhang_fuzz::laws::health::holds(bytes));
