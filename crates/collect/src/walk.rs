//! The files below some paths, in a fixed order: by name, folder by folder, each folder once.
//!
//! In: paths as given on a command line; `-` is standard input. Out: a call for each file. Folders are gone through to the bottom,
//! symbolic links are followed, and a link back up ends there. A Maildir is known by its `cur` and `new`: only messages come out
//! of it, and none that is still being delivered to `tmp`.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// A file, or what stands where one was expected.
pub(crate) enum Entry<'a> {
    /// Standard input.
    Standard,
    /// A file, or a pipe that was named on the command line.
    File(&'a Path),
    /// What cannot be read.
    Unreadable(&'a Path, io::Error),
}

type Visit<'v> = &'v mut dyn FnMut(Entry<'_>) -> ControlFlow<()>;

/// Calls `visit` for each file below `paths`, in the order of `paths`.
pub(crate) fn walk(paths: &[PathBuf], visit: Visit<'_>) -> ControlFlow<()> {
    let mut seen = HashSet::new();
    for path in paths {
        if path.as_os_str() == "-" {
            visit(Entry::Standard)?;
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => folder(path, &mut seen, visit)?,
            Ok(_) => visit(Entry::File(path))?,
            Err(error) => visit(Entry::Unreadable(path, error))?,
        }
    }
    ControlFlow::Continue(())
}

fn folder(path: &Path, seen: &mut HashSet<PathBuf>, visit: Visit<'_>) -> ControlFlow<()> {
    // Two names for one folder, or a link to one above: its files have come or will come.
    match path.canonicalize() {
        Ok(real) => {
            if !seen.insert(real) {
                return ControlFlow::Continue(());
            }
        }
        Err(error) => return visit(Entry::Unreadable(path, error)),
    }
    let names = match names(path) {
        Ok(names) => names,
        Err(error) => return visit(Entry::Unreadable(path, error)),
    };
    let has_folder = |name: &str| names.iter().any(|n| n == name) && path.join(name).is_dir();
    let maildir = has_folder("cur") && has_folder("new");
    for name in &names {
        if maildir && name == "tmp" {
            continue;
        }
        let path = path.join(name);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => folder(&path, seen, visit)?,
            // Beside its folders a Maildir has only files of the mail server's own.
            _ if maildir => {}
            Ok(metadata) if metadata.is_file() => visit(Entry::File(&path))?,
            Ok(_) => {
                visit(Entry::Unreadable(&path, io::Error::other("it is not a file but a device, pipe or socket")))?;
            }
            Err(error) => visit(Entry::Unreadable(&path, error))?,
        }
    }
    ControlFlow::Continue(())
}

/// The names in a folder, sorted.
fn names(path: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(path)?.map(|entry| entry.map(|e| e.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}
