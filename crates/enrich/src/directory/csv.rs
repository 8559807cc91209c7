//! People and lists from CSV files: what every directory can export (RFC 4180, and what spreadsheets make of it).
//!
//! In: bytes with a first line of column names, in any order, parted by commas, semicolons or tabs. Out: entries, and how many lines are
//! none. Columns beyond those that we know are left alone.

use csv::{ReaderBuilder, StringRecord};
use thiserror::Error;

use super::entries::{DirectoryLimits, Entries, Flaws, Group, Person};

/// Why a file is no part of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CsvError {
    /// Too large.
    #[error("the file has {found} bytes, {allowed} are allowed")]
    TooLarge {
        /// Bytes.
        found: usize,
        /// Bytes.
        allowed: usize,
    },
    /// The column that everything hangs on is missing.
    #[error("the first line has no column `mail`; it has: {0}")]
    NoMail(String),
}

/// Names of columns, with those that common exports use.
const NAME: [&str; 5] = ["name", "displayname", "display name", "cn", "full name"];
const MAIL: [&str; 6] = ["mail", "email", "e-mail", "email address", "primarysmtpaddress", "userprincipalname"];
const ALIASES: [&str; 4] = ["aliases", "alias", "proxyaddresses", "emailaddresses"];
const DEPARTMENT: [&str; 2] = ["department", "ou"];
const MANAGER: [&str; 2] = ["manager", "manager mail"];
const OWNERS: [&str; 4] = ["owners", "owner", "managedby", "managed by"];
const MEMBERS: [&str; 2] = ["members", "member"];

/// Reads people: `name, mail, aliases, department, manager`. Several aliases of one are parted by semicolons, bars or spaces.
///
/// # Errors
/// The file is too large or has no column for addresses.
pub fn read_people(bytes: &[u8], limits: &DirectoryLimits) -> Result<(Entries, Flaws), CsvError> {
    let mut people = Vec::new();
    let flaws = read(bytes, limits, |columns, record| {
        people.push(Person {
            name: columns.one(record, &NAME).unwrap_or_default(),
            mail: columns.one(record, &MAIL).unwrap_or_default(),
            aliases: columns.many(record, &ALIASES, true),
            department: columns.one(record, &DEPARTMENT),
            manager: columns.one(record, &MANAGER),
        });
    })?;
    Ok((Entries { people, groups: Vec::new() }, flaws))
}

/// Reads lists: `name, mail, aliases, owners, members`. Owners are addresses or names, parted by semicolons or bars; members are a number,
/// or are counted.
///
/// # Errors
/// The file is too large or has no column for addresses.
pub fn read_groups(bytes: &[u8], limits: &DirectoryLimits) -> Result<(Entries, Flaws), CsvError> {
    let mut groups = Vec::new();
    let flaws = read(bytes, limits, |columns, record| {
        let members = columns.many(record, &MEMBERS, true);
        let counted = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let number = if let [one] = members.as_slice() { one.parse().ok() } else { None };
        groups.push(Group {
            name: columns.one(record, &NAME).unwrap_or_default(),
            mail: columns.one(record, &MAIL).unwrap_or_default(),
            aliases: columns.many(record, &ALIASES, true),
            owners: columns.many(record, &OWNERS, false),
            members: number.unwrap_or(counted),
        });
    })?;
    Ok((Entries { people: Vec::new(), groups }, flaws))
}

/// The names of the columns, in lower case.
struct Columns(Vec<String>);

impl Columns {
    fn one(&self, record: &StringRecord, names: &[&str]) -> Option<String> {
        let at = names.iter().find_map(|name| self.0.iter().position(|column| column == name))?;
        record.get(at).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Several values in one cell. Names have spaces and commas in them, addresses do not.
    fn many(&self, record: &StringRecord, names: &[&str], addresses: bool) -> Vec<String> {
        let Some(text) = self.one(record, names) else { return Vec::new() };
        let parts = |c: char| matches!(c, ';' | '|') || (addresses && (c.is_whitespace() || c == ','));
        let values = text.split(parts).map(str::trim).filter(|value| !value.is_empty());
        // Exports of mail servers write `SMTP:` before the main address and `smtp:` before others.
        values.map(|value| without_smtp(value).to_owned()).collect()
    }
}

/// An address without the `smtp:` that Exchange writes before it.
pub(super) fn without_smtp(value: &str) -> &str {
    match value.split_at_checked(5) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("smtp:") => rest,
        _ => value,
    }
}

fn read(
    bytes: &[u8],
    limits: &DirectoryLimits,
    mut take: impl FnMut(&Columns, &StringRecord),
) -> Result<Flaws, CsvError> {
    if bytes.len() > limits.file_bytes {
        return Err(CsvError::TooLarge { found: bytes.len(), allowed: limits.file_bytes });
    }
    // Spreadsheets write a mark before the first line, and in some countries semicolons. What is no UTF-8 is shown as such.
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|byte| *byte == delimiter).count();
    let delimiter = [b',', b';', b'\t'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    let columns = Columns(header.iter().map(|name| name.trim().to_lowercase()).collect());
    if !columns.0.iter().any(|column| MAIL.contains(&column.as_str())) {
        let there: Vec<&str> = columns.0.iter().take(20).map(String::as_str).collect();
        return Err(CsvError::NoMail(super::entries::text(&there.join(", "), limits)));
    }
    let mut flaws = Flaws::default();
    let mut left = limits.entries;
    for (line, record) in reader.records().enumerate() {
        match record {
            Ok(_) if left == 0 => {
                flaws.add(|| format!("more than {} lines: the rest is left out", limits.entries));
                break;
            }
            Ok(record) => {
                left -= 1;
                take(&columns, &record);
            }
            Err(error) => flaws.add(|| format!("entry {}: {error}", line + 1)),
        }
    }
    Ok(flaws)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(text: &[u8]) -> Vec<Person> {
        read_people(text, &DirectoryLimits::default()).unwrap().0.people
    }

    #[test]
    fn files_of_people() {
        let ada = Person {
            name: "Lovelace, Ada".to_owned(),
            mail: "ada@contoso.example".to_owned(),
            aliases: vec!["al@contoso.example".to_owned(), "countess@contoso.example".to_owned()],
            department: Some("Engines".to_owned()),
            manager: Some("cb@contoso.example".to_owned()),
        };
        let plain = "name,mail,aliases,department,manager\n\"Lovelace, Ada\",ada@contoso.example,al@contoso.example;countess@contoso.example,Engines,cb@contoso.example\n";
        let semicolons = "Mail;Name;Manager;Aliases;Department;Office\r\nada@contoso.example;Lovelace, Ada;cb@contoso.example;al@contoso.example countess@contoso.example;Engines;7\r\n";
        let exchange = "\u{feff}DisplayName\tPrimarySmtpAddress\tEmailAddresses\tDepartment\tManager\n\"Lovelace, Ada\"\tada@contoso.example\tsmtp:al@contoso.example|SMTP:countess@contoso.example\tEngines\tcb@contoso.example\n";
        for (text, why) in
            [(plain, "commas"), (semicolons, "semicolons, another order"), (exchange, "an export of Exchange")]
        {
            assert_eq!(people(text.as_bytes()).as_slice(), std::slice::from_ref(&ada), "{why}");
        }
        assert_eq!(people(b"mail\na@b.example\n")[0].name, "", "addresses alone");
        assert_eq!(people(b"name,mail\nA\n\nB,b@b.example,too,much\n").len(), 2, "lines that are short or long");
        assert_eq!(people(b"name,mail\nJ\xf6rg,j@b.example\n")[0].name, "J\u{fffd}rg", "another encoding");
    }

    #[test]
    fn files_of_lists() {
        let text = "name,mail,owners,members\nAll,all@contoso.example,\"Ada Lovelace; cb@contoso.example\",1200\nTwo,two@contoso.example,,a@x.example b@x.example\n";
        let (entries, flaws) = read_groups(text.as_bytes(), &DirectoryLimits::default()).unwrap();
        assert_eq!(entries.groups[0].owners, ["Ada Lovelace", "cb@contoso.example"]);
        assert_eq!(entries.groups.iter().map(|group| group.members).collect::<Vec<_>>(), [1_200, 2]);
        assert_eq!(flaws, Flaws::default());
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let error = read_people(b"<html>\n<body>403</body>\n", &DirectoryLimits::default()).unwrap_err();
        assert!(error.to_string().contains("no column `mail`"), "{error}");
        assert!(read_people(b"", &DirectoryLimits::default()).is_err());
        let tiny = DirectoryLimits { file_bytes: 3, ..DirectoryLimits::default() };
        assert!(matches!(read_people(b"mail\n", &tiny), Err(CsvError::TooLarge { found: 5, allowed: 3 })));
        let few = DirectoryLimits { entries: 1, ..DirectoryLimits::default() };
        let (entries, flaws) = read_people(b"mail\na@b.example\nc@d.example\ne@f.example\n", &few).unwrap();
        assert_eq!((entries.people.len(), flaws.total), (1, 1));
    }
}
