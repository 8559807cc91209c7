//! What lamppost needs to be told about the model world: its own settings, the services that are known there, and a list of bad networks.
//!
//! In: the world. Out: `lamppost.toml`, `services.toml`, `drop.json`, in the forms that they have elsewhere.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::estate::{Role, organizational};
use crate::traffic::World;

/// Writes `lamppost.toml`; its paths are relative to the folder it is in.
pub(crate) fn lamppost(out: &mut dyn Write, world: &World) -> io::Result<()> {
    let domains: BTreeSet<&str> = world
        .estate
        .domains
        .iter()
        .filter(|domain| !matches!(domain.role, Role::Invented))
        .map(|domain| organizational(&domain.name))
        .collect();
    let domains: Vec<String> = domains.into_iter().map(|domain| format!("\"{domain}\"")).collect();
    let networks: Vec<String> = world.company.networks.iter().map(|range| format!("\"{range}\"")).collect();
    write!(
        out,
        "# {name}, as lamppost has to know it. Start it in this folder.\n\
         data = \"lamppost-data\"\n\n\
         [reporter]\n\
         # The reports are files; whoever imports them vouches for them.\n\
         authenticate = false\n\n\
         [organisation]\n\
         domains = [{domains}]\n\
         networks = [{networks}]\n\n\
         [enrichment]\n\
         # `lamppost enrich --zone dns/names.zone --zone dns/current.zone` learns everything from the files here. `serve` would ask\n\
         # the real DNS, in which nobody of this world is.\n\
         enabled = false\n\
         networks = [\"networks.mmdb\"]\n\
         services = \"services.toml\"\n\n\
         [directory]\n\
         people = [\"people.csv\"]\n\
         lists = [\"lists.csv\"]\n",
        name = world.company.name,
        domains = domains.join(", "),
        networks = networks.join(", "),
    )?;
    if !world.company.book.listed().is_empty() {
        write!(out, "\n[[enrichment.file]]\nname = \"drop\"\npath = \"drop.json\"\nvalue = -10.0\nhard = true\n")?;
    }
    Ok(())
}

/// Writes `services.toml`.
pub(crate) fn services(out: &mut dyn Write, world: &World) -> io::Result<()> {
    writeln!(out, "# Mail services that are publicly known in the model world.")?;
    for (id, service) in world.company.book.services() {
        let domain = &service.domain;
        write!(
            out,
            "\n[[service]]\nid = \"{id}\"\nname = \"{}\"\nkind = \"{}\"\nhosts = [\"{domain}\"]\ndkim = [\"{domain}\"]\nmail_from = [\"{domain}\"]\n",
            service.name, service.kind
        )?;
        if !service.include.is_empty() {
            writeln!(out, "spf_include = [\"{}\"]", service.include)?;
        }
        writeln!(out, "source = \"the model world\"")?;
    }
    Ok(())
}

/// Writes `drop.json`: JSON lines as Spamhaus publishes them.
pub(crate) fn drop_list(out: &mut dyn Write, world: &World) -> io::Result<()> {
    let listed = world.company.book.listed();
    for (range, why) in listed {
        writeln!(out, "{{\"cidr\":\"{range}\",\"sblid\":\"{why}\",\"rir\":\"ripencc\"}}")?;
    }
    writeln!(out, "{{\"type\":\"metadata\",\"timestamp\":1761091200,\"records\":{}}}", listed.len())
}

/// Writes `networks.csv`: what is in `networks.mmdb`, to be read by people.
pub(crate) fn networks(out: &mut dyn Write, world: &World) -> io::Result<()> {
    writeln!(out, "network,asn,organization,domain,country")?;
    for net in world.company.book.nets() {
        writeln!(out, "{},AS{},{},{},{}", net.range, net.number, net.organization, net.domain, net.country)?;
    }
    Ok(())
}
