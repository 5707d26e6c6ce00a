//! `xen-mountfs`: see the library for what it does.

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use xen_mountfs::{Args, run};

fn main() -> ExitCode {
    match Args::read().and_then(|args| run(&args, &mut stdout().lock(), &mut stderr())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when stderr is gone; the status still says it.
            let _ = writeln!(stderr(), "xen-mountfs: {}", error.line());
            ExitCode::from(error.exit_status())
        }
    }
}
