//! Any bytes as an aggregate report: nothing panics, pieces change nothing, and what was accepted can be written and read again.

#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use report::{Finished, Limits, Reader, Rejection, Report, Row, write};

fn read(input: impl std::io::BufRead, limits: &Limits) -> Result<(Report, Vec<Row>, Finished), Rejection> {
    let mut reader = Reader::open(input, limits)?;
    let report = reader.report().clone();
    let mut rows = Vec::new();
    let mut row = Row::default();
    while reader.next_row(&mut row)? {
        rows.push(row.clone());
    }
    Ok((report, rows, reader.finish()?))
}

fn written(report: &Report, rows: &[Row]) -> Vec<u8> {
    let mut xml = Vec::new();
    write(&mut xml, report, rows).expect("memory");
    xml
}

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let whole = read(bytes, &limits);
    assert_eq!(whole, read(BufReader::with_capacity(3, bytes), &limits), "in pieces");
    let Ok((report, rows, finished)) = whole else { return };
    assert_eq!(finished.totals.rows, rows.len() as u64);
    assert_eq!(finished.totals.messages, rows.iter().map(|row| row.count).sum::<u64>());
    // The writer brings it to what its generation can say; from then on nothing changes.
    let once = written(&report, &rows);
    let (again, rows_again, _) = read(once.as_slice(), &limits).expect("what was written is read");
    assert_eq!(rows_again.len(), rows.len());
    for (a, b) in rows_again.iter().zip(&rows) {
        assert_eq!(
            (a.source, a.count, &a.author_domain, a.dkim_aligned, a.spf_aligned),
            (b.source, b.count, &b.author_domain, b.dkim_aligned, b.spf_aligned)
        );
    }
    assert_eq!(written(&again, &rows_again), once);
});
