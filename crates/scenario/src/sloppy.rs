//! How some reporters write: the habits that show as flaws.
//!
//! The writer only writes what the schemas allow, so sloppiness is put into the finished XML.

use crate::reporters::Reporter;

/// The XML as this reporter writes it. Results and counts keep their meaning.
pub(crate) fn sloppy(reporter: &Reporter, xml: Vec<u8>) -> Vec<u8> {
    let habits = reporter.habits;
    if !(habits.sloppy || habits.short_policy || habits.no_selectors) {
        return xml;
    }
    let Ok(mut text) = String::from_utf8(xml) else { return Vec::new() };
    if habits.short_policy {
        for line in
            ["    <sp>none</sp>\n", "    <sp>quarantine</sp>\n", "    <adkim>r</adkim>\n", "    <aspf>r</aspf>\n"]
        {
            text = text.replace(line, "");
        }
        text = text.replace("  <version>1.0</version>\n", "");
    }
    if habits.sloppy {
        text = text
            .replace("<sp>none</sp>", "<sp></sp>")
            .replace("<result>pass</result>", "<result>Pass</result>")
            .replace("<result>fail</result>\n      </spf>", "<result>hardfail</result>\n      </spf>")
            .replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "");
    }
    text.into_bytes()
}
