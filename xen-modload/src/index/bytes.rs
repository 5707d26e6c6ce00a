//! Bytes of a file, from any place in it, a block at a time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Read at once.
const BLOCK: usize = 4096;

/// What can be read from any place.
pub(super) trait ReadAt {
    /// As many bytes as are there, at most as many as `buffer` takes.
    fn read_some(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_some(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.read_at(buffer, at)
    }
}

impl ReadAt for &[u8] {
    fn read_some(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let from = usize::try_from(at).unwrap_or(usize::MAX).min(self.len());
        let length = buffer.len().min(self.len() - from);
        buffer[..length].copy_from_slice(&self[from..from + length]);
        Ok(length)
    }
}

/// A file, and what was read of it.
#[derive(Debug)]
pub(super) struct Bytes<S> {
    source: S,
    /// In bytes.
    pub length: u64,
    /// So many bytes may still be read for one question: where an index is
    /// whole, none is read more than twice, and what would go on for ever ends.
    left: Cell<u64>,
    /// The blocks that were read, by their number.
    blocks: RefCell<BTreeMap<u64, Vec<u8>>>,
}

impl<S: ReadAt> Bytes<S> {
    pub(super) fn new(source: S, length: u64) -> Self {
        Self {
            source,
            length,
            left: Cell::new(2 * length),
            blocks: RefCell::default(),
        }
    }

    /// A question begins.
    pub(super) fn begin(&self) {
        self.left.set(2 * self.length);
    }

    pub(super) fn number(&self, at: &mut u64) -> io::Result<u32> {
        let mut number = 0;
        for _ in 0..4 {
            number = number << 8 | u32::from(self.byte(at)?);
        }
        Ok(number)
    }

    /// Up to a zero byte, which is not part of it.
    pub(super) fn text(&self, at: &mut u64) -> io::Result<Vec<u8>> {
        let mut text = vec![];
        loop {
            match self.byte(at)? {
                0 => return Ok(text),
                byte => text.push(byte),
            }
        }
    }

    pub(super) fn byte(&self, at: &mut u64) -> io::Result<u8> {
        let (number, place) = (*at / BLOCK as u64, (*at % BLOCK as u64) as usize);
        *at += 1;
        let left = self.left.get().checked_sub(1);
        self.left
            .set(left.ok_or_else(|| damaged("it does not end"))?);
        let mut blocks = self.blocks.borrow_mut();
        let block = match blocks.entry(number) {
            Entry::Occupied(block) => block.into_mut(),
            Entry::Vacant(gap) => gap.insert(self.block(number)?),
        };
        block
            .get(place)
            .copied()
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn block(&self, number: u64) -> io::Result<Vec<u8>> {
        let mut block = vec![0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            let at = number * BLOCK as u64 + filled as u64;
            match self.source.read_some(&mut block[filled..], at) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        block.truncate(filled);
        Ok(block)
    }
}

pub(super) fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
