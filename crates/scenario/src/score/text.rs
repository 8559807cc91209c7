//! A score as text for people: the matrix, the classes, the largest mistakes.

use std::fmt;

use super::{ASKED, Score, UNKNOWN};

/// Heads of the columns, short enough for a terminal.
const HEADS: [&str; 8] = ["own", "own mis", "third", "third un", "fwd", "fwd brk", "spoofer", "unknown"];

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<24}", "truly \\ called")?;
        for head in HEADS {
            write!(f, "{head:>12}")?;
        }
        writeln!(f)?;
        for (truth, called) in &self.matrix {
            write!(f, "{:<24}", truth.word())?;
            for class in ASKED.into_iter().chain([UNKNOWN]) {
                write!(f, "{:>12}", called.get(class).copied().unwrap_or(0))?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "\n{:<24}{:>12}{:>12}{:>12}{:>11}{:>11}",
            "class", "truly", "called", "right", "precision", "recall"
        )?;
        for class in &self.classes {
            let (precision, recall) = (percent(class.precision), percent(class.recall));
            writeln!(
                f,
                "{:<24}{:>12}{:>12}{:>12}{precision:>11}{recall:>11}",
                class.class, class.truly, class.called, class.right
            )?;
        }
        writeln!(
            f,
            "\n{} messages, {} of them unknown ({})",
            self.messages,
            self.unknown,
            percent(self.unknown_share)
        )?;
        if self.unanswered > 0 {
            writeln!(
                f,
                "{} more are in the truth, and not in the ledger or not in the days that are judged",
                self.unanswered
            )?;
        }
        if self.unexpected > 0 {
            writeln!(
                f,
                "{} more are in the ledger, and not in the truth: other reports are in it too",
                self.unexpected
            )?;
        }
        if !self.worst.is_empty() {
            writeln!(f, "\nThe largest mistakes")?;
        }
        for mistake in &self.worst {
            let (domain, source) = &mistake.example;
            writeln!(
                f,
                "{:>10}  {} ({}) called {} by {}\n{:12}{domain} from {source}: {}",
                mistake.messages,
                mistake.flow,
                mistake.truth.word(),
                mistake.called,
                mistake.rule,
                "",
                mistake.why
            )?;
        }
        Ok(())
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.2} %", share * 100.0))
}
