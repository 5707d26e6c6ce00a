//! What is said while others wait for this program.

use std::io::{self, Write};

/// Remarks that are kept until nobody waits for the lock, or for a change that
/// is half done: a terminal that was stopped, or a pipe that nobody reads,
/// takes none for as long as it likes. Told at the latest when this goes.
pub(crate) struct Remarks<'a> {
    kept: Vec<u8>,
    err: &'a mut dyn Write,
}

impl<'a> Remarks<'a> {
    /// For that writer.
    pub(crate) fn new(err: &'a mut dyn Write) -> Self {
        Self { kept: vec![], err }
    }

    /// Tells what was kept. The work is done; a lost remark does not undo it.
    pub(crate) fn tell(&mut self) {
        let _ = self.err.write_all(&self.kept);
        self.kept.clear();
    }
}

impl Write for Remarks<'_> {
    fn write(&mut self, remark: &[u8]) -> io::Result<usize> {
        self.kept.write(remark)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Remarks<'_> {
    fn drop(&mut self) {
        self.tell();
    }
}
