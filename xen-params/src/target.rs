//! The machine and the hypervisor that a line is for.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::settings::TargetArgs;
use crate::{Error, Version};

/// The machines that can be a Dom0 and have their options in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit PCs.
    X86_64,
    /// 64-bit Arm.
    Aarch64,
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        })
    }
}

impl Arch {
    /// The machine of that name, as uname(1) and Debian write it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "x86_64" | "amd64" => Some(Self::X86_64),
            "aarch64" | "arm64" => Some(Self::Aarch64),
            _ => None,
        }
    }
}

/// Decides which options are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The machine.
    #[serde(serialize_with = "as_text")]
    pub arch: Arch,
    /// The release; `None`: any that the table knows.
    #[serde(serialize_with = "as_optional_text")]
    pub xen: Option<Version>,
}

impl Target {
    /// What the arguments say, else the running hypervisor's version, else
    /// that of the hypervisor's file, else every version.
    ///
    /// # Errors
    /// No such version, another machine, or a file of sysfs that cannot be read.
    pub fn read(args: &TargetArgs) -> Result<Self, Error> {
        // Rust calls the machines that it builds for as uname(1) does.
        let arch = args.arch.as_deref().unwrap_or(std::env::consts::ARCH);
        Ok(Self {
            arch: Arch::from_name(arch).ok_or_else(|| Error::Architecture(arch.to_owned()))?,
            xen: match args.xen.as_deref() {
                Some("all") => None,
                Some(text) => Some(
                    text.parse()
                        .map_err(|what: String| Error::setting("--xen", what))?,
                ),
                None => match running(&args.root)? {
                    Some(xen) => Some(xen),
                    None => args.xen_file.as_deref().and_then(file_version),
                },
            },
        })
    }
}

impl Target {
    /// What is to be said of a release that the table does not reach.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        let xen = self.xen?;
        let (first, last) = (Version::OLDEST, Version::NEWEST);
        let taken = xen.clamp(first, last);
        (taken != xen).then(|| {
            format!("the table of options has Xen {first} to {last}; {xen} is taken for {taken}")
        })
    }
}

/// The version of the hypervisor that the kernel runs under, from sysfs.
fn running(root: &Path) -> Result<Option<Version>, Error> {
    let read = |name: &str| read_if_there(&below(root, &Path::new("/sys/hypervisor").join(name)));
    if read("type")?.is_none_or(|text| text.trim() != "xen") {
        return Ok(None);
    }
    let (Some(major), Some(minor)) = (read("version/major")?, read("version/minor")?) else {
        return Ok(None);
    };
    Ok(format!("{}.{}", major.trim(), minor.trim()).parse().ok())
}

/// The version in a name such as `xen-4.17-amd64.gz`.
pub(crate) fn file_version(file: &Path) -> Option<Version> {
    let name = file.file_name()?.to_str()?;
    name.strip_prefix("xen-")?.parse().ok()
}

/// `path` as seen below `root`.
pub(crate) fn below(root: &Path, path: &Path) -> PathBuf {
    if root == Path::new("/") {
        // Keeps a relative path relative to where the program was started.
        return path.to_path_buf();
    }
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The path as the system below `root` has it from any folder: a link and a boot
/// loader know nothing of the one that this program was started in.
pub(crate) fn absolute(root: &Path, file: &Path) -> Result<PathBuf, Error> {
    if root != Path::new("/") {
        return Ok(Path::new("/").join(file));
    }
    if file.is_absolute() {
        return Ok(file.to_path_buf());
    }
    std::env::current_dir()
        .map(|here| here.join(file))
        .map_err(|error| Error::system("ask for the current folder", error))
}

/// The text of a file, or `None` where there is no such file.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<String>, Error> {
    match fs::read(path) {
        Ok(content) => Ok(Some(String::from_utf8_lossy(&content).into_owned())),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::system(format!("read {}", path.display()), error)),
    }
}

/// There is no file of that name.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn as_text<S: Serializer>(value: &impl fmt::Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

pub(crate) fn as_optional_text<S: Serializer>(
    value: &Option<Version>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hypervisor_s_file_tells_its_version() {
        let version = |name: &str| file_version(Path::new(name)).map(|v| v.to_string());
        assert_eq!(version("/boot/xen-4.17-amd64.gz").as_deref(), Some("4.17"));
        assert_eq!(version("xen-4.20.1.gz").as_deref(), Some("4.20"));
        assert_eq!(version("/boot/xen.gz"), None);
        assert_eq!(version("/"), None);
    }
}
