//! What modprobe.d and the kernel command line say (modprobe.d(5)).

mod cmdline;
mod files;
mod parse;

use std::path::Path;

use crate::pattern::matches;
use crate::root::{below, read_bytes_if_there};
use crate::{Error, Problem};

/// A module that another wants before or after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftDependency {
    /// Whose, as a pattern.
    pub of: String,
    /// Wanted before it, in this order.
    pub before: Vec<String>,
    /// Wanted after it, in this order.
    pub after: Vec<String>,
}

/// All lines of all files, in the order in which modprobe takes them. Names
/// are [`underscored`](crate::underscored).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Pattern and module.
    pub aliases: Vec<(String, String)>,
    /// Module and options.
    pub options: Vec<(String, String)>,
    /// Modules not to be loaded.
    pub blacklist: Vec<String>,
    /// Those that the kernel itself refuses, whoever loads them and whatever
    /// for (`module_blacklist=`).
    pub refused: Vec<String>,
    /// The first that matches a module counts, and no other.
    pub softdeps: Vec<SoftDependency>,
    /// Pattern and command; the first that matches counts.
    pub installs: Vec<(String, String)>,
    /// Pattern and command; the first that matches counts.
    pub removes: Vec<(String, String)>,
    /// Lines nobody understands, as `FILE line N: …`.
    pub complaints: Vec<String>,
    /// Files that are there and cannot be read: what is wrong, and the exit
    /// status that says so. What the others say counts all the same.
    pub unread: Vec<Problem>,
}

impl Config {
    /// Reads the five folders of modprobe.d, the softdeps that the modules
    /// themselves bring (`modules.softdep` in `folder`, which sorts among the
    /// others by its name), and the kernel command line.
    #[must_use]
    pub fn read(root: &Path, folder: &Path) -> Self {
        let mut config = Self::default();
        let (files, unread) = files::list(root, folder);
        for error in unread {
            config.note_unread(&error);
        }
        for file in files {
            let place = below(root, &file);
            if let Some(content) = config.read_one(&place) {
                config.add_file(&content, &place.display().to_string());
            }
        }
        let place = below(root, Path::new("/proc/cmdline"));
        if let Some(line) = config.read_one(&place) {
            config.add_command_line(&line, &place.display().to_string());
        }
        config
    }

    /// A file that cannot be read costs what it says, not the boot.
    fn read_one(&mut self, place: &Path) -> Option<String> {
        let content = read_bytes_if_there(place).unwrap_or_else(|error| {
            self.note_unread(&error);
            None
        });
        Some(text_or_zeros(&content?))
    }

    fn note_unread(&mut self, error: &Error) {
        self.unread.push((error.to_string(), error.exit_status()));
    }

    pub(crate) fn add_file(&mut self, content: &str, file: &str) {
        parse::parse(self, content, file);
    }

    pub(crate) fn add_command_line(&mut self, line: &str, file: &str) {
        cmdline::parse(self, line, file);
    }

    /// The modules that an alias stands for, each with the alias that matched.
    pub fn aliased<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a (String, String)> {
        let fits = move |alias: &&(String, String)| matches(&alias.0, name);
        self.aliases.iter().filter(fits)
    }

    /// All options for the module, also those given for the alias by which it
    /// was asked for.
    #[must_use]
    pub fn options_of(&self, module: &str, alias: Option<&str>) -> String {
        let options: Vec<&str> = self
            .options
            .iter()
            .filter(|(name, _)| name == module || Some(name.as_str()) == alias)
            .map(|(_, options)| options.as_str())
            .collect();
        options.join(" ")
    }

    /// It is blacklisted.
    #[must_use]
    pub fn blacklists(&self, module: &str) -> bool {
        self.blacklist.iter().any(|name| name == module)
    }

    /// The kernel itself refuses it.
    #[must_use]
    pub fn is_refused(&self, module: &str) -> bool {
        self.refused.iter().any(|name| name == module)
    }

    /// The soft dependencies of a module: the first line that matches.
    #[must_use]
    pub fn softdep_of(&self, module: &str) -> Option<&SoftDependency> {
        self.softdeps
            .iter()
            .find(|softdep| matches(&softdep.of, module))
    }

    /// The command to run instead of loading the module: the first line that
    /// matches, or before it one of its `own`, if that is how it is known.
    #[must_use]
    pub fn install_of(&self, module: &str, own: bool) -> Option<&str> {
        let own = own_command(&self.installs, module).filter(|_| own);
        own.or_else(|| first_command(&self.installs, module))
    }

    /// The command to run instead of unloading the module, likewise. One that
    /// has an install line of its own is known by that alone.
    #[must_use]
    pub fn remove_of(&self, module: &str, own: bool) -> Option<&str> {
        let own = own && own_command(&self.installs, module).is_none();
        let own = own_command(&self.removes, module).filter(|_| own);
        own.or_else(|| first_command(&self.removes, module))
    }

    /// A name that has an install or remove line of its own is a module, even
    /// if there is no file for it.
    #[must_use]
    pub fn names_command(&self, name: &str) -> bool {
        let mut commands = self.installs.iter().chain(&self.removes);
        commands.any(|(module, _)| module == name)
    }
}

/// The content as text, with a zero byte for what is none: like a zero byte, no
/// part of a line can hold it, neither an option nor a command.
fn text_or_zeros(content: &[u8]) -> String {
    let mut text = String::new();
    for chunk in content.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push('\0');
        }
    }
    text
}

fn own_command<'a>(commands: &'a [(String, String)], module: &str) -> Option<&'a str> {
    let own = commands.iter().find(|(name, _)| name == module);
    own.map(|(_, command)| command.as_str())
}

fn first_command<'a>(commands: &'a [(String, String)], module: &str) -> Option<&'a str> {
    commands
        .iter()
        .find(|(pattern, _)| matches(pattern, module))
        .map(|(_, command)| command.as_str())
}
