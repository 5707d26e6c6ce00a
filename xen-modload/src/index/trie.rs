//! The binary form of an index, which modprobe reads (kmod's libkmod-index):
//! keys as a trie, each with its values. Of a file of a megabyte a look at one
//! key touches a few blocks.
//!
//! All numbers have the highest byte first. The file is `0xb007f457`, the
//! version (2.x as `0x0002xxxx`) and the offset of the root node. An offset
//! carries in its top bits what the node has, in this order: a prefix, ended by
//! a zero byte; children, as the first and the last character and one offset
//! for each from here to there; values, as their count and for each its
//! priority (the line in the text) and a text ended by a zero byte. None of
//! these parts is ever empty, but for texts of values, so a stretch of zeros,
//! which is what a file system leaves of a block that it lost, is seen.

use std::io;
use std::ops::RangeInclusive;

use super::bytes::{Bytes, ReadAt, damaged};
use crate::pattern::matches;

const MAGIC: u32 = 0xb007_f457;
const MAJOR_VERSION: u32 = 2;
const HAS_PREFIX: u32 = 0x8000_0000;
const HAS_VALUES: u32 = 0x4000_0000;
const HAS_CHILDREN: u32 = 0x2000_0000;
const OFFSET: u32 = 0x0fff_ffff;
/// Characters that begin what a pattern does not say letter by letter.
const WILD: [u8; 3] = [b'*', b'?', b'['];
/// An index in its binary form.
#[derive(Debug)]
pub(super) struct Trie<S> {
    bytes: Bytes<S>,
    root: u32,
}

/// Where the parts of a node are.
struct Node {
    prefix: Vec<u8>,
    /// The characters that its children may begin with, if it has any.
    characters: Option<RangeInclusive<u8>>,
    /// One offset for each of these characters.
    children: u64,
    /// Behind its children, where its values are, if it has any.
    rest: u64,
    has_values: bool,
}

impl<S: ReadAt> Trie<S> {
    /// # Errors
    /// It cannot be read, or (`InvalidData`, `UnexpectedEof`) is no such file or
    /// is cut off.
    pub(super) fn open(source: S, length: u64) -> io::Result<Self> {
        let bytes = Bytes::new(source, length);
        let mut at = 0;
        if bytes.number(&mut at)? != MAGIC || bytes.number(&mut at)? >> 16 != MAJOR_VERSION {
            return Err(damaged("no index of depmod"));
        }
        let root = bytes.number(&mut at)?;
        let trie = Self { bytes, root };
        // The root is written last: where it is whole, nothing is cut off.
        if trie.node(trie.root)?.rest > length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(trie)
    }

    /// It has no keys.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        let root = self.begin()?;
        Ok(!root.has_values && root.characters.is_none())
    }

    /// The first value of the key, letter by letter.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn exact(&self, key: &[u8]) -> io::Result<Option<String>> {
        let mut node = self.begin()?;
        let mut left = key;
        loop {
            let Some(after) = left.strip_prefix(node.prefix.as_slice()) else {
                return Ok(None);
            };
            let Some((character, after)) = after.split_first() else {
                let mut values = vec![];
                self.values(&node, &mut values)?;
                let first = values.into_iter().min_by_key(|(priority, _)| *priority);
                return Ok(first.map(|(_, value)| value));
            };
            node = match self.child(&node, *character)? {
                Some(child) => child,
                None => return Ok(None),
            };
            left = after;
        }
    }

    /// The values of all keys that, as patterns, match the name, in the order
    /// of their priorities.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn matching(&self, name: &str) -> io::Result<Vec<String>> {
        let mut found = vec![];
        let mut node = self.begin()?;
        let mut left = name.as_bytes();
        'nodes: loop {
            for place in 0..node.prefix.len() {
                if WILD.contains(&node.prefix[place]) {
                    let pattern = node.prefix.split_off(place);
                    node.prefix = vec![];
                    self.all_below(node, pattern, left, &mut found)?;
                    break 'nodes;
                }
                match left.split_first() {
                    Some((character, after)) if *character == node.prefix[place] => left = after,
                    _ => break 'nodes,
                }
            }
            for character in WILD {
                if let Some(child) = self.child(&node, character)? {
                    self.all_below(child, vec![character], left, &mut found)?;
                }
            }
            let Some((character, after)) = left.split_first() else {
                self.values(&node, &mut found)?;
                break;
            };
            // What is wild in a pattern was looked at above.
            node = match self.child(&node, *character)? {
                Some(child) if !WILD.contains(character) => child,
                _ => break,
            };
            left = after;
        }
        found.sort_by_key(|(priority, _)| *priority);
        Ok(found.into_iter().map(|(_, value)| value).collect())
    }

    /// Adds the values of all keys below `node` that match `name`; `pattern` is
    /// what stands before its prefix.
    fn all_below(
        &self,
        node: Node,
        mut pattern: Vec<u8>,
        name: &[u8],
        found: &mut Vec<(u32, String)>,
    ) -> io::Result<()> {
        let name = String::from_utf8_lossy(name);
        // The way down to the node that is looked at: each node on it, the
        // characters of its children that are left, the pattern's length there.
        let mut way: Vec<(Node, _, usize)> = vec![];
        let mut next = Some(node);
        loop {
            if let Some(node) = next.take() {
                pattern.extend(&node.prefix);
                if node.has_values && matches(&String::from_utf8_lossy(&pattern), &name) {
                    self.values(&node, found)?;
                }
                let characters = node.characters.clone().into_iter().flatten();
                way.push((node, characters, pattern.len()));
            }
            let Some((node, characters, length)) = way.last_mut() else {
                return Ok(());
            };
            pattern.truncate(*length);
            match characters.next() {
                Some(character) => {
                    pattern.push(character);
                    next = self.child(node, character)?;
                }
                None => drop(way.pop()),
            }
        }
    }

    /// The root, where a question begins.
    fn begin(&self) -> io::Result<Node> {
        self.bytes.begin();
        self.node(self.root)
    }

    fn node(&self, offset: u32) -> io::Result<Node> {
        let mut at = u64::from(offset & OFFSET);
        let mut prefix = vec![];
        if offset & HAS_PREFIX != 0 {
            prefix = self.bytes.text(&mut at)?;
            whole(!prefix.is_empty())?;
        }
        let mut characters = None;
        if offset & HAS_CHILDREN != 0 {
            let first = self.bytes.byte(&mut at)?;
            let last = self.bytes.byte(&mut at)?;
            whole(0 < first && first <= last)?;
            characters = Some(first..=last);
        }
        let children = at;
        at += 4 * characters.as_ref().map_or(0, |all| all.len() as u64);
        Ok(Node {
            prefix,
            characters,
            children,
            rest: at,
            has_values: offset & HAS_VALUES != 0,
        })
    }

    fn child(&self, node: &Node, character: u8) -> io::Result<Option<Node>> {
        let Some(characters) = &node.characters else {
            return Ok(None);
        };
        if !characters.contains(&character) {
            return Ok(None);
        }
        let mut at = node.children + 4 * u64::from(character - characters.start());
        match self.bytes.number(&mut at)? {
            none if none & OFFSET == 0 => {
                // There may be gaps, but not at either end.
                let is_end = character == *characters.start() || character == *characters.end();
                whole(none == 0 && !is_end)?;
                Ok(None)
            }
            offset => Ok(Some(self.node(offset)?)),
        }
    }

    fn values(&self, node: &Node, found: &mut Vec<(u32, String)>) -> io::Result<()> {
        if !node.has_values {
            return Ok(());
        }
        let mut at = node.rest;
        let count = self.bytes.number(&mut at)?;
        whole(count > 0)?;
        for _ in 0..count {
            let priority = self.bytes.number(&mut at)?;
            let value = self.bytes.text(&mut at)?;
            found.push((priority, String::from_utf8_lossy(&value).into_owned()));
        }
        // The last of them may have lost its end: no node begins with four zeros.
        whole(at + 4 > self.bytes.length || self.bytes.number(&mut at)? > 0)
    }
}

fn whole(is_whole: bool) -> io::Result<()> {
    if is_whole {
        return Ok(());
    }
    Err(damaged("a part of a node is empty"))
}
