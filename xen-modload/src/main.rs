//! `xen-modload`: see the library for what it does.

use std::io::{LineWriter, Write as _, stderr, stdout};
use std::process::ExitCode;

use xen_modload::{Args, run};

fn main() -> ExitCode {
    match Args::read().and_then(|args| {
        // A line is one call, not one for each of its parts.
        run(&args, &mut stdout().lock(), &mut LineWriter::new(stderr()))
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when stderr is gone; the status still says it.
            let _ = writeln!(stderr(), "xen-modload: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}
