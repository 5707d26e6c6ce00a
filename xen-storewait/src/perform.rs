//! Does the actions, one request after the other.

use std::io::Write;
use std::time::Duration;

use crate::escape::{escape, one_line};
use crate::seed::seed_dom0;
use crate::{Action, Calls, Error, Expected};

/// The token of the only watch at a time.
const TOKEN: &str = "xen-storewait";

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

    /// Prints one line of a dry run.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Error> {
        writeln!(self.out, "{text}")
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

/// Does one of them; with `once`, waiting is one look.
pub(crate) fn perform(
    action: &Action,
    calls: &mut Calls<'_>,
    once: bool,
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
        Action::Wait { path, expected } => wait(calls, path, expected, once)?,
    }
    Ok(())
}

fn wait(calls: &mut Calls<'_>, path: &[u8], expected: &Expected, once: bool) -> Result<(), Error> {
    let not_yet = |value: Option<&[u8]>, given| Error::NotYet {
        awaited: match expected {
            Expected::Gone => format!("the absence of {}", escape(path)),
            Expected::There | Expected::Value(_) => escape(path),
        },
        seen: match value {
            Some(value) => format!("it is \"{}\"", escape(value)),
            None => "not there".to_owned(),
        },
        given,
    };
    if once {
        let value = calls.read_if_there(path)?;
        return if expected.is_met_by(value.as_deref()) {
            Ok(())
        } else {
            Err(not_yet(value.as_deref(), Duration::ZERO))
        };
    }
    // Watched first, so that no change after the look is missed.
    calls.watch(path, TOKEN)?;
    loop {
        let value = calls.read_if_there(path)?;
        if expected.is_met_by(value.as_deref()) {
            // Too late to take it back is not too late for what was waited for.
            let _ = calls.unwatch(path, TOKEN);
            return Ok(());
        }
        // The last watch may have left events of another path behind.
        let of_path = |event: &[u8]| event.starts_with(path) || path.starts_with(event);
        loop {
            match calls.next_event()? {
                Some(event) if of_path(&event.path) => break,
                Some(_) => {}
                None => return Err(not_yet(value.as_deref(), calls.deadline().given())),
            }
        }
    }
}
