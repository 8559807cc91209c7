//! House rules that neither the compiler nor clippy checks. Fast: text and `cargo metadata` only, nothing is built.
//!
//! Each rule is a function from the [`Tree`] to [`Finding`]s, so that each is tested on small bad examples.

mod arrows;
mod attacks;
mod escapes;
mod limits;
mod links;
mod shape;
mod standards;
mod tree;
mod words;

use std::fmt;

use anyhow::{Result, bail};

use crate::run::root;
use tree::Tree;

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1; 0 is the file as a whole.
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.path, self.message)
        } else {
            write!(f, "{}:{}: {}", self.path, self.line, self.message)
        }
    }
}

/// `cargo xtask docs`: writes what is generated from the code.
pub(crate) fn write_docs() -> Result<()> {
    let page = limits::page(&Tree::read(&root())?);
    println!("{}", limits::PAGE);
    Ok(std::fs::write(root().join(limits::PAGE), page)?)
}

/// `cargo xtask tidy`.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::read(&root())?;
    let mut findings = Vec::new();
    findings.extend(shape::check(&tree));
    findings.extend(escapes::check(&tree));
    findings.extend(words::check(&tree));
    findings.extend(standards::check(&tree));
    findings.extend(links::check(&tree));
    findings.extend(limits::check(&tree));
    findings.extend(attacks::check(&tree));
    findings.extend(arrows::check(&tree)?);
    for note in shape::notes(&tree) {
        println!("note: {note}");
    }
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: {} files in order", tree.files.len());
            Ok(())
        }
        n => bail!("tidy: {n} found"),
    }
}
