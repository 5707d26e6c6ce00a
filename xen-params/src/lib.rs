//! The command line of the Xen hypervisor, and the files that carry it.
//!
//! Xen says nothing about a wrong line but in its own log: an option that it
//! does not know is skipped, a size without a suffix is in KiB, what is over
//! 127 bytes of an option is cut off. Here each option is checked before the
//! boot, against the [`table`] of all that Xen knows, by release and machine.
//!
//! A line is put together by [`compose`] from what the arguments say, looked
//! at by [`lint`], and printed by [`render`] for a boot loader or a script.
//! [`install`] puts it beside a link to the hypervisor. Nothing here needs
//! Xen to run: this works before its first boot and in an image's builder.

mod carried;
mod cli;
mod compose;
mod diff;
mod entry_files;
mod error;
mod explain;
mod extlinux_conf;
mod finding;
mod forecast;
mod format;
pub mod grammar;
mod grub_files;
mod grub_settings;
pub mod install;
mod limine_conf;
mod line;
mod lint;
mod merge;
mod names;
mod read_args;
mod report;
mod run_install;
mod script;
mod settings;
mod table;
mod target;
mod version;
mod xen_cfg_file;

pub use carried::{Carried, Side, carried};
pub use cli::{
    Action, Args, BootEntry, ComposeArgs, DiffArgs, ExplainArgs, InstallArgs, LintArgs, ListArgs,
};
pub use compose::{Composed, compose};
pub use diff::{Difference, diff};
pub use error::Error;
pub use explain::{explain, list};
pub use finding::{Code, Finding, Severity, Visible};
pub use forecast::{Host, MemoryForecast};
pub use format::{
    BootEntries, BootFiles, Document, Format, LimineEntries, grub_defaults, read_boot_files,
    render, safe_line, xen_cfg,
};
pub use line::{END, LINE_MAX, LINUX_MAX, Line, OPTION_MAX, Word, words};
pub use lint::{lint, lint_linux};
pub use merge::merge;
pub use settings::{BootArgs, LineArgs, ReportArgs, TargetArgs};
pub use table::{Entry, Parser, find, nearest, table};
pub use target::{Arch, Target};
pub use version::Version;

use std::io::Write;

/// Does what the arguments say. `out` gets the answer, `err` warnings and,
/// if that was asked for, what was changed.
///
/// # Errors
/// Every [`Error`]; its `exit_status` is what the program returns.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    act(args, out, err).map_err(|error| error.blamed(&args.variables))
}

fn act(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let mut target = |args: &TargetArgs| -> Result<Target, Error> {
        let target = Target::read(args)?;
        if let Some(remark) = target.remark() {
            // It holds whether or not it is read.
            let _ = writeln!(err, "xen-params: warning: {remark}");
        }
        Ok(target)
    };
    match &args.action {
        None => {
            let target = target(&args.compose.line.target)?;
            compose_line(&args.compose, &target, out, err)
        }
        Some(Action::Lint(args)) => report::lint_lines(args, &target(&args.report.target)?, out),
        Some(Action::Explain(args)) => {
            let target = target(&args.report.target)?;
            let root = &args.report.target.root;
            let host = Host::read(args.host_mem.as_deref(), args.cpus, root)?;
            print(
                &explain(&args.options, &target, &host, args.report.json)?,
                out,
            )
        }
        Some(Action::List(args)) => {
            let target = target(&args.report.target)?;
            let pattern = args.pattern.as_deref();
            print(&list(pattern, &target, args.report.json)?, out)
        }
        Some(Action::Diff(args)) => report::diff_lines(args, out),
        Some(Action::Install(args)) => run_install::install(args, out, err),
    }
}

fn compose_line(
    args: &ComposeArgs,
    target: &Target,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Error> {
    let composed = compose(&args.line, target)?;
    if let Some(refusal) = composed.refusal(args.line.force) {
        return Err(refusal);
    }
    let mut told = vec![];
    let (boot, line) = (&args.boot, &args.line);
    let text = render(args.format, &composed, target, boot, line, &mut told)?;
    warn(&composed, &told, args.line.force, err);
    print(&text, out)
}

pub(crate) fn warn(composed: &Composed, told: &[String], force: bool, err: &mut dyn Write) {
    for warning in told {
        let _ = writeln!(err, "xen-params: warning: {warning}");
    }
    for finding in composed.warnings(force) {
        // A lost warning does not make the line a worse one.
        let _ = writeln!(err, "xen-params: warning: {finding}");
    }
}

pub(crate) fn print(text: &str, out: &mut dyn Write) -> Result<(), Error> {
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| Error::system("write to standard output", source))
}
