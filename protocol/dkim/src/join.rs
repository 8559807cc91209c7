//! Several futures at once, on whatever executor polls: all keys are fetched together, and the slowest one decides.
//!
//! In: futures. Out: one future with all their results in order. No runtime is needed or known.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Waits for all of them.
pub(crate) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = pending.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut waiting = false;
        for (future, output) in pending.iter_mut().zip(&mut outputs).filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(ready) => *output = Some(ready),
                Poll::Pending => waiting = true,
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[test]
    fn all_are_polled_before_any_is_waited_for() {
        let mut polled = 0;
        let slow = |rounds: usize| {
            let mut left = rounds;
            poll_fn(move |_| {
                left = left.saturating_sub(1);
                if left == 0 { Poll::Ready(rounds) } else { Poll::Pending }
            })
        };
        let mut joined = pin!(all([slow(3), slow(1), slow(2)]));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            polled += 1;
            if let Poll::Ready(results) = joined.as_mut().poll(&mut context) {
                assert_eq!((results, polled), (vec![3, 1, 2], 3), "as many rounds as the slowest needs, not the sum");
                break;
            }
        }
        let none: [std::future::Ready<u8>; 0] = [];
        assert_eq!(pin!(all(none)).poll(&mut context), Poll::Ready(vec![]));
        assert_eq!(pin!(all([ready(7)])).poll(&mut context), Poll::Ready(vec![7]));
    }
}
