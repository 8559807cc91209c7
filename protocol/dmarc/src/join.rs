//! Two futures at once, on whatever executor polls: the questions of SPF, DKIM, ARC and DMARC do not wait for each other.
//!
//! In: futures that put their results where they belong. Out: one future that has ended when both have. No runtime is needed or known.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Waits for both.
pub(crate) async fn together(
    mut first: Pin<&mut impl Future<Output = ()>>,
    mut second: Pin<&mut impl Future<Output = ()>>,
) {
    let (mut one, mut other) = (false, false);
    poll_fn(move |context| {
        one = one || first.as_mut().poll(context).is_ready();
        other = other || second.as_mut().poll(context).is_ready();
        if one && other { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[test]
    fn neither_waits_for_the_other() {
        let slow = |rounds: usize| {
            let mut left = rounds;
            poll_fn(move |_| {
                // Whatever has ended is not polled again.
                left = left.checked_sub(1).expect("a poll too many");
                if left == 0 { Poll::Ready(()) } else { Poll::Pending }
            })
        };
        let (three, five) = (pin!(slow(3)), pin!(slow(5)));
        let mut both = pin!(together(three, five));
        let mut context = Context::from_waker(Waker::noop());
        let rounds = (1..10).find(|_| both.as_mut().poll(&mut context).is_ready());
        assert_eq!(rounds, Some(5), "as many rounds as the slower one needs, not the sum");
    }
}
