//! Answers given before: the same question about days that have not changed is not worked out again.
//!
//! In: questions and answers, with the version of the days asked about. Out: an answer whose days still have that version. Pages ask the same
//! for all who look at them, and most days of a year never change again.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::{Answer, Question};

/// Lines kept in all: some 40 MB. The answers asked for least recently are forgotten first.
const LINES_MAX: usize = 100_000;

/// Answers in all.
const ANSWERS_MAX: usize = 500;

/// Lines of one answer: fifty sources day by day have some thousands. Those with more are worked through once, by whoever goes through
/// everything.
const LINES_OF_ONE_MAX: usize = 20_000;

/// A question as text, the version of its days, and the answer.
type One = (String, i64, Answer);

/// The answers of one ledger, the one asked for most recently at the end.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<VecDeque<One>>);

impl Remembered {
    /// The answer, if it was given when the days had this version.
    pub(crate) fn find(&self, question: &Question, version: i64) -> Option<Answer> {
        let asked = format!("{question:?}");
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(known, ..)| *known == asked)?;
        let one = all.remove(at).filter(|(_, of, _)| *of == version)?;
        let answer = one.2.clone();
        all.push_back(one);
        Some(answer)
    }

    /// Keeps an answer. `version` was read before the rows were, so that what changed meanwhile is asked for again.
    pub(crate) fn keep(&self, question: &Question, version: i64, answer: &Answer) {
        if answer.lines.len() > LINES_OF_ONE_MAX {
            return;
        }
        let asked = format!("{question:?}");
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, ..)| *known != asked);
        all.push_back((asked, version, answer.clone()));
        let mut lines: usize = all.iter().map(|(_, _, answer)| answer.lines.len()).sum();
        while (lines > LINES_MAX || all.len() > ANSWERS_MAX)
            && let Some((_, _, answer)) = all.pop_front()
        {
            lines -= answer.lines.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Line;

    fn question(offset: usize) -> Question {
        Question { offset, ..Question::default() }
    }

    fn answer(lines: usize) -> Answer {
        let line = Line { key: Vec::new(), measures: Vec::new() };
        Answer { lines: vec![line; lines], groups: lines, totals: Vec::new() }
    }

    #[test]
    fn an_answer_is_given_again_until_its_days_change() {
        let remembered = Remembered::default();
        assert_eq!(remembered.find(&question(0), 7), None, "never asked");
        remembered.keep(&question(0), 7, &answer(3));
        assert_eq!(remembered.find(&question(0), 7), Some(answer(3)));
        assert_eq!(remembered.find(&question(1), 7), None, "another question");
        assert_eq!(remembered.find(&question(0), 8), None, "a day has changed");
        assert_eq!(remembered.find(&question(0), 7), None, "and the old answer is gone");
    }

    #[test]
    fn what_was_asked_for_least_recently_is_forgotten_first() {
        let remembered = Remembered::default();
        let count = LINES_MAX / LINES_OF_ONE_MAX;
        for at in 0..count {
            remembered.keep(&question(at), 1, &answer(LINES_OF_ONE_MAX));
        }
        assert!(remembered.find(&question(0), 1).is_some(), "all fit");
        remembered.keep(&question(count), 1, &answer(LINES_OF_ONE_MAX));
        assert!(remembered.find(&question(1), 1).is_none(), "one had to go");
        assert!(remembered.find(&question(0), 1).is_some(), "not the one that was asked for since");
        remembered.keep(&question(count + 1), 1, &answer(LINES_OF_ONE_MAX + 1));
        assert!(remembered.find(&question(count + 1), 1).is_none(), "too long to be kept");
        for at in 0..ANSWERS_MAX {
            remembered.keep(&question(1_000 + at), 1, &answer(0));
        }
        assert!(remembered.find(&question(0), 1).is_none(), "there are too many");
        assert!(remembered.find(&question(1_000), 1).is_some(), "and no fewer than may be");
    }
}
