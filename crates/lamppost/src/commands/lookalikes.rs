//! Names that could be taken for ours: the list, which of them exist, and how to park one's own.

use std::io::Write;

use anyhow::{Context, bail};
use dns::{Name, Suffixes};
use insight::{LookalikeLine, commas};
use lookalike::{Brand, Candidate, Limits, Words, generate, unicode_of};
use serde::Serialize;
use store::{LookalikeLook, LookalikePass};

use super::answers::print;
use super::{Done, lookup, now, read};
use crate::cli::{Format, LookalikesArgs};
use crate::config::Config;
use crate::lookalikes::{Looked, look_at};
use crate::progress::Bar;
use crate::table::{Align, Table};

/// Names that text shows where nobody says how many.
const SHOWN: usize = 100;

/// The list, without DNS.
#[derive(Debug, Serialize)]
struct Listed {
    /// The domain.
    domain: String,
    /// How many there are in all.
    candidates: usize,
    /// Those asked for, the most alike first.
    lines: Vec<ListedLine>,
}

#[derive(Debug, Serialize)]
struct ListedLine {
    name: String,
    unicode: String,
    families: Vec<String>,
    similarity: u8,
}

/// Those that exist.
#[derive(Debug, Serialize)]
struct Found {
    /// The domain.
    domain: String,
    /// Names that were asked for.
    asked: usize,
    /// Names of which nothing was learned, since DNS did not answer.
    failed: usize,
    /// Those that exist, the highest score first.
    lines: Vec<LookalikeLine>,
}

pub(super) fn lookalikes(args: &LookalikesArgs, config: &Config, out: &mut impl Write) -> anyhow::Result<Done> {
    let name = Name::from_unicode(&args.domain).with_context(|| format!("`{}` is no domain", args.domain))?;
    let brand = Brand::new(&name, &Suffixes::default())?;
    if !args.park.is_empty() {
        return park(&brand, args, out);
    }
    let mut words = Words::default();
    words.words.extend(args.word.iter().map(|word| word.to_ascii_lowercase()));
    let mut all = generate(&brand, &words, &Limits::default());
    let candidates = all.len();
    all.retain(|candidate| args.family.is_empty() || args.family.iter().any(|one| candidate.families.contains(*one)));
    if args.resolve || !args.dns.zone.is_empty() || !args.dns.resolver.is_empty() {
        all.truncate(args.limit.unwrap_or(usize::MAX));
        let whole = all.len() == candidates && args.word.is_empty();
        return resolve(&brand, &all, whole, args, config, out);
    }
    if args.keep {
        bail!("there is nothing to keep yet: --keep goes with --resolve, or with --zone FILE");
    }
    let most = args.limit.unwrap_or(if args.format == Format::Text { SHOWN } else { usize::MAX });
    let line = |candidate: &Candidate| ListedLine {
        name: candidate.name.to_string(),
        unicode: candidate.unicode.clone(),
        families: families(candidate),
        similarity: candidate.similarity,
    };
    let lines = all.iter().take(most).map(line).collect();
    let listed = Listed { domain: brand.name().to_string(), candidates, lines };
    let matching = all.len();
    let text = |listed: &Listed, table: &Table, mut out: &mut dyn Write| {
        writeln!(
            out,
            "{} names could be taken for {}.\n",
            commas(listed.candidates as u64),
            unicode_of(&listed.domain)
        )?;
        table.text(&mut out)?;
        if listed.lines.len() < matching {
            let more = commas((matching - listed.lines.len()) as u64);
            writeln!(out, "\n{more} more: --limit shows more of them, --format csv all.")?;
        }
        writeln!(out, "\n--resolve asks DNS which of them exist.")
    };
    print(&listed, args.format, listed_table, text, out)
}

fn families(candidate: &Candidate) -> Vec<String> {
    candidate.families.iter().map(|family| family.as_str().to_owned()).collect()
}

fn listed_table(listed: &Listed) -> Table {
    let columns = [("Name", Align::Left), ("As seen", Align::Left), ("Alike", Align::Right), ("Made by", Align::Left)];
    let mut table = Table::new(&columns).yielding(&["As seen"]);
    for line in &listed.lines {
        table.line([
            line.name.clone().into(),
            line.unicode.clone().into(),
            u64::from(line.similarity).into(),
            line.families.join(" ").into(),
        ]);
    }
    table
}

fn resolve(
    brand: &Brand,
    all: &[Candidate],
    whole: bool,
    args: &LookalikesArgs,
    config: &Config,
    out: &mut impl Write,
) -> anyhow::Result<Done> {
    let bar = Bar::new("Asking", all.len() as u64, "names");
    let looked = lookup::inside(&args.dns, async |dns| Ok(look_at(dns, all, |done| bar.at(done)).await))?;
    bar.done();
    let domain = brand.name().to_string();
    let failed = looked.iter().filter(|looked| matches!(looked, Looked::Failed)).count();
    if args.keep {
        let ledger = read(&config.data)?;
        let looks = all.iter().zip(&looked).filter_map(|(candidate, looked)| {
            let state = match looked {
                Looked::Failed => return None,
                Looked::Absent => None,
                Looked::Found(state) => Some(insight::lookalike_text(candidate, state)),
            };
            Some(LookalikeLook { name: candidate.name.to_string(), state })
        });
        let looks: Vec<LookalikeLook> = looks.collect();
        let before = ledger.lookalike_pass(&domain)?.unwrap_or_default();
        let (passes, place) = if whole { (before.passes + 1, 0) } else { (before.passes, before.place) };
        ledger.note_lookalikes(&domain, &looks, Some(LookalikePass { place, passes, looked_at: now() }), now())?;
    }
    let found = all.iter().zip(looked).filter_map(|(candidate, looked)| match looked {
        Looked::Found(state) => Some(insight::lookalike_line(brand.name(), candidate, state)),
        _ => None,
    });
    let mut lines: Vec<LookalikeLine> = found.collect();
    lines.sort_by(|a, b| (b.score, &a.name).cmp(&(a.score, &b.name)));
    let answer = Found { domain, asked: all.len(), failed, lines };
    print(&answer, args.format, found_table, found_text, out)
}

fn found_table(found: &Found) -> Table {
    let columns = [
        ("Score", Align::Right),
        ("Name", Align::Left),
        ("As seen", Align::Left),
        ("Mail", Align::Left),
        ("Web", Align::Fixed),
        ("Because", Align::Left),
        ("Made by", Align::Left),
    ];
    let mut table = Table::new(&columns).yielding(&["Made by", "As seen"]);
    for line in &found.lines {
        let parts: Vec<String> = line
            .parts
            .iter()
            .filter(|part| part.points > 0)
            .map(|part| format!("{} {}", part.what, part.points))
            .collect();
        let state = line.state.clone().unwrap_or_default();
        table.line([
            u64::from(line.score).into(),
            line.name.clone().into(),
            line.unicode.clone().into(),
            state.mx.join(" ").into(),
            if state.web { "yes" } else { "" }.into(),
            parts.join(", ").into(),
            line.families.join(" ").into(),
        ]);
    }
    table
}

fn found_text(found: &Found, table: &Table, mut out: &mut dyn Write) -> std::io::Result<()> {
    let exist = commas(found.lines.len() as u64);
    writeln!(
        out,
        "{exist} of {} names that could be taken for {} exist.",
        commas(found.asked as u64),
        unicode_of(&found.domain)
    )?;
    if found.failed > 0 {
        writeln!(out, "Of {} nothing was learned: DNS did not answer.", commas(found.failed as u64))?;
    }
    if !found.lines.is_empty() {
        writeln!(out)?;
        table.text(&mut out)?;
        writeln!(
            out,
            "\nFrom {} points on a name deserves a look. Certificates and lists of domains are not looked up.",
            lookalike::ALERT_SCORE
        )?;
    }
    Ok(())
}

/// The records of a name without mail, as a master file (RFC 1035 §5), and the one that lets our domain have its reports.
fn park(brand: &Brand, args: &LookalikesArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let ours = brand.name();
    let rua = args.rua.clone().unwrap_or_else(|| format!("dmarc-reports@{ours}"));
    let Some(target) = rua.rsplit_once('@').and_then(|(_, domain)| Name::parse(domain).ok()) else {
        bail!("`{rua}` is no address: write it as dmarc-reports@{ours}");
    };
    if !rua.bytes().all(|b| b.is_ascii_graphic() && !b"\",;!".contains(&b)) {
        bail!("`{rua}` cannot stand in a DMARC record as it is: use letters, digits, dots and hyphens");
    }
    let mut names = Vec::new();
    for text in &args.park {
        let name = Name::from_unicode(text).with_context(|| format!("`{text}` is no domain"))?;
        Brand::new(&name, &Suffixes::default())?;
        writeln!(
            out,
            "; {}: a name without mail (RFC 7208 §10.1.2, RFC 7489, RFC 7505, M3AAWG)",
            unicode_of(&name.to_string())
        )?;
        writeln!(out, "$ORIGIN {name}.")?;
        writeln!(out, "@            TXT \"v=spf1 -all\"")?;
        writeln!(out, "*            TXT \"v=spf1 -all\"")?;
        writeln!(
            out,
            "_dmarc       TXT \"v=DMARC1; p=reject; sp=reject; np=reject; adkim=s; aspf=s; rua=mailto:{rua}\""
        )?;
        writeln!(out, "*._domainkey TXT \"v=DKIM1; p=\"")?;
        writeln!(out, "@            MX  0 .")?;
        writeln!(out, "@            CAA 0 issue \";\"\n")?;
        if !name.is_subdomain_of(&target) {
            names.push(name);
        }
    }
    if !names.is_empty() {
        writeln!(out, "; {target} says that it takes reports about them (RFC 9990 §4)")?;
        writeln!(out, "$ORIGIN {target}.")?;
        for name in names {
            writeln!(out, "{name}._report._dmarc TXT \"v=DMARC1;\"")?;
        }
    }
    Ok(Done::Well)
}
