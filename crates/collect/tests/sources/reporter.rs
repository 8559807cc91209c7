//! Whose reports count: mail that could be anybody's is kept and not counted, until somebody vouches for it.

use collect::sources::Settings;
use collect::sources::folder::Settings as Folder;
use report::RejectionKind;

use crate::smtp::{Client, smtp};
use crate::{Bench, mail, until};

async fn sent(bench: &Bench, helo: &str, id: u32) {
    let mut client = Client::connect(bench).await;
    assert!(client.reply().await.starts_with("220"));
    let answer = client.send_as("EHLO", helo, &mail(id, 5)).await;
    assert!(answer.starts_with("250"), "who sends is told nothing of what is believed: {answer}");
}

async fn rejected(bench: &Bench, count: u64) {
    until("they are refused", || bench.ledger.counters().unwrap().rejected >= count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_report_is_kept_and_does_not_count_until_somebody_vouches_for_it() {
    let bench = Bench::new(|_| Settings { smtp: vec![smtp()], ..Settings::default() }).await;
    sent(&bench, "forger.test", 1).await;
    sent(&bench, "reporter.test", 2).await;
    rejected(&bench, 1).await;
    until("the other one counts", || bench.ledger.counters().unwrap().reports == 1).await;
    let (rejections, _) = bench.ledger.rejections(0, 10).unwrap();
    assert_eq!(rejections[0].rejection.kind, RejectionKind::UnauthenticatedReporter);
    assert!(rejections[0].rejection.message.contains("it says so itself"), "{}", rejections[0].rejection.message);
    let key = rejections[0].item;
    let Bench { ledger, collecting, place: _place } = bench;
    collecting.stop().await;

    // A rebuild believes what was found when it came, and asks nobody.
    collect::rebuild(&ledger, &()).unwrap();
    let counters = ledger.counters().unwrap();
    assert_eq!((counters.reports, counters.rejected, counters.messages), (1, 1, 5));

    assert!(ledger.reconsider(&key, r#"{"standing":"vouched"}"#).unwrap());
    collect::resume(&ledger, &collect::Options::default(), &()).unwrap();
    let counters = ledger.counters().unwrap();
    assert_eq!((counters.reports, counters.rejected, counters.messages), (2, 0, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_by_mail_about_other_domains_are_refused() {
    let settings = |_: &std::path::Path| Settings { smtp: vec![smtp()], ..Settings::default() };
    // The report is about b.example.
    for (domains, counts) in [(&["b.example"][..], true), (&["example"], true), (&["a.example", "x-b.example"], false)]
    {
        let bench = Bench::with(settings, domains).await;
        sent(&bench, "reporter.test", 1).await;
        if counts {
            bench.settled(1, 5, 0).await;
            continue;
        }
        rejected(&bench, 1).await;
        let (rejections, _) = bench.ledger.rejections(0, 10).unwrap();
        assert_eq!(rejections[0].rejection.kind, RejectionKind::ForeignDomain);
        bench.settled(0, 0, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_nobody_has_judged_waits_for_somebody_who_does() {
    let bench = Bench::new(|_| Settings::default()).await;
    bench.collecting.stop().await;
    let ledger = &bench.ledger;
    let origin = "smtp:in ip=192.0.2.1 helo=reporter.test from=<a@reporter.test>";
    ledger.keep(&mut &mail(1, 5)[..], origin, 1_700_100_000).unwrap();
    ledger.sync_spool().unwrap();
    collect::resume(ledger, &collect::Options::default(), &()).unwrap();
    let counters = ledger.counters().unwrap();
    assert_eq!((counters.reports, counters.rejected, ledger.pending().unwrap().len()), (0, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_in_a_maildir_is_judged_and_a_file_in_a_folder_is_not() {
    for (maildir, noted) in [(true, true), (false, false)] {
        let bench = Bench::new(|place| {
            let folder = place.join("in");
            for part in ["new", "cur", "tmp"].iter().filter(|_| maildir) {
                std::fs::create_dir_all(folder.join(part)).unwrap();
            }
            std::fs::create_dir_all(&folder).unwrap();
            let file = if maildir { folder.join("new/1") } else { folder.join("1.eml") };
            std::fs::write(file, mail(1, 5)).unwrap();
            let watched = Folder { name: "in".to_owned(), path: folder, poll_seconds: 1, ..Folder::default() };
            Settings { folder: vec![watched], ..Settings::default() }
        })
        .await;
        until("it is taken in", || bench.ledger.counters().unwrap().reports == 1).await;
        let (reports, _) = bench.ledger.reports(&store::ReportFilter::default(), 0, 1).unwrap();
        let standing = bench.ledger.standing(&reports[0].item).unwrap();
        assert_eq!(standing.is_some(), noted, "{standing:?}");
        bench.settled(1, 5, 0).await;
    }
}
