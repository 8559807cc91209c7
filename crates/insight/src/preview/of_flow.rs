//! What a replay found of one flow, day by day.
//!
//! In: the sums of its days, in their order. Out: series for those parts of it of which something would be stopped.

use super::forecast::Series;
use super::mailer::Tag;
use super::replay::Sums;

/// What was found of one flow.
#[derive(Default)]
pub(super) struct OfFlow {
    /// Its days under each tag, as they come.
    days: Vec<(Tag, Vec<OnDay>)>,
    /// What would be stopped, under all tags.
    pub(super) series: Series,
    /// The same under each tag, where there are several.
    by_tag: Vec<(Tag, Series)>,
    /// What would be rejected, where that is less.
    pub(super) rejected: Option<Series>,
    pub(super) shown: Sums,
    /// The part of it that the policy reaches: were it to fail, something would be asked of receivers.
    pub(super) reached: Sums,
}

/// A day of a flow under one tag.
struct OnDay {
    day: usize,
    messages: u64,
    stopped: f64,
    rejected: f64,
}

impl OfFlow {
    pub(super) fn add(&mut self, day: usize, tag: Tag, sums: &Sums) {
        let at = self.days.iter().position(|(other, _)| *other == tag).unwrap_or_else(|| {
            self.days.push((tag, Vec::new()));
            self.days.len() - 1
        });
        let days = &mut self.days[at].1;
        match days.last_mut().filter(|last| last.day == day) {
            Some(last) => {
                last.messages += sums.messages;
                last.stopped += sums.stopped;
                last.rejected += sums.rejected;
            }
            None => days.push(OnDay { day, messages: sums.messages, stopped: sums.stopped, rejected: sums.rejected }),
        }
    }

    /// Makes series of the days. A flow of which nothing would be stopped has none: most have nothing to be expected of.
    /// `part`: so much of it is what its class says.
    pub(super) fn close(&mut self, length: usize, part: f64) {
        let days = std::mem::take(&mut self.days);
        let all = || days.iter().flat_map(|(_, days)| days);
        if all().any(|on| on.stopped > 0.0) {
            self.series = series(length, part, all(), |on| on.stopped);
            self.rejected = if all().all(|on| on.rejected <= 0.0) {
                Some(Series::default())
            } else {
                let less = all().any(|on| on.rejected < on.stopped);
                less.then(|| series(length, part, all(), |on| on.rejected))
            };
            if days.len() > 1 {
                self.by_tag =
                    days.iter().map(|(tag, days)| (*tag, series(length, part, days, |on| on.stopped))).collect();
                return;
            }
        }
        self.by_tag = days.first().map(|(tag, _)| (*tag, Series::default())).into_iter().collect();
    }

    pub(super) fn of_tag(&self, tag: Tag) -> Option<&Series> {
        match &self.by_tag[..] {
            [(only, _)] => (*only == tag).then_some(&self.series),
            several => several.iter().find(|(of, _)| *of == tag).map(|(_, series)| series),
        }
    }
}

/// Day by day.
fn series<'d>(
    length: usize,
    part: f64,
    days: impl IntoIterator<Item = &'d OnDay>,
    what: impl Fn(&OnDay) -> f64,
) -> Series {
    let (mut messages, mut stopped) = (vec![0; length], vec![0.0; length]);
    for on in days {
        messages[on.day] += on.messages;
        stopped[on.day] += what(on);
    }
    Series::new(messages, stopped, part)
}
