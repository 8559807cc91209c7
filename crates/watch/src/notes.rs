//! A source of answers that notes what was asked through it: so that whatever evaluated a record can evaluate it again, over what was noted.
//!
//! In: questions. Out: the answers from below, and all of them at the end. Bounded in number and time: a stranger's record must not make a
//! round endless.

use std::sync::{Mutex, PoisonError};

use dns::{Lookup, Name, RecordType, Response};
use tokio::time::{Instant, timeout_at};

/// A [`Lookup`] that notes.
pub(crate) struct Notes<'a, L> {
    below: &'a L,
    most: usize,
    deadline: Instant,
    noted: Mutex<Vec<(Name, RecordType, Response)>>,
}

impl<'a, L: Lookup> Notes<'a, L> {
    /// At most so many different questions, until then.
    pub(crate) fn new(below: &'a L, most: usize, deadline: Instant) -> Self {
        Self { below, most, deadline, noted: Mutex::default() }
    }

    /// All that was asked, in order.
    pub(crate) fn into_noted(self) -> Vec<(Name, RecordType, Response)> {
        self.noted.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, name: &Name, kind: RecordType) -> Result<Response, usize> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let found = noted.iter().find(|(known, of, _)| known == name && *of == kind);
        found.map(|(_, _, response)| response.clone()).ok_or(noted.len())
    }
}

impl<L: Lookup> Lookup for Notes<'_, L> {
    async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
        match self.known(name, kind) {
            Ok(response) => return response,
            // What is not asked is not noted: the history says nothing about it.
            Err(asked) if asked >= self.most => return Response::ServFail("too many questions for one domain".into()),
            Err(_) => {}
        }
        let response = timeout_at(self.deadline, self.below.lookup(name, kind)).await.unwrap_or(Response::Timeout);
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.push((name.clone(), kind, response.clone()));
        response
    }
}
