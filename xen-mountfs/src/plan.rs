//! What has to be done, decided from what was read.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::devices::{Found, Node};
use crate::facts::Target;
use crate::{Args, Error, Facts, shell};

/// The options of the mount: nothing in xenfs is to be run or to give rights.
pub const MOUNT_OPTIONS: &str = "nosuid,nodev,noexec";

/// What the caller wants to be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// xenfs is mounted, by this program if need be.
    Mounted,
    /// Nothing is changed; say whether it is so.
    Checked,
    /// xenfs is not mounted.
    Unmounted,
}

impl From<&Args> for Goal {
    fn from(args: &Args) -> Self {
        match (args.check, args.unmount) {
            (true, _) => Self::Checked,
            (_, true) => Self::Unmounted,
            _ => Self::Mounted,
        }
    }
}

/// One thing to do: one system call, or one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Mount xenfs there.
    Mount(PathBuf),
    /// Unmount the topmost file system there.
    Unmount(PathBuf),
    /// Go on only if this file, now that it is there, says `control_d`.
    RequireControlD(PathBuf),
    /// Make a folder, mode 0755.
    MakeFolder(PathBuf),
    /// Remove what has the name of a node.
    Remove(PathBuf),
    /// Set the mode of a node to 0600.
    SetMode(PathBuf),
    /// Make a character device, mode 0600.
    MakeNode {
        /// Where.
        path: PathBuf,
        /// The driver's major number.
        major: u64,
        /// The driver's minor number.
        minor: u64,
    },
}

impl Step {
    /// The same as a shell command, quoted.
    #[must_use]
    pub fn command(&self) -> Vec<u8> {
        let words: Vec<OsString> = match self {
            Self::Mount(target) => words(
                &["mount", "-t", "xenfs", "-o", MOUNT_OPTIONS, "xenfs"],
                target,
            ),
            Self::Unmount(target) => words(&["umount"], target),
            Self::RequireControlD(file) => words(&["grep", "-q", "control_d"], file),
            Self::MakeFolder(path) => words(&["mkdir", "-p", "-m", "755"], path),
            Self::Remove(path) => words(&["rm", "-f"], path),
            Self::SetMode(path) => words(&["chmod", "600"], path),
            Self::MakeNode { path, major, minor } => {
                let mut line = words(&["mknod", "-m", "600"], path);
                let numbers = [major, minor].map(u64::to_string);
                line.extend(
                    ["c".to_owned()]
                        .into_iter()
                        .chain(numbers)
                        .map(OsString::from),
                );
                line
            }
        };
        shell::join(&words)
    }

    /// What was done, in words.
    #[must_use]
    pub fn done(&self) -> String {
        match self {
            Self::Mount(target) => format!("mounted xenfs on {}", target.display()),
            Self::Unmount(target) => format!("unmounted {}", target.display()),
            Self::RequireControlD(_) => "this is a Dom0".to_owned(),
            Self::MakeFolder(path) => format!("made folder {}", path.display()),
            Self::Remove(path) => format!("removed {}", path.display()),
            Self::SetMode(path) => format!("set the mode of {} to 0600", path.display()),
            Self::MakeNode { path, major, minor } => {
                format!("made {} (character device {major}:{minor})", path.display())
            }
        }
    }
}

fn words(command: &[&str], path: &Path) -> Vec<OsString> {
    let mut line: Vec<OsString> = command.iter().map(OsString::from).collect();
    line.push(path.into());
    line
}

/// The steps that make the goal true for xenfs; none where it is already.
///
/// # Errors
/// Every reason for which no step would help: not under Xen, a guest,
/// something else on the target.
pub fn plan_mount(facts: &Facts, target: &Path, goal: Goal) -> Result<Vec<Step>, Error> {
    if goal == Goal::Unmounted {
        return plan_unmount(facts, target);
    }
    let capabilities = target.join("capabilities");
    match (facts.mounted.last(), &facts.capabilities) {
        (Some(_), Some(text)) if says_control_d(text) => Ok(vec![]),
        (Some(_), Some(_)) => Err(Error::Guest { capabilities }),
        _ if !facts.under_xen => Err(Error::NotUnderXen),
        (Some(other), None) if other != "xenfs" => Err(Error::OtherFilesystem {
            target: target.to_path_buf(),
            filesystem: other.clone(),
        }),
        _ if facts.target == Target::Other => Err(Error::NoFolder {
            path: target.to_path_buf(),
        }),
        _ if facts.target == Target::Missing => Err(Error::NoMountPoint {
            target: target.to_path_buf(),
        }),
        // Or it is no longer: another has just unmounted it.
        _ if goal == Goal::Checked => Err(Error::NotMounted {
            target: target.to_path_buf(),
        }),
        _ => Ok(vec![
            Step::Mount(target.to_path_buf()),
            Step::RequireControlD(capabilities),
        ]),
    }
}

/// Each xenfs on the target is taken away; what is below something else is
/// not reached.
fn plan_unmount(facts: &Facts, target: &Path) -> Result<Vec<Step>, Error> {
    if !facts.under_xen && facts.mounted.is_empty() {
        return Err(Error::NotUnderXen);
    }
    let ours = layers_of_xenfs(facts);
    match facts.mounted.last() {
        Some(other) if ours == 0 => Err(Error::OtherFilesystem {
            target: target.to_path_buf(),
            filesystem: other.clone(),
        }),
        _ => Ok(vec![Step::Unmount(target.to_path_buf()); ours]),
    }
}

/// How many of them are met on top of the target.
fn layers_of_xenfs(facts: &Facts) -> usize {
    let layers = facts.mounted.iter().rev();
    layers
        .take_while(|filesystem| *filesystem == "xenfs")
        .count()
}

/// What is as good as once, but nobody meant.
#[must_use]
pub fn mounted_more_than_once(facts: &Facts, target: &Path) -> Option<String> {
    let times = match layers_of_xenfs(facts) {
        0 | 1 => return None,
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    };
    let target = target.display();
    Some(format!("xenfs is mounted {times} on {target}"))
}

/// `capabilities` holds one word a line.
pub(crate) fn says_control_d(capabilities: &str) -> bool {
    capabilities
        .split_whitespace()
        .any(|word| word == "control_d")
}

/// The steps that make the device nodes right; none where they are.
///
/// # Errors
/// A node without which no toolstack works has no driver, or its name is
/// taken by something else or its mode is wrong and `force` is not set; when
/// only looking, a node that is missing.
pub fn plan_nodes(nodes: &[Node], goal: Goal, force: bool) -> Result<Vec<Step>, Error> {
    let mut steps = vec![];
    for node in nodes {
        let path = node.path.display().to_string();
        let Some((major, minor)) = node.driver else {
            if node.required {
                return Err(Error::NoDriver { path });
            }
            continue;
        };
        let found = match &node.found {
            Found::CharacterDevice {
                major: a,
                minor: b,
                mode,
            } => {
                if (*a, *b) != (major, minor) {
                    Some(format!("is character device {a}:{b}"))
                } else if let Some(what) = wrong_mode(*mode) {
                    if goal == Goal::Checked || !force {
                        let mode = *mode;
                        return Err(Error::WrongMode { path, mode, what });
                    }
                    steps.push(Step::SetMode(node.path.clone()));
                    continue;
                } else {
                    continue;
                }
            }
            Found::Folder => Some("is a folder".to_owned()),
            Found::Other(what) => Some(format!("is {what}")),
            Found::Nothing => None,
        };
        // Nobody knows what is in it.
        let is_folder = node.found == Found::Folder;
        match found {
            Some(found) if goal == Goal::Checked || !force || is_folder => {
                return Err(Error::WrongNode {
                    path,
                    found,
                    major,
                    minor,
                    hint: if is_folder {
                        ""
                    } else {
                        " (replace it with --force)"
                    },
                });
            }
            None if goal == Goal::Checked => return Err(Error::NoNode { path }),
            Some(_) => steps.push(Step::Remove(node.path.clone())),
            None => {}
        }
        steps.push(Step::MakeNode {
            path: node.path.clone(),
            major,
            minor,
        });
    }
    if let Some(Step::Remove(path) | Step::MakeNode { path, .. }) = steps.first() {
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        steps.insert(0, Step::MakeFolder(folder));
    }
    Ok(steps)
}

/// Whoever may use these devices owns the host. A group may be given them by
/// a rule of udev.
fn wrong_mode(mode: u32) -> Option<&'static str> {
    if mode & 0o006 != 0 {
        Some("lets others in")
    } else if mode & 0o600 != 0o600 {
        // As after a run that was killed before it gave back what the umask took.
        Some("keeps its owner out")
    } else {
        None
    }
}

/// The nodes that a group may use, in words.
#[must_use]
pub fn open_to_a_group(nodes: &[Node], steps: &[Step]) -> Vec<String> {
    let stays = |node: &Node| {
        let mut steps = steps.iter();
        !steps.any(
            |step| matches!(step, Step::SetMode(path) | Step::Remove(path) if *path == node.path),
        )
    };
    let mode = |node: &Node| match node.found {
        Found::CharacterDevice { mode, .. } if mode & 0o060 != 0 && stays(node) => {
            let path = node.path.display();
            Some(format!("{path}: mode {mode:04o} lets a group in"))
        }
        _ => None,
    };
    nodes.iter().filter_map(mode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(mode: u32) -> [Node; 1] {
        [Node {
            path: PathBuf::from("/dev/xen/privcmd"),
            required: true,
            driver: Some((10, 120)),
            found: Found::CharacterDevice {
                major: 10,
                minor: 120,
                mode,
            },
        }]
    }

    #[test]
    fn refuses_a_mode_that_lets_others_in_or_the_owner_out() {
        for (mode, why) in [
            (0o666, "mode 0666 lets others in"),
            (0o602, "mode 0602 lets others in"),
            (0o000, "mode 0000 keeps its owner out"),
            (0o400, "mode 0400 keeps its owner out"),
        ] {
            let error = plan_nodes(&node(mode), Goal::Mounted, false).unwrap_err();
            let line = format!("/dev/xen/privcmd: {why} (mend it with --force)");
            assert_eq!((error.to_string(), error.exit_status()), (line, 6));
            assert!(plan_nodes(&node(mode), Goal::Checked, false).is_err());
            let steps = plan_nodes(&node(mode), Goal::Mounted, true).unwrap();
            let commands: Vec<_> = steps.iter().map(Step::command).collect();
            assert_eq!(commands, [b"chmod 600 /dev/xen/privcmd"]);
        }
    }

    #[test]
    fn a_group_may_be_let_in_and_it_is_said() {
        for mode in [0o600, 0o640, 0o660, 0o700] {
            let steps = plan_nodes(&node(mode), Goal::Checked, false);
            assert!(steps.unwrap().is_empty());
        }
        let line = "/dev/xen/privcmd: mode 0660 lets a group in";
        assert_eq!(open_to_a_group(&node(0o660), &[]), [line]);
        assert!(open_to_a_group(&node(0o600), &[]).is_empty());
        let mended = plan_nodes(&node(0o666), Goal::Mounted, true).unwrap();
        assert!(open_to_a_group(&node(0o666), &mended).is_empty());
    }
}
