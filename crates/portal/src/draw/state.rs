//! The four states of a thing that should work: each a shape and a word, so that the colour says nothing alone.

use maud::{Markup, html};

/// How something fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It fails: somebody has to act.
    Act,
    /// It works, and something about it is worth a look.
    Watch,
    /// Nothing is known of it yet.
    Unknown,
    /// It works.
    Healthy,
}

impl State {
    fn class(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Watch => "watch",
            Self::Unknown => "nodata",
            Self::Healthy => "healthy",
        }
    }
}

/// The shape, and the word beside it.
pub(crate) fn state(state: State, word: &str) -> Markup {
    html! {
        span class=(format!("state {}", state.class())) {
            svg viewBox="0 0 12 12" aria-hidden="true" focusable="false" {
                @match state {
                    State::Act => path.solid d="M6 .8 11.6 11H.4z" {},
                    State::Watch => { circle cx="6" cy="6" r="4.8" {} path.solid d="M6 1.2a4.8 4.8 0 0 1 0 9.6z" {} },
                    State::Unknown => circle cx="6" cy="6" r="4.8" stroke-dasharray="2 2.4" {},
                    State::Healthy => { circle cx="6" cy="6" r="4.8" {} path d="M3.6 6.2 5.3 7.9 8.5 4.4" {} },
                }
            }
            (word)
        }
    }
}
