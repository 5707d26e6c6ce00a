//! The program as a whole: lines, formats, variables and reports.

mod files;
mod formats;
mod lines;
mod reports;
mod variables;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin_cmd;

/// The program for a PC and any release, whatever machine the test runs on.
fn params(arguments: &[&str]) -> Command {
    let mut command = cargo_bin_cmd!("xen-params");
    command
        .env_clear()
        .env("XEN_PARAMS_ARCH", "x86_64")
        .args(arguments);
    command
}

/// A fake root, named for its situation.
fn root(situation: &str) -> String {
    format!("{}/tests/roots/{situation}", env!("CARGO_MANIFEST_DIR"))
}
