//! The index that depmod made of a kernel's modules: modules.dep and its
//! companions. Each is asked in its binary form, as modprobe does; where there
//! is none, as busybox's depmod leaves it, or it is damaged, the text says the
//! same, only slower. Each file is opened when it is first needed.

mod alias;
mod binary;
mod builtin;
mod bytes;
mod dep;
mod scan;
mod trie;

use std::cell::OnceCell;
use std::io;
use std::path::{Path, PathBuf};

use crate::root::{below, read_bytes_if_there, read_if_there, read_pieces};
use crate::{Error, Kernel};

use binary::Binary;
use dep::DepFile;

/// A module that has a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFile {
    /// Its name, underscored.
    pub name: String,
    /// Where it is, as seen from the root.
    pub path: PathBuf,
}

/// The index of one kernel.
#[derive(Debug)]
pub struct Index {
    root: PathBuf,
    kernel: Kernel,
    binary: Binary,
    dep: OnceCell<Option<DepFile>>,
    builtin: OnceCell<String>,
    builtin_modinfo: OnceCell<String>,
}

impl Index {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(root: &Path, kernel: &Kernel) -> Self {
        Self {
            root: root.to_path_buf(),
            kernel: kernel.clone(),
            binary: Binary::new(&below(root, &kernel.folder)),
            dep: OnceCell::new(),
            builtin: OnceCell::new(),
            builtin_modinfo: OnceCell::new(),
        }
    }

    /// The file of the module with that (underscored) name and those that it
    /// depends on, in the order in which they are to be loaded, itself last.
    ///
    /// # Errors
    /// The index cannot be read, or its line for this module is cut off.
    pub fn files_of(&self, name: &str) -> Result<Option<Vec<ModuleFile>>, Error> {
        let Some((path, needs)) = self.line_of(name)? else {
            return Ok(None);
        };
        // What a module needs directly comes first: depmod writes the order backwards.
        let needed = needs.split_ascii_whitespace().rev();
        let files = needed.chain([path.as_str()]).map(|path| ModuleFile {
            name: dep::module_name(path),
            path: self.kernel.folder.join(path),
        });
        Ok(Some(files.collect()))
    }

    /// A module's own file and those that it needs.
    fn line_of(&self, name: &str) -> Result<Option<(String, String)>, Error> {
        if let Some(line) = self.binary.dep(name)? {
            match line.as_deref().map(|line| line.split_once(':')) {
                None => return Ok(None),
                Some(Some((path, needs))) if is_line(name, path, needs) => {
                    return Ok(Some((path.to_owned(), needs.to_owned())));
                }
                // It is damaged.
                Some(_) => {}
            }
        }
        let found = self.dep()?.and_then(|dep| dep.line_of(name));
        found
            .map(|line| line.map(|line| (line.path, line.needs)))
            .transpose()
            .map_err(|what| Error::unreadable(&self.path("modules.dep"), what))
    }

    /// It is part of the kernel itself.
    ///
    /// # Errors
    /// modules.builtin is there and cannot be read.
    pub fn is_built_in(&self, name: &str) -> Result<bool, Error> {
        match self.binary.builtin(name)? {
            Some(answer) => Ok(answer),
            None => Ok(modules_builtin(self.built_in()?, name)),
        }
    }

    /// The modules that say they answer to this modalias, in the order of the
    /// index.
    ///
    /// # Errors
    /// modules.alias is there and cannot be read.
    pub fn aliased(&self, name: &str) -> Result<Vec<String>, Error> {
        match self.binary.alias(name)? {
            Some(modules) => Ok(modules),
            None => self.search("modules.alias", name),
        }
    }

    /// The modules that have this symbol, which is asked for as `symbol:NAME`.
    ///
    /// # Errors
    /// modules.symbols is there and cannot be read.
    pub fn with_symbol(&self, name: &str) -> Result<Vec<String>, Error> {
        match self.binary.symbols(name)? {
            Some(modules) => Ok(modules),
            None => self.search("modules.symbols", name),
        }
    }

    /// The built-in modules that answer to this modalias.
    ///
    /// # Errors
    /// modules.builtin.modinfo is there and cannot be read.
    pub fn built_in_aliased(&self, name: &str) -> Result<Vec<String>, Error> {
        if let Some(modules) = self.binary.builtin_alias(name)? {
            return Ok(modules);
        }
        if self.builtin_modinfo.get().is_none() {
            let path = self.path("modules.builtin.modinfo");
            let _ = self
                .builtin_modinfo
                .set(read_if_there(&path)?.unwrap_or_default());
        }
        let content = self.builtin_modinfo.get().map(String::as_str);
        Ok(modules_builtin_modinfo(content.unwrap_or_default(), name))
    }

    /// The names of all modules, underscored: those with files, then those
    /// built in.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        let mut names: Vec<String> = match self.dep()? {
            Some(dep) => dep.names().collect(),
            None => vec![],
        };
        names.extend(self.built_in()?.lines().map(dep::module_name));
        Ok(names)
    }

    /// What the text says, whatever the binary form does: that may be damaged
    /// where it does not show.
    pub fn by_text<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.binary.pass_over(true);
        let answer = ask();
        self.binary.pass_over(false);
        answer
    }

    /// "Not found" is only an answer where the index is whole.
    ///
    /// # Errors
    /// There is none, or it is empty or holds lines that are none.
    pub fn trust(&self) -> Result<(), Error> {
        if self.binary.has_modules()? {
            return Ok(());
        }
        let path = self.path("modules.dep");
        let hint = format!("run depmod {}", self.kernel.release);
        let Some(dep) = self.dep()? else {
            return Err(Error::unreadable(&path, format!("no such file ({hint})")));
        };
        if let Some(what) = dep.damage() {
            return Err(Error::unreadable(&path, format!("{what} ({hint})")));
        }
        let order = self.path("modules.order");
        if dep.is_empty() && order.metadata().is_ok_and(|order| order.len() > 0) {
            let what = format!("empty, though modules.order names modules ({hint})");
            return Err(Error::unreadable(&path, what));
        }
        Ok(())
    }

    fn dep(&self) -> Result<Option<&DepFile>, Error> {
        if self.dep.get().is_none() {
            let folder = below(&self.root, &self.kernel.folder);
            if !folder.is_dir() {
                return Err(Error::NoModules {
                    release: self.kernel.release.clone(),
                    folder,
                });
            }
            let content = read_bytes_if_there(&self.path("modules.dep"))?;
            // Nobody else sets it: this is one thread.
            let _ = self.dep.set(content.map(DepFile::new));
        }
        Ok(self.dep.get().and_then(Option::as_ref))
    }

    /// A file too large to be kept is read by the piece.
    fn search(&self, file: &str, name: &str) -> Result<Vec<String>, Error> {
        let path = self.path(file);
        let mut found = vec![];
        read_pieces(&path, |lines| alias::find(lines, name, &mut found))?;
        Ok(found)
    }

    fn built_in(&self) -> Result<&str, Error> {
        if self.builtin.get().is_none() {
            let content = read_if_there(&self.path("modules.builtin"))?;
            let _ = self.builtin.set(content.unwrap_or_default());
        }
        Ok(self.builtin.get().map(String::as_str).unwrap_or_default())
    }

    fn path(&self, name: &str) -> PathBuf {
        below(&self.root, &self.kernel.folder).join(name)
    }
}

/// Can it be the line of that module? Its file has its name, and depmod writes
/// no character that is not seen.
fn is_line(name: &str, path: &str, needs: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    dep::is_module(path, name) && plain(path) && plain(needs)
}

/// What modules.dep says of the module with that (underscored) name: its file,
/// and the files it needs, separated by blanks. `Err`: the line is cut off.
#[must_use]
pub fn modules_dep(content: &[u8], name: &str) -> Option<Result<(String, String), String>> {
    let line = DepFile::new(content.to_vec()).line_of(name)?;
    Some(line.map(|line| (line.path, line.needs)))
}

/// The modules that modules.dep names, underscored.
#[must_use]
pub fn modules_dep_names(content: &[u8]) -> Vec<String> {
    DepFile::new(content.to_vec()).names().collect()
}

/// What is wrong with modules.dep, if anything.
#[must_use]
pub fn modules_dep_damage(content: &[u8]) -> Option<String> {
    DepFile::new(content.to_vec()).damage()
}

/// The modules that modules.alias or modules.symbols names for an (underscored) name.
#[must_use]
pub fn modules_alias(content: &[u8], name: &str) -> Vec<String> {
    let mut found = vec![];
    alias::find(content, name, &mut found);
    found
}

/// Is the module with that (underscored) name in modules.builtin?
#[must_use]
pub fn modules_builtin(content: &str, name: &str) -> bool {
    content.lines().any(|path| dep::is_module(path, name))
}

/// The modules that modules.builtin.modinfo names for an (underscored) modalias.
#[must_use]
pub fn modules_builtin_modinfo(content: &str, name: &str) -> Vec<String> {
    builtin::find_alias(content, name)
}

/// The value of a key in a binary index, and the values of all keys that match
/// it as patterns. `Err`: it is damaged.
pub fn binary_index(content: &[u8], key: &str) -> io::Result<(Option<String>, Vec<String>)> {
    let trie = trie::Trie::open(content, content.len() as u64)?;
    Ok((trie.exact(key.as_bytes())?, trie.matching(key)?))
}
