//! Packs the table of options, which are texts of 26 KB, into the program.

use std::io::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    const TABLE: &str = "src/options.tsv";
    writeln!(io::stdout(), "cargo::rerun-if-changed={TABLE}")?;
    let packed = miniz_oxide::deflate::compress_to_vec(&fs::read(TABLE)?, 10);
    let folder = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&folder).join("options"), packed)
}
