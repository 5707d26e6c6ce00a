//! Does the actions, one request after the other.

use std::io::Write;

use crate::escape::{escape, one_line};
use crate::seed::seed_dom0;
use crate::wait::{Waiting, wait};
use crate::{Action, Calls, Error};

/// Where answers and remarks go.
pub(crate) struct Output<'a> {
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
    pub raw: bool,
    pub verbose: bool,
}

impl Output<'_> {
    /// Says what was done, if that was asked for.
    pub(crate) fn remark(&mut self, what: &str) {
        if self.verbose {
            // The work is done; a lost remark does not undo it.
            let _ = writeln!(self.err, "xen-storewait: {}", one_line(what));
        }
    }

    /// Prints one line.
    pub(crate) fn line(&mut self, text: &[u8]) -> Result<(), Error> {
        let line = [text, b"\n"].concat();
        self.out
            .write_all(&line)
            .and_then(|()| self.out.flush())
            .map_err(|source| Error::system("write to standard output", source))
    }

    /// Prints a value: escaped and with a newline, or raw, the bytes alone.
    fn answer(&mut self, value: &[u8]) -> Result<(), Error> {
        let written = if self.raw {
            self.out.write_all(value)
        } else {
            writeln!(self.out, "{}", escape(value))
        };
        written
            .and_then(|()| self.out.flush())
            .map_err(|source| Error::system("write to standard output", source))
    }
}

/// Does one of them.
pub(crate) fn perform(
    action: &Action,
    calls: &mut Calls<'_>,
    how: Waiting<'_>,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    match action {
        Action::SeedDom0 => {
            for path in seed_dom0(calls)? {
                output.remark(&format!("wrote {path}"));
            }
        }
        Action::Write { path, value } => {
            calls.write(path, value)?;
            output.remark(&format!("wrote {}", escape(path)));
        }
        Action::Read { path } => output.answer(&calls.read(path)?)?,
        Action::Wait { path, expected } => wait(calls, path, expected, how, output)?,
    }
    Ok(())
}
