//! Reports against what is expected of them: the real and the malformed ones of the suites, and corner cases of our own.

#[cfg(test)]
mod corners;
#[cfg(test)]
mod pieces;
#[cfg(test)]
mod round;
#[cfg(test)]
mod show;
#[cfg(test)]
mod summary;
#[cfg(test)]
mod support;

use report::RejectionKind;
use support::{cases, file, manifest, read, suites};

#[test]
fn real_reports_are_read_to_the_row() {
    let Some(suites) = suites() else { return };
    let expected = manifest(&suites);
    let (mut rows, mut rejected) = (0, Vec::new());
    for expected in &expected {
        let result = read(file(&suites.join("reports").join(&expected.file)).as_slice());
        match (&result, &expected.error) {
            (Ok(whole), None) => {
                expected.check(whole);
                rows += whole.rows.len();
            }
            (Err(rejection), None) => panic!("{}: {rejection:?}", expected.file),
            (Ok(whole), Some(_)) => assert!(!whole.finished.flaws.is_empty(), "{}: ill-formed", expected.file),
            (Err(rejection), Some(_)) => rejected.push((expected.file.as_str(), rejection.kind)),
        }
    }
    assert_eq!(rejected, [("parsedmarc/empty.xml", RejectionKind::NoReport)]);
    println!("{} real reports with {rows} rows", expected.len());
    assert_eq!(expected.len(), 1_773);
}

#[test]
fn malformed_reports_are_taken_or_refused() {
    let Some(suites) = suites() else { return };
    let mut ran = 0;
    for case in cases(&suites)
        .into_iter()
        .filter(|case| std::path::Path::new(&case.file).extension().is_some_and(|end| end == "xml"))
    {
        case.check(&read(file(&suites.join("malformed").join(&case.file)).as_slice()));
        ran += 1;
    }
    println!("{ran} malformed reports");
    assert!(ran >= 25, "only {ran} ran");
}
