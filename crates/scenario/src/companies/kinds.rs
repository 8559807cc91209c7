//! The companies that are put together: what each kind of them is like.
//!
//! In: a seed. Out: a [`World`]. Numbers of messages are those of an ordinary working day at scale 1.

use jiff::civil::Weekday;
use report::{Alignment, AuthResult, Policy, Text};

use super::Kind;
use super::build::{Build, within};
use super::own::providers;
use super::receivers::varied;
use super::vendors::{Set, vendor};
use crate::book::Cidr;
use crate::estate::{Record, Role};
use crate::records::ALWAYS;
use crate::traffic::World;
use crate::volume::{Season, Volume};

/// The company of a kind and a seed.
pub(super) fn world(kind: Kind, seed: u64, scale: f64) -> World {
    let ending = match kind {
        Kind::Halden | Kind::Any => "",
        Kind::Firm => "partners",
        Kind::Shop => "shop",
        Kind::University => "university",
        Kind::Bank => "bank",
        Kind::Group => "group",
    };
    let mut build = Build::new(kind, seed, ending);
    match kind {
        Kind::Halden | Kind::Any => {}
        Kind::Firm => firm(&mut build),
        Kind::Shop => shop(&mut build),
        Kind::University => university(&mut build),
        Kind::Bank => bank(&mut build),
        Kind::Group => group(&mut build),
    }
    super::later::later(&mut build);
    build.publish();
    build.company.events.sort();
    let mut name = build.label.to_string();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    build.company.name = Text::new(name);
    let reporters = varied(&mut build);
    World { seed, scale, company: build.company, estate: build.estate, flows: build.flows, reporters }
}

fn day(build: &Build, what: &str, from: i32, span: u64) -> i32 {
    from + i32::try_from(build.dice(what).below(span)).unwrap_or(0)
}

/// A record that asks for nothing, and what follows it on later days.
fn stages(first: Record, later: &[(i32, Record)]) -> Vec<(i32, Record)> {
    let mut records = vec![(ALWAYS, first)];
    records.extend(later.iter().cloned());
    records
}

fn once(policy: Policy) -> Record {
    Record { fo: Some("1".into()), ..Record::of(policy) }
}

/// Forty people with one mailbox provider.
fn firm(build: &mut Build) {
    build.company.about =
        "Forty people, one mailbox provider, no address space of their own, and seven services.".into();
    build.company.people = 34;
    let apex = build.apex.clone();
    let tightened = day(build, "policy", 50, 30);
    build.domain(apex, Role::Primary, stages(once(Policy::None), &[(tightened, once(Policy::Quarantine))]));
    let providers = providers(build);
    let which = build.dice("provider").index(2);
    let signs = if build.dice("signs").chance(0.5) { day(build, "signs on", 20, 40) } else { 0 };
    build.hosted("own-mailboxes", &providers[which], 0, 290.0, ["selector1", "google"][which], signs);
    build.office_line(7.0);
    let moves = day(build, "invoices", 25, 40);
    let office = Volume::office;
    build.hire(
        &vendor("newsletter", "Marketing", "news", office(1_900.0).season(Season::Only(Weekday::Tuesday)), Set::Both)
            .kind("marketing")
            .hosts(4)
            .people(),
    );
    build.hire(&vendor(
        "invoices",
        "Accounts",
        "invoice",
        office(46.0).season(Season::MonthEnd(6.0)),
        Set::Moves(moves),
    ));
    build.hire(&vendor("tickets", "Support", "support", office(38.0), Set::Signed));
    build.hire(&vendor("bookings", "Front Desk", "booking", office(31.0), Set::Included).people());
    build.hire(
        &vendor("survey", "Clients", "survey", office(240.0).season(Season::Quarterly), Set::Unaligned)
            .kind("marketing"),
    );
    build.hire(&vendor("personnel", "Personnel", "hr", office(5.0).payday(25), Set::UnalignedUnsigned));
    build.hire(&vendor("website", "Marketing", "kontakt", office(19.0), Set::WebHost).kind("web_host").hosts(1));
    build.hire(&vendor("new-crm", "Sales", "crm", office(28.0), Set::Begins(60, 21)));
    for (provider, per_day) in providers.iter().zip([5.0, 7.0]) {
        build.provider_forwards(provider, per_day);
    }
    build.forwarders(3, 3.0, 0.3);
    build.lists(3, 3.0);
    build.gateways(2, 2.5);
    build.calendars(14, 3.0);
    build.unidentified(0.5);
    build.hostile(150.0, &providers);
    build.parked_domains(2, 20.0);
}

/// A web shop that lives by mail.
fn shop(build: &mut Build) {
    build.company.about = "A web shop: few people, much mail to customers, and twice a year very much of it.".into();
    build.company.people = 260;
    let apex = build.apex.clone();
    let sampled = |pct| Record { pct: Some(pct), ..once(Policy::Quarantine) };
    let from = day(build, "policy", 30, 25);
    build.domain(
        apex,
        Role::Primary,
        stages(
            once(Policy::None),
            &[(from, sampled(10)), (from + 14, sampled(50)), (from + 30, once(Policy::Quarantine))],
        ),
    );
    let news = build.subdomain("news", false);
    let providers = providers(build);
    build.keys("shop2022");
    let network = build.block(22);
    build.company.networks.push(network);
    let (name, apex) = (build.label.clone(), build.apex.clone());
    build.company.book.net(network, name, apex);
    build.relays("own-relays", 1_300.0, network, 18, 4, false);
    build.applications("own-shop-systems", "Shop Platform", "orders", 900.0, within(network, 40, 3));
    build.rented("own-app-backend", "App Team", "app", 640.0);
    build.strays(5, network, 0.7);
    shop_services(build, news);
    let campaign = day(build, "campaign", 35, 45);
    if build.dice("campaign there").chance(0.6) {
        build.campaign(campaign, 9_000.0);
    }
    for (provider, per_day) in providers.iter().zip([120.0, 260.0]) {
        build.provider_forwards(provider, per_day);
    }
    build.forwarders(6, 42.0, 0.25);
    build.lists(3, 3.0);
    build.gateways(3, 9.0);
    build.calendars(20, 6.0);
    build.unidentified(6.0);
    build.hostile(2_300.0, &providers);
    build.parked_domains(6, 160.0);
}

/// Those who send for the web shop.
fn shop_services(build: &mut Build, news: usize) {
    let sales = |per_day: f64| Volume::machine(per_day).season(Season::Sales(2.8)).season(Season::Yearly(0.2));
    let days = [
        day(build, "parcels", 20, 40),
        day(build, "keys of reviews", 15, 60),
        day(build, "vouchers", 40, 30),
        day(build, "support", 25, 45),
    ];
    build.hire(
        &vendor("order-mails", "Shop Platform", "order", sales(11_000.0), Set::Both)
            .kind("transactional")
            .hosts(14)
            .people(),
    );
    let mailings = Volume::machine(16_000.0).noise(0.35).active(0.7).season(Season::Sales(2.6));
    build.hire(
        &vendor("marketing", "Marketing", "news", mailings, Set::Both)
            .kind("marketing")
            .hosts(12)
            .people()
            .author(news),
    );
    build
        .hire(&vendor("reviews", "Customer Insight", "reviews", sales(2_100.0), Set::SignedWrongKey(days[1])).people());
    build.hire(&vendor("parcels", "Logistics", "tracking", sales(4_400.0), Set::Moves(days[0])).hosts(4).people());
    build.hire(&vendor("returns", "Logistics", "returns", sales(520.0), Set::EnvelopeOnly).people());
    build.hire(&vendor("payments", "Finance", "payment", sales(880.0), Set::Unaligned).people());
    build.hire(
        &vendor("support", "Customer Care", "care", Volume::office(1_500.0), Set::OutgrowsSpf(days[3], 9)).people(),
    );
    build.hire(&vendor("vouchers", "Marketing", "gift", sales(300.0), Set::Begins(60, 18)).people());
    build.hire(&vendor("auctions", "Outlet", "outlet", sales(140.0), Set::Ends(days[2])).people());
    build.hire(&vendor(
        "suppliers",
        "Purchasing",
        "suppliers",
        Volume::office(160.0).season(Season::MonthEnd(3.0)),
        Set::NotListed,
    ));
    build.hire(&vendor("recruiting", "People", "jobs", Volume::office(45.0), Set::UnalignedUnsigned));
    let (name, domain) = build.firm();
    let pool = build.hosts(10, &name, &domain);
    build.company.book.hosts(&pool, "pool", &domain);
    build.service(&domain, &name, "transactional");
    build.hire_at(
        &vendor("back-in-stock", "Shop Platform", "stock", sales(740.0), Set::Signed).people(),
        &name,
        &domain,
        pool.clone(),
    );
    build.hire_at(
        &vendor("wishlists", "Shop Platform", "wishlist", sales(210.0), Set::Unaligned).people(),
        &name,
        &domain,
        pool.clone(),
    );
    build.through_shared("pool", &domain, pool, 14.0);
}

/// Many departments, many lists, everybody forwards.
fn university(build: &mut Build) {
    build.company.about =
        "A university: servers in every department, lists for everything, and alumni who have their mail forwarded."
            .into();
    build.company.people = 1_900;
    let apex = build.apex.clone();
    let np = day(build, "np", 30, 40);
    let with_np = Record { sp: Some(Policy::None), np: Some(Policy::Reject), ..once(Policy::None) };
    build.domain(apex, Role::Primary, stages(once(Policy::None), &[(np, with_np)]));
    let providers = providers(build);
    build.keys("uni2019");
    let network = build.block(17);
    build.company.networks.push(network);
    let (name, apex) = (build.label.clone(), build.apex.clone());
    build.company.book.net(network, name, apex.clone());
    build.relays("own-relays", 9_500.0, network, 300, 6, true);
    build.departments(network);
    let students = build.subdomain("students", false);
    let which = build.dice("students").index(2);
    build.hosted("own-students", &providers[which], students, 5_200.0, ["selector2", "google"][which], 0);
    build.own_lists(network);
    build.strays(14, network, 1.4);
    let terms = |per_day: f64| Volume::office(per_day).season(Season::Terms);
    let days = [day(build, "survey", 20, 40), day(build, "fund", 30, 40), day(build, "library", 20, 50)];
    build.hire(&vendor("learning", "Learning Centre", "courses", terms(2_300.0), Set::Signed).hosts(5).people());
    build.hire(&vendor("library", "Library", "library", terms(340.0), Set::ChangesAddresses(days[2])));
    build.hire(&vendor("survey", "Quality", "survey", terms(420.0), Set::Moves(days[0])).kind("marketing").people());
    build.hire(
        &vendor("fund", "Alumni Fund", "giving", Volume::office(260.0).season(Season::Quarterly), Set::Moves(days[1]))
            .kind("marketing")
            .people(),
    );
    build.hire(
        &vendor(
            "alumni",
            "Alumni Relations",
            "alumni",
            Volume::office(900.0).season(Season::Only(Weekday::Thursday)),
            Set::Both,
        )
        .kind("marketing")
        .people(),
    );
    build.hire(&vendor("events", "Conferences", "conference", terms(95.0), Set::Unaligned));
    build.hire(&vendor("recruiting", "Personnel", "vacancies", Volume::office(130.0), Set::EnvelopeOnly));
    build.hire(&vendor("exams", "Examinations", "exams", terms(310.0), Set::Begins(60, 30)));
    build.hire(&vendor("printing", "Print Shop", "print", terms(75.0), Set::UnalignedUnsigned));
    build.hire(&vendor("housing", "Housing", "housing", terms(60.0), Set::NotListed));
    for (provider, per_day) in providers.iter().zip([210.0, 420.0]) {
        build.provider_forwards(provider, per_day);
    }
    build.forwarders(10, 90.0, 0.3);
    build.lists(22, 22.0);
    build.gateways(4, 24.0);
    build.calendars(60, 40.0);
    build.unidentified(12.0);
    build.hostile(2_600.0, &providers);
    build.parked_domains(2, 60.0);
    build.beyond_the_limit("own-registry", 620.0, network, 700);
}

/// Strict in everything, and attacked all the time.
fn bank(build: &mut Build) {
    build.company.about = "A bank: p=reject and strict alignment from the beginning, two dozen parked domains, and more spoofed than real mail on some days.".into();
    build.company.people = 1_100;
    build.deny = AuthResult::Fail;
    let apex = build.apex.clone();
    let strict = Record {
        sp: Some(Policy::Reject),
        adkim: Some(Alignment::Strict),
        aspf: Some(Alignment::Strict),
        ..once(Policy::Reject)
    };
    build.domain(apex, Role::Primary, stages(strict, &[]));
    let providers = providers(build);
    build.keys("bank24");
    let network = build.block(19);
    build.company.networks.push(network);
    let (name, apex) = (build.label.clone(), build.apex.clone());
    build.company.book.net(network, name, apex);
    build.relays("own-relays", 3_600.0, network, 22, 4, false);
    build.outbound_gateway("own-gateway", 6_800.0);
    build.applications("own-core-banking", "Core Banking", "core", 2_400.0, within(network, 60, 4));
    build.rented("own-developer-portal", "Open Banking", "api", 120.0);
    build.strays(6, network, 0.6);
    bank_services(build);
    for (provider, per_day) in providers.iter().zip([110.0, 230.0]) {
        build.provider_forwards(provider, per_day);
    }
    build.forwarders(7, 40.0, 0.4);
    build.lists(3, 2.0);
    build.gateways(5, 16.0);
    build.calendars(30, 14.0);
    build.unidentified(5.0);
    build.hostile(9_000.0, &providers);
    build.parked_domains(24, 420.0);
}

/// Those who send for the bank.
fn bank_services(build: &mut Build) {
    let machine = Volume::machine;
    let days = [day(build, "cards", 20, 50), day(build, "alerts", 20, 50)];
    build.hire(
        &vendor("statements", "Accounts", "statement", machine(2_600.0).season(Season::MonthEnd(7.0)), Set::Both)
            .kind("transactional")
            .hosts(6)
            .people(),
    );
    build.hire(
        &vendor("alerts", "Fraud Prevention", "alerts", machine(8_200.0), Set::ChangesAddresses(days[1]))
            .kind("transactional")
            .hosts(8)
            .people(),
    );
    build.hire(&vendor("cards", "Cards", "cards", machine(1_900.0), Set::SignedWrongKey(days[0])).hosts(3).people());
    build.hire(
        &vendor(
            "marketing",
            "Marketing",
            "offers",
            machine(3_100.0).active(0.5).season(Season::Yearly(-0.1)),
            Set::Both,
        )
        .kind("marketing")
        .hosts(5)
        .people(),
    );
    build.hire(&vendor("advisers", "Private Banking", "adviser", Volume::office(260.0), Set::EnvelopeOnly));
    build.hire(&vendor("signing", "Legal", "sign", Volume::office(210.0), Set::Signed));
    build.hire(
        &vendor("survey", "Customer Insight", "feedback", machine(340.0), Set::Unaligned).kind("marketing").people(),
    );
    build.hire(&vendor(
        "investors",
        "Investor Relations",
        "ir",
        Volume::office(1_500.0).season(Season::Quarterly),
        Set::Both,
    ));
    build.hire(&vendor("mortgages", "Mortgages", "mortgage", Volume::office(180.0), Set::Begins(60, 12)).people());
    build.hire(&vendor("branches", "Branches", "branch", Volume::office(120.0), Set::NotListed));
}

/// A holding whose companies do things in five different ways.
fn group(build: &mut Build) {
    build.company.about = "A group of companies: each with its own way of sending mail, one bought on the way, one address space for most.".into();
    build.company.people = 900;
    let apex = build.apex.clone();
    let tested = Record { testing: true, pct: Some(0), ..once(Policy::Quarantine) };
    let from = day(build, "policy", 45, 35);
    build.domain(apex, Role::Primary, stages(once(Policy::None), &[(from, tested)]));
    let providers = providers(build);
    build.keys("grp2021");
    let network = build.block(18);
    build.company.networks.push(network);
    let (name, apex) = (build.label.clone(), build.apex.clone());
    build.company.book.net(network, name, apex);
    build.relays("own-relays", 6_200.0, network, 30, 6, true);
    build.strays(10, network, 1.0);
    let companies = build.companies(&providers, network);
    let office = Volume::office;
    let days = [day(build, "travel", 20, 50), day(build, "payroll", 20, 50), day(build, "intranet", 25, 40)];
    build.hire(&vendor("travel", "Travel", "travel", office(210.0), Set::Moves(days[0])));
    build.hire(&vendor("payroll", "Payroll", "payroll", office(160.0).payday(25), Set::SignedWrongKey(days[1])));
    build.hire(&vendor("intranet", "Communications", "intranet", office(900.0), Set::Included));
    build.hire(
        &vendor("tickets", "Service Desk", "servicedesk", office(1_100.0), Set::OutgrowsSpf(days[2], 12)).hosts(3),
    );
    build.hire(&vendor(
        "purchasing",
        "Purchasing",
        "tenders",
        office(140.0).season(Season::MonthEnd(2.5)),
        Set::Unaligned,
    ));
    build.hire(&vendor("investors", "Investor Relations", "ir", office(700.0).season(Season::Quarterly), Set::Both));
    build.hire(&vendor("learning", "Academy", "academy", office(230.0).season(Season::July(0.4)), Set::Begins(60, 25)));
    for (n, author) in companies.iter().enumerate() {
        let (what, set) = [
            ("company-news", Set::Both),
            ("company-orders", Set::EnvelopeOnly),
            ("company-leases", Set::UnalignedUnsigned),
            ("company-bookings", Set::Signed),
        ][n % 4];
        build.hire(
            &vendor(what, "Subsidiary", ["news", "orders", "lease", "booking"][n % 4], office(380.0), set)
                .author(*author)
                .people(),
        );
    }
    let campaign = day(build, "campaign", 30, 50);
    build.campaign(campaign, 6_500.0);
    for (provider, per_day) in providers.iter().zip([90.0, 130.0]) {
        build.provider_forwards(provider, per_day);
    }
    build.forwarders(6, 34.0, 0.25);
    build.lists(8, 8.0);
    build.gateways(4, 16.0);
    build.calendars(40, 22.0);
    build.unidentified(7.0);
    build.hostile(2_900.0, &providers);
    build.parked_domains(8, 110.0);
    build.beyond_the_limit("own-shared-services", 800.0, network, 260);
}

impl Build {
    /// Departments with servers of their own: some in SPF, some with a record of their own, some with neither.
    fn departments(&mut self, network: Cidr) {
        const NAMES: [&str; 8] = ["math", "physics", "med", "law", "arts", "cs", "bio", "econ"];
        let mut dice = self.dice("departments");
        for (n, name) in (0_u32..).zip(NAMES) {
            let hosts = within(network, 2_000 + n * 300, 1 + u32::try_from(dice.below(3)).unwrap_or(0));
            super::units::department(self, name, hosts, 120.0 + 700.0 * dice.unit());
        }
    }
}
