//! What arrives by itself, over loopback and in folders: kept before it is acknowledged, counted once, refused by name.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

mod desk;
mod folder;
#[cfg(unix)]
mod handover;
mod http;
mod imap;
mod reporter;
mod s3;
mod smtp;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use collect::sources::Settings;
use collect::{Collecting, Judge, Outcome, Receipt, Session, Standing};
use store::Ledger;
use tempfile::TempDir;

/// How long anything may take before a test calls it stuck.
pub(crate) const DEADLINE: Duration = Duration::from_mins(2);

/// A report with one row of `count` messages.
pub(crate) fn report(id: u32, count: u32) -> Vec<u8> {
    format!(
        "<feedback><report_metadata><org_name>reporter.example</org_name><report_id>{id}</report_id><date_range>\
         <begin>1700006400</begin><end>1700092799</end></date_range></report_metadata><policy_published>\
         <domain>b.example</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.1</source_ip>\
         <count>{count}</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf>\
         </policy_evaluated></row><identifiers><header_from>b.example</header_from></identifiers></record></feedback>"
    )
    .into_bytes()
}

/// The same as a mail, with lines that end in CR LF.
pub(crate) fn mail(id: u32, count: u32) -> Vec<u8> {
    let head = format!("From: a@reporter.example\r\nSubject: Report {id}\r\nContent-Type: text/xml\r\n\r\n");
    [head.into_bytes(), report(id, count), b"\r\n".to_vec()].concat()
}

/// A ledger with sources before it.
pub(crate) struct Bench {
    pub(crate) ledger: Ledger,
    pub(crate) collecting: Collecting,
    pub(crate) place: TempDir,
}

/// Believes every mail but those that say in HELO that they are not to be believed.
#[derive(Debug)]
struct Named;

impl Judge for Named {
    fn judge(&self, _: &[u8], session: &Session) -> Standing {
        if session.helo == "forger.test" {
            let (domain, why) = (None, "it says so itself".to_owned());
            return Standing::Unauthenticated { domain, why };
        }
        Standing::Authenticated { domain: "reporter.test".to_owned(), by: "test".to_owned() }
    }
}

impl Bench {
    pub(crate) async fn with(settings: impl FnOnce(&std::path::Path) -> Settings, domains: &[&str]) -> Self {
        let place = TempDir::new().unwrap();
        let ledger = Ledger::open(&place.path().join("ledger")).unwrap();
        let domains = domains.iter().map(|&domain| domain.to_owned()).collect();
        let settings = settings(place.path());
        let dir = place.path().join("ledger");
        let collecting = Collecting::start(ledger.clone(), &dir, &settings, Arc::new(Named), domains).await.unwrap();
        Self { ledger, collecting, place }
    }

    pub(crate) async fn new(settings: impl FnOnce(&std::path::Path) -> Settings) -> Self {
        Self::with(settings, &[]).await
    }

    /// The address of the only source that listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.collecting.listening()[0].1
    }

    pub(crate) async fn outcome(&self, receipt: &Receipt) -> Outcome {
        self.collecting.desk().outcome(receipt, DEADLINE).await.unwrap()
    }

    /// Waits until the ledger holds so many messages in reports that count, and checks that it says nothing else.
    pub(crate) async fn settled(self, reports: u64, messages: u64, rejected: u64) {
        until("everything is taken in", || {
            let counters = self.ledger.counters().unwrap();
            counters.reports >= reports && counters.rejected >= rejected && self.ledger.pending().unwrap().is_empty()
        })
        .await;
        self.collecting.stop().await;
        let counters = self.ledger.counters().unwrap();
        assert_eq!((counters.reports, counters.messages, counters.rejected), (reports, messages, rejected));
        assert_eq!(self.ledger.check().unwrap().faults, Vec::<String>::new());
    }
}

/// Looks again and again until it holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = tokio::time::Instant::now() + DEADLINE;
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    while !holds() {
        assert!(tokio::time::Instant::now() < end, "it never came about that {what}");
        looks.tick().await;
    }
}
