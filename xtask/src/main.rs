//! The house's own tools: `cargo xtask tidy | test | ci | bench | differential`.
//!
//! In: the working tree. Out: findings, test results, one table. Not: anything the product needs at run time.
#![expect(clippy::print_stdout, reason = "a tool for people at a terminal")]

mod bench;
mod ci;
mod differential;
mod fuzz;
mod run;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask tidy               house rules that no compiler checks
cargo xtask test [--install]   every test; --install first fetches what the browser tests need (apt-get)
cargo xtask install            fetches that, and runs nothing
cargo xtask fuzz [SECONDS [TARGET…]]   every fuzz target, or those, for a while
cargo xtask ci                 what CI runs: fmt, tidy, clippy, test, doc, fuzz, deny
cargo xtask docs               writes the pages of docs/reference that come from the code
cargo xtask bench [NAME…]      measurements against peers and physical limits (bench/)
cargo xtask differential [spf | dkim | arc [CASES [SEED]]]   our verdicts against those of Python's implementations
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["tidy"] => tidy::run(),
        ["test"] => test::run(),
        ["test", "--install"] => test::install().and_then(|()| test::run()),
        ["install"] => test::install(),
        ["docs"] => tidy::write_docs(),
        ["fuzz"] => fuzz::run(fuzz::SECONDS, &[]),
        ["fuzz", seconds, only @ ..] => {
            seconds.parse().map_err(Into::into).and_then(|seconds| fuzz::run(seconds, only))
        }
        ["ci"] => ci::run(),
        ["bench", names @ ..] => bench::run(names),
        ["differential", args @ ..] => differential::run(args),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
