//! The company's directory: people, and lists with their owners, as CSV.
//!
//! In: who answers for the flows, and how many others work there. Out: `people.csv` and `lists.csv` in the columns that lamppost reads.
//! Of the local parts that reports about failures name, two thirds are in it as they are, mostly as a list whose owner has to be looked
//! up; the last third is there under another name only.

use std::collections::BTreeMap;
use std::io::{self, Write};

use report::Text;

use crate::random::{Random, hash};
use crate::traffic::World;

const FIRST: [&str; 48] = [
    "Anna",
    "Erik",
    "Maria",
    "Lars",
    "Karin",
    "Anders",
    "Sara",
    "Johan",
    "Eva",
    "Per",
    "Emma",
    "Nils",
    "Lena",
    "Karl",
    "Ida",
    "Olof",
    "Hanna",
    "Sven",
    "Elin",
    "Gunnar",
    "Julia",
    "Stefan",
    "Klara",
    "Bo",
    "Amir",
    "Leila",
    "Chen",
    "Wei",
    "Priya",
    "Ravi",
    "Tomasz",
    "Agnieszka",
    "Pierre",
    "Claire",
    "John",
    "Mary",
    "Fatima",
    "Omar",
    "Ingrid",
    "Mikko",
    "Aino",
    "José",
    "Lucía",
    "Marco",
    "Giulia",
    "Björn",
    "Åsa",
    "Märta",
];
const LAST: [&str; 48] = [
    "Andersson",
    "Berg",
    "Lind",
    "Holm",
    "Nyström",
    "Sjöberg",
    "Ek",
    "Dahl",
    "Lund",
    "Norén",
    "Falk",
    "Hedlund",
    "Åkesson",
    "Björk",
    "Engström",
    "Strand",
    "Wallin",
    "Öberg",
    "Sandell",
    "Hjort",
    "Rahimi",
    "Wang",
    "Li",
    "Sharma",
    "Patel",
    "Kowalski",
    "Nowak",
    "Dubois",
    "Moreau",
    "Smith",
    "Jones",
    "Brown",
    "Haddad",
    "Hassan",
    "Virtanen",
    "Korhonen",
    "García",
    "Romero",
    "Rossi",
    "Ricci",
    "Meyer",
    "Schmidt",
    "Vogel",
    "de Vries",
    "Jansen",
    "Nielsen",
    "Hansen",
    "Eide",
];

struct Person {
    name: String,
    mail: String,
    aliases: Vec<String>,
    department: Text,
}

struct List {
    name: Text,
    mail: String,
    owner: String,
    members: u64,
}

/// Writes both files.
pub(crate) fn write(people_to: &mut dyn Write, lists_to: &mut dyn Write, world: &World) -> io::Result<()> {
    let domain = &world.estate.domains[0].name;
    let mut random = Random::at(world.seed, &[hash(domain), hash("directory")]);
    let mut people: Vec<Person> = Vec::new();
    let mut lists: Vec<List> = Vec::new();
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    for (team, local_part) in teams(world) {
        let mut person = person(&mut random, domain, team.clone(), &mut taken);
        let members = 3 + random.below(40);
        let list = |mail: String, owner: &Person| List { name: team.clone(), mail, owner: owner.mail.clone(), members };
        match hash(&team) % 3 {
            0 if hash(&local_part).is_multiple_of(2) => person.aliases.push(format!("{local_part}@{domain}")),
            0 | 1 => lists.push(list(format!("{local_part}@{domain}"), &person)),
            // The alias on the machine is an old one; the list has the name of the team.
            _ => lists.push(list(format!("dl-{}@{domain}", slug(&team)), &person)),
        }
        people.push(person);
    }
    let departments: Vec<Text> = people.iter().map(|person| person.department.clone()).collect();
    for n in 0..world.company.people {
        let department = departments.get(n % departments.len().max(1)).cloned().unwrap_or_default();
        people.push(person(&mut random, domain, department, &mut taken));
    }
    let heads: BTreeMap<Text, String> =
        people.iter().rev().map(|person| (person.department.clone(), person.mail.clone())).collect();
    writeln!(people_to, "name,mail,aliases,department,manager")?;
    for person in &people {
        let manager = heads.get(&person.department).filter(|head| **head != person.mail).map_or("", String::as_str);
        let aliases = person.aliases.join(";");
        writeln!(people_to, "{},{},{aliases},{},{manager}", person.name, person.mail, person.department)?;
    }
    writeln!(lists_to, "name,mail,owners,members")?;
    for list in &lists {
        writeln!(lists_to, "{},{},{},{}", list.name, list.mail, list.owner, list.members)?;
    }
    Ok(())
}

/// Teams with the local part that each writes as, without repetition.
fn teams(world: &World) -> Vec<(Text, Text)> {
    let mut teams: Vec<(Text, Text)> = world
        .flows
        .iter()
        .filter_map(|flow| Some((flow.team.clone()?, flow.local_part.clone()?)))
        .filter(|(_, local_part)| !matches!(local_part.as_str(), "postmaster" | "mailer-daemon"))
        .collect();
    teams.sort_unstable();
    teams.dedup();
    teams
}

fn person(random: &mut Random, domain: &str, department: Text, taken: &mut BTreeMap<String, u32>) -> Person {
    let (first, last) = (FIRST[random.index(FIRST.len())], LAST[random.index(LAST.len())]);
    let local = format!("{}.{}", plain(first), plain(last));
    let number = taken.entry(local.clone()).or_default();
    *number += 1;
    let local = if *number == 1 { local } else { format!("{local}{number}") };
    let short = format!(
        "{}{}",
        plain(first).chars().take(2).collect::<String>(),
        plain(last).chars().take(4).collect::<String>()
    );
    let aliases = if *number == 1 && random.chance(0.4) {
        vec![format!("{short}{}@{domain}", random.below(90) + 10)]
    } else {
        vec![]
    };
    Person { name: format!("{first} {last}"), mail: format!("{local}@{domain}"), aliases, department }
}

/// Lower-case letters without marks, as local parts have them.
fn plain(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .filter_map(|c| match c {
            'å' | 'ä' => Some('a'),
            'ö' => Some('o'),
            'é' => Some('e'),
            'í' => Some('i'),
            ' ' => None,
            c => Some(c),
        })
        .collect()
}

fn slug(team: &str) -> String {
    plain(&team.replace(' ', "-"))
}
