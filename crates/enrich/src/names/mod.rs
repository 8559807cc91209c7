//! The names of an address: those in its PTR records that lead back to it, and what they say about who sends.
//!
//! In: an address and a [`Lookup`]. Out: names, confirmed or merely claimed. Whoever holds an address writes its PTR records and may
//! write there what he likes; only the holder of the name can let it lead back (RFC 8601 §3: "iprev"). A claimed name is kept to be
//! shown as such, and nothing follows from it.

mod generic;

use std::net::IpAddr;

use dns::{Data, Lookup, Name, RecordType, Response};
use serde::{Deserialize, Serialize};

use crate::reputation::Gap;
use crate::reverse;

/// How many names are looked at.
#[derive(Debug, Clone, Copy)]
pub struct NameLimits {
    /// Names of one address whose addresses are asked for; each costs a question. Mail servers have one, rarely two; hosts of many
    /// websites have hundreds.
    pub names: usize,
}

impl Default for NameLimits {
    fn default() -> Self {
        Self { names: 5 }
    }
}

/// The names of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Names that lead back to the address, in lower case, without the final dot.
    pub confirmed: Vec<String>,
    /// Names that stand in PTR records and do not, or not as far as could be learned. **Not to be called the name of the source.**
    pub claimed: Vec<String>,
    /// Names that stand there and were not looked at, because there are too many.
    pub not_asked: usize,
}

/// What the names of an address say, where nothing else is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameGrade {
    /// P0: no name leads back to it. Large receivers ask senders for such names since 2024, so that senders have them.
    Unconfirmed,
    /// P1: a name that a network gives to all its addresses: a customer's line, not a mail server.
    Generic,
    /// P2: a name that says nothing either way.
    Named,
    /// P3: the name of a mail server.
    MailHost,
    /// P4: a name of a known mail service, or below one of our own domains.
    Known,
}

impl NameGrade {
    /// Its short name: `P0` to `P4`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unconfirmed => "P0",
            Self::Generic => "P1",
            Self::Named => "P2",
            Self::MailHost => "P3",
            Self::Known => "P4",
        }
    }
}

/// A grade by names, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The grade.
    pub grade: NameGrade,
    /// The name that decided, and what about it, for people.
    pub why: String,
}

/// Asks for the names of an address and for the addresses of these names.
///
/// The gap says what could not be learned: names may then be missing among the confirmed ones.
pub async fn names(dns: &impl Lookup, address: IpAddr, limits: NameLimits) -> (Names, Option<Gap>) {
    let address = address.to_canonical();
    let gap = |why: String| Gap { source: String::from("ptr"), why };
    let Some(at) = reverse::ptr_name(address) else {
        return (Names::default(), Some(gap(String::from("the address has no name to look it up under"))));
    };
    let response = dns.lookup(&at, RecordType::Ptr).await;
    if let Some(why) = failure(&response) {
        return (Names::default(), Some(gap(format!("the names of the address: {why}"))));
    }
    let (mut names, mut missing) = (Names::default(), None);
    let claimed =
        response.records().iter().filter_map(|data| if let Data::Ptr(name) = data { Some(name) } else { None });
    // A root or top-level name leads nowhere and is nobody's.
    for (count, name) in claimed.filter(|name| name.labels().nth(1).is_some()).enumerate() {
        if count >= limits.names {
            names.not_asked += 1;
            continue;
        }
        let kind = if address.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
        let back = dns.lookup(name, kind).await;
        if let Some(why) = failure(&back) {
            missing.get_or_insert_with(|| gap(format!("the addresses of {name}: {why}")));
        }
        let is_it = |data: &Data| match data {
            Data::A(found) => IpAddr::from(*found) == address,
            Data::Aaaa(found) => IpAddr::from(*found) == address,
            _ => false,
        };
        let list = if back.records().iter().any(is_it) { &mut names.confirmed } else { &mut names.claimed };
        list.push(name.to_string());
    }
    (names, missing)
}

fn failure(response: &Response) -> Option<String> {
    match response {
        Response::ServFail(why) => Some(format!("DNS failed: {why}")),
        Response::Timeout => Some(String::from("no answer in time")),
        Response::Found(_) | Response::NxDomain { .. } | Response::NoData { .. } => None,
    }
}

impl Names {
    /// What the names say: that of the best of the confirmed ones, because each of them names its operator with the operator's consent.
    /// `known` says whether a name belongs to a known mail service or is ours. None where the questions failed before a name was
    /// confirmed: what is not known makes nobody suspicious.
    #[must_use]
    pub fn grade(&self, address: IpAddr, failed: bool, known: impl Fn(&Name) -> bool) -> Option<Named> {
        let parsed = self.confirmed.iter().filter_map(|name| Name::parse(name).ok());
        let best = parsed.map(|name| grade(&name, address, known(&name))).max_by_key(|named| named.grade);
        best.or_else(|| {
            let why = match self.claimed.first() {
                Some(name) => format!("claims to be {name}, which does not lead back to it"),
                None => String::from("has no name"),
            };
            (!failed).then_some(Named { grade: NameGrade::Unconfirmed, why })
        })
    }
}

/// What one confirmed name says about an address.
fn grade(name: &Name, address: IpAddr, known: bool) -> Named {
    let (grade, why) = if known {
        (NameGrade::Known, "belongs to a known mail service or to you")
    } else if let Some(why) = generic::has_address(name, address) {
        (NameGrade::Generic, why)
    } else if generic::is_mail_host(name) {
        (NameGrade::MailHost, "is named like a mail server")
    } else if let Some(why) = generic::has_generic_word(name) {
        (NameGrade::Generic, why)
    } else {
        (NameGrade::Named, "says neither this nor that")
    };
    Named { grade, why: format!("{name} {why}") }
}

#[cfg(test)]
mod tests {
    use dns::{Zone, now};

    use super::*;

    const ZONE: &str = "
$TTL 300
1.2.0.192.in-addr.arpa.  PTR mail.sender.example.
mail.sender.example.     A 192.0.2.1
mail.sender.example.     A 192.0.2.99
; a forged one: says it is a large provider's
2.2.0.192.in-addr.arpa.  PTR mail-out.bigprovider.example.
mail-out.bigprovider.example. A 198.51.100.1
3.2.0.192.in-addr.arpa.  PTR nowhere.example.
4.2.0.192.in-addr.arpa.  PTR a.broken.example.
4.2.0.192.in-addr.arpa.  PTR b.sender.example.
b.sender.example.        A 192.0.2.4
;@ servfail a.broken.example.
;@ timeout 5.2.0.192.in-addr.arpa.
6.2.0.192.in-addr.arpa.  PTR alias.sender.example.
alias.sender.example.    CNAME real.sender.example.
real.sender.example.     A 192.0.2.6
7.2.0.192.in-addr.arpa.  CNAME 7.delegated.example.
7.delegated.example.     PTR host.sender.example.
host.sender.example.     A 192.0.2.7
8.2.0.192.in-addr.arpa.  PTR com.
9.2.0.192.in-addr.arpa.  PTR only-v6.sender.example.
only-v6.sender.example.  AAAA ::ffff:192.0.2.9
5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR six.sender.example.
six.sender.example.      AAAA 2001:db8::5
;@ servfail c.broken.example.
10.2.0.192.in-addr.arpa. PTR c.broken.example.
";

    /// Why, address, confirmed and claimed names, whether something failed, grade.
    type Case<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str], bool, Option<NameGrade>);

    fn ask(address: &str) -> (Names, Option<Gap>) {
        let zone = Zone::parse(ZONE).unwrap_or_else(|error| panic!("{error}"));
        now(names(&zone, address.parse().unwrap(), NameLimits::default()))
    }

    #[test]
    fn only_names_that_lead_back_are_names() {
        let cases: &[Case<'_>] = &[
            ("confirmed", "192.0.2.1", &["mail.sender.example"], &[], false, Some(NameGrade::MailHost)),
            (
                "a forged name gets no grade but the worst",
                "192.0.2.2",
                &[],
                &["mail-out.bigprovider.example"],
                false,
                Some(NameGrade::Unconfirmed),
            ),
            ("a name without address", "192.0.2.3", &[], &["nowhere.example"], false, Some(NameGrade::Unconfirmed)),
            (
                "one name fails, the other leads back",
                "192.0.2.4",
                &["b.sender.example"],
                &["a.broken.example"],
                true,
                Some(NameGrade::Named),
            ),
            ("no answer is no verdict", "192.0.2.5", &[], &[], true, None),
            ("by way of an alias", "192.0.2.6", &["alias.sender.example"], &[], false, Some(NameGrade::Named)),
            ("classless delegation", "192.0.2.7", &["host.sender.example"], &[], false, Some(NameGrade::Named)),
            ("a top-level name", "192.0.2.8", &[], &[], false, Some(NameGrade::Unconfirmed)),
            ("the other family", "192.0.2.9", &[], &["only-v6.sender.example"], false, Some(NameGrade::Unconfirmed)),
            ("nothing at all", "203.0.113.1", &[], &[], false, Some(NameGrade::Unconfirmed)),
            ("IPv6", "2001:db8::5", &["six.sender.example"], &[], false, Some(NameGrade::Named)),
            (
                "IPv4 written as IPv6",
                "::ffff:192.0.2.1",
                &["mail.sender.example"],
                &[],
                false,
                Some(NameGrade::MailHost),
            ),
            ("it could not be checked", "192.0.2.10", &[], &["c.broken.example"], true, None),
        ];
        for (why, address, confirmed, claimed, failed, expected) in cases {
            let (names, gap) = ask(address);
            assert_eq!(
                (&*names.confirmed, &*names.claimed),
                (strings(confirmed).as_slice(), strings(claimed).as_slice()),
                "{why}"
            );
            assert_eq!(gap.is_some(), *failed, "{why}: {gap:?}");
            let grade = names.grade(address.parse().unwrap(), *failed, |_| false).map(|named| named.grade);
            assert_eq!(grade, *expected, "{why}");
        }
    }

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_thousand_names_cost_a_few_questions() {
        let mut zone = Zone::new();
        let at = Name::parse("1.2.0.192.in-addr.arpa").unwrap();
        for n in 0..1_000 {
            zone.add(&at, 60, Data::Ptr(Name::parse(&format!("n{n}.many.example")).unwrap()));
        }
        let (names, _) = now(names(&zone, "192.0.2.1".parse().unwrap(), NameLimits::default()));
        assert_eq!((names.claimed.len(), names.not_asked), (5, 995));
    }

    #[test]
    fn the_best_confirmed_name_decides() {
        let address = "192.0.2.1".parse().unwrap();
        let names = |confirmed: &[&str]| Names { confirmed: strings(confirmed), ..Names::default() };
        let both = names(&["1-2-0-192.dsl.isp.example", "mail.sender.example"]);
        assert_eq!(both.grade(address, false, |_| false).unwrap().grade, NameGrade::MailHost);
        let known = |name: &Name| name.is_subdomain_of(&Name::parse("isp.example").unwrap());
        assert_eq!(both.grade(address, false, known).unwrap().grade, NameGrade::Known);
        let forged = Names { claimed: strings(&["mail.isp.example"]), ..Names::default() };
        assert_eq!(
            forged.grade(address, false, known).unwrap().grade,
            NameGrade::Unconfirmed,
            "never by a claimed name"
        );
    }
}
