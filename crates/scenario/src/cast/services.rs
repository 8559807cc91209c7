//! Services that send for the company's teams: newsletters, payroll, tickets, surveys, and one campaign nobody had announced.

use report::AuthResult::{Fail, Pass, PermError, SoftFail};

use super::{always, is, mail, phase};
use crate::address::row;
use crate::estate::Estate;
use crate::flow::{Authentication, Class, Flow, Phase, Who};
use crate::story;
use crate::volume::Volume;

/// How a service is set up.
enum Set {
    /// Signs as the author domain, envelope below ours.
    Both,
    /// Signs as the author domain, envelope of its own.
    Signed,
    /// Envelope below ours, signs as itself or not at all.
    EnvelopeOnly,
    /// SPF and DKIM pass, but for its own domain.
    Unaligned,
    /// SPF passes, but for its own domain; no signature.
    UnalignedUnsigned,
    /// Unaligned until this day, then set up on the delegated subdomain.
    Moves(i32),
}

struct Service {
    id: &'static str,
    /// Name and domain of the company.
    name: &'static str,
    domain: &'static str,
    team: &'static str,
    local_part: &'static str,
    author: &'static str,
    per_day: f64,
    /// First address and how many.
    hosts: ([u8; 4], u32),
    set: Set,
}

#[rustfmt::skip]
const SERVICES: &[Service] = &[
    Service { id: "service-newsletters", name: "Paperplane", domain: "paperplane.example", team: "Customer Marketing", local_part: "news", author: "email.halden.example", per_day: 2_600.0, hosts: ([198, 51, 100, 40], 6), set: Set::Both },
    Service { id: "service-loyalty", name: "Paperplane", domain: "paperplane.example", team: "Loyalty Programme", local_part: "club", author: "email.halden.example", per_day: 780.0, hosts: ([198, 51, 100, 46], 2), set: Set::Both },
    Service { id: "service-payroll", name: "Lönebyrån", domain: "paymill.example", team: "Payroll", local_part: "payroll", author: "halden.example", per_day: 190.0, hosts: ([198, 19, 3, 20], 2), set: Set::Signed },
    Service { id: "service-tickets", name: "Deskpilot", domain: "deskpilot.example", team: "IT Service Desk", local_part: "servicedesk", author: "halden.example", per_day: 1_900.0, hosts: ([198, 19, 4, 10], 5), set: Set::Both },
    Service { id: "service-customer-cases", name: "Deskpilot", domain: "deskpilot.example", team: "Customer Support", local_part: "support", author: "service.halden.example", per_day: 880.0, hosts: ([198, 19, 4, 30], 3), set: Set::Both },
    Service { id: "service-surveys", name: "Askbird", domain: "askbird.example", team: "People Analytics", local_part: "survey", author: "halden.example", per_day: 165.0, hosts: ([198, 19, 5, 77], 2), set: Set::Moves(47) },
    Service { id: "service-events", name: "Gatherly", domain: "gatherly.example", team: "Events", local_part: "events", author: "halden.example", per_day: 14.0, hosts: ([198, 19, 6, 8], 2), set: Set::Unaligned },
    Service { id: "service-travel", name: "Roamdesk", domain: "roamdesk.example", team: "Travel", local_part: "travel", author: "halden.example", per_day: 420.0, hosts: ([198, 19, 7, 24], 2), set: Set::EnvelopeOnly },
    Service { id: "service-recruiting", name: "Hirewell", domain: "hirewell.example", team: "Recruiting", local_part: "careers", author: "halden.example", per_day: 230.0, hosts: ([198, 19, 8, 15], 3), set: Set::Moves(story::DELEGATED) },
    Service { id: "service-invoices", name: "Faktura Direkt", domain: "faktura-direkt.example", team: "Accounts Receivable", local_part: "invoice", author: "halden.example", per_day: 1_150.0, hosts: ([198, 19, 9, 33], 3), set: Set::Both },
    Service { id: "service-learning", name: "Kurslandet", domain: "kurslandet.test", team: "Learning", local_part: "academy", author: "halden.example", per_day: 430.0, hosts: ([198, 19, 10, 5], 2), set: Set::Signed },
    Service { id: "service-meeting-rooms", name: "Roomly", domain: "roomly.example", team: "Workplace", local_part: "booking", author: "halden.example", per_day: 340.0, hosts: ([198, 19, 11, 18], 2), set: Set::Moves(story::DELEGATED) },
    Service { id: "service-sales", name: "Pipelane", domain: "pipelane.example", team: "Sales Operations", local_part: "sales", author: "halden.example", per_day: 1_450.0, hosts: ([198, 19, 12, 100], 6), set: Set::Signed },
    Service { id: "service-press", name: "Newswire", domain: "newswire.test", team: "Press Office", local_part: "press", author: "halden.example", per_day: 64.0, hosts: ([198, 19, 13, 2], 1), set: Set::Moves(story::DELEGATED) },
    Service { id: "service-investors", name: "Shareholder Post", domain: "shareholderpost.example", team: "Investor Relations", local_part: "ir", author: "halden.example", per_day: 75.0, hosts: ([198, 19, 14, 9], 1), set: Set::Both },
    Service { id: "service-field-work", name: "Dispatchr", domain: "dispatchr.example", team: "Field Service", local_part: "technician", author: "halden.example", per_day: 560.0, hosts: ([198, 19, 15, 50], 2), set: Set::EnvelopeOnly },
    Service { id: "service-monitoring", name: "Pulsewatch", domain: "pulsewatch.example", team: "Cloud Operations", local_part: "alerts", author: "halden.example", per_day: 390.0, hosts: ([198, 19, 16, 60], 4), set: Set::Moves(story::DELEGATED) },
    Service { id: "service-code-review", name: "Mergetrain", domain: "mergetrain.example", team: "Developer Tools", local_part: "review", author: "halden.example", per_day: 300.0, hosts: ([198, 19, 17, 11], 3), set: Set::Moves(story::DELEGATED) },
    Service { id: "service-signing", name: "Signoria", domain: "signoria.example", team: "Contracts", local_part: "sign", author: "halden.example", per_day: 270.0, hosts: ([198, 19, 18, 21], 2), set: Set::Signed },
    Service { id: "service-procurement", name: "Tenderhub", domain: "tenderhub.example", team: "Procurement", local_part: "tenders", author: "halden.example", per_day: 126.0, hosts: ([198, 19, 19, 7], 2), set: Set::Moves(story::DELEGATED) },
    Service { id: "service-customer-portal", name: "Nimbus Cloud", domain: "nimbus.example", team: "Customer Portal", local_part: "account", author: "halden.example", per_day: 2_700.0, hosts: ([198, 19, 20, 80], 8), set: Set::Both },
    Service { id: "service-sensor-alerts", name: "Sensorhall", domain: "sensorhall.example", team: "Connected Products", local_part: "telemetry", author: "halden.example", per_day: 860.0, hosts: ([198, 19, 21, 12], 3), set: Set::EnvelopeOnly },
    Service { id: "service-foundation", name: "Givewell Mail", domain: "givingpost.test", team: "Halden Foundation", local_part: "foundation", author: "halden.example", per_day: 9.0, hosts: ([198, 19, 22, 4], 1), set: Set::UnalignedUnsigned },
    Service { id: "service-legal", name: "Lexdraft", domain: "lexdraft.example", team: "Legal", local_part: "legal", author: "halden.example", per_day: 42.0, hosts: ([198, 19, 23, 6], 1), set: Set::Signed },
    Service { id: "service-canteens", name: "Canteenly", domain: "canteenly.test", team: "Facilities", local_part: "canteen", author: "halden.example", per_day: 98.0, hosts: ([198, 19, 24, 16], 1), set: Set::Moves(story::DELEGATED) },
    Service { id: "service-alumni", name: "Reunia", domain: "reunia.example", team: "Alumni Relations", local_part: "alumni", author: "halden.example", per_day: 72.0, hosts: ([198, 19, 25, 3], 1), set: Set::Moves(story::DELEGATED) },
    Service { id: "norrvik-bookings", name: "Harbourbook", domain: "harbourbook.example", team: "Norrvik Bookings", local_part: "booking", author: "norrvik.example", per_day: 610.0, hosts: ([198, 19, 26, 14], 2), set: Set::Signed },
    Service { id: "solhem-leases", name: "Hyresbrevet", domain: "hyresbrevet.test", team: "Solhem Leases", local_part: "lease", author: "solhem.example", per_day: 150.0, hosts: ([198, 19, 27, 5], 1), set: Set::UnalignedUnsigned },
];

impl Service {
    /// The domain of its own that its envelopes carry.
    fn bounce(&self) -> Who {
        is(&format!("bounce.{}", self.domain))
    }

    /// The domain below ours that its envelopes carry, once it is set up.
    fn ours(&self) -> Who {
        let label = self.domain.split('.').next().unwrap_or_default();
        is(&format!("{label}.bnc.halden.example"))
    }

    fn selector(&self) -> String {
        format!("{}1", self.domain.split(['.', '-']).next().unwrap_or_default())
    }

    fn own_key(&self) -> Who {
        is(self.domain)
    }

    fn aligned(&self) -> Vec<Authentication> {
        let s = self.selector();
        vec![
            mail(0.99, self.ours(), Pass).signed(Who::Author, &s, Pass).signed(self.own_key(), "mta", Pass),
            mail(0.006, self.ours(), Pass).signed(Who::Author, &s, Fail).signed(self.own_key(), "mta", Pass),
            mail(0.004, self.ours(), SoftFail).signed(Who::Author, &s, Pass).signed(self.own_key(), "mta", Pass),
        ]
    }

    fn unaligned(&self) -> Vec<Authentication> {
        vec![
            mail(0.97, self.bounce(), Pass).signed(self.own_key(), "mta", Pass),
            mail(0.03, self.bounce(), Pass).signed(self.own_key(), "mta", Fail),
        ]
    }

    fn phases(&self) -> Vec<Phase> {
        let s = self.selector();
        let passes = |diagnosis, mix| always(Class::ThirdParty, diagnosis, mix);
        let fails = |mix| always(Class::ThirdPartyUnaligned, "bounce_and_signature_of_its_own", mix);
        match self.set {
            Set::Both => passes("authenticated", self.aligned()),
            Set::Signed => passes(
                "signed_only",
                vec![
                    mail(0.994, self.bounce(), Pass).signed(Who::Author, &s, Pass),
                    mail(0.006, self.bounce(), Pass).signed(Who::Author, &s, Fail),
                ],
            ),
            Set::EnvelopeOnly => passes(
                "envelope_only",
                vec![
                    mail(0.99, self.ours(), Pass).signed(self.own_key(), "mta", Pass),
                    mail(0.008, self.ours(), Pass),
                    mail(0.002, self.ours(), PermError),
                ],
            ),
            Set::Unaligned => fails(self.unaligned()),
            Set::UnalignedUnsigned => fails(vec![mail(1.0, self.bounce(), Pass)]),
            Set::Moves(day) => {
                let mut phases = fails(self.unaligned());
                phases.push(phase(day, Class::ThirdParty, "authenticated", self.aligned()));
                phases
            }
        }
    }

    fn flow(&self, estate: &Estate) -> Flow {
        let volume = Volume::office(self.per_day).noise(0.09);
        let volume = match self.id {
            // Mailings go out when people read them.
            "service-newsletters" | "service-loyalty" => volume.weekend(0.5).noise(0.25),
            "service-payroll" => volume.payday(25),
            "service-monitoring" | "service-sensor-alerts" => Volume::machine(self.per_day).noise(0.2),
            _ => volume,
        };
        let flow = Flow::new(self.id, volume, self.phases())
            .step(4)
            .team(self.team, self.local_part)
            .service(self.name)
            .authors(estate, &[(self.author, 1.0)])
            .from(row(self.hosts.0, self.hosts.1));
        let to_people = ["service-newsletters", "service-loyalty", "service-customer-portal", "service-alumni"];
        if to_people.contains(&self.id) { flow.for_people() } else { flow }
    }
}

/// Name, domain and kind of every service that sends for the company.
pub(crate) fn known_services() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    SERVICES.iter().map(|service| {
        let kind = if matches!(service.name, "Paperplane" | "Askbird" | "Gatherly") { "marketing" } else { "saas" };
        (service.name, service.domain, kind)
    })
}

pub(super) fn flows(estate: &Estate) -> Vec<Flow> {
    let mut flows: Vec<Flow> = SERVICES.iter().map(|service| service.flow(estate)).collect();
    flows.push(
        Flow::new(
            "service-tickets-new-address",
            Volume::office(170.0).noise(0.1).from(story::NEW_ADDRESS),
            always(
                Class::ThirdPartyUnaligned,
                "new_address_not_signing",
                vec![mail(1.0, is("bounce.deskpilot.example"), Pass)],
            ),
        )
        .step(4)
        .team("IT Service Desk", "servicedesk")
        .service("Deskpilot")
        .from(row([198, 19, 4, 77], 1)),
    );
    flows.push(
        Flow::new(
            "campaign-spring-offers",
            Volume::office(19_500.0).noise(0.0).curve(&[
                (story::CAMPAIGN - 1, 0.0),
                (story::CAMPAIGN, 1.0),
                (story::CAMPAIGN + 1, 0.0),
            ]),
            always(Class::Campaign, "unannounced_bulk_mailing", vec![mail(1.0, is("offers.halden.example"), SoftFail)]),
        )
        .step(6)
        .team("Brand Marketing", "spring-offers")
        .service("Paperplane")
        .from(row([198, 51, 100, 16], 6))
        .for_people(),
    );
    flows
}
