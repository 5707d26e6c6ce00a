//! What is there: the version, the settings, and who else has a say.

use std::path::{Path, PathBuf};

use crate::folders::CONSOLE_LOGS;
use crate::root::Root;
use crate::settings::{Settings, bad_value};
use crate::tools::Search;
use crate::{Error, XenVersion};

/// The bit of `/sys/hypervisor/properties/features` that only a Dom0 has
/// (`XENFEAT_dom0` in Xen's `public/features.h`).
const FEATURE_DOM0: u64 = 1 << 11;

/// The setting that names the folder of the console daemon's logs.
pub(crate) const CONSOLE_LOGS_VARIABLE: &str = "XENCONSOLED_LOG_DIR";

/// Where systemd looks for units, the strongest first (systemd.unit(5)).
pub(crate) const UNIT_FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// libvirt's ways to be started at boot. It starts and stops domains itself.
const LIBVIRT: [&str; 4] = [
    "libvirtd.service",
    "libvirtd.socket",
    "virtxend.service",
    "virtxend.socket",
];

/// A machine, or the image of one, as far as the chain depends on it.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Where everything is read.
    pub root: Root,
    /// The version of Xen that will run, where it can be known.
    pub version: Option<XenVersion>,
    /// What the administrator has set.
    pub settings: Settings,
    /// The folder of this project's programs.
    pub programs: PathBuf,
}

impl Machine {
    /// Reads below the root. `version` beats what is found there.
    ///
    /// # Errors
    /// A settings file that cannot be followed.
    pub fn read(
        root: Root,
        version: Option<XenVersion>,
        programs: PathBuf,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let settings = Settings::read(&root, environment)?;
        let version = version
            .or_else(|| XenVersion::running(&root))
            .or_else(|| XenVersion::newest_installed(&root));
        Ok(Self {
            root,
            version,
            settings,
            programs,
        })
    }

    /// The search for the Xen package's programs.
    #[must_use]
    pub fn search(&self) -> Search<'_> {
        Search {
            root: &self.root,
            version: self.version,
            settings: &self.settings,
        }
    }

    /// One of this project's programs.
    #[must_use]
    pub fn program(&self, name: &str) -> String {
        self.programs.join(name).display().to_string()
    }

    /// The bridge that guests are put on.
    ///
    /// # Errors
    /// A name that no interface can have.
    pub fn bridge(&self) -> Result<&str, Error> {
        let name = self.settings.get("XEN_BRIDGE").unwrap_or("xenbr0");
        // The kernel's own rules (dev_valid_name), and nothing that a
        // configuration file would take for a pattern or a list.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
        let is_name = name.len() < 16 && name.chars().all(is_plain) && name != "." && name != "..";
        if is_name {
            Ok(name)
        } else {
            Err(bad_value(
                "XEN_BRIDGE",
                &format!("{name:?} is no name for a bridge"),
            ))
        }
    }

    /// Where the console daemon keeps its logs; `None` where that is no path
    /// that tmpfiles.d, logrotate and a shell all take as it is.
    #[must_use]
    pub fn console_logs(&self) -> Option<&str> {
        let named = self.settings.get(CONSOLE_LOGS_VARIABLE);
        let folder = named.unwrap_or(CONSOLE_LOGS);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,".contains(c);
        let plain = folder.trim_end_matches('/');
        let is_path = plain.starts_with('/') && plain.split('/').all(|part| part != "..");
        (is_path && plain.chars().all(is_plain)).then_some(plain)
    }

    /// Whether Debian's init scripts are there, which look at pidfiles of
    /// their own.
    #[must_use]
    pub fn has_debian_scripts(&self) -> bool {
        self.root.has_program(Path::new("/etc/init.d/xen"))
            && self.root.has_folder(Path::new("/usr/lib/xen-common"))
    }

    /// The unit by which libvirt is started at boot, if it is.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn libvirt(&self) -> Result<Option<String>, Error> {
        for folder in &UNIT_FOLDERS[..2] {
            for name in self.root.names(Path::new(folder))? {
                let wants = Path::new(folder).join(&name);
                let is_wants = name.ends_with(".wants") || name.ends_with(".requires");
                let found = LIBVIRT.iter().find(|unit| {
                    self.root.has(&wants.join(unit)) && !self.is_kept_from_starting(unit)
                });
                match found {
                    Some(unit) if is_wants => return Ok(Some((*unit).to_owned())),
                    _ => {}
                }
            }
        }
        Ok(None)
    }

    /// A mask leaves the links by which the unit was enabled. A socket starts
    /// nothing where its service is masked.
    fn is_kept_from_starting(&self, unit: &str) -> bool {
        let service = unit.replace(".socket", ".service");
        is_masked(&self.root, unit) || is_masked(&self.root, &service)
    }

    /// The Xen package's udev rules, if it has any.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn udev_rules(&self) -> Result<Option<String>, Error> {
        for folder in [
            "/etc/udev/rules.d",
            "/usr/lib/udev/rules.d",
            "/lib/udev/rules.d",
        ] {
            let names = self.root.names(Path::new(folder))?;
            let is_xens = |name: &String| {
                name.ends_with(".rules") && name.contains("xen") && !name.contains("xen-dom0")
            };
            if let Some(name) = names.into_iter().find(is_xens) {
                return Ok(Some(format!("{folder}/{name}")));
            }
        }
        Ok(None)
    }

    /// A file in one of the folders, not ours, that has a line with this word
    /// in it: somebody's own configuration of the bridge.
    ///
    /// # Errors
    /// A folder or a file that cannot be read.
    pub fn mention(&self, folders: &[&str], word: &str) -> Result<Option<String>, Error> {
        for folder in folders {
            for name in self.root.names(Path::new(folder))? {
                let path = Path::new(folder).join(&name);
                if name.contains("xen-dom0") || !self.root.has_file(&path) {
                    continue;
                }
                let bytes = self.root.read_bytes(&path)?.unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                if text.lines().any(|line| is_setting_with(line, word)) {
                    return Ok(Some(path.display().to_string()));
                }
            }
        }
        Ok(None)
    }
}

/// Whether this is a Dom0, as far as it can be told before xenfs is mounted.
/// Nothing is read of what an administrator may have got wrong.
#[must_use]
pub fn is_dom0(root: &Root) -> bool {
    if !root.has_folder(Path::new("/proc/xen")) {
        return false;
    }
    match root.read(Path::new("/sys/hypervisor/properties/features")) {
        Ok(Some(text)) => {
            u64::from_str_radix(text.trim(), 16).is_ok_and(|features| features & FEATURE_DOM0 != 0)
        }
        // A kernel without that file: the units' own conditions decide.
        _ => true,
    }
}

/// Whether systemd is kept from starting that unit at all.
pub(crate) fn is_masked(root: &Root, unit: &str) -> bool {
    // Those of the administrator and of this boot, the only ones that mask.
    let folders = UNIT_FOLDERS[..2].iter();
    let mut paths = folders.map(|folder| Path::new(folder).join(unit));
    let strongest = paths.find(|path| root.has(path));
    strongest.is_some_and(|path| root.resolve(&path) == Path::new("/dev/null"))
}

/// Whether a line is `KEY=value` and the value has the word among its words.
fn is_setting_with(line: &str, word: &str) -> bool {
    let line = line.trim_start();
    let is_comment = line.starts_with(['#', ';']);
    let separators = |c: char| c.is_whitespace() || ",;\"'".contains(c);
    let value = line.split_once('=').map(|(_, value)| value);
    !is_comment && value.is_some_and(|value| value.split(separators).any(|part| part == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_dom0_by_its_features() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        assert!(!is_dom0(&root));
        std::fs::create_dir_all(folder.path().join("proc/xen")).unwrap();
        let features = folder.path().join("sys/hypervisor/properties/features");
        std::fs::create_dir_all(features.parent().unwrap()).unwrap();
        for (text, expected) in [("00002705\n", false), ("00002f05\n", true), ("?", false)] {
            std::fs::write(&features, text).unwrap();
            assert_eq!(is_dom0(&root), expected, "{text}");
        }
    }

    #[test]
    fn takes_a_mask_of_this_boot_for_less_than_an_administrators_unit() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        for folder_of_units in &UNIT_FOLDERS[..2] {
            let path = folder.path().join(&folder_of_units[1..]);
            std::fs::create_dir_all(path).unwrap();
        }
        let run = folder.path().join("run/systemd/system/a.service");
        std::os::unix::fs::symlink("/dev/null", run).unwrap();
        assert!(is_masked(&root, "a.service"));
        let etc = folder.path().join("etc/systemd/system/a.service");
        std::fs::write(&etc, "[Unit]\n").unwrap();
        assert!(!is_masked(&root, "a.service"));
        std::fs::remove_file(&etc).unwrap();
        std::os::unix::fs::symlink("/dev/null", etc).unwrap();
        assert!(is_masked(&root, "a.service"));
    }

    #[test]
    fn sees_a_word_only_as_a_whole_and_outside_comments() {
        assert!(is_setting_with("Name=eth0 xenbr0", "xenbr0"));
        assert!(is_setting_with("interface-name=xenbr0", "xenbr0"));
        assert!(!is_setting_with("Name=xenbr01", "xenbr0"));
        assert!(!is_setting_with("# Name=xenbr0", "xenbr0"));
        assert!(!is_setting_with("xenbr0", "xenbr0"));
    }

    #[test]
    fn refuses_a_name_that_no_bridge_can_have() {
        let with = |name: &str| Machine {
            root: Root::new(Path::new("/nowhere")),
            version: None,
            settings: Settings::from_iter([("XEN_BRIDGE".to_owned(), name.to_owned())]),
            programs: PathBuf::from("/usr/bin"),
        };
        assert_eq!(with("br0").bridge().unwrap(), "br0");
        assert_eq!(with("").bridge().unwrap(), "xenbr0");
        for name in ["a b", "xen*", "sixteen-letters0", "a/b", ".."] {
            assert_eq!(with(name).bridge().unwrap_err().exit_status(), 6, "{name}");
        }
    }
}
