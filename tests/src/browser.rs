//! Headless Chromium, driven over its own protocol through two pipes: no driver program, no port, no client library.
//!
//! `--remote-debugging-pipe` reads commands from descriptor 3 and writes answers to descriptor 4, as JSON with a NUL after each.
//! A shell hands our end of standard input and output over as these two.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::DEADLINE;

const START: &str = r#"exec "$@" 3<&0 4>&1 0</dev/null 1>&2"#;

const FLAGS: [&str; 11] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    // Tests run as root in containers, where Chromium's own sandbox cannot start; the pages are ours.
    "--no-sandbox",
];

/// A running browser with one page.
pub struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    next_id: u64,
    session: String,
    /// What the page did since the last [`Browser::take_events`]: console, log, network, exceptions.
    events: Vec<Value>,
    _profile: TempDir,
}

/// How a page is shown.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Viewport width in CSS pixels.
    pub width: u32,
    /// Viewport height in CSS pixels.
    pub height: u32,
    /// Prefers a dark scheme.
    pub dark: bool,
}

impl Browser {
    /// Starts Debian's Chromium with a profile of its own; `None` if it is not installed.
    ///
    /// # Panics
    /// When it is installed but does not work.
    #[must_use]
    pub fn start() -> Option<Self> {
        let program =
            ["/usr/bin/chromium", "/usr/bin/chromium-browser"].into_iter().find(|path| Path::new(path).exists())?;
        let profile = TempDir::new().expect("a temporary folder");
        let mut command = Command::new("sh");
        command.args(["-c", START, "sh", program]).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        command.env("HOME", profile.path()); // for what it writes beside its profile
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Chromium can be started");
        let input = child.stdin.take().expect("piped");
        let output = child.stdout.take().expect("piped");
        let (send, messages) = channel();
        thread::spawn(move || {
            for message in BufReader::new(output).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { continue };
                if send.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser =
            Self { child, input, messages, next_id: 0, session: String::new(), events: Vec::new(), _profile: profile };
        browser.open_page();
        Some(browser)
    }

    fn open_page(&mut self) {
        let target = self.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attached = self.call("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        attached["sessionId"].as_str().expect("a session").clone_into(&mut self.session);
        for domain in ["Page", "Runtime", "Log", "Network", "DOM"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
    }

    /// Calls a method of the protocol for the page and returns its result.
    ///
    /// # Panics
    /// When the browser reports an error or does not answer in time.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        let mut message = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).and_then(|()| self.input.flush()).expect("Chromium reads");
        let end = Instant::now() + DEADLINE;
        loop {
            let message = self.next_message(end).unwrap_or_else(|| panic!("no answer to {method}"));
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{method} {params}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn next_message(&mut self, end: Instant) -> Option<Value> {
        self.messages.recv_timeout(end.saturating_duration_since(Instant::now())).ok()
    }

    /// Waits for an event of the page, also one that has come already.
    ///
    /// # Panics
    /// When it does not come in time.
    fn wait_for(&mut self, method: &str) {
        let end = Instant::now() + DEADLINE;
        let mut seen = self.events.iter().any(|event| event["method"] == method);
        while !seen {
            let event = self.next_message(end).unwrap_or_else(|| panic!("{method} did not come"));
            seen = event["method"] == method;
            self.events.push(event);
        }
    }

    /// Opens an address and waits until it has loaded.
    ///
    /// # Panics
    /// When nothing can be loaded from there.
    pub fn open(&mut self, url: &str) {
        self.forget_loads();
        let result = self.call("Page.navigate", &json!({"url": url}));
        assert!(result.get("errorText").is_none(), "{url}: {}", result["errorText"]);
        self.wait_for("Page.loadEventFired");
    }

    fn forget_loads(&mut self) {
        self.events.retain(|event| event["method"] != "Page.loadEventFired");
    }

    /// Clicks, with a real pointer, in the middle of the first element that `selector` names, and waits for the page this leads to.
    ///
    /// # Panics
    /// When there is no such element, something else lies over it, or nothing loads.
    pub fn follow(&mut self, selector: &str) {
        let (x, y) = self.middle_of(selector);
        self.forget_loads();
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &params);
        }
        self.wait_for("Page.loadEventFired");
    }

    /// Where the element is on the screen, having scrolled to it; fails if a click there would hit something else.
    fn middle_of(&mut self, selector: &str) -> (f64, f64) {
        let place = self.eval(&format!(
            r#"(() => {{
                const e = document.querySelector({selector});
                if (!e) return "no such element on " + location.href;
                e.scrollIntoView({{block: "center", inline: "center", behavior: "instant"}});
                for (const r of e.getClientRects()) {{
                    const x = r.x + r.width / 2, y = r.y + r.height / 2;
                    const hit = document.elementFromPoint(x, y);
                    if (hit && (e.contains(hit) || hit.contains(e) && hit.closest("a") === e.closest("a"))) return [x, y];
                }}
                const r = e.getBoundingClientRect();
                const hit = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
                return "covered by " + (hit ? hit.outerHTML.slice(0, 200) : "nothing") + JSON.stringify(r);
            }})()"#,
            selector = Value::from(selector),
        ));
        let part = |at: usize| place[at].as_f64().unwrap_or_else(|| panic!("{selector}: {place}"));
        (part(0), part(1))
    }

    /// Evaluates an expression in the page and returns its JSON value. Works as well where the page's own scripts are switched off.
    ///
    /// # Panics
    /// When the expression throws.
    pub fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", &params);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// The visible text of the first element that `selector` names; empty if there is none.
    pub fn text(&mut self, selector: &str) -> String {
        let text = self.eval(&format!("document.querySelector({})?.innerText ?? ''", Value::from(selector)));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The main part of the page has all of these texts.
    ///
    /// # Panics
    /// When one is not there.
    pub fn says(&mut self, parts: &[&str]) {
        let (url, text) = (self.url(), self.text("main"));
        for part in parts {
            assert!(text.contains(part), "{url} does not say “{part}”:\n{text}");
        }
    }

    /// The address of the page.
    pub fn url(&mut self) -> String {
        self.eval("location.href").as_str().unwrap_or_default().to_owned()
    }

    /// Presses and releases a key: one character, or a name such as `Enter` or `Tab`.
    pub fn press(&mut self, key: &str) {
        let named = key.len() > 1;
        let code = match key {
            "Enter" => 13,
            "Tab" => 9,
            _ => 0,
        };
        let text = if key == "Enter" {
            "\r"
        } else if named {
            ""
        } else {
            key
        };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        let params = json!({"type": down, "key": key, "text": text, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", &params);
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}));
    }

    /// [`Browser::press`], and waits for the page this leads to.
    pub fn press_and_wait(&mut self, key: &str) {
        self.forget_loads();
        self.press(key);
        self.wait_for("Page.loadEventFired");
    }

    /// Types into what has the focus.
    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Switches the page's scripts on or off, from the next page on.
    pub fn scripts(&mut self, on: bool) {
        self.call("Emulation.setScriptExecutionDisabled", &json!({"value": !on}));
    }

    /// Sets the size of the screen and the colour scheme that the reader prefers.
    pub fn look(&mut self, look: Look) {
        let Look { width, height, dark } = look;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// The whole page as a PNG file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn screenshot(&mut self, file: &Path) {
        let shot = self.call("Page.captureScreenshot", &json!({"format": "png", "captureBeyondViewport": true}));
        let bytes = decode_base64(shot["data"].as_str().expect("a picture"));
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(file, bytes).expect("the picture can be written");
    }

    /// Everything the page did since the last call, oldest first.
    pub fn take_events(&mut self) -> Vec<Value> {
        // What is on its way when an evaluation returns has happened before it.
        self.eval("0");
        std::mem::take(&mut self.events)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to close, Chromium ends its helpers and closes the pipe; killed, it could leave them behind.
        let _ = self.input.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let end = Instant::now() + Duration::from_secs(10);
        while self.next_message(end).is_some() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// RFC 4648 §4, as the browser writes it.
fn decode_base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => Some(u32::from(c - b'A')),
        b'a'..=b'z' => Some(u32::from(c - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(c - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u32> = text.bytes().filter_map(value).collect();
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for four in digits.chunks(4) {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        let [_, a, b, c] = bits.to_be_bytes();
        bytes.extend_from_slice(&[a, b, c][..four.len() - 1]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read() {
        for (text, expected) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmE=", "fooba")] {
            assert_eq!(decode_base64(text), expected.as_bytes(), "RFC 4648 §10");
        }
    }

    #[test]
    fn the_browser_obeys() {
        let Some(mut browser) = Browser::start() else {
            crate::must_not_skip("no Chromium: cargo xtask test --install");
            return;
        };
        let viewport = "<meta name=viewport content='width=device-width'>";
        let page = |body: &str| format!("data:text/html,<title>t</title>{viewport}{body}");
        let script = "<script>document.title='ran';console.error('seen')</script>";
        browser.open(&page(&format!("{script}<a href='about:blank'>leave</a>")));
        assert_eq!(browser.eval("document.title"), "ran");
        let events = browser.take_events();
        assert!(events.iter().any(|event| event["method"] == "Runtime.consoleAPICalled"), "{events:#?}");
        browser.follow("a");
        assert_eq!(browser.url(), "about:blank");
        browser.scripts(false);
        browser.open(&page(script));
        assert_eq!(browser.eval("document.title"), "t", "the page's script is off, ours is not");
        browser.look(Look { width: 390, height: 800, dark: true });
        assert_eq!(
            browser.eval("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]"),
            json!([390, true])
        );
    }
}
