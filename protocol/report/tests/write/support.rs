//! Reports to write, and the way back.

use report::{
    Alignment, AuthResult, Dialect, DiscoveryMethod, Disposition, DkimResult, Interval, Limits, Override, OverrideKind,
    Policy, PolicyPublished, Reader, Report, Reporter, Row, SpfResult, SpfScope,
};

pub(crate) const DIALECTS: [Dialect; 2] = [Dialect::Rfc7489, Dialect::Rfc9990];

pub(crate) fn text(report: &Report, rows: &[Row]) -> String {
    let mut out = Vec::new();
    report::write(&mut out, report, rows).unwrap();
    String::from_utf8(out).unwrap()
}

pub(crate) fn read(xml: &str) -> (Report, Vec<Row>, Vec<report::Flaw>) {
    let mut reader = Reader::open(xml.as_bytes(), &Limits::default()).unwrap();
    let report = reader.report().clone();
    let (mut rows, mut row) = (Vec::new(), Row::default());
    while reader.next_row(&mut row).unwrap() {
        rows.push(row.clone());
    }
    (report, rows, reader.finish().unwrap().flaws)
}

/// A report that says everything its generation can say.
pub(crate) fn full(dialect: Dialect) -> Report {
    let new = dialect == Dialect::Rfc9990;
    Report {
        dialect,
        version: Some("1.0".into()),
        reporter: Reporter {
            organization: "Big Mail & Sons".into(),
            email: "dmarc@bigmail.example".into(),
            extra_contact: Some("https://bigmail.example/?a=1&b=<2>".into()),
            generator: new.then(|| "report/1".into()),
        },
        report_id: "2025-12-23.17@bigmail.example".into(),
        interval: Interval { begin: 1_766_448_000, end: 1_766_534_399 },
        errors: vec!["one record too long".into()],
        policy: PolicyPublished {
            domain: "halden.example".into(),
            p: Some(Policy::Quarantine),
            sp: Some(Policy::Reject),
            np: new.then_some(Policy::Reject),
            adkim: Some(Alignment::Relaxed),
            aspf: Some(Alignment::Strict),
            pct: (!new).then_some(25),
            fo: Some("1:d".into()),
            testing: new.then_some(true),
            discovery_method: new.then_some(DiscoveryMethod::TreeWalk),
        },
    }
}

pub(crate) fn dkim(domain: &str, selector: &str, result: AuthResult) -> DkimResult {
    DkimResult { domain: domain.into(), selector: Some(selector.into()), result, human_result: None }
}

pub(crate) fn spf(domain: &str, scope: SpfScope, result: AuthResult) -> SpfResult {
    SpfResult { domain: domain.into(), scope: Some(scope), result, human_result: None }
}

/// A row that says everything its generation can say.
pub(crate) fn full_row(dialect: Dialect) -> Row {
    let new = dialect == Dialect::Rfc9990;
    let kind = if new { OverrideKind::PolicyTestMode } else { OverrideKind::SampledOut };
    Row {
        source: "2001:db8::25".parse().unwrap(),
        count: 18_400,
        author_domain: "news.halden.example".into(),
        envelope_from: Some("bounce.halden.example".into()),
        envelope_to: Some("bigmail.example".into()),
        disposition: if new { Disposition::Pass } else { Disposition::Quarantine },
        dkim_aligned: true,
        spf_aligned: false,
        overrides: vec![
            Override { kind, comment: None },
            Override { kind: OverrideKind::LocalPolicy, comment: Some("arc=pass as[1].d=lists.example".into()) },
        ],
        dkim: vec![
            dkim("halden.example", "s2021", AuthResult::Pass),
            DkimResult {
                human_result: Some("body hash mismatch".into()),
                ..dkim("vendor.example", "k1", AuthResult::Fail)
            },
        ],
        spf: vec![SpfResult {
            human_result: new.then(|| "13 look-ups".into()),
            ..spf("bounce.halden.example", SpfScope::Mfrom, AuthResult::PermError)
        }],
    }
}
