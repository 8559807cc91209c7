//! Our evaluators against other people's: SPF against pyspf, DKIM and ARC against dkimpy on random cases, look-alikes against dnstwist.
//!
//! The programs in the excluded package `bench/` make the cases and judge the answers; this sees to the peers, which are Python
//! packages, in `target/differential`. A difference that `docs/known-differences.md` does not judge is a failure. Not part of CI: the
//! peers come from outside, and CI fetches nothing that the product does not need.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::run::{cargo, command, root, run as start, succeeds};

/// The programs and how many cases each is asked, which takes a minute or so.
const PROGRAMS: [(&str, &str); 4] = [("spf", "20000"), ("dkim", "5000"), ("arc", "2000"), ("lookalike", "10")];

/// The peers, as the known differences were judged, and what they need for DNS, Ed25519, the results that ARC seals, and A-labels.
const PACKAGES: [&str; 7] = [
    "pyspf==2.0.14",
    "dkimpy==1.1.8",
    "dnspython==2.9.2",
    "PyNaCl==1.6.2",
    "authres==1.2.0",
    "dnstwist==20250130",
    "idna==3.20",
];

/// Whether all of them are there.
const IMPORTS: &str = "import spf, dkim, dns, nacl, authres, dnstwist, idna";

/// `cargo xtask differential [NAME [CASES [SEED]]]`.
pub(crate) fn run(args: &[&str]) -> Result<()> {
    let (name, rest) = args.split_first().map_or((None, args), |(name, rest)| (Some(*name), rest));
    if let Some(unknown) = name.filter(|name| PROGRAMS.iter().all(|(program, _)| program != name)) {
        bail!("there is no differential {unknown}: there are {}", PROGRAMS.map(|(name, _)| name).join(", "));
    }
    if rest.len() > 2 || rest.iter().any(|number| number.parse::<u64>().is_err()) {
        bail!("after the name come CASES and SEED, which are numbers");
    }
    let python = peers(&root().join("target/differential"))?;
    let manifest = root().join("bench/Cargo.toml");
    let manifest = manifest.to_str().context("the path of the checkout is not UTF-8")?;
    let mut failed = Vec::new();
    for (program, cases) in PROGRAMS.into_iter().filter(|(program, _)| name.is_none_or(|name| name == *program)) {
        let binary = format!("{program}_differential");
        let mut job = cargo(&["run", "--release", "--manifest-path", manifest, "--bin", &binary, "--"]);
        let usual = [cases];
        job.args(if rest.is_empty() { &usual } else { rest }).env("PYTHON", &python);
        if let Err(error) = start(job) {
            eprintln!("{error}");
            failed.push(program);
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("differences that nobody has judged, or no comparison: {}", failed.join(", "))
    }
}

/// A Python with the peers, made where it is not there.
fn peers(folder: &Path) -> Result<String> {
    let python = folder.join("bin/python").to_str().context("the path of the checkout is not UTF-8")?.to_owned();
    if succeeds(command(&python, &["-c", IMPORTS])) {
        return Ok(python);
    }
    let folder = folder.to_str().context("the path of the checkout is not UTF-8")?;
    start(command("python3", &["-m", "venv", folder]))
        .context("the peers need Python 3 and its module venv (Debian: apt-get install python3-venv)")?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    start(command(&python, &[&install[..], &PACKAGES[..]].concat()))
        .context("the peers are fetched from PyPI by pip; set PIP_INDEX_URL where that is a mirror")?;
    Ok(python)
}
