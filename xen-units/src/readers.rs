//! Which scripts and units read a file of settings, and what they use of it.

use std::path::{Path, PathBuf};

use crate::settings::assignments;
use crate::stamp::{Found, whose};
use crate::used::is_used;

/// Files with what is in them.
pub type Texts = Vec<(PathBuf, String)>;

/// The settings of a file that none of the scripts that read the file uses.
/// One that is only proposed there, in a comment, is one too.
#[must_use]
pub fn ignored(path: &Path, text: &str, texts: &[(PathBuf, String)]) -> Vec<String> {
    let readers: Vec<&str> = texts
        .iter()
        .filter(|(other, text)| reads(other, text, path))
        .map(|(_, text)| text.as_str())
        .collect();
    if readers.is_empty() {
        return vec![];
    }
    let uncommented = text.replace("\n#", "\n");
    let mut ignored = vec![];
    for (name, _) in assignments(&uncommented) {
        let is_used = readers
            .iter()
            .any(|text| uses(text, &name) || (is_ours(text) && is_used(&name)));
        if !is_used && !ignored.contains(&name) {
            ignored.push(name);
        }
    }
    ignored
}

/// Whether the text is one of this chain's. What it does not name it was
/// written by, or its programs read.
#[must_use]
pub fn is_ours(text: &str) -> bool {
    whose(text.as_bytes()) != Found::Foreign
}

/// Whether it is a file with settings of Xen's, and not ours.
#[must_use]
pub fn is_settings(path: &Path) -> bool {
    // Other programs have a conf.d of their own.
    let is_there = path.parent().is_some_and(|folder| {
        let mut folders = ["default", "sysconfig", "etc/conf.d"].iter();
        folders.any(|one| folder.ends_with(one))
    });
    let whole = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name(path);
    let is_xens = name.starts_with("xen") && name != "xen-dom0";
    is_xens && (is_there || !whole.starts_with(&name))
}

/// The name that the file has in its folder: packages have it elsewhere, as
/// `default.xen` or `sysconfig.xencommons.in`.
fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".in").unwrap_or(&name);
    let bare = ["default.", "sysconfig."]
        .iter()
        .find_map(|start| name.strip_prefix(start));
    bare.unwrap_or(name).to_owned()
}

/// Whether this script or unit reads that file of settings.
#[must_use]
pub fn reads(reader: &Path, text: &str, file: &Path) -> bool {
    let name = name(file);
    // OpenRC gives a script the file of its own name.
    let is_namesake = file
        .parent()
        .is_some_and(|folder| folder.ends_with("conf.d"))
        && reader.file_name().is_some_and(|other| *other == *name);
    let part = format!("/{name}");
    let names_it = |line: &str| {
        line.match_indices(&part).any(|(at, part)| {
            let next = line[at + part.len()..].chars().next();
            let is_whole = !next.is_some_and(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
            is_whole && is_settings_folder(&line[..at])
        })
    };
    reader != file && (is_namesake || code(text).any(names_it))
}

/// Whether a path ends with a folder for settings. Upstream puts its name there
/// when it is built, or keeps it in a variable: `$xencommons_config/xencommons`.
fn is_settings_folder(path: &str) -> bool {
    let last = path
        .rsplit(|c: char| c.is_whitespace() || "/\"'=".contains(c))
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    last == "default" || last.contains("conf")
}

/// Whether the name stands in the text, as a word, outside comments.
#[must_use]
pub fn uses(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code(text).any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let next = line[at + name.len()..].chars().next();
            !before.is_some_and(is_part) && !next.is_some_and(is_part)
        })
    })
}

fn code(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines();
    lines.filter(|line| !line.trim_start().starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_reader_by_the_folder_that_it_names() {
        let file = Path::new("/etc/default/xencommons");
        let reads = |text: &str| reads(Path::new("/etc/init.d/x"), text, file);
        for line in [
            "test -f /etc/default/xencommons && . /etc/default/xencommons",
            "EnvironmentFile=-/etc/sysconfig/xencommons",
            "EnvironmentFile=-@CONFIG_DIR@/@CONFIG_LEAF_DIR@/xencommons",
            ". $xencommons_config/xencommons",
            ". \"${SYSCONFDIR}/xencommons\"",
        ] {
            assert!(reads(line), "{line}");
        }
        for line in [
            "# . /etc/default/xencommons",
            ". /etc/default/xencommons.old",
            "exec /etc/init.d/xencommons start",
            "${LIBEXEC_BIN}/xencommons",
        ] {
            assert!(!reads(line), "{line}");
        }
    }

    #[test]
    fn sees_a_name_only_as_a_whole_and_outside_comments() {
        assert!(uses("echo ${XENSTORED:-x}", "XENSTORED"));
        assert!(!uses("echo $XENSTORED_ARGS\n# XENSTORED\n", "XENSTORED"));
    }

    #[test]
    fn knows_files_of_settings_by_their_folder_or_their_package() {
        for (path, expected) in [
            ("/etc/default/xen", true),
            ("/etc/conf.d/xendomains", true),
            ("/usr/share/xen-utils-common/default.xen", true),
            ("/src/init.d/sysconfig.xencommons.in", true),
            ("/etc/default/xen-dom0", false),
            ("/etc/default/grub", false),
            ("/etc/initramfs-tools/conf.d/xen-tools", false),
            ("/etc/init.d/xen", false),
        ] {
            assert_eq!(is_settings(Path::new(path)), expected, "{path}");
        }
    }
}
