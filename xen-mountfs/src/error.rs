//! What can go wrong, and the exit status that says so.

use std::io;
use std::path::{Path, PathBuf};

/// A reason for which `/proc/xen` is not what a Dom0 needs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is wrong.
    #[error("{0} (see --help)")]
    Usage(String),

    /// An environment variable holds what its option would not take.
    #[error("{variable}: {what}")]
    Variable {
        /// The variable.
        variable: String,
        /// Its value, and what is wrong with it.
        what: String,
    },

    /// Nothing tells what is mounted, as in an early initramfs.
    #[error("/proc is not mounted{}", below(.root))]
    NoProc {
        /// Where files are read.
        root: PathBuf,
    },

    /// Nothing tells which drivers there are.
    #[error("/sys is not mounted{}", below(.root))]
    NoSys {
        /// Where files are read.
        root: PathBuf,
    },

    /// The kernel does not run under Xen.
    #[error("not running under Xen")]
    NotUnderXen,

    /// Under Xen, but there is no folder to mount on; `/proc/xen` is made by the kernel itself.
    #[error("{}: no such folder{}", .target.display(), if .target.as_os_str() == "/proc/xen" { ": this kernel has no CONFIG_XEN_COMPAT_XENFS" } else { "" })]
    NoMountPoint {
        /// The folder asked for.
        target: PathBuf,
    },

    /// Asked to look only, and nothing is mounted.
    #[error("xenfs is not mounted on {}", .target.display())]
    NotMounted {
        /// The folder asked for.
        target: PathBuf,
    },

    /// xenfs is there, but its `capabilities` lack `control_d`.
    #[error("this is a Xen guest, not a Dom0: no control_d in {}", .capabilities.display())]
    Guest {
        /// The file that was read.
        capabilities: PathBuf,
    },

    /// Another file system covers the target.
    #[error("{}: {filesystem} is mounted there, not xenfs", .target.display())]
    OtherFilesystem {
        /// The folder asked for.
        target: PathBuf,
        /// The type of what is mounted, as in mountinfo.
        filesystem: String,
    },

    /// The kernel knows no file system of that name, not even as a module.
    #[error("mount xenfs on {}: this kernel has no xenfs", .target.display())]
    NoXenfs {
        /// The folder asked for.
        target: PathBuf,
    },

    /// A device that every toolstack opens has no driver.
    #[error("{path}: no driver for it is loaded (run xen-modload)")]
    NoDriver {
        /// The node, such as `/dev/xen/evtchn`.
        path: String,
    },

    /// Asked to look only, and a node is missing.
    #[error("{path}: no such device node")]
    NoNode {
        /// The node, such as `/dev/xen/evtchn`.
        path: String,
    },

    /// Something else has the name of a device node.
    #[error("{path}: {found}, not character device {major}:{minor}{hint}")]
    WrongNode {
        /// The node, such as `/dev/xen/evtchn`.
        path: String,
        /// What is there, in words.
        found: String,
        /// The driver's major number.
        major: u64,
        /// The driver's minor number.
        minor: u64,
        /// What helps, with a blank before it.
        hint: &'static str,
    },

    /// A device node is the right one, but not for its owner alone.
    #[error("{path}: mode {mode:04o} {what} (mend it with --force)")]
    WrongMode {
        /// The node, such as `/dev/xen/evtchn`.
        path: String,
        /// Its mode.
        mode: u32,
        /// What is wrong with it.
        what: &'static str,
    },

    /// The target, or what shall hold the device nodes, is something else.
    #[error("{}: this is not a folder", .path.display())]
    NoFolder {
        /// Where the folder should be.
        path: PathBuf,
    },

    /// A file that decides has content nobody expects.
    #[error("{}: {what}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },

    /// A system call failed.
    #[error("{doing}: {source}")]
    System {
        /// What was being done, to what.
        doing: String,
        /// The kernel's answer.
        source: io::Error,
    },
}

fn below(root: &Path) -> String {
    if root == Path::new("/") {
        return String::new();
    }
    format!(" below {}", root.display())
}

/// A message in one line, whatever the paths in it hold.
pub(crate) fn one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for letter in message.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

impl Error {
    /// The error as one line.
    #[must_use]
    pub fn line(&self) -> String {
        one_line(&self.to_string())
    }

    /// A failed system call, with what was being done.
    pub(crate) fn system(doing: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::System {
            doing: doing.into(),
            source: source.into(),
        }
    }

    /// The exit status, as the manual page lists them.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NoProc { .. }
            | Self::NoSys { .. }
            | Self::NotUnderXen
            | Self::NoMountPoint { .. }
            | Self::NotMounted { .. }
            | Self::Guest { .. }
            | Self::NoXenfs { .. }
            | Self::NoDriver { .. }
            | Self::NoNode { .. } => 5,
            Self::Variable { .. }
            | Self::OtherFilesystem { .. }
            | Self::WrongNode { .. }
            | Self::WrongMode { .. }
            | Self::NoFolder { .. }
            | Self::Unreadable { .. } => 6,
            Self::System { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => 4,
                _ => 1,
            },
        }
    }
}
