//! Each parser alone, on content instead of a file: for tests that make
//! content up, such as those below `fuzz/`.

use crate::config::Config;
use crate::index;
use crate::running::{self, Module};

/// What one file of modprobe.d says.
#[must_use]
pub fn modprobe_d(content: &str) -> Config {
    let mut config = Config::default();
    config.add_file(content, "file");
    config
}

/// What the kernel command line says about modules.
#[must_use]
pub fn command_line(line: &str) -> Config {
    let mut config = Config::default();
    config.add_command_line(line, "file");
    config
}

/// The lines of `/proc/modules`.
#[must_use]
pub fn proc_modules(content: &str) -> Vec<Module> {
    running::parse(content)
}

pub use index::{
    binary_index, modules_alias, modules_builtin, modules_builtin_modinfo, modules_dep,
    modules_dep_damage, modules_dep_names,
};
