//! modules.dep: `path/of/a.ko: path/of/b.ko path/of/c.ko`, all that a module
//! needs, the nearest first.

use super::scan::positions;

/// The whole file, and where in it each module's line is.
#[derive(Debug)]
pub(super) struct DepFile {
    content: Vec<u8>,
    lines: Vec<Line>,
    /// The first line that is none, counted from 1.
    damaged: Option<usize>,
}

/// Where in the file a module's path, its name within that and the colon are.
#[derive(Debug)]
struct Line {
    start: u32,
    name: u32,
    colon: u32,
    /// Told apart by their lengths, most names need no second look.
    name_length: u16,
}

/// A line, taken apart as far as it was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The module's own file.
    pub path: String,
    /// The files it needs, separated by blanks.
    pub needs: String,
}

impl DepFile {
    pub(super) fn new(content: Vec<u8>) -> Self {
        let mut lines = vec![];
        let mut damaged = None;
        let mut number = 0;
        let (mut start, mut colon) = (0, None);
        let mut take = |at: usize, ends: bool| {
            if !ends {
                colon = colon.or(Some(at));
                return;
            }
            number += 1;
            match colon
                .take()
                .and_then(|colon| Line::find(&content, start, colon))
            {
                Some(line) => lines.push(line),
                None => damaged = damaged.or(Some(number)),
            }
            start = at + 1;
        };
        positions(&content, [b'\n', b':'], |at| take(at, content[at] == b'\n'));
        if !content.is_empty() && !content.ends_with(b"\n") {
            take(content.len(), true);
        }
        Self {
            content,
            lines,
            damaged,
        }
    }

    /// The line of the module with that name.
    pub(super) fn line_of(&self, name: &str) -> Option<Result<Found, String>> {
        let name = name.as_bytes();
        let fits = |line: &&Line| {
            usize::from(line.name_length) == name.len() && same_name(self.name(line), name)
        };
        let line = self.lines.iter().find(fits)?;
        // The colon is one byte.
        let rest = &self.content[line.colon as usize + 1..];
        let end = rest.iter().position(|byte| *byte == b'\n');
        Some(match end {
            Some(end) => Ok(Found {
                path: lossy(&self.content[line.start as usize..line.colon as usize]),
                needs: lossy(&rest[..end]),
            }),
            None => Err(format!("cut off in the line of {}", lossy(name))),
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        let names = self.lines.iter().map(|line| lossy(self.name(line)));
        names.map(|name| name.replace('-', "_"))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// What is wrong with the file, if anything.
    pub(super) fn damage(&self) -> Option<String> {
        if let Some(number) = self.damaged {
            return Some(format!("line {number} names no module"));
        }
        let cut = !self.content.is_empty() && !self.content.ends_with(b"\n");
        cut.then(|| "cut off in its last line".to_owned())
    }

    fn name(&self, line: &Line) -> &[u8] {
        let start = line.name as usize;
        &self.content[start..start + usize::from(line.name_length)]
    }
}

impl Line {
    /// `None`: the line names no module. (Nor does one beyond 4 GiB, which
    /// depmod did not write.)
    fn find(content: &[u8], start: usize, colon: usize) -> Option<Self> {
        // The name is the file's, up to its first dot.
        let mut name = colon;
        let mut end = colon;
        while name > start && content[name - 1] != b'/' {
            name -= 1;
            if content[name] == b'.' {
                end = name;
            }
        }
        if name == end {
            return None;
        }
        Some(Self {
            start: u32::try_from(start).ok()?,
            name: u32::try_from(name).ok()?,
            colon: u32::try_from(colon).ok()?,
            name_length: u16::try_from(end - name).ok()?,
        })
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The module's name: the file's, up to its first dot, underscored.
pub(super) fn module_name(path: &str) -> String {
    stem(path).replace('-', "_")
}

/// Is this the file of the module with that (underscored) name?
pub(super) fn is_module(path: &str, name: &str) -> bool {
    let stem = stem(path);
    stem.len() == name.len() && same_name(stem.as_bytes(), name.as_bytes())
}

/// Of two names as long as each other, the second underscored.
fn same_name(a: &[u8], b: &[u8]) -> bool {
    let mut pairs = a.iter().zip(b);
    pairs.all(|(a, b)| a == b || (*a == b'-' && *b == b'_'))
}

fn stem(path: &str) -> &str {
    let file_name = path.rsplit('/').next().unwrap_or(path);
    file_name.split('.').next().unwrap_or(file_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEP: &str = "kernel/a/xen-evtchn.ko:\n\
        kernel/b/xenfs.ko.xz: kernel/b/xen-privcmd.ko.xz kernel/c/x.ko.xz\n\
        extra.ko: kernel/a/xen-evtchn.ko\n";

    #[test]
    fn finds_a_line_by_either_spelling() {
        let dep = DepFile::new(DEP.into());
        let xenfs = dep.line_of("xenfs").unwrap().unwrap();
        assert_eq!(xenfs.path, "kernel/b/xenfs.ko.xz");
        assert_eq!(xenfs.needs, " kernel/b/xen-privcmd.ko.xz kernel/c/x.ko.xz");
        let evtchn = dep.line_of("xen_evtchn").unwrap().unwrap();
        assert_eq!(evtchn.needs, "");
        assert_eq!(dep.line_of("extra").unwrap().unwrap().path, "extra.ko");
        assert_eq!(dep.line_of("xen_privcmd"), None);
        assert_eq!(dep.damage(), None);
        assert_eq!(
            dep.names().collect::<Vec<_>>(),
            ["xen_evtchn", "xenfs", "extra"]
        );
    }

    #[test]
    fn a_line_that_is_cut_off_is_no_answer() {
        let cut = &DEP[..DEP.len() - 5];
        let dep = DepFile::new(cut.into());
        assert!(dep.line_of("xenfs").unwrap().is_ok());
        assert!(dep.line_of("extra").unwrap().is_err());
        assert_eq!(dep.damage().unwrap(), "cut off in its last line");
    }

    #[test]
    fn garbage_is_named_by_its_line() {
        let dep = DepFile::new(b"\xff\0\xfe\nkernel/tun.ko:\n:\n\n".to_vec());
        assert_eq!(dep.damage().unwrap(), "line 1 names no module");
        assert!(dep.line_of("tun").unwrap().is_ok());
        assert_eq!(DepFile::new(vec![]).damage(), None);
    }
}
