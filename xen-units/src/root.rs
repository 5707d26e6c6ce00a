//! Files as seen below a root.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use crate::Error;

/// As many links as the kernel follows (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// The folder in which everything is read and written: `/`, but in tests and
/// image builders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// The root at this path.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// The root that `--root` names.
    ///
    /// # Errors
    /// [`Error::Usage`] where no folder is there: there would be nothing to find.
    pub fn named(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            return Ok(Self::new(path));
        }
        let what = format!("--root: {}: not a folder", path.display());
        Err(Error::Usage(what))
    }

    /// Where `path` is, once the root is taken into account. Under the real
    /// root a relative path stays relative to the current folder.
    #[must_use]
    pub fn below(&self, path: &Path) -> PathBuf {
        if self.0 == Path::new("/") {
            return path.to_path_buf();
        }
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The path as it is from within the root. Under the real one a relative
    /// path stays relative to the current folder.
    #[must_use]
    pub fn inside(&self, path: &Path) -> PathBuf {
        match self.is_real() {
            true => path.to_path_buf(),
            false => Path::new("/").join(path),
        }
    }

    /// Whether a path stays below the root. Below `/` all do.
    #[must_use]
    pub fn contains(&self, path: &Path) -> bool {
        let mut depth = 0_usize;
        self.0 == Path::new("/")
            || path.components().all(|part| match part {
                Component::ParentDir => {
                    let stays = depth > 0;
                    depth = depth.saturating_sub(1);
                    stays
                }
                Component::Normal(_) => {
                    depth += 1;
                    true
                }
                _ => true,
            })
    }

    /// The content of a file, or `None` where there is none.
    ///
    /// # Errors
    /// As [`Self::read_bytes`], and what is not text.
    pub fn read(&self, path: &Path) -> Result<Option<String>, Error> {
        let Some(bytes) = self.read_bytes(path)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes);
        text.map(Some)
            .map_err(|_| bad_file(path, "not text in UTF-8"))
    }

    /// The content of a file that need not be text, or `None` where there is
    /// none.
    ///
    /// # Errors
    /// A file that is there and cannot be read. A folder is one, and what
    /// could keep a reader waiting, such as a FIFO.
    pub fn read_bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        self.read_up_to(path, u64::MAX)
    }

    /// The same, and no more than so many bytes of it.
    ///
    /// # Errors
    /// As for [`Root::read_bytes`].
    pub fn read_up_to(&self, path: &Path, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let real = self.below(&self.resolve(path));
        match fs::metadata(&real).map(|meta| meta.is_file()) {
            Ok(false) => return Err(bad_file(path, "not a regular file")),
            Err(error) if is_absent(&error) => return Ok(None),
            // What is wrong is seen again, and said, by reading.
            Ok(true) | Err(_) => {}
        }
        let read = |file: File| {
            let mut content = vec![];
            file.take(most).read_to_end(&mut content).map(|_| content)
        };
        match File::open(&real).and_then(read) {
            Ok(content) => Ok(Some(content)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::system(format!("read {}", real.display()), error)),
        }
    }

    /// Whether a regular file is there.
    #[must_use]
    pub fn has_file(&self, path: &Path) -> bool {
        self.below(&self.resolve(path)).is_file()
    }

    /// The names in a folder, sorted; none where there is no such folder.
    ///
    /// # Errors
    /// A folder that is there and cannot be read.
    pub fn names(&self, folder: &Path) -> Result<Vec<String>, Error> {
        let real = self.below(folder);
        let failed = |error| Error::system(format!("read folder {}", real.display()), error);
        let entries = match fs::read_dir(&real) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(vec![]),
            Err(error) => return Err(failed(error)),
        };
        let mut names: Vec<String> = vec![];
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_string_lossy().into_owned();
            // A sort of its own would make the program larger by kilobytes.
            let place = names.partition_point(|known| *known < name);
            names.insert(place, name);
        }
        Ok(names)
    }

    /// Whether something has that name, even a link that leads nowhere.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        self.below(path).symlink_metadata().is_ok()
    }

    /// Whether a folder is there.
    #[must_use]
    pub fn has_folder(&self, path: &Path) -> bool {
        self.below(&self.resolve(path)).is_dir()
    }

    /// Whether a file is there that may be run.
    #[must_use]
    pub fn has_program(&self, path: &Path) -> bool {
        fs::metadata(self.below(&self.resolve(path)))
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    }

    /// The path with the links of its last component followed. An absolute
    /// link means the root it is in, not the one of this process.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        let mut path = path.to_path_buf();
        for _ in 0..MAX_LINKS {
            let Ok(target) = fs::read_link(self.below(&path)) else {
                return path;
            };
            path = path.parent().unwrap_or(Path::new("/")).join(target);
        }
        path
    }

    /// The path as it is without links, `None` where it leads nowhere or out of
    /// the root.
    #[must_use]
    pub fn real(&self, path: &Path) -> Option<PathBuf> {
        let real = self.below(&self.resolve(path)).canonicalize().ok()?;
        let root = self.0.canonicalize().ok()?;
        Some(Path::new("/").join(real.strip_prefix(root).ok()?))
    }

    /// What a link leads to, or `None` where there is no link.
    #[must_use]
    pub fn link_target(&self, path: &Path) -> Option<PathBuf> {
        fs::read_link(self.below(path)).ok()
    }

    /// Whether it is the root of this process.
    #[must_use]
    pub fn is_real(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// Whether a file is a service of OpenRC.
    #[must_use]
    pub fn is_of_openrc(&self, path: &Path) -> bool {
        let start = self.read_up_to(path, 80).ok().flatten().unwrap_or_default();
        let start = String::from_utf8_lossy(&start);
        let first = start.lines().next().unwrap_or_default();
        let mut names = ["openrc-run", "runscript"].iter();
        first.starts_with("#!") && names.any(|name| first.contains(name))
    }

    /// The first bytes of a file, for a look at what it is.
    #[must_use]
    pub fn starts_with(&self, path: &Path, start: &[u8]) -> bool {
        use std::io::Read as _;
        let mut first = vec![];
        File::open(self.below(&self.resolve(path)))
            .and_then(|file| file.take(start.len() as u64).read_to_end(&mut first))
            .is_ok_and(|_| first == start)
    }
}

fn bad_file(path: &Path, what: &str) -> Error {
    Error::Setting {
        place: path.display().to_string(),
        what: what.to_owned(),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn keeps_an_absolute_link_inside_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        fs::create_dir_all(folder.path().join("usr/lib")).unwrap();
        fs::write(folder.path().join("usr/lib/tool"), "#!/bin/sh\n").unwrap();
        symlink("/usr/lib/tool", folder.path().join("tool")).unwrap();
        assert_eq!(root.resolve(Path::new("/tool")), Path::new("/usr/lib/tool"));
        assert!(root.starts_with(Path::new("/tool"), b"#!"));
        assert!(!root.has_program(Path::new("/tool")));
    }

    #[test]
    fn follows_no_circle_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        symlink("b", folder.path().join("a")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        assert!(!Root::new(folder.path()).has_program(Path::new("/a")));
    }

    #[test]
    fn sees_a_path_that_leaves_the_root() {
        let image = Root::new(Path::new("/image"));
        for (path, expected) in [
            ("/etc", true),
            ("/usr/share/../lib", true),
            ("/../etc", false),
            ("a/../../image/etc", false),
        ] {
            assert_eq!(image.contains(Path::new(path)), expected, "{path}");
        }
        assert!(Root::new(Path::new("/")).contains(Path::new("../out")));
    }

    #[test]
    fn leaves_relative_paths_alone_under_the_real_root() {
        let real = Root::new(Path::new("/"));
        assert_eq!(real.below(Path::new("out")), Path::new("out"));
        let image = Root::new(Path::new("/image"));
        assert_eq!(image.below(Path::new("out")), Path::new("/image/out"));
    }
}
