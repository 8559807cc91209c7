//! What reporters make of the standard: changes to XML that was written correctly.
//!
//! In: the output of [`report::write`], which has one element a line. Out: the same report as a sloppy or terse reporter would have
//! written it. It never changes a count, an address, an author domain or an alignment.

/// How lines begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Indent {
    Two,
    Three,
    Tabs,
    /// Everything on one line.
    OneLine,
    /// Two spaces, and a tab at the end of every line.
    Trailing,
}

/// A reporter's deviations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habit {
    /// Elements it leaves out.
    pub(crate) drop: &'static [&'static str],
    /// Another `version`.
    pub(crate) version: Option<&'static str>,
    /// `Pass`, `Fail`, and `hardfail` for SPF.
    pub(crate) shouts: bool,
    /// Two empty `dkim` elements in every row.
    pub(crate) empty_dkim: bool,
    /// An empty `human_result` with every signature.
    pub(crate) empty_human_result: bool,
    pub(crate) indent: Indent,
}

impl Habit {
    /// None: as the standard has it.
    pub(crate) const NONE: Self = Self {
        drop: &[],
        version: None,
        shouts: false,
        empty_dkim: false,
        empty_human_result: false,
        indent: Indent::Two,
    };

    /// Whether it only concerns white space.
    pub(crate) fn is_clean(&self) -> bool {
        Self { indent: Indent::Two, ..*self } == Self::NONE
    }

    /// Rewrites a report.
    pub(crate) fn apply(&self, xml: &str, out: &mut String) {
        out.clear();
        if *self == Self::NONE {
            out.push_str(xml);
            return;
        }
        let mut in_spf = false;
        for line in xml.lines() {
            let element = line.trim_start();
            let depth = (line.len() - element.len()) / 2;
            let name = element.trim_start_matches(['<', '/']).split(['>', ' ']).next().unwrap_or_default();
            let opens = !element.starts_with("</");
            // In `auth_results` it is a block, in `policy_evaluated` a leaf.
            match element {
                "<spf>" => in_spf = true,
                "</spf>" => in_spf = false,
                _ => {}
            }
            if self.drop.contains(&name) {
                continue;
            }
            if self.empty_human_result && element == "</dkim>" {
                self.line(out, depth + 1, "<human_result/>");
            }
            if name == "version"
                && let Some(version) = self.version
            {
                self.line(out, depth, &format!("<version>{version}</version>"));
            } else if self.shouts && opens && matches!(name, "result" | "dkim" | "spf") {
                self.line(out, depth, &shouted(element, in_spf));
            } else {
                self.line(out, depth, element);
            }
            if self.empty_dkim && element == "<auth_results>" {
                for _ in 0..2 {
                    for (deeper, part) in [(1, "<dkim>"), (2, "<domain/>"), (2, "<result/>"), (1, "</dkim>")] {
                        self.line(out, depth + deeper, part);
                    }
                }
            }
        }
    }

    fn line(&self, out: &mut String, depth: usize, element: &str) {
        let indent = match self.indent {
            Indent::Two | Indent::Trailing => "  ",
            Indent::Three => "   ",
            Indent::Tabs => "\t",
            Indent::OneLine => "",
        };
        for _ in 0..depth {
            out.push_str(indent);
        }
        out.push_str(element);
        match self.indent {
            Indent::OneLine => {}
            Indent::Trailing => out.push_str("\t\n"),
            _ => out.push('\n'),
        }
    }
}

fn shouted(element: &str, spf: bool) -> String {
    let element = element.replace(">pass<", ">Pass<");
    if spf { element.replace(">fail<", ">hardfail<") } else { element.replace(">fail<", ">Fail<") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = "<feedback>\n  <version>1.0</version>\n  <record>\n    <row>\n      <policy_evaluated>\n        <dkim>pass</dkim>\n        <spf>fail</spf>\n      </policy_evaluated>\n    </row>\n    <auth_results>\n      <dkim>\n        <domain>a</domain>\n        <selector>s</selector>\n        <result>pass</result>\n      </dkim>\n      <spf>\n        <result>fail</result>\n      </spf>\n    </auth_results>\n  </record>\n</feedback>\n";

    fn applied(habit: Habit) -> String {
        let mut out = String::new();
        habit.apply(XML, &mut out);
        out
    }

    #[test]
    fn habits_change_what_they_say_and_nothing_else() {
        let none = Habit::NONE;
        assert_eq!(applied(none), XML);
        assert_eq!(
            applied(Habit { drop: &["selector", "version"], ..none }),
            XML.replace("        <selector>s</selector>\n", "").replace("  <version>1.0</version>\n", "")
        );
        assert_eq!(applied(Habit { version: Some("0.1"), ..none }), XML.replace("1.0", "0.1"));
        assert_eq!(applied(Habit { indent: Indent::Tabs, ..none }), XML.replace("  ", "\t"));
        assert_eq!(applied(Habit { indent: Indent::OneLine, ..none }), XML.replace("  ", "").replace('\n', ""));
        assert_eq!(applied(Habit { indent: Indent::Trailing, ..none }), XML.replace('\n', "\t\n"));
        let shouted = applied(Habit { shouts: true, ..none });
        assert!(shouted.contains("<dkim>Pass</dkim>") && shouted.contains("<spf>Fail</spf>"), "{shouted}");
        assert!(
            shouted.contains("<result>Pass</result>") && shouted.contains("<result>hardfail</result>"),
            "{shouted}"
        );
        let empty = applied(Habit { empty_dkim: true, empty_human_result: true, ..none });
        assert_eq!(empty.matches("<domain/>").count(), 2);
        assert_eq!(empty.matches("<human_result/>\n      </dkim>").count(), 1);
    }
}
