//! The rule about names that could be taken for ours: told when one begins to exist, takes mail, changes, or turns up in our mail.
//!
//! In: what the ledger knows of such names. Out: facts, and findings, one for each name whatever is new of it.

use std::collections::BTreeMap;

use report::Day;
use store::Ledger;

use super::facts::{Facts, LookalikeFact};
use super::finding::{AlertRule, Finding, Severity};
use super::thresholds::Thresholds;
use crate::{Error, LookalikeChangeLine, SeenLookalike, commas};

/// For so many days it is news.
const NEWS: i32 = 7;
/// Days of mail that it takes before a name in it can be called new.
const HISTORY: i32 = 28;

/// What is new of such names. `days`: the first day of the ledger, and the one up to which is judged; none of an empty one.
pub(crate) fn gather(ledger: &Ledger, now: i64, days: Option<(Day, Day)>) -> Result<Vec<LookalikeFact>, Error> {
    let all = crate::lookalikes(ledger, None, now)?;
    let mut found: BTreeMap<(String, String), LookalikeFact> = BTreeMap::new();
    for change in all.changes.into_iter().filter(|change| change.alert && now - change.at <= i64::from(NEWS) * 86_400) {
        let LookalikeChangeLine { domain, name, unicode, at, what, score, .. } = change;
        let fact = found.entry((domain.clone(), name.clone())).or_default();
        fact.changes.push(format!("{}: {what}", Day::of(at)));
        (fact.domain, fact.registered) = (domain, name.clone());
        (fact.name, fact.unicode, fact.score) = (name, unicode, score);
    }
    if let Some((first, until)) = days {
        let new = |seen: &SeenLookalike| seen.first_day > until.plus(-NEWS) && seen.first_day.0 - first.0 >= HISTORY;
        for seen in all.in_mail.into_iter().filter(new) {
            let fact = found.entry((seen.domain.clone(), seen.lookalike.clone())).or_default();
            if fact.name.is_empty() {
                (fact.unicode, fact.name) = (lookalike::unicode_of(&seen.name), seen.name);
                (fact.domain, fact.registered) = (seen.domain, seen.lookalike);
            }
            let mail = fact.mail.get_or_insert((0, seen.first_day, Vec::new()));
            (mail.0, mail.1) = (mail.0 + seen.messages, mail.1.min(seen.first_day));
            let places = seen.places.into_iter().filter(|place| !mail.2.contains(place)).collect::<Vec<_>>();
            mail.2.extend(places);
        }
    }
    for line in all.lines {
        if let Some(fact) = found.get_mut(&(line.domain, line.name)) {
            (fact.score, fact.actions) = (line.score, line.actions);
        }
    }
    Ok(found.into_values().collect())
}

pub(crate) fn rules(facts: &Facts, at: &Thresholds) -> Vec<Finding> {
    facts.lookalikes.iter().filter_map(|fact| of_name(fact, at)).collect()
}

fn of_name(fact: &LookalikeFact, at: &Thresholds) -> Option<Finding> {
    let mail = fact.mail.as_ref().filter(|(messages, ..)| *messages >= at.lookalike_mail);
    if fact.changes.is_empty() && mail.is_none() {
        return None;
    }
    let name = if fact.unicode == fact.name { fact.name.clone() } else { format!("{} ({})", fact.unicode, fact.name) };
    let mut news = Vec::new();
    // "2026-03-11: it is new, it takes mail": the day stands with the evidence.
    news.extend(fact.changes.first().and_then(|change| change.split_once(": ")).map(|(_, what)| what.to_owned()));
    news.extend(mail.map(|(messages, first, places)| {
        format!("{} messages since {first} have it ({})", commas(*messages), places.join(", "))
    }));
    let mut evidence = fact.changes.clone();
    if fact.score > 0 {
        evidence.push(format!("score {} of 100", fact.score));
    }
    let remedy = if fact.actions.is_empty() {
        "Refuse mail from it at your own gateway, as envelope sender and as author domain.".to_owned()
    } else {
        fact.actions.join(" ")
    };
    Some(Finding {
        rule: AlertRule::Lookalike,
        severity: Severity::Amber,
        domain: fact.domain.clone(),
        subject: fact.registered.clone(),
        day: None,
        sentence: format!("{name} could be taken for {}: {}.", fact.domain, news.join("; ")),
        evidence,
        remedy,
        link: "/lookalikes".to_owned(),
        messages: mail.map_or(0, |(messages, ..)| *messages),
    })
}

#[cfg(test)]
mod tests {
    use store::{LookalikeLook, LookalikePass};

    use super::*;

    const NOON: i64 = 20_524 * 86_400 + 12 * 3_600;
    const UNTIL: Day = Day(20_523);

    fn look(name: &str, mx: &str) -> LookalikeLook {
        let state = format!(
            r#"{{"mx":[{mx}],"web":true,"ns":["ns.other.test"],"spf":null,"dmarc":null,"families":["omission"],"similarity":38}}"#
        );
        LookalikeLook { name: name.to_owned(), state: Some(state) }
    }

    fn found(ledger: &Ledger, now: i64) -> Vec<Finding> {
        let facts = Facts { now, lookalikes: gather(ledger, now, None).unwrap(), ..Facts::default() };
        rules(&facts, &Thresholds::default())
    }

    #[test]
    fn what_was_there_is_no_news_and_what_changes_is() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let pass = LookalikePass { place: 0, passes: 1, looked_at: NOON };
        let note = |looks: &[LookalikeLook], at| ledger.note_lookalikes("example.com", looks, Some(pass), at).unwrap();
        let mail = r#""mx.other.test""#;
        note(&[look("exmple.com", ""), look("exampl.com", mail)], NOON);
        assert_eq!(found(&ledger, NOON + 60), [], "whoever begins to look learns of what is there on the page");
        // A day later one takes mail, and after a whole pass another one begins to exist.
        note(&[look("exmple.com", mail)], NOON + 86_400);
        note(&[look("examle.com", mail)], NOON + 86_460);
        let now = NOON + 90_000;
        let told = found(&ledger, now);
        let lines: Vec<(&str, &str)> = told.iter().map(|f| (&*f.subject, &*f.sentence)).collect();
        assert_eq!(
            lines,
            [
                (
                    "examle.com",
                    "examle.com could be taken for example.com: it is new, it takes mail, it has addresses."
                ),
                ("exmple.com", "exmple.com could be taken for example.com: it takes mail."),
            ]
        );
        // What changes of a name beside is the same alert: one cause, whatever is new of it.
        note(&[look("examle.com", r#""mx.third.test""#)], now);
        let more = found(&ledger, now + 60);
        assert_eq!((more.len(), more[0].cause()), (2, told[0].cause()));
        assert_eq!(more[0].evidence.iter().filter(|line| line.starts_with("2026-")).count(), 2, "{:?}", more[0]);
        let gone = LookalikeLook { name: "exmple.com".to_owned(), state: None };
        note(&[gone], now + 120);
        note(&[look("exmple.com", "")], now + 180);
        let back = found(&ledger, now + 240);
        assert!(back[1].sentence.contains("it exists"), "back again is news: {}", back[1].sentence);
        assert_eq!(found(&ledger, now + 9 * 86_400), [], "and news for a week");
    }

    #[test]
    fn mail_that_names_one_is_told_when_it_begins() {
        let fact = |messages, changes: &[&str]| LookalikeFact {
            domain: "example.com".to_owned(),
            registered: "xn--exmple-4nf.com".to_owned(),
            name: "xn--exmple-4nf.com".to_owned(),
            unicode: "exаmple.com".to_owned(),
            changes: changes.iter().map(ToString::to_string).collect(),
            mail: Some((messages, UNTIL, vec!["envelope".to_owned(), "dkim".to_owned()])),
            ..LookalikeFact::default()
        };
        let cases: [(&str, LookalikeFact, Option<&str>); 3] = [
            ("a slip of the finger", fact(2, &[]), None),
            (
                "a name in our mail that was not there before, as people see it and as DNS has it",
                fact(1_200, &[]),
                Some(
                    "exаmple.com (xn--exmple-4nf.com) could be taken for example.com: 1,200 messages since 2026-03-11 have \
                     it (envelope, dkim).",
                ),
            ),
            (
                "the same that has just been registered: one alert",
                fact(40, &["2026-03-10: it is new"]),
                Some(
                    "exаmple.com (xn--exmple-4nf.com) could be taken for example.com: it is new; 40 messages since \
                     2026-03-11 have it (envelope, dkim).",
                ),
            ),
        ];
        for (why, fact, expected) in cases {
            let facts = Facts { lookalikes: vec![fact], ..Facts::default() };
            let told = rules(&facts, &Thresholds::default());
            assert_eq!(told.first().map(|finding| &*finding.sentence), expected, "{why}");
        }
    }
}
