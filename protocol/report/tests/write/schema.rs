//! The schemas of both generations, as xmllint reads them.

#![expect(clippy::disallowed_methods, reason = "schemas are read from the suites and checked by xmllint")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use report::Dialect;

/// What xmllint has against it; `None`, and the reason printed, where there is no schema or no xmllint.
pub(crate) fn validate(dialect: Dialect, xml: &str) -> Option<String> {
    let suites = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites")), PathBuf::from);
    let name = match dialect {
        Dialect::Rfc7489 => "rfc7489-nons.xsd",
        Dialect::Rfc9990 => "rfc9990-draft32.xsd",
    };
    let Ok(schema) = std::fs::read_to_string(suites.join("xsd").join(name)) else {
        println!("skipped: no {name} in {}", suites.display());
        return None;
    };
    // The pattern of RFC 7489's IPAddress holds line breaks of the printed page and so matches no address at all.
    let schema = schema.replace("name=\"source_ip\" type=\"IPAddress\"", "name=\"source_ip\" type=\"xs:string\"");
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, schema).unwrap();
    let run = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .args([path.as_os_str(), "-".as_ref()])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = run else {
        println!("skipped: there is no xmllint (libxml2-utils) to validate with");
        return None;
    };
    child.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { String::new() } else { said })
}
