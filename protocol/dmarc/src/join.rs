//! Two futures at once, on whatever executor polls: the questions of SPF, DKIM, ARC and DMARC do not wait for each other.
//!
//! In: futures. Out: one future with the results of both. No runtime is needed or known.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Waits for both.
pub(crate) async fn together<A: Future, B: Future>(first: A, second: B) -> (A::Output, B::Output) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut one, mut other) = (None, None);
    poll_fn(move |context| {
        if one.is_none()
            && let Poll::Ready(output) = first.as_mut().poll(context)
        {
            one = Some(output);
        }
        if other.is_none()
            && let Poll::Ready(output) = second.as_mut().poll(context)
        {
            other = Some(output);
        }
        match (one.take(), other.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (kept, also) => {
                (one, other) = (kept, also);
                Poll::Pending
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Waker};

    #[test]
    fn neither_waits_for_the_other() {
        let slow = |rounds: usize| {
            let mut left = rounds;
            poll_fn(move |_| {
                left = left.saturating_sub(1);
                if left == 0 { Poll::Ready(rounds) } else { Poll::Pending }
            })
        };
        let mut both = pin!(together(slow(3), slow(5)));
        let mut context = Context::from_waker(Waker::noop());
        let rounds = (1..).find_map(|round| match both.as_mut().poll(&mut context) {
            Poll::Ready(results) => Some((round, results)),
            Poll::Pending => None,
        });
        assert_eq!(rounds, Some((5, (3, 5))), "as many rounds as the slower one needs, not the sum");
    }
}
