//! xenfs is mounted on `/proc/xen`, and this is a Dom0.
//!
//! The store daemon maps `/proc/xen/xsd_kva`, so xenfs must be mounted even
//! where `/dev/xen` would serve everything else. Whether a domain may control
//! others is told by `/proc/xen/capabilities`: `control_d` in a Dom0, empty in
//! a guest, absent where xenfs is not mounted (Linux, `drivers/xen/xenfs`).
//!
//! What is there is read into [`Facts`] and [`Node`]s, [`plan_mount`] and
//! [`plan_nodes`] decide without touching anything, and [`apply`] does one
//! [`Step`] at a time. A target that holds xenfs already is left as it is,
//! whatever its options.

mod apply;
mod cli;
mod devices;
mod error;
mod facts;
mod plan;
mod read;

pub use apply::apply;
pub use cli::Args;
pub use devices::{Found, NAMES, Node, read_nodes};
pub use error::Error;
pub use facts::{Facts, Mount};
pub use plan::{Goal, Step, plan_mount, plan_nodes};

use std::io::Write;

/// Does what the arguments say. `out` gets the answer (the commands of a dry
/// run), `err` what was changed, if that was asked for.
///
/// # Errors
/// Every [`Error`]; its `exit_status` is what the program returns.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let goal = Goal::from(args);
    let mut perform = |steps: Vec<Step>| -> Result<(), Error> {
        if args.dry_run {
            return print(&steps, out);
        }
        for step in &steps {
            if apply(step)? && args.verbose {
                // The work is done; a lost remark does not undo it.
                let _ = writeln!(err, "xen-mountfs: {}", step.done());
            }
        }
        Ok(())
    };
    perform(plan_mount(
        &Facts::read(&args.root, &args.target)?,
        &args.target,
        goal,
    )?)?;
    if args.devices && goal != Goal::Unmounted {
        // Read only now: to mount xenfs may have loaded a driver.
        perform(plan_nodes(&read_nodes(&args.root)?, goal, args.force)?)?;
    }
    Ok(())
}

fn print(steps: &[Step], out: &mut dyn Write) -> Result<(), Error> {
    steps
        .iter()
        .try_for_each(|step| writeln!(out, "{}", step.command()))
        .and_then(|()| out.flush())
        .map_err(|source| Error::system("write to standard output", source))
}
