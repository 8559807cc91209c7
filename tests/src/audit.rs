//! What a browser shows to be wrong with a page: for readers with little sight or no pointer, and in its own log.

use serde_json::Value;

use crate::browser::Browser;

/// More presses of Tab than this say nothing new about a long table.
const TABS_MAX: usize = 60;

/// Findings about names, headings, contrast, tab order and width; empty is good.
///
/// # Panics
/// When the page cannot be looked at.
pub fn audit(browser: &mut Browser) -> Vec<String> {
    let found = browser.eval(include_str!("audit.js"));
    let found = found.as_array().expect("a list of findings").iter();
    found.map(|sentence| sentence.as_str().unwrap_or_default().to_owned()).chain(tab_order(browser)).collect()
}

/// Presses Tab and watches where the focus goes: forward through the document, and always to be seen.
fn tab_order(browser: &mut Browser) -> Vec<String> {
    browser
        .eval("(document.activeElement?.blur(), getSelection().removeAllRanges(), scrollTo(0, 0), window.__at = null)");
    let mut found = Vec::new();
    let mut stops = 0;
    // A date takes several presses, which are no stops.
    for _ in 0..2 * TABS_MAX {
        if stops == TABS_MAX {
            break;
        }
        browser.press("Tab");
        let said = browser.eval(
            r#"(() => {
                const now = document.activeElement, before = window.__at;
                if (!now || now === document.body || now === document.documentElement) return "end";
                if (now === before) return "inside";
                if (before && !(before.compareDocumentPosition(now) & (Node.DOCUMENT_POSITION_FOLLOWING))) return "end";
                window.__at = now;
                const style = getComputedStyle(now);
                const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
                return ring ? "" : "focus cannot be seen: " + now.outerHTML.replace(/\s+/g, " ").slice(0, 160);
            })()"#,
        );
        match said.as_str() {
            Some("end") => break,
            // A date has a stop for each of its parts.
            Some("inside") => continue,
            Some("") => {}
            other => found.push(other.unwrap_or_default().to_owned()),
        }
        stops += 1;
    }
    // Of radio buttons that belong together Tab reaches the chosen one.
    let expected = browser.eval(
        r#"[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")]
            .filter((e) => e.tabIndex === 0 && !e.disabled && e.checkVisibility({checkVisibilityCSS: true}))
            .filter((e) => e.type !== "radio" || e.checked).length"#,
    );
    let expected = usize::try_from(expected.as_u64().unwrap_or_default()).unwrap_or(TABS_MAX).min(TABS_MAX);
    // Going backwards in the document ends the walk early, so a wrong order shows as too few stops.
    if stops < expected {
        let last = browser.eval("window.__at?.outerHTML.replace(/\\s+/g, ' ').slice(0, 160) ?? ''");
        found.push(format!("Tab reached {stops} of {expected} controls before it went back, the last one {last}"));
    }
    found
}

/// What the browser complained about, and whatever it asked of others than the server at `address`.
#[must_use]
pub fn complaints(events: &[Value], address: &str) -> Vec<String> {
    let mut found = Vec::new();
    for event in events {
        let params = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Log.entryAdded" if params["entry"]["level"] != "verbose" => {
                found.push(format!("log: {}", params["entry"]));
            }
            "Runtime.exceptionThrown" => found.push(format!("exception: {}", params["exceptionDetails"])),
            "Runtime.consoleAPICalled" => found.push(format!("console: {}", params["args"])),
            "Page.javascriptDialogOpening" => found.push(format!("a script ran: {}", params["message"])),
            "Network.loadingFailed" => found.push(format!("not loaded: {params}")),
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                // The browser draws its own date fields with `data:` pictures; such a picture of the page's would break its policy.
                if !url.starts_with(address) && url != "about:blank" && !url.starts_with("data:") {
                    found.push(format!("asked of somebody else: {url}"));
                }
            }
            "Network.responseReceived" if params["response"]["status"].as_u64() >= Some(400) => {
                found.push(format!("{} for {}", params["response"]["status"], params["response"]["url"]));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::browser::Look;

    /// A page without a fault, around `body`.
    fn page(body: &str) -> String {
        let words =
            "<p>one</p><p>two</p><p>three</p><p>four</p><p>five</p><p>six</p><p>seven</p><p>eight</p><p>nine</p>";
        format!(
            "data:text/html,<!doctype html><html lang=en><meta name=viewport content='width=device-width'><title>t</title>\
             <main><h1>Title</h1>{words}{body}</main>"
        )
    }

    #[test]
    fn each_fault_is_found_and_a_good_page_has_none() {
        let Some(mut browser) = Browser::start() else {
            crate::must_not_skip("no Chromium: cargo xtask test --install");
            return;
        };
        let good = "<a href='?a'>a</a> <label>b <input></label> <h2>c</h2><table aria-label=t><tr><th>d<td>e</table>";
        browser.open(&page(good));
        assert_eq!(audit(&mut browser), Vec::<String>::new());
        let cases = [
            ("<h1>another</h1>", "2 h1"),
            ("<h3>jump</h3>", "heading jumps"),
            ("<a href='?'></a>", "control without a name"),
            ("<button><svg aria-hidden=true></svg></button>", "control without a name"),
            ("<input>", "control without a name"),
            ("<img src='data:,'>", "picture without a name"),
            ("<svg width=9 height=9></svg>", "drawing without a name"),
            ("<a href='?' tabindex=2>a</a>", "tab order by number"),
            ("<p style='color:rgb(130,130,130)'>grey</p>", "contrast"),
            ("<table><tr><th>a</table>", "table without a name"),
            ("<label for=gone>a</label>", "for names nothing"),
            ("<p id=x>a</p><p id=x>b</p>", "id x twice"),
            ("<div style='width:5000px'>wide</div>", "scrolls sideways"),
            ("<a href='?' style='outline:none'>a</a>", "focus cannot be seen"),
            (
                "<div style='display:flex'><a href='?1'>a</a></div><a href='?2' id=e onfocus='document.links[0].focus()'>b</a><a href='?3'>c</a>",
                "Tab reached",
            ),
        ];
        for (body, expected) in cases {
            browser.open(&page(body));
            let found = audit(&mut browser);
            assert!(found.iter().any(|finding| finding.contains(expected)), "{body}: {found:?}");
        }
        browser.look(Look { width: 390, height: 844, dark: false });
        browser.open(&page("<div style='width:500px'>wide</div>"));
        let found = audit(&mut browser);
        assert!(found.iter().any(|finding| finding.contains("sideways")), "a phone would show it smaller: {found:?}");
    }

    #[test]
    fn complaints_are_heard() {
        let event = |method: &str, params: Value| json!({"method": method, "params": params});
        let cases = [
            event(
                "Log.entryAdded",
                json!({"entry": {"level": "error", "text": "violates the Content Security Policy"}}),
            ),
            event("Runtime.exceptionThrown", json!({"exceptionDetails": {}})),
            event("Runtime.consoleAPICalled", json!({"args": []})),
            event("Page.javascriptDialogOpening", json!({"message": "1"})),
            event("Network.requestWillBeSent", json!({"request": {"url": "http://elsewhere.example/"}})),
            event("Network.responseReceived", json!({"response": {"status": 500, "url": ""}})),
        ];
        for case in cases {
            assert_eq!(complaints(std::slice::from_ref(&case), "http://127.0.0.1:1/").len(), 1, "{case}");
        }
        let ours = event("Network.requestWillBeSent", json!({"request": {"url": "http://127.0.0.1:1/style.css"}}));
        assert_eq!(complaints(&[ours], "http://127.0.0.1:1/"), Vec::<String>::new());
    }
}
