//! One process writes to a ledger; others read it. In a file of its own: a process that is being started holds, for a moment, what every
//! other test has open.

use std::path::Path;

use report::{Finished, Identity, Report, Row, Totals};
use store::{Error, Ledger};

/// A report of one row.
fn fill(ledger: &Ledger) -> Result<(), Error> {
    let key = ledger.keep(&mut &b"one"[..], "test", 0)?.key;
    let mut intake = ledger.intake()?;
    let row = Row {
        source: [192, 0, 2, 1].into(),
        count: 3,
        author_domain: "example.com".into(),
        envelope_from: None,
        envelope_to: None,
        disposition: report::Disposition::None,
        dkim_aligned: true,
        spf_aligned: false,
        overrides: Vec::new(),
        dkim: Vec::new(),
        spf: Vec::new(),
    };
    intake.begin_item(&key)?;
    intake.begin_report(&Report::default(), None)?;
    intake.row(&row)?;
    let identity = Identity { key: [1; 16], content: [1; 32] };
    let totals = Totals::default();
    intake.end_report(&Finished { flaws: Vec::new(), totals, bad_rows: 0, identity })?;
    intake.end_item()?;
    intake.finish().map(drop)
}

#[test]
fn one_process_writes() {
    if let Ok(dir) = std::env::var("LEDGER_LOCKED_DIR") {
        // This is the second process.
        let locked = matches!(Ledger::open(Path::new(&dir)), Err(Error::Locked { .. }));
        let reads = Ledger::read(Path::new(&dir)).unwrap().counters().unwrap().reports == 1;
        assert!(locked && reads, "locked: {locked}, reads: {reads}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Ledger::read(dir.path()), Err(Error::Missing { .. })));
    let ledger = Ledger::open(dir.path()).unwrap();
    fill(&ledger).unwrap();
    let error = Ledger::open(dir.path()).err().unwrap().to_string();
    assert!(error.contains(&dir.path().display().to_string()) && error.contains("another process"), "{error}");
    let second = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "one_process_writes"])
        .env("LEDGER_LOCKED_DIR", dir.path())
        .output()
        .unwrap();
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stdout));
    let reader = Ledger::read(dir.path()).unwrap();
    assert!(matches!(reader.intake(), Err(Error::ReadOnly { .. })));
    assert!(matches!(reader.keep(&mut &b"x"[..], "", 0), Err(Error::ReadOnly { .. })));
    drop(ledger);
    Ledger::open(dir.path()).unwrap();
}
