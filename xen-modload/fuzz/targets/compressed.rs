//! Compressed files: content or an error, in bounded time and memory. The
//! first byte of the input says which decoder gets the rest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_modload::Compression;

fuzz_target!(|input: &[u8]| {
    let Some((first, packed)) = input.split_first() else {
        return;
    };
    let compression = match first % 3 {
        0 => Compression::Gzip,
        1 => Compression::Xz,
        _ => Compression::Zstd,
    };
    let _ = compression.decode(packed);
});
