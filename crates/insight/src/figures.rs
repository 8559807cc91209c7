//! How numbers are written for people: one way for pages, commands and texts.

/// Thousands apart by commas: `1,234,567`.
#[must_use]
pub fn commas(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Messages a day: whole from ten on, one decimal below, so that small flows do not vanish.
#[must_use]
pub fn rate(a_day: f64) -> String {
    if a_day <= 0.0 {
        "0".to_owned()
    } else if a_day < 0.05 {
        "<0.1".to_owned()
    } else if a_day < 9.95 {
        format!("{a_day:.1}")
    } else {
        commas(rounded(a_day))
    }
}

/// The nearest whole number; 0 for what is below it.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts from float saturate, which is what is wanted"
)]
pub fn rounded(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(commas), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn small_rates_do_not_vanish() {
        let cases = [(0.0, "0"), (0.011, "<0.1"), (0.05, "0.1"), (6.0, "6.0"), (9.96, "10"), (6_332.4, "6,332")];
        for (a_day, expected) in cases {
            assert_eq!(rate(a_day), expected, "{a_day}");
        }
    }
}
