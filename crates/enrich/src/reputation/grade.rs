//! Evidence and what it adds up to: a grade from −10 to +10, and the band that follows from it.
//!
//! In: evidence from any number of sources. Out: one grade, or none where there is no evidence: not knowing is not zero. Pure, and exact:
//! values are whole hundredths and grades whole tenths, so that the same evidence gives the same grade on every machine.

use std::fmt;

use report::Day;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::names::NameGrade;

/// What one source says, from −10.00 to +10.00, in whole hundredths. Written as a number: `-2.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(i16);

/// The largest value, in hundredths.
const VALUE_MAX: i16 = 1_000;

impl Value {
    /// From hundredths; beyond ±10 it is ±10.
    #[must_use]
    pub const fn hundredths(hundredths: i16) -> Self {
        Self(if hundredths > VALUE_MAX {
            VALUE_MAX
        } else if hundredths < -VALUE_MAX {
            -VALUE_MAX
        } else {
            hundredths
        })
    }

    /// From a number as people write it; beyond ±10 it is ±10, and what is no number is 0.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to ±1000 before, and a float that is no number becomes 0"
    )]
    pub fn of(number: f64) -> Self {
        let most = f64::from(VALUE_MAX);
        Self((number * 100.0).round().clamp(-most, most) as i16)
    }

    /// In hundredths.
    #[must_use]
    pub const fn in_hundredths(self) -> i16 {
        self.0
    }
}

impl fmt::Display for Value {
    /// With its sign and as few digits as it needs: `+3`, `-2.5`, `0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("0") } else { write!(f, "{:+}", f64::from(self.0) / 100.0) }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 100.0)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::of)
    }
}

/// What all evidence adds up to, from −10.0 to +10.0, in whole tenths. Written as a number: `-8.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grade(i16);

impl Grade {
    /// From tenths; beyond ±10 it is ±10.
    #[must_use]
    pub const fn tenths(tenths: i16) -> Self {
        Self(if tenths > 100 {
            100
        } else if tenths < -100 {
            -100
        } else {
            tenths
        })
    }

    /// In tenths, for storing.
    #[must_use]
    pub const fn in_tenths(self) -> i16 {
        self.0
    }
}

impl fmt::Display for Grade {
    /// With its sign and one decimal: `+3.4`, `-8.2`, `0.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("0.0") } else { write!(f, "{:+.1}", f64::from(self.0) / 10.0) }
    }
}

impl Serialize for Grade {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 10.0)
    }
}

impl<'de> Deserialize<'de> for Grade {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to ±100 before")]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Ok(Self((number * 10.0).round().clamp(-100.0, 100.0) as i16))
    }
}

/// What one source says about one address, and until when that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which source: the id of a list, or `local`.
    pub source: String,
    /// How good or bad that is.
    pub value: Value,
    /// Whether nothing else may outweigh it: a grade with hard evidence is −2.0 at best.
    pub hard: bool,
    /// What the source said, in words for people.
    pub detail: String,
    /// The day on which it said so.
    pub day: Day,
    /// Until when it may be relied on, in seconds since 1970-01-01 UTC.
    pub expires: i64,
}

/// With hard evidence a grade is no better than this.
const HARD_AT_BEST: i64 = -20;

/// One, in the fixed-point numbers of [`grade`]: six factors of three digits are still exact.
const ONE: u128 = 1_000_000_000_000_000_000;

/// The grade that evidence adds up to; none where there is none.
///
/// Values of one sign are combined as `10·(1 − Π(1 − |v|/10))`: each takes a share of what is left to ten, so that ten weak hints do
/// not outdo one strong one, and their order does not matter. The grade is the good side less the bad side, to one decimal, halves
/// away from zero.
#[must_use]
pub fn grade<'a>(evidence: impl IntoIterator<Item = &'a Evidence>) -> Option<Grade> {
    let (mut good, mut bad) = (ONE, ONE);
    let (mut any, mut hard) = (false, false);
    for one in evidence {
        any = true;
        hard |= one.hard;
        let value = one.value.in_hundredths();
        let left = u128::from((VALUE_MAX - value.abs()).unsigned_abs());
        let side = if value < 0 { &mut bad } else { &mut good };
        *side = *side * left / u128::from(VALUE_MAX.unsigned_abs());
    }
    if !any {
        return None;
    }
    // Good is 10·(1 − good), bad is 10·(1 − bad): their difference is 10·(bad − good).
    let (sign, distance) = if bad >= good { (1, bad - good) } else { (-1, good - bad) };
    let tenths = (distance * 100 + ONE / 2) / ONE;
    let tenths = sign * i64::try_from(tenths).unwrap_or(100);
    let tenths = if hard { tenths.min(HARD_AT_BEST) } else { tenths };
    Some(Grade::tenths(i16::try_from(tenths).unwrap_or(0)))
}

/// What a grade means, or, where there is none, the names of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Good, or a forwarder: what fails here is likely somebody's legitimate mail.
    Good,
    /// Neither: known, and nothing follows from it.
    Neutral,
    /// Bad: what fails here is likely spoofed.
    Suspicious,
    /// Nothing is known, not even names: the questions failed. Unknown is not suspicious.
    Unknown,
}

/// A band, and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// What it means.
    pub band: Band,
    /// Whether it rests on evidence; otherwise on names alone, and is shown hollow.
    pub graded: bool,
}

/// Above this many tenths a grade is good; below zero it is suspicious.
const GOOD_ABOVE: i16 = 2;

/// The band of a grade; without a grade that of the names, as far as they are known.
#[must_use]
pub fn standing(grade: Option<Grade>, names: Option<NameGrade>) -> Standing {
    let band = match (grade, names) {
        (Some(grade), _) if grade.0 > GOOD_ABOVE => Band::Good,
        (Some(grade), _) if grade.0 < 0 => Band::Suspicious,
        (Some(_), _) | (None, Some(NameGrade::MailHost | NameGrade::Named)) => Band::Neutral,
        (None, Some(NameGrade::Known)) => Band::Good,
        (None, Some(NameGrade::Generic | NameGrade::Unconfirmed)) => Band::Suspicious,
        (None, None) => Band::Unknown,
    };
    Standing { band, graded: grade.is_some() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why, values and whether they are hard, the grade.
    type Case<'a> = (&'a str, &'a [(f64, bool)], Option<f64>);

    fn evidence(value: f64, hard: bool) -> Evidence {
        let (source, detail) = (String::from("test"), String::new());
        Evidence { source, value: Value::of(value), hard, detail, day: Day(20_000), expires: 0 }
    }

    fn check(why: &str, values: &[(f64, bool)], expected: Option<f64>) {
        let list: Vec<Evidence> = values.iter().map(|(value, hard)| evidence(*value, *hard)).collect();
        let found = grade(&list).map(|grade| f64::from(grade.in_tenths()) / 10.0);
        assert_eq!(found, expected, "{why}");
        // The order of evidence says nothing.
        assert_eq!(grade(list.iter().rev()), grade(&list), "{why}, backwards");
    }

    #[test]
    fn values_are_combined() {
        let cases: &[Case<'_>] = &[
            ("no evidence is no grade, not zero", &[], None),
            ("evidence of nothing is zero", &[(0.0, false)], Some(0.0)),
            ("one value stands for itself", &[(-4.0, false)], Some(-4.0)),
            ("half a tenth goes away from zero, exactly", &[(3.0, false), (0.5, false)], Some(3.4)),
            ("also below zero", &[(-3.0, false), (-0.5, false)], Some(-3.4)),
            ("the same hint twice is less than twice the hint", &[(-5.0, false), (-5.0, false)], Some(-7.5)),
            ("ten weak hints stay below one certainty", &[(-2.0, false); 10], Some(-8.9)),
            ("good and bad are weighed", &[(5.0, false), (-4.0, false)], Some(1.0)),
            ("they may cancel out", &[(4.0, false), (-4.0, false)], Some(0.0)),
            ("hard evidence cannot be outweighed", &[(8.0, false), (5.0, false), (-6.0, true)], Some(-2.0)),
            ("hard evidence does not soften what is worse", &[(-9.0, true), (-7.0, true)], Some(-9.7)),
            ("all at once", &[(-10.0, true), (-9.0, true), (-10.0, false)], Some(-10.0)),
            ("ten on both sides", &[(10.0, false), (-10.0, false)], Some(0.0)),
        ];
        for (why, values, expected) in cases {
            check(why, values, *expected);
        }
    }

    #[test]
    fn very_many_hints_stay_within_the_scale() {
        check("a thousand", &[(-9.9, false); 1_000], Some(-10.0));
        check("a thousand of nothing", &[(0.0, false); 1_000], Some(0.0));
    }

    #[test]
    fn bands() {
        let graded = |tenths: i16| standing(Some(Grade::tenths(tenths)), Some(NameGrade::Unconfirmed)).band;
        assert_eq!([3, 2, 0, -1].map(graded), [Band::Good, Band::Neutral, Band::Neutral, Band::Suspicious]);
        let named = |names: NameGrade| standing(None, Some(names)).band;
        let all = [NameGrade::Known, NameGrade::MailHost, NameGrade::Named, NameGrade::Generic, NameGrade::Unconfirmed];
        let expected = [Band::Good, Band::Neutral, Band::Neutral, Band::Suspicious, Band::Suspicious];
        assert_eq!(all.map(named), expected);
        assert!(!standing(None, Some(NameGrade::Known)).graded, "names are no evidence");
        assert_eq!(standing(None, None).band, Band::Unknown, "a question that failed makes nobody suspicious");
    }

    #[test]
    fn written_and_read() {
        for hundredths in [-1_000, -250, -1, 0, 84, 333, 1_000] {
            let value = Value::hundredths(hundredths);
            let text = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value, "{text}");
        }
        for tenths in -100..=100 {
            let text = serde_json::to_string(&Grade::tenths(tenths)).unwrap();
            assert_eq!(serde_json::from_str::<Grade>(&text).unwrap(), Grade::tenths(tenths), "{text}");
        }
        let shown = [Value::of(3.0), Value::of(-2.5), Value::of(0.84), Value::of(0.0), Value::of(f64::NAN)];
        assert_eq!(shown.map(|value| value.to_string()), ["+3", "-2.5", "+0.84", "0", "0"]);
        assert_eq!([Value::of(99.0), Value::of(f64::NEG_INFINITY)], [Value::of(10.0), Value::of(-10.0)]);
        assert_eq!([34, 0, -100].map(|tenths| Grade::tenths(tenths).to_string()), ["+3.4", "0.0", "-10.0"]);
    }
}
