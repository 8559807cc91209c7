//! The groups of a question as numbers: for who goes through very many of them and looks at each different value once.
//!
//! In: a question; its order, offset and limit do not matter. Out: for each group the codes of its values and its sums, and behind each
//! code a value. Takes as much memory as the groups have keys and sums, and no more.

use crate::aggregate::Aggregate;
use crate::plan::{Plan, plan};
use crate::scan::scan;
use crate::{Error, Ledger, Measure, Question, Value};

/// The groups found.
pub struct Groups<'a> {
    plan: &'a Plan,
    found: Aggregate<'a>,
}

impl std::fmt::Debug for Groups<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Groups").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Groups<'_> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.groups
    }

    /// Whether nothing passed the filter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many different values the `at`-th column of the key has.
    #[must_use]
    pub fn values(&self, at: usize) -> usize {
        self.found.codes[at].len()
    }

    /// The value behind a code of the `at`-th column.
    #[must_use]
    pub fn value(&self, at: usize, code: u32) -> Value {
        self.found.codes[at].value(code)
    }

    /// The code of a group's value in the `at`-th column: from 0 to one less than [`Self::values`].
    #[must_use]
    pub fn code(&self, group: usize, at: usize) -> u32 {
        self.found.code(group, at)
    }

    /// A group's `at`-th measure.
    #[must_use]
    pub fn sum(&self, group: usize, at: usize) -> u64 {
        self.found.sums[group * self.plan.measures.len() + at]
    }
}

impl Ledger {
    /// Groups and sums the rows of a question and hands over the groups in no particular order.
    ///
    /// # Errors
    /// [`Error::Question`] if it cannot be asked, or measures days, and what reading the catalog or a segment gives.
    pub fn groups<T>(&self, question: &Question, visit: impl FnOnce(&Groups<'_>) -> T) -> Result<T, Error> {
        if question.measures.iter().any(|m| matches!(m, Measure::FirstDay | Measure::LastDay)) {
            return Err(Error::Question { what: "groups have sums, and no first or last days".to_owned() });
        }
        // One list of codes for all.
        let plan = Plan { split: false, ..plan(question)? };
        let found = self.inner.retried(|parts| scan(parts, &plan))?;
        let found = found.into_iter().next().unwrap_or_else(|| Aggregate::new(&plan));
        Ok(visit(&Groups { plan: &plan, found }))
    }
}
