//! From a name to the steps that load it, as modprobe finds them.

use std::path::PathBuf;

use crate::pattern::underscored;
use crate::{Config, Error, Index};

/// Soft dependencies of soft dependencies go no deeper in any sane system.
const DEEPEST: usize = 200;

/// A module as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Its name, underscored.
    pub module: String,
    /// The alias by which it was found, if it was: options may be given for that.
    pub alias: Option<String>,
    /// No module has that name: an install or remove line of its own has it.
    pub has_own_line: bool,
}

/// How a module comes into the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// From its file.
    Insert {
        /// As seen from the root.
        path: PathBuf,
        /// For the module.
        options: String,
    },
    /// By an `install` line of modprobe.d.
    Command {
        /// For sh.
        command: String,
        /// What the command finds in `$CMDLINE_OPTS`.
        options: String,
        /// The name is a module's that has a file, so the command is to load it.
        has_file: bool,
    },
    /// It is there: a part of the kernel.
    BuiltIn,
    /// An alias leads to a module that does not exist.
    Absent,
}

/// One module to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, underscored.
    pub module: String,
    /// How.
    pub action: Action,
    /// It is the module asked for or one that it cannot do without. Others are
    /// soft dependencies, whose failure is nobody's.
    pub required: bool,
    /// It is the module asked for.
    pub asked_for: bool,
    /// The kernel command line tells the kernel to refuse it.
    pub refused: bool,
}

impl Step {
    /// The line that `modprobe --show-depends` prints; a blank ends it, with
    /// options and without.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        let (what, options) = match &self.action {
            Action::Insert { path, options } => (format!("insmod {}", path.display()), options),
            Action::Command {
                command, options, ..
            } => (format!("install {command}"), options),
            Action::BuiltIn => return Some(format!("builtin {}", self.module)),
            Action::Absent => return None,
        };
        let blank = if options.is_empty() { "" } else { " " };
        Some(format!("{what} {options}{blank}"))
    }
}

/// Finds modules and what they need.
#[derive(Debug, Clone, Copy)]
pub struct Resolver<'a> {
    /// What modprobe.d says.
    pub config: &'a Config,
    /// What depmod found.
    pub index: &'a Index,
}

impl Resolver<'_> {
    /// The modules that a name stands for; none if nobody knows it. The first
    /// source that knows the name is asked alone, as modprobe does.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn look_up(&self, name: &str) -> Result<Vec<Wanted>, Error> {
        let name = underscored(name);
        let plain = || Wanted {
            module: name.clone(),
            alias: None,
            has_own_line: false,
        };
        let aliased = |module: String| Wanted {
            module,
            alias: Some(name.clone()),
            has_own_line: false,
        };
        let from_config = self.config.aliased(&name);
        let from_config: Vec<Wanted> = from_config
            .map(|(alias, module)| Wanted {
                module: module.clone(),
                alias: Some(alias.clone()),
                has_own_line: false,
            })
            .collect();
        if !from_config.is_empty() {
            return Ok(from_config);
        }
        if self.index.files_of(&name)?.is_some() {
            return Ok(vec![plain()]);
        }
        if name.starts_with("symbol:") {
            let found = self.index.with_symbol(&name)?;
            if !found.is_empty() {
                return Ok(found.into_iter().map(aliased).collect());
            }
        }
        if self.config.names_command(&name) {
            return Ok(vec![Wanted {
                has_own_line: true,
                ..plain()
            }]);
        }
        let found = self.index.aliased(&name)?;
        if !found.is_empty() {
            return Ok(found.into_iter().map(aliased).collect());
        }
        if self.index.is_built_in(&name)? {
            return Ok(vec![plain()]);
        }
        let found = self.index.built_in_aliased(&name)?;
        Ok(found.into_iter().map(aliased).collect())
    }

    /// The steps that load a module, in their order: what it needs, what it
    /// wants before, itself, what it wants after.
    ///
    /// A module that several need appears several times, as in modprobe's
    /// listing; it is loaded once.
    ///
    /// # Errors
    /// The index cannot be read; soft dependencies that are nested without end.
    pub fn steps(&self, wanted: &Wanted, ignore_install: bool) -> Result<Vec<Step>, Error> {
        let mut walk = Walk {
            resolver: *self,
            visited: vec![],
            required: vec![],
            asked_for: wanted,
            steps: vec![],
        };
        walk.visit(wanted, ignore_install, 0)?;
        Ok(walk.steps)
    }

    /// It is a part of the kernel, and has no file.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn is_built_in(&self, wanted: &Wanted) -> Result<bool, Error> {
        let has_file = self.index.files_of(&wanted.module)?.is_some();
        Ok(!has_file && self.is_listed_as_built_in(wanted)?)
    }

    /// Some parts of the kernel answer to an alias without being listed.
    fn is_listed_as_built_in(&self, wanted: &Wanted) -> Result<bool, Error> {
        if self.index.is_built_in(&wanted.module)? {
            return Ok(true);
        }
        let alias = wanted.alias.as_deref().unwrap_or_default();
        Ok(self.index.built_in_aliased(alias)?.contains(&wanted.module))
    }
}

/// One walk through dependencies and soft dependencies.
struct Walk<'a> {
    resolver: Resolver<'a>,
    /// Those that were visited with all that they need.
    visited: Vec<Wanted>,
    required: Vec<String>,
    asked_for: &'a Wanted,
    steps: Vec<Step>,
}

impl Walk<'_> {
    fn visit(&mut self, wanted: &Wanted, ignore_install: bool, depth: usize) -> Result<(), Error> {
        // A walk visits a handful of modules.
        if self.visited.contains(wanted) {
            return Ok(());
        }
        self.visited.push(wanted.clone());
        if depth > DEEPEST {
            let what = format!("softdep lines are nested deeper than {DEEPEST}");
            return Err(Error::unreadable("modprobe.d".as_ref(), what));
        }
        let mut files = self
            .resolver
            .index
            .files_of(&wanted.module)?
            .unwrap_or_default();
        let own = files.pop();
        if depth == 0 {
            self.required.push(wanted.module.clone());
            let names = files.iter().map(|file| file.name.clone());
            self.required.extend(names);
        }
        for file in files {
            let needed = Wanted {
                module: file.name,
                alias: None,
                has_own_line: false,
            };
            // The index names all that a module needs, however indirectly, so
            // here only soft dependencies are followed.
            self.with_softdeps(&needed, Some(file.path), depth)?;
        }
        let path = own.map(|file| file.path);
        if ignore_install {
            return self.push(wanted, path, true);
        }
        self.with_softdeps(wanted, path, depth)
    }

    fn with_softdeps(
        &mut self,
        wanted: &Wanted,
        path: Option<PathBuf>,
        depth: usize,
    ) -> Result<(), Error> {
        let config = self.resolver.config;
        let (before, after) = match config.softdep_of(&wanted.module) {
            Some(softdep) => (
                self.look_up_all(&softdep.before)?,
                self.look_up_all(&softdep.after)?,
            ),
            None => (vec![], vec![]),
        };
        for other in &before {
            self.visit(other, false, depth + 1)?;
        }
        // modprobe lets soft dependencies outdo an install line.
        self.push(wanted, path, !(before.is_empty() && after.is_empty()))?;
        for other in &after {
            self.visit(other, false, depth + 1)?;
        }
        Ok(())
    }

    fn look_up_all(&self, names: &[String]) -> Result<Vec<Wanted>, Error> {
        let mut all = vec![];
        for name in names {
            all.extend(self.resolver.look_up(name)?);
        }
        Ok(all)
    }

    fn push(
        &mut self,
        wanted: &Wanted,
        path: Option<PathBuf>,
        ignore_install: bool,
    ) -> Result<(), Error> {
        let config = self.resolver.config;
        let module = &wanted.module;
        let command = config.install_of(module, wanted.has_own_line);
        let command = command.filter(|_| !ignore_install);
        let options = || config.options_of(module, wanted.alias.as_deref());
        let action = match (command, path) {
            (Some(command), path) => Action::Command {
                command: command.to_owned(),
                options: options(),
                has_file: path.is_some(),
            },
            (None, Some(path)) => Action::Insert {
                path,
                options: options(),
            },
            (None, None) if self.resolver.is_listed_as_built_in(wanted)? => Action::BuiltIn,
            (None, None) => Action::Absent,
        };
        self.steps.push(Step {
            module: module.clone(),
            action,
            required: self.required.contains(module),
            asked_for: wanted == self.asked_for,
            refused: config.is_refused(module),
        });
        Ok(())
    }
}
