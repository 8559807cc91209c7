//! One cell of a CSV table, safe to open in a spreadsheet.

use std::borrow::Cow;

/// A text as a cell: quoted where RFC 4180 §2 wants it, and with an apostrophe in front where a spreadsheet would take it for a formula.
///
/// Texts in reports are strangers' texts, and a spreadsheet runs a cell that begins like a formula. Full-width signs count as
/// well, since some fold them to their plain form. A lone `-` is the mark for "unknown" and stays.
#[must_use]
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    let starts = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    let formula = text != "-" && text.trim_start_matches([' ', '\u{a0}', '\u{feff}']).starts_with(starts);
    if formula || text.contains(['"', ',', '\r', '\n', ';', '\t']) {
        let guard = if formula { "'" } else { "" };
        Cow::Owned(format!("\"{guard}{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_guarded() {
        let cases = [
            ("plain", "plain", "nothing to do"),
            ("-", "-", "the mark for unknown"),
            ("a,b", "\"a,b\"", "a comma ends a cell"),
            ("say \"hi\"", "\"say \"\"hi\"\"\"", "quotes are doubled"),
            ("two\nlines", "\"two\nlines\"", "a line break ends a line"),
            ("=1+1", "\"'=1+1\"", "a formula"),
            (" \u{a0}@SUM(A1)", "\"' \u{a0}@SUM(A1)\"", "a formula behind blanks"),
            ("-2+3", "\"'-2+3\"", "a formula that begins with a sign"),
            ("＝1", "\"'＝1\"", "a full-width sign"),
            ("\t=1", "\"'\t=1\"", "a tab first"),
        ];
        for (text, expected, why) in cases {
            assert_eq!(csv_cell(text), expected, "{why}");
        }
    }
}
