//! `xen-params`: see the library for what it does.

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use xen_params::{Args, Visible, run};

fn main() -> ExitCode {
    match Args::read().and_then(|args| run(&args, &mut stdout().lock(), &mut stderr())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when stderr is gone; the status still says it.
            let line = error.to_string();
            let _ = writeln!(stderr(), "xen-params: {}", Visible(&line));
            ExitCode::from(error.exit_status())
        }
    }
}
