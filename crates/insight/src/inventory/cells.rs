//! The cells of days that are kept, gone through on all cores: what inventories are summed from.

use report::{Day, Text};
use store::Ledger;

use crate::flows::cell::{Cell, Names};
use crate::flows::day::{CELLS, Kept};
use crate::{Error, cores};

/// Days read at once: few enough that all cores end together, and more than one, as most domains have few cells a day.
const AT_ONCE: i32 = 4;

/// Goes through the cells of an organizational domain, and gives what `end` makes of all that a core has seen, with its names: numbers of names
/// are the same from a core's first cell to its last, and others for another core. Cells of a day come in the order of their addresses.
pub(super) fn visit<S, T: Send>(
    ledger: &Ledger,
    organization: &str,
    days: (Day, Day),
    begin: impl Fn(&mut Names) -> S + Sync,
    each: impl Fn(&mut S, Day, &Cell) + Sync,
    end: impl Fn(S) -> T + Sync,
) -> Result<Vec<(T, Names)>, Error> {
    let begin = || {
        let mut names = Names::default();
        (begin(&mut names), names)
    };
    let work = |state: &mut (S, Names), days: &(Day, Day)| {
        let kept = Kept::read(ledger, organization, *days)?;
        kept.visit(state, |(_, names), name| names.number(name), |(state, _), day, cell| each(state, day, cell));
        Ok(())
    };
    cores::each(&cores::stretches(days, AT_ONCE), begin, work, |(state, names)| (end(state), names))
}

/// The organizational domains that are meant: that of a domain, or all.
pub(super) fn meant(ledger: &Ledger, domain: Option<&str>, days: (Day, Day)) -> Result<Vec<Text>, Error> {
    match domain {
        Some(domain) => Ok(vec![store::organizational_domain(domain)]),
        None => CELLS.organizations(ledger, days),
    }
}
