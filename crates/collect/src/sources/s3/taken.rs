//! What was taken and stays where it is: a mark for each object, in memory and in a file that grows by one line an object.
//!
//! The file is no promise: a mark is written after its object is on disk, and one that is lost, or was cut short by a crash, means that
//! the object is fetched once more and found to be there. Marks of objects that are gone are dropped, so that it does not grow for ever.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

/// Half a digest: enough for billions of objects.
pub(super) type Mark = u128;

/// Digits of a mark in the file.
const DIGITS: usize = 32;

/// Lines of the file without an object before it is written anew, at least.
const SPARE_LINES: usize = 1_000;

/// What an object is known by.
pub(super) fn mark(place: &str, key: &str, tag: &str, size: u64) -> Mark {
    let mut digest = Sha256::new();
    for part in [place, key, tag] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.update(size.to_be_bytes());
    digest.finalize().iter().take(16).fold(0, |mark, byte| mark << 8 | Mark::from(*byte))
}

/// What was taken.
#[derive(Debug)]
pub(super) struct Taken {
    path: PathBuf,
    /// Each mark with the look in which it was last seen, and whether the file has it.
    marks: HashMap<Mark, (u64, bool)>,
    look: u64,
    /// Lines of the file, and the file itself once something was written.
    lines: usize,
    file: Option<File>,
}

impl Taken {
    /// As the file has it. One that is not there means that nothing was taken.
    pub(super) fn new(path: PathBuf) -> Self {
        let text = fs::read(&path).unwrap_or_default();
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let read = |line: &&[u8]| {
            let digits = str::from_utf8(line).ok().filter(|digits| digits.len() == DIGITS)?;
            Mark::from_str_radix(digits, 16).ok()
        };
        let marks = lines.iter().filter_map(read).map(|mark| (mark, (0, true))).collect();
        Self { path, marks, look: 0, lines: lines.len(), file: None }
    }

    /// A look begins.
    pub(super) fn begin(&mut self) {
        self.look += 1;
    }

    /// Whether an object that is there was taken before.
    pub(super) fn has(&mut self, mark: Mark) -> bool {
        self.marks.get_mut(&mark).map(|(seen, _)| *seen = self.look).is_some()
    }

    /// An object is dealt with for as long as the program runs.
    pub(super) fn pass_over(&mut self, mark: Mark) {
        self.marks.insert(mark, (self.look, false));
    }

    /// An object was taken.
    pub(super) fn note(&mut self, mark: Mark) -> Result<(), String> {
        self.marks.insert(mark, (self.look, true));
        let written = self.append(mark);
        written.map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }

    fn append(&mut self, mark: Mark) -> io::Result<()> {
        if self.file.is_none() {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            self.file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        self.lines += 1;
        // The line before may have been cut short, so the new one brings its own beginning along.
        file.write_all(format!("\n{mark:032x}\n").as_bytes())
    }

    /// A look has seen everything there is: what was not seen is gone.
    pub(super) fn end(&mut self) -> Result<(), String> {
        let look = self.look;
        self.marks.retain(|_, (seen, _)| *seen == look);
        if self.lines < 2 * self.marks.len() + SPARE_LINES {
            return Ok(());
        }
        let written = self.rewrite();
        written.map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let (mut text, mut lines) = (String::new(), 0);
        for (mark, _) in self.marks.iter().filter(|(_, (_, noted))| *noted) {
            let _ = writeln!(text, "{mark:032x}"); // a string takes everything
            lines += 1;
        }
        let new = self.path.with_extension("taken.tmp");
        fs::write(&new, text)?;
        self.file = None;
        fs::rename(&new, &self.path)?;
        self.lines = lines;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_outlive_the_program_and_not_their_objects() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sources/a.taken");
        let marks: Vec<Mark> = (0..1_500).map(|n| mark("place", &format!("key {n}"), "tag", n)).collect();
        let mut taken = Taken::new(path.clone());
        taken.begin();
        for mark in &marks {
            assert!(!taken.has(*mark));
            taken.note(*mark).unwrap();
        }
        taken.pass_over(mark("place", "too large", "tag", 1));
        taken.end().unwrap();
        // A crash cuts the last line short.
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 3]).unwrap();
        let mut taken = Taken::new(path.clone());
        taken.begin();
        assert!(marks[..1_499].iter().all(|mark| taken.has(*mark)));
        assert!(!taken.has(marks[1_499]), "what was cut short is fetched once more");
        taken.note(marks[1_499]).unwrap();
        assert!(!taken.has(mark("place", "too large", "tag", 1)), "what was only passed over is looked at again");
        // All but ten are gone from the bucket.
        taken.begin();
        assert!(marks[..10].iter().all(|mark| taken.has(*mark)));
        taken.end().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 10);
        let mut taken = Taken::new(path);
        assert_eq!(marks.iter().filter(|mark| taken.has(**mark)).count(), 10);
    }

    #[test]
    fn another_place_key_tag_or_size_is_another_object() {
        let one = mark("a", "b", "c", 1);
        for other in [mark("x", "b", "c", 1), mark("a", "x", "c", 1), mark("a", "b", "x", 1), mark("a", "b", "c", 2)] {
            assert_ne!(one, other);
        }
        assert_ne!(mark("ab", "c", "", 1), mark("a", "bc", "", 1));
    }
}
