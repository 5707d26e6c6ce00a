//! The files that hold an index in its binary form.

use std::cell::{Cell, OnceCell};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::trie::Trie;
use crate::Error;
use crate::root::open_if_there;

/// One file, opened when it is first asked. `None`: it is not there, or no
/// index, or cut off.
#[derive(Debug)]
struct Table {
    path: PathBuf,
    trie: OnceCell<Option<Trie<File>>>,
}

/// The five that matter here. Each answer is `None` where the text has to be asked.
#[derive(Debug)]
pub(super) struct Binary {
    dep: Table,
    alias: Table,
    symbols: Table,
    builtin: Table,
    builtin_alias: Table,
    /// None of them is asked.
    passed_over: Cell<bool>,
}

type Answer<T> = Result<Option<T>, Error>;

impl Binary {
    pub(super) fn new(folder: &Path) -> Self {
        let table = |name: &str| Table {
            path: folder.join(name),
            trie: OnceCell::new(),
        };
        Self {
            dep: table("modules.dep.bin"),
            alias: table("modules.alias.bin"),
            symbols: table("modules.symbols.bin"),
            builtin: table("modules.builtin.bin"),
            builtin_alias: table("modules.builtin.alias.bin"),
            passed_over: Cell::new(false),
        }
    }

    /// From now on they are passed over, or are not.
    pub(super) fn pass_over(&self, pass: bool) {
        self.passed_over.set(pass);
    }

    /// The line of modules.dep for this module.
    pub(super) fn dep(&self, module: &str) -> Answer<Option<String>> {
        self.ask(&self.dep, |trie| trie.exact(module.as_bytes()))
    }

    pub(super) fn alias(&self, name: &str) -> Answer<Vec<String>> {
        self.ask(&self.alias, |trie| trie.matching(name))
    }

    pub(super) fn symbols(&self, name: &str) -> Answer<Vec<String>> {
        self.ask(&self.symbols, |trie| trie.matching(name))
    }

    pub(super) fn builtin(&self, module: &str) -> Answer<bool> {
        let value = |trie: &Trie<File>| trie.exact(module.as_bytes());
        Ok(self.ask(&self.builtin, value)?.map(|value| value.is_some()))
    }

    pub(super) fn builtin_alias(&self, name: &str) -> Answer<Vec<String>> {
        self.ask(&self.builtin_alias, |trie| trie.matching(name))
    }

    /// There is an index of modules, and it is not empty.
    pub(super) fn has_modules(&self) -> Result<bool, Error> {
        Ok(self.ask(&self.dep, Trie::is_empty)? == Some(false))
    }

    fn ask<T>(
        &self,
        table: &Table,
        question: impl FnOnce(&Trie<File>) -> io::Result<T>,
    ) -> Answer<T> {
        if self.passed_over.get() {
            return Ok(None);
        }
        table.ask(question)
    }
}

impl Table {
    fn ask<T>(&self, question: impl FnOnce(&Trie<File>) -> io::Result<T>) -> Answer<T> {
        if self.trie.get().is_none() {
            let trie = match open_if_there(&self.path)? {
                Some((file, length)) => self.whole(Trie::open(file, length))?,
                None => None,
            };
            // Nobody else sets it: this is one thread.
            let _ = self.trie.set(trie);
        }
        match self.trie.get() {
            Some(Some(trie)) => self.whole(question(trie)),
            _ => Ok(None),
        }
    }

    /// A damaged file is as good as none.
    fn whole<T>(&self, answer: io::Result<T>) -> Answer<T> {
        use io::ErrorKind::{InvalidData, UnexpectedEof};
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if matches!(error.kind(), InvalidData | UnexpectedEof) => Ok(None),
            Err(error) => Err(Error::reading(&self.path, error)),
        }
    }
}
