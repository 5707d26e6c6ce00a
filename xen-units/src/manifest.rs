//! What was written, so that a later run can tell its own files from others'
//! and take away what it no longer writes.

use std::path::{Path, PathBuf};

use crate::stamp::{MARKER, fingerprint};

/// Its name in the output folder.
pub const NAME: &str = "xen-dom0.manifest";

const HEAD: &str = "\
# Written by xen-units
# What it has written here; without this file it takes nothing of it away again.
";

/// What was written, linked and put out of the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Each file's path below the output folder, and its text's fingerprint.
    pub files: Vec<(PathBuf, String)>,
    /// Each link that enables a service, and what it leads to.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// Each link to `/dev/null` by which another chain's unit is masked.
    pub masks: Vec<PathBuf>,
    /// Each link of another chain that was taken away, and what it led to.
    pub unlinked: Vec<(PathBuf, PathBuf)>,
    /// The scripts of another chain that were disabled by their own means.
    pub disabled: Vec<String>,
}

impl Manifest {
    /// Reads one. Lines that are none are passed over: they name nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut manifest = Self::default();
        for line in text.lines() {
            let Some((kind, rest)) = line.split_once(' ') else {
                continue;
            };
            let pair = rest.split_once(' ').map(|(a, b)| (a.to_owned(), b));
            match (kind, pair) {
                ("file", Some((hash, path))) => {
                    manifest.files.push((path.into(), hash));
                }
                ("link", Some((path, target))) => {
                    manifest.links.push((path.into(), target.into()));
                }
                ("unlinked", Some((path, target))) => {
                    manifest.unlinked.push((path.into(), target.into()));
                }
                ("mask", None) => manifest.masks.push(rest.into()),
                ("disabled", None) => manifest.disabled.push(rest.to_owned()),
                _ => {}
            }
        }
        manifest
    }

    /// Notes a file.
    pub fn add(&mut self, path: &Path, text: &str) {
        let hash = fingerprint(text.as_bytes(), b"");
        self.files.push((path.to_path_buf(), hash));
    }

    /// Notes a file as another list has it, if it has.
    pub fn keep(&mut self, path: &Path, other: &Self) {
        let files = other.files.iter().filter(|(known, _)| known == path);
        self.files.extend(files.cloned());
    }

    /// These lists of files and links with those of a later run, and all else
    /// as it has it.
    #[must_use]
    pub fn joined(&self, later: &Self) -> Self {
        let mut both = later.clone();
        let is_new = |file: &&(PathBuf, String)| !later.files.contains(file);
        both.files.extend(self.files.iter().filter(is_new).cloned());
        let is_new = |link: &&(PathBuf, PathBuf)| !later.links.contains(link);
        both.links.extend(self.links.iter().filter(is_new).cloned());
        both
    }

    /// Whether that is a text of the file as it was written; `None` where it
    /// was not written at all. A run that was killed may have written either
    /// of two.
    #[must_use]
    pub fn wrote(&self, path: &Path, content: &[u8]) -> Option<bool> {
        let mut files = self.files.iter().filter(|(known, _)| known == path);
        let hash = fingerprint(content, b"");
        let (_, first) = files.next()?;
        Some(*first == hash || files.any(|(_, other)| *other == hash))
    }

    /// As text, to be parsed again.
    #[must_use]
    pub fn text(&self) -> String {
        debug_assert!(HEAD.starts_with(MARKER));
        let mut text = HEAD.to_owned();
        let mut line = |kind: &str, first: &str, second: &Path| {
            let second = second.to_string_lossy();
            text.extend([kind, first, second.as_ref(), "\n"]);
        };
        for (path, hash) in &self.files {
            line("file ", &[hash, " "].concat(), path);
        }
        for (path, target) in &self.links {
            line("link ", &[&path.to_string_lossy(), " "].concat(), target);
        }
        for (path, target) in &self.unlinked {
            line(
                "unlinked ",
                &[&path.to_string_lossy(), " "].concat(),
                target,
            );
        }
        for path in &self.masks {
            line("mask ", "", path);
        }
        for name in &self.disabled {
            line("disabled ", name, Path::new(""));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let mut manifest = Manifest::default();
        manifest.add(Path::new("sv/xen-store/run"), "#!/bin/sh\n");
        let pair = ("/etc/service/xen-store", "/etc/sv/xen-store");
        manifest.links.push((pair.0.into(), pair.1.into()));
        manifest
            .masks
            .push("/etc/systemd/system/xen.service".into());
        let pair = ("/etc/runlevels/default/xen", "/etc/init.d/xen");
        manifest.unlinked.push((pair.0.into(), pair.1.into()));
        manifest.disabled.push("xendomains".to_owned());
        assert_eq!(Manifest::parse(&manifest.text()), manifest);
        let path = Path::new("sv/xen-store/run");
        assert_eq!(manifest.wrote(path, b"#!/bin/sh\n"), Some(true));
        assert_eq!(manifest.wrote(path, b"#!/bin/sh\n# mine\n"), Some(false));
        assert_eq!(manifest.wrote(Path::new("other"), b""), None);
    }
}
