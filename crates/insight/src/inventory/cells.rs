//! The cells of days that are kept, one after the other: what inventories are summed from.

use report::{Day, Text};
use store::Ledger;

use crate::Error;
use crate::flows::cell::{Cell, Names};
use crate::flows::day::{Kept, organizations};

/// What is done with each cell.
struct Visit<'a> {
    names: Names,
    each: &'a mut dyn FnMut(Day, &Cell, &Names),
}

/// Goes through the cells of an organizational domain, and gives their names. Numbers of names are the same from the first cell to the last.
pub(super) fn visit(
    ledger: &Ledger,
    organization: &str,
    days: (Day, Day),
    each: &mut dyn FnMut(Day, &Cell, &Names),
) -> Result<Names, Error> {
    let mut state = Visit { names: Names::default(), each };
    let kept = Kept::read(ledger, organization, days)?;
    kept.visit(
        &mut state,
        |state, name| state.names.number(name),
        |state, day, cell| (state.each)(day, cell, &state.names),
    );
    Ok(state.names)
}

/// The organizational domains that are meant: that of a domain, or all.
pub(super) fn meant(ledger: &Ledger, domain: Option<&str>, days: (Day, Day)) -> Result<Vec<Text>, Error> {
    match domain {
        Some(domain) => Ok(vec![store::organizational_domain(domain)]),
        None => organizations(ledger, days),
    }
}
