//! How fast flows are judged: generated cells of many flows over many days, from packed bytes to verdicts.
//!
//! `classify [--flows 100000] [--days 90] [--domains 200] [--runs 3]`. Each flow has one to four addresses and sends every day; a third are
//! keys of ours, the others services, forwarders and networks of which nothing is known. By the clock, on all cores: one JSON object.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use insight::{Organisation, Sheet, SheetRow};
use report::{Day, Disposition, Outcome};
use serde_json::json;

fn main() {
    let (mut flows, mut days, mut domains, mut runs) = (100_000_u32, 90, 200_u32, 3);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value: u32 = arguments.next().and_then(|value| value.parse().ok()).expect("a number");
        match &*name {
            "--flows" => flows = value,
            "--days" => days = value,
            "--domains" => domains = value,
            "--runs" => runs = value,
            _ => panic!("unknown option {name}"),
        }
    }
    let mut sheet = Sheet::default();
    for day in 0..days {
        for flow in 0..flows {
            add(&mut sheet, Day(20_383 + day as i32), flow, domains);
        }
    }
    let packed = sheet.packed();
    let catalogue = enrich::Catalogue::bundled();
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..runs {
        let start = Instant::now();
        found = packed.judge(&Organisation::default(), &catalogue, &[]).len();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let seconds = times[times.len() / 2].as_secs_f64();
    let what =
        format!("{flows} flows × {days} days of {domains} domains, from packed cells to {found} flows with verdicts");
    let goal = (flows == 100_000 && days == 90).then_some(seconds < 5.0);
    println!("{}", json!({"what": what, "unit": "s", "ours": seconds, "goal": "< 5", "met": goal}));
}

fn add(sheet: &mut Sheet, day: Day, flow: u32, domains: u32) {
    let domain = format!("d{}-example.org", flow % domains);
    let source =
        IpAddr::V4(Ipv4Addr::from_bits(0x0b00_0000 + flow * 256 + (flow + day.0.unsigned_abs()) % (1 + flow % 4)));
    let (dkim, spf, envelope, outcome) = match flow % 6 {
        0 => (
            format!("pass d={domain} s=s{}", flow / domains),
            format!("pass mfrom {domain}"),
            domain.clone(),
            Outcome::Both,
        ),
        1 => (
            format!("pass d={domain} s=v{}; pass d=service{flow}.net", flow / domains),
            format!("pass mfrom bounce.service{flow}.net"),
            format!("bounce.service{flow}.net"),
            Outcome::DkimOnly,
        ),
        2 => (
            format!("fail d={domain} s=s0"),
            format!("pass mfrom fwd{flow}.com"),
            format!("fwd{flow}.com"),
            Outcome::Unaligned,
        ),
        3 => (
            format!("pass d=other{flow}.com"),
            format!("pass mfrom other{flow}.com"),
            format!("other{flow}.com"),
            Outcome::Unaligned,
        ),
        _ => (String::new(), format!("softfail mfrom {domain}"), domain.clone(), Outcome::Unauthenticated),
    };
    sheet.add(&SheetRow {
        day,
        source,
        domain: &domain,
        dkim: &dkim,
        spf: &spf,
        envelope_from: &envelope,
        overrides: "",
        outcome,
        disposition: Disposition::None,
        messages: 1 + u64::from(flow % 40),
    });
}
