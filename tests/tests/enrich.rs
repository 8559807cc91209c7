//! Who is behind a source: learned once, from a zone file in place of the network, and shown with its reasons.

use std::process::Command;

use e2e::{Finished, finish, lamppost};
use serde_json::Value;
use tempfile::TempDir;

/// Three sources: one whose name leads back, one whose name is forged, one whose name server fails.
const REPORT: &str = r#"<?xml version="1.0"?>
<feedback><report_metadata><org_name>reporter.example</org_name><email>dmarc@reporter.example</email><report_id>1</report_id>
<date_range><begin>1766448000</begin><end>1766534399</end></date_range></report_metadata>
<policy_published><domain>contoso.example</domain><p>none</p></policy_published>
ROWS</feedback>
"#;

const ROW: &str = r"<record><row><source_ip>ADDRESS</source_ip><count>3</count>
<policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>contoso.example</header_from></identifiers>
<auth_results><spf><domain>contoso.example</domain><result>fail</result></spf></auth_results></record>";

const ZONE: &str = r"
$TTL 300
1.2.0.192.in-addr.arpa. PTR mail.contoso.example.
mail.contoso.example.   A   192.0.2.1
2.2.0.192.in-addr.arpa. PTR o1.ptr.sendgrid.net.
o1.ptr.sendgrid.net.    A   198.51.100.1
;@ servfail 3.2.0.192.in-addr.arpa.
";

const DROP: &str = "192.0.2.2/32 ; SBL1\n";

fn run(folder: &TempDir, args: &[&str]) -> Finished {
    let mut command = Command::new(lamppost());
    command.current_dir(folder.path()).env("LAMPPOST_DATA", "ledger").args(args);
    finish(command)
}

fn profile(folder: &TempDir, address: &str) -> Value {
    run(folder, &["source", address, "--format", "json"]).expect(0).json()["profile"].clone()
}

#[test]
fn a_source_gets_a_name_only_if_the_name_leads_back() {
    let folder = TempDir::new().expect("a temporary folder");
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a temporary folder");
    let rows: String = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|address| ROW.replace("ADDRESS", address)).concat();
    put("report.xml", &REPORT.replace("ROWS", &rows));
    put("dns.zone", ZONE);
    put("drop.txt", DROP);
    put(
        "lamppost.toml",
        "[organisation]\ndomains = [\"contoso.example\"]\n[[enrichment.file]]\nname = \"drop\"\npath = \"drop.txt\"\nhard = true\n",
    );
    let _ = run(&folder, &["import", "report.xml"]).expect(0);
    assert_eq!(profile(&folder, "192.0.2.1"), Value::Null, "nothing is looked up when reports are taken in");

    let learned = run(&folder, &["enrich", "--zone", "dns.zone", "--format", "json"]).expect(0).json();
    assert_eq!((&learned["sources"], &learned["with_gaps"]), (&3.into(), &1.into()));
    let ours = profile(&folder, "192.0.2.1");
    assert_eq!(
        (&ours["name"], &ours["name_grade"], &ours["band"]),
        (&"mail.contoso.example".into(), &"P4".into(), &"good".into())
    );
    let forged = profile(&folder, "192.0.2.2");
    assert_eq!((&forged["name"], &forged["claimed"][0]), (&Value::Null, &"o1.ptr.sendgrid.net".into()));
    assert_eq!(forged["services"], Value::Array(Vec::new()), "a forged name makes nobody a customer of SendGrid");
    assert_eq!((&forged["grade"], &forged["evidence"][0]["source"]), (&(-10.0).into(), &"drop".into()));
    let silent = profile(&folder, "192.0.2.3");
    assert_eq!(
        (&silent["band"], &silent["grade"]),
        (&"unknown".into(), &Value::Null),
        "a failed question is no evidence"
    );
    assert!(silent["gaps"][0].as_str().is_some_and(|gap| gap.starts_with("ptr: ")), "{silent}");

    let again = run(&folder, &["enrich", "--zone", "dns.zone"]).expect(0).stdout;
    assert!(again.starts_with("Nothing new"), "{again}");
    let listed = run(&folder, &["sources", "--format", "json"]).expect(0).json();
    let lines = listed["lines"].as_array().expect("lines");
    assert!(lines.iter().all(|line| line["profile"].is_object()), "{listed}");
}

#[test]
fn a_list_is_asked_only_once_its_terms_are_accepted() {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("dns.zone"), ZONE).expect("a temporary folder");
    for (settings, expected) in [
        ("[[enrichment.list]]\nid = \"spamhaus-zen\"\n", "may be asked on these terms"),
        ("[[enrichment.list]]\nid = \"nobody\"\n", "no list is called `nobody`"),
        ("[[enrichment.list]]\nid = \"spamhaus-zen-dqs\"\nterms_accepted = true\n", "key"),
        ("[enrichment]\nservices = \"gone.toml\"\n", "gone.toml"),
        ("[organisation]\ndomains = [\"a..b\"]\n", "`a..b` is no domain"),
    ] {
        std::fs::write(folder.path().join("lamppost.toml"), settings).expect("a temporary folder");
        let finished = run(&folder, &["enrich", "--zone", "dns.zone"]).expect(1);
        assert!(finished.stderr.contains(expected), "{settings}: {}", finished.stderr);
    }
}
