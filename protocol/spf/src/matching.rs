//! Whether a mechanism matches the client (RFC 7208 §5).
//!
//! In: a mechanism, the name it is about, the client's address. Out: whether it matches, or why the evaluation ends here. Runs of terms
//! that ask nothing are judged in one go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dns::{Data, Lookup, Name, RecordType, Response};

use crate::check::{Check, Place, Stop};
use crate::spec::write_address;
use crate::{DualPrefix, Mechanism, Qualifier, Reason, Record, SpfResult, TermKind};

/// Where a run of terms that ask nothing ends.
pub(crate) enum Found<'r> {
    /// At a match.
    Matched(u16, SpfResult),
    /// At a term that asks DNS.
    Asks(u16, Qualifier, &'r Mechanism),
    /// At the end of the record.
    Nothing,
}

/// Looks at the terms from `from` on, until one matches or asks DNS.
pub(crate) fn without_dns(record: &Record, from: u16, ip: IpAddr) -> Found<'_> {
    let terms = record.terms.get(usize::from(from)..).unwrap_or_default();
    for (term, at) in terms.iter().zip(from..) {
        let TermKind::Directive(qualifier, mechanism) = &term.kind else { continue };
        let matched = match (mechanism, ip) {
            (Mechanism::All, _) => true,
            (Mechanism::Ip4(network, prefix), IpAddr::V4(ip)) => in_v4(ip, *network, *prefix),
            (Mechanism::Ip6(network, prefix), IpAddr::V6(ip)) => in_v6(ip, *network, *prefix),
            (Mechanism::Ip4(..) | Mechanism::Ip6(..), _) => false,
            _ => return Found::Asks(at, *qualifier, mechanism),
        };
        if matched {
            return Found::Matched(at, qualifier.result());
        }
    }
    Found::Nothing
}

pub(crate) fn in_v4(ip: Ipv4Addr, network: Ipv4Addr, prefix: u8) -> bool {
    // In 64 bits, so that a shift by all 32 bits is one.
    u64::from(ip.to_bits() ^ network.to_bits()) >> 32u8.saturating_sub(prefix) == 0
}

pub(crate) fn in_v6(ip: Ipv6Addr, network: Ipv6Addr, prefix: u8) -> bool {
    (ip.to_bits() ^ network.to_bits()).checked_shr(128u32.saturating_sub(prefix.into())).unwrap_or(0) == 0
}

/// A name that the client's address has in DNS, and whether it leads back to the address, where that was asked.
pub(crate) struct ClientName {
    name: Name,
    leads_back: Option<bool>,
}

impl<L: Lookup> Check<'_, L> {
    /// Whether a mechanism that asks DNS matches; `include` is none of these.
    pub(crate) async fn matches(&mut self, mechanism: &Mechanism, target: &Name, place: Place) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::A(_, prefix) => self.has_address(place, target.clone(), *prefix).await,
            Mechanism::Mx(_, prefix) => self.is_exchanger(place, target.clone(), *prefix).await,
            Mechanism::Ptr(_) => self.is_named(target, place).await,
            Mechanism::Exists(_) => {
                // RFC 7208 §5.7: "used for a DNS A RR lookup (even when the connection type is IPv6)".
                let response = self.ask_surely(place, target.clone(), RecordType::A).await?;
                Ok(!response.records().is_empty())
            }
            Mechanism::All | Mechanism::Include(_) | Mechanism::Ip4(..) | Mechanism::Ip6(..) => Ok(false),
        }
    }

    /// Whether one of a name's addresses is the client's, as far as the prefix goes.
    async fn has_address(&mut self, place: Place, name: Name, prefix: DualPrefix) -> Result<bool, Stop> {
        let response = self.ask_surely(place, name, address_type(self.ip)).await?;
        Ok(contains(&response, self.ip, prefix))
    }

    /// RFC 7208 §5.4.
    async fn is_exchanger(&mut self, place: Place, name: Name, prefix: DualPrefix) -> Result<bool, Stop> {
        let response = self.ask_surely(place, name, RecordType::Mx).await?;
        let (visit, term) = place;
        // RFC 7208 §4.6.4: "If this limit is exceeded, the "mx" mechanism MUST produce a "permerror" result."
        if response.records().len() > self.limits.mx_hosts_max {
            return Err(Stop::permanent(Reason::TooManyMxHosts { visit, term }));
        }
        for host in exchangers(response.records()) {
            if self.has_address(place, host.clone(), prefix).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// RFC 7208 §5.5: whether a validated name of the client is the target or below it.
    async fn is_named(&mut self, target: &Name, place: Place) -> Result<bool, Stop> {
        for at in 0..self.client_names(place).await? {
            // Names that would not match need no question whether they lead back.
            if self.client_name(at).is_some_and(|name| name.is_subdomain_of(target))
                && self.leads_back(at, place).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// RFC 7208 §7.3, `p`: a validated name of the client: "If the `<domain>` is present in the list of validated domains, it SHOULD be
    /// used. Otherwise, if a subdomain of the `<domain>` is present, it SHOULD be used. Otherwise, any name from the list can be used."
    pub(crate) async fn validated(&mut self, domain: &Name, place: Place) -> Result<Option<Name>, Stop> {
        let mut order: Vec<usize> = (0..self.client_names(place).await?).collect();
        order.sort_by_key(|at| match self.client_name(*at) {
            Some(name) if name == domain => 0,
            Some(name) if name.is_subdomain_of(domain) => 1,
            _ => 2,
        });
        for at in order {
            if self.leads_back(at, place).await? {
                return Ok(self.client_name(at).cloned());
            }
        }
        Ok(None)
    }

    fn client_name(&self, at: usize) -> Option<&Name> {
        self.names.as_ref()?.get(at).map(|known| &known.name)
    }

    /// How many names the client's address has, as far as they are looked at; asked once in an evaluation.
    async fn client_names(&mut self, place: Place) -> Result<usize, Stop> {
        if self.names.is_none() {
            // RFC 7208 §5.5: "If a DNS error occurs while doing the PTR RR lookup, then this mechanism fails to match."
            let response = self.ask(place, reverse_name(self.ip), RecordType::Ptr, true).await?;
            let names = response.records().iter().filter_map(|data| match data {
                Data::Ptr(name) => Some(ClientName { name: name.clone(), leads_back: None }),
                _ => None,
            });
            self.names = Some(names.take(self.limits.ptr_names_max).collect());
        }
        Ok(self.names.as_ref().map_or(0, Vec::len))
    }

    async fn leads_back(&mut self, at: usize, place: Place) -> Result<bool, Stop> {
        let Some(known) = self.names.as_ref().and_then(|names| names.get(at)) else { return Ok(false) };
        if let Some(answer) = known.leads_back {
            return Ok(answer);
        }
        // Not counted as void: "the set of and contents of PTR records are under control of the owner of the IP address actually making
        // the connection" (RFC 7208 §4.6.4), who must not be able to turn a fail into a permerror. A failure counts for nothing
        // either: "that domain name is skipped and the search continues" (§5.5).
        let response = self.ask(place, known.name.clone(), address_type(self.ip), false).await?;
        let answer = contains(&response, self.ip, DualPrefix::default());
        if let Some(known) = self.names.as_mut().and_then(|names| names.get_mut(at)) {
            known.leads_back = Some(answer);
        }
        Ok(answer)
    }
}

/// RFC 7208 §5: "when `<ip>` is an IPv4, "A" records are fetched; when `<ip>` is an IPv6 address, "AAAA" records are fetched".
const fn address_type(ip: IpAddr) -> RecordType {
    if ip.is_ipv4() { RecordType::A } else { RecordType::Aaaa }
}

/// The hosts of an MX answer, the preferred ones first.
pub(crate) fn exchangers(data: &[Data]) -> impl Iterator<Item = &Name> {
    let mut hosts: Vec<(u16, &Name)> = data
        .iter()
        .filter_map(|data| match data {
            // RFC 7505 §3: the root says that there is no exchanger.
            Data::Mx(preference, host) if !host.is_root() => Some((*preference, host)),
            _ => None,
        })
        .collect();
    hosts.sort_by_key(|(preference, _)| *preference);
    hosts.into_iter().map(|(_, host)| host)
}

fn contains(response: &Response, ip: IpAddr, prefix: DualPrefix) -> bool {
    response.records().iter().any(|data| match (data, ip) {
        (Data::A(address), IpAddr::V4(ip)) => in_v4(ip, *address, prefix.v4),
        (Data::Aaaa(address), IpAddr::V6(ip)) => in_v6(ip, *address, prefix.v6),
        _ => false,
    })
}

/// The name under which an address is looked up (RFC 1035 §3.5, RFC 3596 §2.5).
fn reverse_name(ip: IpAddr) -> Name {
    let mut digits = Vec::with_capacity(64);
    write_address(ip, &mut digits);
    let zone: &[&[u8]] = if ip.is_ipv4() { &[b"in-addr", b"arpa"] } else { &[b"ip6", b"arpa"] };
    let labels = digits.rsplit(|byte| *byte == b'.').chain(zone.iter().copied());
    // Short labels, and fewer octets than a name may have: this cannot fail.
    Name::from_labels(labels).unwrap_or_else(|_| Name::root())
}
