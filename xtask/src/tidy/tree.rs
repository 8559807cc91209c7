//! The text files of the checkout, read once.

use std::path::Path;

use anyhow::{Context, Result};

/// Folders that hold what was built or collected, not what was written.
const NOT_OURS: [&str; 7] = [".git", "target", "corpus", "artifacts", "lamppost-data", "node_modules", "testdata"];

/// Endings of files that people write.
const WRITTEN: [&str; 12] = ["rs", "md", "toml", "tsv", "css", "js", "html", "service", "run", "sh", "yml", "json"];

/// All of the checkout that rules look at.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Text files by path, in order of path.
    pub(super) files: Vec<File>,
    /// Every folder and file there is, test data and pictures too, relative to the root.
    pub(super) paths: Vec<String>,
}

/// One text file.
#[derive(Debug)]
pub(super) struct File {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.walk(root, "", true)?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.paths.sort();
        Ok(tree)
    }

    fn walk(&mut self, folder: &Path, prefix: &str, written: bool) -> Result<()> {
        for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            if entry.file_type()?.is_dir() {
                if NOT_OURS.contains(&name.as_str()) && name != "testdata" {
                    continue;
                }
                self.paths.push(path.clone());
                self.walk(&entry.path(), &path, written && name != "testdata")?;
                continue;
            }
            self.paths.push(path.clone());
            let ending = name.rsplit('.').next().unwrap_or_default();
            if written && WRITTEN.contains(&ending) {
                let bytes = std::fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
                self.files.push(File { path, text: String::from_utf8_lossy(&bytes).into_owned() });
            }
        }
        Ok(())
    }

    /// Files with this ending.
    pub(super) fn ending(&self, ending: &'static str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.path.rsplit('.').next() == Some(ending))
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.paths.iter().any(|p| p == path)
    }
}

impl File {
    /// Lines with their numbers from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }
}

#[cfg(test)]
impl Tree {
    /// A tree for a test: paths with their text.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files: Vec<File> =
            files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect();
        let mut paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
        for path in paths.clone() {
            let mut rest = path.as_str();
            while let Some((folder, _)) = rest.rsplit_once('/') {
                paths.push(folder.to_owned());
                rest = folder;
            }
        }
        Self { files, paths }
    }
}
