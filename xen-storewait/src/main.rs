//! `xen-storewait`: see the library for what it does.

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use xen_storewait::{Args, run};

fn main() -> ExitCode {
    match Args::read().and_then(|args| run(&args, &mut stdout().lock(), &mut stderr())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // In one piece: many may wait at once. Nobody is left to tell when
            // stderr is gone; the status still says it.
            let line = format!("xen-storewait: {}\n", error.line());
            let _ = stderr().write_all(line.as_bytes());
            ExitCode::from(error.exit_status())
        }
    }
}
