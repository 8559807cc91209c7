//! Who is behind a local part, asked of a company of 20,000 people and 2,000 lists: how long an answer takes.
//!
//! Two thirds of the questions have an exact answer, one third is only like somebody. Processor time, so that what else runs does not
//! count; the limit is 50 ms for each. One JSON object a line.

#[expect(dead_code, reason = "the test asks for more of each")]
#[path = "../../../crates/enrich/tests/shared/people.rs"]
mod people;

use std::hint::black_box;

use cpu_time::ThreadTime;
use enrich::directory::{Directory, DirectoryLimits};
use people::{DOMAIN, Dice, company, exact, similar};
use serde_json::json;

/// Milliseconds an answer may take.
const LIMIT: f64 = 50.0;

fn main() {
    let mut dice = Dice::new(20_251_223);
    let entries = company(20_000, 2_000, &mut dice);
    let (certain, likely) = (exact(&entries, 2_000, &mut dice), similar(&entries, 1_000, &mut dice));
    let started = ThreadTime::now();
    let (directory, _) = Directory::new(entries, DirectoryLimits::default());
    let built = started.elapsed().as_secs_f64() * 1e3;
    println!("{}", json!({"what": "directory of 22,000, made ready to be asked", "unit": "ms", "ours": built}));
    for (what, looked_for) in [("exact", &certain), ("like somebody", &likely)] {
        let mut times: Vec<f64> = looked_for
            .iter()
            .map(|one| {
                let started = ThreadTime::now();
                black_box(directory.find(&one.local, DOMAIN));
                started.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        for (name, ours) in [("p50", at(0.5)), ("p99", at(0.99)), ("slowest", at(1.0))] {
            let what = format!("directory look-up, {what}, {name} of {}", times.len());
            println!("{}", json!({"what": what, "unit": "ms", "ours": ours, "limit": LIMIT, "limit_name": "goal"}));
        }
    }
}
