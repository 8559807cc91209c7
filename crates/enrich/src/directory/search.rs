//! Looking for an address as people look for it in an address book: the address itself, or else what is like it, best first.
//!
//! In: local part and domain. Out: an entry, or candidates with scores and reasons. Two ways lead to a candidate: the local part as a whole
//! is like one of the ways in which an entry may be written (`jsmith` for John Smith), or its words are like those of a name, the rarer
//! the better. Words that say nothing (`noreply`) count little.

use std::collections::{HashMap, HashSet};

use strsim::osa_distance;

use super::fold::{compact, letters, words};
use super::index::{Directory, Entry, Key, Made};
use super::{Candidate, Found, Matched};

/// Words of local parts that say nothing about who sends.
const SAYING_NOTHING: [&str; 22] = [
    "noreply",
    "no",
    "reply",
    "donotreply",
    "do",
    "not",
    "mail",
    "email",
    "mailer",
    "bounce",
    "bounces",
    "auto",
    "automail",
    "notification",
    "notifications",
    "notify",
    "alert",
    "alerts",
    "system",
    "service",
    "the",
    "team",
];

/// Letters of a local part that are looked at (RFC 5321 §4.5.3.1.1: 64 octets).
const CHARS_MAX: usize = 64;
/// Words of a local part that are looked at.
const PIECES_MAX: usize = 8;
/// Beginnings that too many share say nothing: no more than so many words or keys with one are looked at.
const PREFIX_MAX: usize = 2_000;
/// Candidates that are weighed for one answer: names that thousands share are cut here.
const WEIGHED_MAX: usize = 20_000;
/// How like a word a single letter is that it begins with.
const INITIAL: f32 = 0.8;
/// Below this a candidate is chance.
const SCORE_MIN: f32 = 0.35;

/// A candidate so far. Why it is one is put into words only for those that are shown.
struct Likeness {
    score: f32,
    reason: Reason,
}

/// Why something is a candidate.
#[derive(Clone, Copy)]
enum Reason {
    /// The local part as a whole is like one of the ways in which the entry may be written.
    Whole(How, Made),
    /// Its words are like words of the entry; which of the partings of the local part that was.
    Words(usize),
}

/// How a local part is like a way of writing.
#[derive(Clone, Copy)]
enum How {
    Same,
    Begins,
    Differs(usize),
}

/// A word of the local part, and the words of the directory that are like it.
struct Piece {
    text: String,
    /// How much it says.
    weight: f32,
    /// How like each word is: by its number.
    like: HashMap<u32, f32>,
}

impl Directory {
    /// Who is behind an address.
    #[must_use]
    pub fn find(&self, local: &str, domain: &str) -> Found {
        let local: String = local.trim().to_lowercase().chars().take(CHARS_MAX).collect();
        let domain = domain.trim().trim_end_matches('.').to_lowercase();
        if let Some(exact) = self.exact(&local, &domain) {
            return Found { exact: Some(exact), candidates: Vec::new() };
        }
        let base = local.split_once('+').map_or(local.as_str(), |(base, _)| base);
        let mut found: HashMap<u32, Likeness> = HashMap::new();
        self.as_a_whole(base, &mut found);
        let partings = self.partings(base);
        for (number, pieces) in partings.iter().enumerate() {
            self.by_words(pieces, number, &mut found);
        }
        let mut ranked: Vec<(u32, Likeness)> = found.into_iter().filter(|(_, like)| like.score >= SCORE_MIN).collect();
        for (number, like) in &mut ranked {
            // Of two that are alike the one at home in the same domain is the likelier.
            let mail = self.entries[*number as usize].who.mail();
            if mail.rsplit_once('@').is_some_and(|(_, at)| at == domain) {
                like.score += 0.01;
            }
        }
        let mail = |number: u32| self.entries[number as usize].who.mail();
        ranked.sort_by(|a, b| b.1.score.total_cmp(&a.1.score).then_with(|| mail(a.0).cmp(mail(b.0))));
        ranked.truncate(self.limits.candidates);
        let candidates = ranked.into_iter().map(|(number, like)| {
            let why = match like.reason {
                Reason::Whole(how, made) => in_words(how, made),
                Reason::Words(parting) => self.met(&partings[parting], &self.entries[number as usize]),
            };
            self.candidate(number, Matched::Similar, why, thousandths(like.score))
        });
        Found { exact: None, candidates: candidates.collect() }
    }

    /// Who is behind a local part at any of the directory's own domains, the one with most entries first.
    #[must_use]
    pub fn find_local(&self, local: &str) -> Found {
        let plain: String = local.trim().to_lowercase().chars().take(CHARS_MAX).collect();
        match self.homes.iter().find_map(|domain| self.exact(&plain, domain)) {
            Some(exact) => Found { exact: Some(exact), candidates: Vec::new() },
            None => self.find(local, self.homes.first().map_or("", |domain| domain)),
        }
    }

    /// Who has the address, or what stands before its `+`.
    fn exact(&self, local: &str, domain: &str) -> Option<Candidate> {
        let at = |local: &str| self.by_address.get(format!("{local}@{domain}").as_str()).copied();
        if let Some(number) = at(local) {
            let own = self.entries[number as usize].who.mail() == format!("{local}@{domain}");
            let (matched, why) = if own {
                (Matched::Address, "has this address")
            } else {
                (Matched::Alias, "has this address as an alias")
            };
            return Some(self.candidate(number, matched, why.to_owned(), 1_000));
        }
        let (base, _) = local.split_once('+')?;
        let number = at(base)?;
        Some(self.candidate(number, Matched::Subaddress, format!("has the address {base}@{domain}"), 1_000))
    }

    /// The local part as one word, against the ways in which entries may be written.
    fn as_a_whole(&self, local: &str, found: &mut HashMap<u32, Likeness>) {
        let whole = compact(local);
        self.keys_like(&whole, 0.0, found);
        let without_digits = whole.trim_end_matches(|c: char| c.is_ascii_digit());
        if without_digits.len() >= 3 && without_digits != whole {
            self.keys_like(without_digits, 0.03, found);
        }
        let saying: Vec<String> = words(local).into_iter().filter_map(|word| word.into_iter().next()).collect();
        let some = saying.iter().filter(|word| !SAYING_NOTHING.contains(&word.as_str())).cloned().collect::<String>();
        if some.len() >= 3 && some != whole && some != without_digits {
            self.keys_like(&some, 0.05, found);
        }
    }

    fn keys_like(&self, text: &str, less: f32, found: &mut HashMap<u32, Likeness>) {
        let length = text.chars().count();
        if length < 2 {
            return;
        }
        // The same, or the beginning.
        let from = self.keys.partition_point(|key| self.text(key) < text);
        let begins = self.keys[from..].iter().take_while(|key| self.text(key).starts_with(text)).take(PREFIX_MAX);
        for key in begins {
            let all = self.text(key).chars().count();
            if all == length {
                note(key, worth(key.made) - less, How::Same, found);
            } else if length >= 3 && key.made != Made::Initials {
                let part = f32_of(length) / f32_of(all);
                note(key, (worth(key.made) - 0.08) * (0.75 + 0.25 * part) - less, How::Begins, found);
            }
        }
        // A letter or two that differ.
        let most: u8 = match length {
            0..=4 => return,
            5..=8 => 1,
            _ => 2,
        };
        let mask = letters(text);
        for key in &self.keys {
            // A letter has one byte to four; initials differ in a letter from most words.
            let near = usize::from(key.bytes).abs_diff(text.len()) <= 4 * usize::from(most);
            if !near || (key.letters ^ mask).count_ones() > 2 * u32::from(most) || key.made == Made::Initials {
                continue;
            }
            let distance = osa_distance(self.text(key), text);
            if distance > 0 && distance <= usize::from(most) {
                note(key, worth(key.made) - 0.08 - 0.06 * f32_of(distance) - less, How::Differs(distance), found);
            }
        }
    }

    /// The words of a local part in the ways in which it may be parted: one or two.
    fn partings(&self, local: &str) -> Vec<Vec<Piece>> {
        let plain: Vec<String> = words(local).into_iter().filter_map(|word| word.into_iter().next()).collect();
        let plain: Vec<String> = plain.iter().flat_map(|word| letters_and_digits(word)).take(PIECES_MAX).collect();
        let parted: Vec<String> = plain.iter().flat_map(|word| self.part(word)).take(PIECES_MAX).collect();
        let mut partings = vec![parted];
        if partings[0] != plain {
            partings.push(plain);
        }
        let pieces = |words: Vec<String>| {
            let mut pieces: Vec<Piece> = words.iter().map(|text| self.piece(text)).collect();
            // The longest word chooses first: `j` takes what `john` leaves.
            pieces.sort_by_key(|piece| std::cmp::Reverse(piece.text.len()));
            pieces
        };
        partings.into_iter().map(pieces).collect()
    }

    /// The words of the local part against the words of names.
    fn by_words(&self, pieces: &[Piece], parting: usize, found: &mut HashMap<u32, Likeness>) {
        // The word that says most first: where too many have the others, they are cut.
        let mut saying: Vec<&Piece> = pieces.iter().filter(|piece| piece.text.chars().count() > 1).collect();
        saying.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let mut seen: HashSet<u32> = HashSet::new();
        let tokens = saying.iter().flat_map(|piece| {
            let mut like: Vec<(u32, f32)> = piece.like.iter().map(|(token, like)| (*token, *like)).collect();
            like.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            like
        });
        let entries = tokens.flat_map(|(token, _)| &self.tokens[token as usize].entries);
        for number in entries.take(WEIGHED_MAX) {
            if !seen.insert(*number) {
                continue;
            }
            let score = self.weigh(pieces, &self.entries[*number as usize], |_, _| {});
            if score >= SCORE_MIN && found.get(number).is_none_or(|like| like.score < score) {
                found.insert(*number, Likeness { score, reason: Reason::Words(parting) });
            }
        }
    }

    /// A word with everything in the directory that is like it.
    fn piece(&self, text: &str) -> Piece {
        let length = text.chars().count();
        let mut like = HashMap::new();
        if length >= 2 {
            let from = self.tokens.partition_point(|token| &*token.text < text);
            let begin = self.tokens[from..].iter().take_while(|token| token.text.starts_with(text)).take(PREFIX_MAX);
            for (token, number) in begin.zip(u32::try_from(from).unwrap_or(u32::MAX)..) {
                let part = f32_of(length) / f32_of(token.text.chars().count());
                like.insert(number, if token.text.len() == text.len() { 1.0 } else { 0.7 + 0.25 * part });
            }
        }
        let most = match length {
            0..=3 => 0,
            4..=7 => 1,
            _ => 2,
        };
        if most > 0 {
            let mask = letters(text);
            for (token, number) in self.tokens.iter().zip(0..) {
                let close = (token.letters ^ mask).count_ones() <= 2 * most;
                if close && token.text.len().abs_diff(text.len()) <= 2 * most as usize && !like.contains_key(&number) {
                    let distance = osa_distance(&token.text, text);
                    if distance <= most as usize {
                        like.insert(number, 0.85 - 0.1 * f32_of(distance));
                    }
                }
            }
        }
        Piece { weight: self.weight(text, length, &like), text: text.to_owned(), like }
    }

    /// How much a word says: the more, the fewer have it.
    fn weight(&self, text: &str, length: usize, like: &HashMap<u32, f32>) -> f32 {
        let all = f32_of(self.entries.len() + 1).ln().max(1.0);
        if SAYING_NOTHING.contains(&text) {
            return 0.1 * all;
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return 0.1 * all;
        }
        if length == 1 {
            return 0.25 * all;
        }
        let best = like.iter().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)));
        match best {
            // A word that nobody has may be a name that we do not know: it speaks against everybody, but not more than a name speaks for.
            None => 0.5 * all,
            Some((token, _)) => {
                let have = self.tokens[*token as usize].entries.len();
                (all - f32_of(have + 1).ln()).max(0.2 * all)
            }
        }
    }

    /// How like an entry is to the words of a local part; `met` hears of each that meets one of its own.
    fn weigh(&self, pieces: &[Piece], entry: &Entry, mut met: impl FnMut(&str, f32)) -> f32 {
        let mut used = [false; 256];
        let (mut said, mut all, mut places) = (0.0, 0.0, 0_u8);
        for piece in pieces {
            all += piece.weight;
            let free = || entry.tokens.iter().filter(|(_, place)| !used[usize::from(*place)]);
            let best = free().filter_map(|(token, place)| Some((*piece.like.get(token)?, *place)));
            let best = best.max_by(|a, b| a.0.total_cmp(&b.0)).or_else(|| {
                let letter = Some(piece.text.as_str()).filter(|text| text.chars().count() == 1)?;
                let begins = |token: u32| self.tokens[token as usize].text.starts_with(letter);
                free().find(|(token, _)| begins(*token)).map(|(_, place)| (INITIAL, *place))
            });
            let Some((like, place)) = best else { continue };
            used[usize::from(place)] = true;
            places += 1;
            said += piece.weight * like;
            met(&piece.text, like);
        }
        if places == 0 || all <= 0.0 {
            return 0.0;
        }
        // A name that is met in full is likelier than one of many words.
        let part = f32::from(places) / f32::from(entry.places.max(1));
        said / all * (0.68 + 0.24 * part.min(1.0))
    }

    /// The words that meet, for people.
    fn met(&self, pieces: &[Piece], entry: &Entry) -> String {
        let mut why = Vec::new();
        self.weigh(pieces, entry, |text, like| {
            why.push(match like {
                1.0.. => format!("“{text}” is a word of it"),
                _ if text.chars().count() == 1 => format!("“{text}” is an initial"),
                _ => format!("“{text}” is like a word of it"),
            });
        });
        why.join(", ")
    }

    /// A word as the words of the directory that it is made of: `smithjohn`, `hrnewsletter`. What lies between them stays.
    fn part(&self, word: &str) -> Vec<String> {
        const KNOWN_MIN: usize = 3;
        let whole = || vec![word.to_owned()];
        if self.by_token.contains_key(word) || word.len() < KNOWN_MIN + 1 || word.len() > 4 * CHARS_MAX {
            return whole();
        }
        let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
        let count = ends.len();
        // Best parting of what comes before each place: squares, so that long words win over short ones.
        let mut best: Vec<(usize, Option<usize>)> = vec![(0, None); count];
        for to in 1..count {
            best[to] = (best[to - 1].0, None);
            for from in 0..(to + 1).saturating_sub(KNOWN_MIN) {
                let length = to - from;
                let score = best[from].0 + length * length;
                if score > best[to].0 && self.by_token.contains_key(&word[ends[from]..ends[to]]) {
                    best[to] = (score, Some(from));
                }
            }
        }
        let mut pieces = Vec::new();
        let (mut to, mut rest) = (count - 1, count - 1);
        while to > 0 {
            if let Some(from) = best[to].1 {
                pieces.extend((rest > to).then(|| word[ends[to]..ends[rest]].to_owned()));
                pieces.push(word[ends[from]..ends[to]].to_owned());
                (to, rest) = (from, from);
            } else {
                to -= 1;
            }
        }
        pieces.extend((rest > 0).then(|| word[..ends[rest]].to_owned()));
        pieces.reverse();
        pieces
    }
}

fn note(key: &Key, score: f32, how: How, found: &mut HashMap<u32, Likeness>) {
    if found.get(&key.entry).is_none_or(|like| like.score < score) {
        found.insert(key.entry, Likeness { score, reason: Reason::Whole(how, key.made) });
    }
}

fn in_words(how: How, made: Made) -> String {
    let made = match made {
        Made::Local => "a local part of it",
        Made::FullName => "its name",
        Made::FirstLast => "its first and last name",
        Made::InitialLast => "its initial and last name",
        Made::LastInitial => "its last name and initial",
        Made::FirstInitial => "its first name and initial",
        Made::NameEnd => "the end of its name",
        Made::Initials => "its initials",
    };
    match how {
        How::Same => format!("is written as {made}"),
        How::Begins => format!("is the beginning of {made}"),
        How::Differs(1) => format!("differs in one letter from {made}"),
        How::Differs(letters) => format!("differs in {letters} letters from {made}"),
    }
}

/// What a way of writing is worth when the local part is exactly that.
const fn worth(made: Made) -> f32 {
    match made {
        Made::Local => 0.96,
        Made::FullName => 0.94,
        Made::FirstLast => 0.92,
        Made::InitialLast => 0.88,
        Made::LastInitial => 0.85,
        Made::FirstInitial => 0.80,
        Made::NameEnd => 0.78,
        Made::Initials => 0.62,
    }
}

/// `smith2` as `smith` and `2`.
fn letters_and_digits(word: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for c in word.chars() {
        match parts.last_mut() {
            Some(part) if part.ends_with(|last: char| last.is_ascii_digit() == c.is_ascii_digit()) => part.push(c),
            _ => parts.push(c.to_string()),
        }
    }
    parts
}

fn f32_of(number: usize) -> f32 {
    f32::from(u16::try_from(number).unwrap_or(u16::MAX))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=999 before")]
fn thousandths(score: f32) -> u16 {
    (score * 1_000.0).round().clamp(0.0, 999.0) as u16
}
