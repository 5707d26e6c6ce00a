//! The copies of other packages' files that boot entries name: what is recorded
//! of them, and which of them are of no use any more.

use std::path::{Path, PathBuf};

use super::{EntryFile, Found, LINK, PARAMS, RECORD, SAFE, Step};
use crate::Error;

/// The record of copies, which is right before and after they are made.
///
/// # Errors
/// Something else has its name, and `force` is not set.
pub(super) fn record_steps(
    files: &[EntryFile],
    changes: &[Step],
    stale: &[PathBuf],
    force: bool,
) -> Result<Vec<Step>, Error> {
    let is_copy = |step: &Step| matches!(step, Step::Copy { .. } | Step::Unpack { .. });
    let first = copies(files).next();
    let Some(first) = first.filter(|_| changes.iter().any(is_copy) || !stale.is_empty()) else {
        return Ok(vec![]);
    };
    let mut steps = vec![];
    if let Some(foreign) = &first.foreign_record {
        steps.extend(foreign.kept(force)?);
    }
    // Kernels that are gone from the entry stay ours while they are there.
    let mut record = first.record.clone();
    for path in stale {
        record.forget(&name_of(path));
    }
    for file in copies(files) {
        let line = file
            .source
            .and_then(|source| Found::File(source).recorded(&file.name()));
        line.into_iter().for_each(|line| record.add(line));
    }
    steps.push(Step::Write {
        path: first.path.with_file_name(RECORD),
        text: record.to_string(),
    });
    Ok(steps)
}

/// Copies that were made here of files that are gone from `boot`, and that no
/// entry names: a disk of firmware's is small, and kernels come often.
///
/// # Errors
/// One cannot be read.
pub(super) fn stale_copies(files: &[EntryFile], boot: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut stale = vec![];
    let Some(first) = copies(files).next() else {
        return Ok(stale);
    };
    let folder = first.path.parent().unwrap_or(Path::new("/"));
    for name in first.record.files() {
        let is_other = [LINK, PARAMS, SAFE].contains(&name) || name.contains('/');
        if is_other || boot.join(name).exists() || copies(files).any(|file| file.name() == name) {
            continue;
        }
        let path = folder.join(name);
        let found = Found::read(&path)?.recorded(name);
        // Not where somebody changed it.
        if found.is_some_and(|line| first.record.holds(&line)) && !stale.contains(&path) {
            stale.push(path);
        }
    }
    Ok(stale)
}

/// All of them lie in one folder.
fn copies(files: &[EntryFile]) -> impl Iterator<Item = &EntryFile> {
    files.iter().filter(|file| file.source.is_some())
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
