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
mod shell;

pub use apply::apply;
pub use cli::Args;
pub use devices::{Found, NAMES, Node, read_nodes};
pub use error::Error;
pub use facts::{Facts, Mount, Target};
pub use plan::{Goal, Step, mounted_more_than_once, open_to_a_group, plan_mount, plan_nodes};

use std::io::Write;

use error::one_line;

/// Does what the arguments say. `out` gets the answer (the commands of a dry
/// run), `err` what was changed, if that was asked for.
///
/// # Errors
/// Every [`Error`]; its `exit_status` is what the program returns.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let goal = Goal::from(args);
    let mut remark = |what: &str| {
        if args.verbose {
            // The work is done; a lost remark does not undo it.
            let _ = writeln!(err, "xen-mountfs: {}", one_line(what));
        }
    };
    let mut perform = |steps: &[Step], remark: &mut dyn FnMut(&str)| -> Result<(), Error> {
        if args.dry_run {
            return print(steps, out);
        }
        for step in steps {
            if apply(step)? {
                remark(&step.done());
            }
        }
        Ok(())
    };
    let facts = Facts::read(&args.root, &args.target)?;
    perform(&plan_mount(&facts, &args.target, goal)?, &mut remark)?;
    if goal == Goal::Unmounted {
        return Ok(());
    }
    if let Some(what) = mounted_more_than_once(&facts, &args.target) {
        remark(&what);
    }
    if args.devices {
        // Read only now: to mount xenfs may have loaded a driver.
        let nodes = read_nodes(&args.root)?;
        let steps = plan_nodes(&nodes, goal, args.force)?;
        perform(&steps, &mut remark)?;
        open_to_a_group(&nodes, &steps)
            .iter()
            .for_each(|what| remark(what));
    }
    Ok(())
}

fn print(steps: &[Step], out: &mut dyn Write) -> Result<(), Error> {
    steps
        .iter()
        .try_for_each(|step| out.write_all(&[&step.command()[..], b"\n"].concat()))
        .and_then(|()| out.flush())
        .map_err(|source| Error::system("write to standard output", source))
}
