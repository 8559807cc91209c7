//! Questions and how they are answered: from what is remembered, from the rollup, or from files of rows; several in one go where they
//! are asked of the same rows.

use crate::ledger::Inner;
use crate::plan::{self, Plan};
use crate::scan::{scan, scan_together};
use crate::segment::{Part, ReadError};
use crate::{Answer, Error, Ledger, Question, answer, rollup};

/// How often a question starts anew when segments are merged away under it.
const TRIES: usize = 5;

impl Ledger {
    /// Answers a question: from the rollup where it suffices, else from the segments.
    ///
    /// # Errors
    /// [`Error::Question`] if it cannot be asked, and what reading the catalog or a segment gives.
    pub fn ask(&self, question: &Question) -> Result<Answer, Error> {
        let plan = plan::plan(question)?;
        let version = self.version_of(question.days)?;
        if let Some(answer) = self.inner.remembered.find(question, version) {
            return Ok(answer);
        }
        let answer = if rollup::suffices(question, &plan) {
            let found = self.inner.catalog.read(|c| rollup::scan(c, &plan))??;
            answer::answer(question, &plan, vec![found])
        } else {
            self.ask_segments(question, &plan)?
        };
        self.inner.remembered.keep(question, version, &answer);
        Ok(answer)
    }

    /// Answers questions about the same rows, with days and filter alike: what is asked of files is read once for all of them.
    ///
    /// # Errors
    /// As [`Self::ask`] has, and [`Error::Question`] if days or filters differ.
    pub fn ask_together<const N: usize>(&self, questions: &[Question; N]) -> Result<[Answer; N], Error> {
        let Some(Question { days, filter, .. }) = questions.first() else {
            return Ok(std::array::from_fn(|_| Answer::default()));
        };
        if questions.iter().any(|other| (&other.days, &other.filter) != (days, filter)) {
            return Err(Error::Question {
                what: "it has other days or another filter than those it is asked with".to_owned(),
            });
        }
        let version = self.version_of(*days)?;
        let mut reading = plan::plan(&Question { days: *days, filter: filter.clone(), ..Question::default() })?;
        let mut answers: [Option<Answer>; N] =
            std::array::from_fn(|at| self.inner.remembered.find(&questions[at], version));
        let (mut places, mut plans) = (Vec::new(), Vec::new());
        for (at, question) in questions.iter().enumerate().filter(|(at, _)| answers[*at].is_none()) {
            let plan = plan::plan(question)?;
            reading.fields.extend(&plan.fields);
            places.push(at);
            plans.push(plan);
        }
        if !plans.is_empty() {
            reading.widened();
            let found = self.inner.retried(|parts| scan_together(parts, &reading, &plans))?;
            for ((at, plan), found) in places.into_iter().zip(&plans).zip(found) {
                let answer = answer::answer(&questions[at], plan, found);
                self.inner.remembered.keep(&questions[at], version, &answer);
                answers[at] = Some(answer);
            }
        }
        Ok(answers.map(Option::unwrap_or_default))
    }

    /// Answers a question from the segments, whether or not the rollup suffices.
    pub(crate) fn ask_segments(&self, question: &Question, plan: &Plan) -> Result<Answer, Error> {
        Ok(answer::answer(question, plan, self.inner.retried(|parts| scan(parts, plan))?))
    }
}

impl Inner {
    /// Reads the segments of this moment; anew where one was merged away before it was read.
    pub(crate) fn retried<T>(&self, mut read: impl FnMut(&[Part]) -> Result<T, ReadError>) -> Result<T, Error> {
        for _ in 0..TRIES {
            match read(&self.snapshot()?) {
                Ok(found) => return Ok(found),
                Err(ReadError::Gone) => {}
                Err(ReadError::Other(error)) => return Err(error),
            }
        }
        let what = "a file that the catalog lists is missing".to_owned();
        Err(Error::Segment { path: self.segments_dir(), what })
    }
}
