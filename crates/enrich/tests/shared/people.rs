//! An invented company of people and lists, the same for the same seed, and what people type when they look for somebody in it.

use std::collections::{HashMap, HashSet};

use enrich::directory::{Entries, Group, Person};

/// Numbers that are the same every time (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % sides.max(1)
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.roll(words.len())]
    }
}

const GIVEN: [&str; 60] = [
    "Ada",
    "Alan",
    "Alexander",
    "Alice",
    "Amara",
    "Anders",
    "Andrea",
    "Anna",
    "Ben",
    "Björn",
    "Carlos",
    "Charlotte",
    "Chen",
    "Christian",
    "Clara",
    "Daniel",
    "David",
    "Elena",
    "Emil",
    "Eva",
    "Fatima",
    "Felix",
    "Françoise",
    "Grace",
    "Hannah",
    "Henrik",
    "Ibrahim",
    "Ines",
    "Jan",
    "Jane",
    "Jörg",
    "John",
    "José",
    "Julia",
    "Karin",
    "Katherine",
    "Lars",
    "Laura",
    "Li",
    "Lukas",
    "Maria",
    "Marie",
    "Mark",
    "Martin",
    "Michael",
    "Mohammed",
    "Nadia",
    "Olga",
    "Oscar",
    "Paul",
    "Peter",
    "Priya",
    "Rosa",
    "Sarah",
    "Søren",
    "Stefan",
    "Thomas",
    "Ursula",
    "Wei",
    "Zoë",
];
const BEGINNINGS: [&str; 40] = [
    "Abel", "Acker", "Alt", "Berg", "Bern", "Birk", "Blom", "Brand", "Carl", "Dahl", "Dorn", "Eber", "Eich", "Fal",
    "Feld", "Fors", "Gold", "Grün", "Hag", "Hart", "Hoff", "Holm", "Jans", "Kal", "Kirch", "Klein", "Lind", "Löw",
    "Mar", "Neu", "Nord", "Ost", "Rosen", "Sand", "Schön", "Stein", "Sund", "Wald", "Weber", "Wil",
];
const ENDINGS: [&str; 25] = [
    "acker", "bach", "baum", "berg", "born", "burg", "dal", "er", "feld", "gard", "heim", "hoff", "holm", "kamp",
    "land", "man", "mark", "mayer", "quist", "rup", "sen", "son", "stad", "strom", "wick",
];
const TEAMS: [&str; 40] = [
    "Accounting",
    "Analytics",
    "Archive",
    "Billing",
    "Broker",
    "Campus",
    "Catering",
    "Claims",
    "Compliance",
    "Contracts",
    "Customs",
    "Engineering",
    "Events",
    "Facilities",
    "Fleet",
    "Freight",
    "Gateway",
    "Helpdesk",
    "Identity",
    "Insurance",
    "Invoices",
    "Laboratory",
    "Licences",
    "Logistics",
    "Maintenance",
    "Marketing",
    "Monitoring",
    "Newsletter",
    "Orders",
    "Patents",
    "Payroll",
    "Procurement",
    "Quality",
    "Recruiting",
    "Research",
    "Safety",
    "Surveys",
    "Training",
    "Travel",
    "Treasury",
];
const PLACES: [&str; 25] = [
    "Africa", "Asia", "Austria", "Berlin", "Brazil", "Canada", "Chicago", "Denmark", "Dublin", "EMEA", "France",
    "Global", "Iberia", "India", "Japan", "London", "Madrid", "Mexico", "Nordics", "Oslo", "Poland", "Sydney", "Texas",
    "Vienna", "Zurich",
];
const USES: [&str; 4] = ["", "Reports", "Requests", "Updates"];

/// The domain of the company.
pub(crate) const DOMAIN: &str = "contoso.example";

/// How local parts are written: marks away, the German way.
pub(crate) fn plain(text: &str) -> String {
    let pairs = [
        ('ä', "ae"),
        ('ö', "oe"),
        ('ü', "ue"),
        ('ø', "o"),
        ('ç', "c"),
        ('é', "e"),
        ('ë', "e"),
        ('å', "a"),
        ('ß', "ss"),
    ];
    let fold =
        |c: char| pairs.iter().find(|(from, _)| *from == c).map_or_else(|| c.to_string(), |(_, to)| (*to).to_owned());
    text.to_lowercase().chars().map(fold).collect()
}

/// So many people and lists.
pub(crate) fn company(people: usize, groups: usize, dice: &mut Dice) -> Entries {
    let mut entries = Entries::default();
    let mut taken: HashSet<String> = HashSet::new();
    for number in 0..people {
        let given = dice.pick(&GIVEN);
        let family = format!("{}{}", dice.pick(&BEGINNINGS), dice.pick(&ENDINGS));
        let local = match dice.roll(10) {
            0 => format!("{}{}", plain(&given[..1]), plain(&family)),
            _ => format!("{}.{}", plain(given), plain(&family)),
        };
        let mut mail = format!("{local}@{DOMAIN}");
        let mut count = 2;
        while !taken.insert(mail.clone()) {
            mail = format!("{local}{count}@{DOMAIN}");
            count += 1;
        }
        let alias = (dice.roll(5) == 0).then(|| format!("e{number:05}@{DOMAIN}"));
        let manager = (number > 0).then(|| entries.people[dice.roll(number)].mail.clone());
        entries.people.push(Person {
            name: format!("{given} {family}"),
            mail,
            aliases: alias.into_iter().collect(),
            department: Some(dice.pick(&TEAMS).to_owned()),
            manager,
        });
    }
    let names =
        TEAMS.iter().flat_map(|team| PLACES.iter().flat_map(move |place| USES.iter().map(move |a| (team, place, a))));
    for (team, place, usage) in names.take(groups) {
        let name = format!("{team} {place} {usage}").trim_end().to_owned();
        let mail = format!("{}@{DOMAIN}", plain(&name).replace(' ', "-"));
        let owners = (0..=dice.roll(2)).map(|_| entries.people[dice.roll(people)].mail.clone()).collect();
        entries.groups.push(Group { name, mail, aliases: Vec::new(), owners, members: 3 });
    }
    entries
}

/// Something that is looked for, and who it is.
pub(crate) struct LookedFor {
    /// How it differs from what the directory has.
    pub(crate) way: &'static str,
    pub(crate) local: String,
    pub(crate) mail: String,
}

/// Addresses as they are in the directory.
pub(crate) fn exact(entries: &Entries, count: usize, dice: &mut Dice) -> Vec<LookedFor> {
    let look = |way, address: &str, mail: &str| {
        let local = address.split('@').next().unwrap_or_default().to_owned();
        LookedFor { way, local, mail: mail.to_owned() }
    };
    let mut found = Vec::new();
    while found.len() < count {
        let person = &entries.people[dice.roll(entries.people.len())];
        let group = &entries.groups[dice.roll(entries.groups.len())];
        found.push(look("a person's address", &person.mail, &person.mail));
        found.push(look("a list's address", &group.mail, &group.mail));
        found.extend(person.aliases.first().map(|alias| look("an alias", alias, &person.mail)));
    }
    found.truncate(count);
    found
}

/// Local parts that the directory does not have, each made of one of its entries in a way that people use. Where more than five
/// entries are written like that, nobody could say which is meant: these are left out.
pub(crate) fn similar(entries: &Entries, count: usize, dice: &mut Dice) -> Vec<LookedFor> {
    let known: HashSet<&str> =
        entries.people.iter().flat_map(|p| p.aliases.iter().chain([&p.mail])).map(String::as_str).collect();
    let mut alike: HashMap<String, usize> = HashMap::new();
    for person in &entries.people {
        for (_, local) in ways_of_person(person, &mut Dice::new(1)) {
            *alike.entry(local).or_default() += 1;
        }
    }
    let mut found = Vec::new();
    while found.len() < count {
        let person = &entries.people[dice.roll(entries.people.len())];
        let group = &entries.groups[dice.roll(entries.groups.len())];
        let people = ways_of_person(person, dice);
        let groups = ways_of_group(group, dice);
        let one = people.len();
        let (way, local) = people[dice.roll(one)].clone();
        let free = !known.contains(format!("{local}@{DOMAIN}").as_str());
        if free && alike.get(&local).is_none_or(|count| *count <= 5) {
            found.push(LookedFor { way, local, mail: person.mail.clone() });
        }
        let (way, local) = groups[dice.roll(groups.len())].clone();
        if format!("{local}@{DOMAIN}") != group.mail {
            found.push(LookedFor { way, local, mail: group.mail.clone() });
        }
    }
    found.truncate(count);
    found
}

fn ways_of_person(person: &Person, dice: &mut Dice) -> Vec<(&'static str, String)> {
    let name = plain(&person.name);
    let (given, family) = name.split_once(' ').unwrap();
    let (first, last) = (&given[..1], typo(family, dice));
    vec![
        ("other separator", format!("{given}_{family}")),
        ("no separator", format!("{given}{family}")),
        ("family name first", format!("{family}.{given}")),
        ("family name first, no separator", format!("{family}{given}")),
        ("initial and family name", format!("{first}{family}")),
        ("initial, dot, family name", format!("{first}.{family}")),
        ("family name and initial", format!("{family}{first}")),
        ("a middle initial", format!("{given}.q.{family}")),
        ("a number behind", format!("{given}.{family}77")),
        ("a slip of the pen", format!("{given}.{last}")),
        ("a beginning", format!("{given}.{}", &family[..family.len() - 2])),
    ]
}

fn ways_of_group(group: &Group, dice: &mut Dice) -> Vec<(&'static str, String)> {
    let words: Vec<String> = plain(&group.name).split(' ').map(str::to_owned).collect();
    let (first, rest) = (&words[0], words[1..].join("-"));
    vec![
        ("list: no separators", words.concat()),
        ("list: dots", words.join(".")),
        ("list: other order", format!("{rest}-{first}")),
        ("list: noreply before", format!("noreply-{}", words.join("-"))),
        ("list: notifications behind", format!("{}.notifications", words.join("."))),
        ("list: the company before", format!("contoso{}", words.concat())),
        ("list: a slip of the pen", format!("{}-{rest}", typo(first, dice))),
        (
            "list: a beginning of each word",
            words.iter().map(|word| &word[..word.len().min(4)]).collect::<Vec<_>>().join("-"),
        ),
    ]
}

/// Two letters the other way round, one missing, or one twice; not the first.
fn typo(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = 1 + dice.roll(letters.len() - 2);
    match dice.roll(3) {
        0 => letters.swap(at, at + 1),
        1 => {
            letters.remove(at);
        }
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}
