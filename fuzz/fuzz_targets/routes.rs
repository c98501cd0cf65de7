#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| sidebeat_fuzz::routes(input));
