//! Where mail for a domain goes, and how well that is protected: MX (RFC 5321 §5.1, RFC 7505), MTA-STS (RFC 8461 §3.1), TLS-RPT
//! (RFC 8460 §3). Only what is in DNS.

use std::net::IpAddr;

use dns::{Data, Lookup, Name, RecordType, Response};

use crate::finding::{About, Finding, Findings, Place};

/// Hosts of which the addresses are looked up: a name may have any number of MX records.
const HOSTS_MAX: usize = 20;

/// Where mail goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// Preference and host of each MX, the best first; without MX and with addresses, the domain itself.
    pub exchangers: Vec<(u16, Name)>,
    /// RFC 7505: the domain says that it takes no mail.
    pub null_mx: bool,
    /// The id of MTA-STS.
    pub mta_sts: Option<String>,
    /// Where reports about TLS go.
    pub tls_rpt: Vec<String>,
}

impl Mail {
    /// Whether mail can be delivered to the domain.
    #[must_use]
    pub fn receives(&self) -> bool {
        !self.exchangers.is_empty()
    }
}

/// Looks at all three.
pub(crate) async fn look<L: Lookup>(lookup: &L, domain: &Name, findings: &mut Vec<Finding>) -> Mail {
    let mut mail = Mail::default();
    exchangers(lookup, domain, &mut mail, &mut Findings { about: About::Mx, all: findings }).await;
    mta_sts(lookup, domain, &mut mail, &mut Findings { about: About::MtaSts, all: findings }).await;
    tls_rpt(lookup, domain, &mut mail, &mut Findings { about: About::TlsRpt, all: findings }).await;
    mail
}

async fn exchangers<L: Lookup>(lookup: &L, domain: &Name, mail: &mut Mail, findings: &mut Findings<'_>) {
    let response = lookup.lookup(domain, RecordType::Mx).await;
    if matches!(response, Response::ServFail(_) | Response::Timeout) {
        let what = format!("DNS failed on {domain} MX");
        return findings.error("mx-dns-failure", what, "look at the domain's name servers", None);
    }
    let mut hosts: Vec<(u16, Name)> = response
        .records()
        .iter()
        .filter_map(|data| match data {
            Data::Mx(preference, host) => Some((*preference, host.clone())),
            _ => None,
        })
        .collect();
    hosts.sort();
    mail.null_mx = hosts.iter().any(|(_, host)| host.is_root());
    if mail.null_mx {
        // RFC 7505 §3: "A domain that advertises a null MX MUST NOT advertise any other MX RR."
        if hosts.len() > 1 {
            let what = "there is a null MX beside other MX records".to_owned();
            findings.error("mx-null-and-others", what, "remove `MX 0 .`, or all the others", None);
        }
        hosts.retain(|(_, host)| !host.is_root());
    }
    if hosts.is_empty() {
        // RFC 5321 §5.1: "If an empty list of MXs is returned, the address is treated as if it was associated with an implicit MX RR".
        if !mail.null_mx && has_address(lookup, domain).await == Some(true) {
            let what = format!("{domain} has no MX: mail goes to its own address");
            findings.notice("mx-implicit", what, "publish an MX record, or `MX 0 .` if the domain takes no mail", None);
            mail.exchangers.push((0, domain.clone()));
        }
        return;
    }
    for (_, host) in hosts.iter().take(HOSTS_MAX) {
        exchanger(lookup, host, findings).await;
    }
    mail.exchangers = hosts;
}

async fn exchanger<L: Lookup>(lookup: &L, host: &Name, findings: &mut Findings<'_>) {
    if host.to_string().trim_end_matches('.').parse::<IpAddr>().is_ok() {
        let what = format!("the MX host {host} is an address, not a name");
        return findings.error("mx-address", what, "give the host a name", None);
    }
    if let Response::Found(_) = lookup.lookup(host, RecordType::Cname).await {
        // RFC 2181 §10.3: "The domain name used as the value of a NS resource record, or part of the value of a MX resource record must
        // not be an alias."
        let what = format!("the MX host {host} is an alias");
        findings.warning("mx-alias", what, "name the host that it stands for", None);
    }
    if has_address(lookup, host).await == Some(false) {
        let what = format!("the MX host {host} has no address");
        findings.error("mx-no-address", what, "correct the name, or remove the record", None);
    }
}

/// Whether a name has an address of either family; nothing where DNS failed.
async fn has_address<L: Lookup>(lookup: &L, name: &Name) -> Option<bool> {
    let mut failed = false;
    for kind in [RecordType::A, RecordType::Aaaa] {
        match lookup.lookup(name, kind).await {
            Response::Found(_) => return Some(true),
            Response::ServFail(_) | Response::Timeout => failed = true,
            _ => {}
        }
    }
    (!failed).then_some(false)
}

/// The TXT records at a name below the domain that begin with this version.
async fn texts<L: Lookup>(
    lookup: &L,
    domain: &Name,
    labels: &[&str],
    version: &[u8],
) -> Option<(Name, Vec<Box<[u8]>>)> {
    let name = Name::from_labels(labels.iter().map(|label| label.as_bytes()).chain(domain.labels())).ok()?;
    let response = lookup.lookup(&name, RecordType::Txt).await;
    let texts = response.records().iter().filter_map(|data| match data {
        Data::Txt(text) if text.starts_with(version) => Some(text.clone()),
        _ => None,
    });
    Some((name, texts.collect()))
}

/// The value of a field of such a record.
fn value<'a>(record: &'a [u8], tag: &str) -> Option<&'a str> {
    let fields = str::from_utf8(record).ok()?.split(';');
    let mut pairs = fields.filter_map(|field| field.split_once('='));
    pairs.find(|(name, _)| name.trim() == tag).map(|(_, value)| value.trim())
}

async fn mta_sts<L: Lookup>(lookup: &L, domain: &Name, mail: &mut Mail, findings: &mut Findings<'_>) {
    let Some((name, records)) = texts(lookup, domain, &["_mta-sts"], b"v=STSv1").await else { return };
    let place = |record: &[u8]| Some(Place { name: name.clone(), record: record.into(), span: 0..0 });
    match records.as_slice() {
        [] => {}
        [record] => match value(record, "id") {
            // RFC 8461 §3.1: `sts-id = 1*32(ALPHA / DIGIT)`.
            Some(id) if (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                mail.mta_sts = Some(id.to_owned());
            }
            _ => {
                let what =
                    format!("the record at {name} has no id of 1 to 32 letters and digits, so it does not count");
                findings.error(
                    "mta-sts-id",
                    what,
                    "set id= to something new, such as the time of the change",
                    place(record),
                );
            }
        },
        // RFC 8461 §3.1: "If the number of resulting records is not one … senders MUST assume the recipient domain does not have an
        // available MTA-STS Policy".
        [first, ..] => {
            let what = format!("{name} has {} records, so none of them counts", records.len());
            findings.error("mta-sts-several-records", what, "leave one", place(first));
        }
    }
    if records.is_empty() && mail.receives() {
        let what =
            "there is no MTA-STS: mail to the domain can be read on the way by whoever removes STARTTLS".to_owned();
        let fix = "publish a policy file, first with `mode: testing`, and `_mta-sts TXT \"v=STSv1; id=…\"`";
        findings.notice("mta-sts-missing", what, fix, None);
    }
}

async fn tls_rpt<L: Lookup>(lookup: &L, domain: &Name, mail: &mut Mail, findings: &mut Findings<'_>) {
    let Some((name, records)) = texts(lookup, domain, &["_smtp", "_tls"], b"v=TLSRPTv1").await else { return };
    let place = |record: &[u8]| Some(Place { name: name.clone(), record: record.into(), span: 0..0 });
    match records.as_slice() {
        [] => {}
        [record] => {
            let uris = value(record, "rua").unwrap_or_default().split(',').map(str::trim);
            let (good, bad): (Vec<&str>, Vec<&str>) =
                uris.partition(|uri| uri.starts_with("mailto:") || uri.starts_with("https:"));
            if good.is_empty() || !bad.is_empty() {
                let what = format!("the rua= at {name} must be mailto: or https: addresses with commas between them");
                findings.error("tls-rpt-rua", what, "correct the addresses", place(record));
            }
            mail.tls_rpt = good.into_iter().map(str::to_owned).collect();
        }
        // RFC 8460 §3: "If the number of resulting records is not one, senders MUST assume the recipient domain does not implement
        // TLSRPT."
        [first, ..] => {
            let what = format!("{name} has {} records, so none of them counts", records.len());
            findings.error("tls-rpt-several-records", what, "leave one", place(first));
        }
    }
    if records.is_empty() && mail.mta_sts.is_some() {
        let what = "there is MTA-STS without TLS reports: nobody tells you when it keeps mail away".to_owned();
        findings.warning("tls-rpt-missing", what, "publish `_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:…\"`", None);
    }
}
