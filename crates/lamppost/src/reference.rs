//! The configuration file that says everything: each key with what it means and its default, from the settings themselves.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::config::Config;

/// How wide comments are.
const WIDTH: usize = 100;

const HEAD: &str = "\
# Every key of lamppost.toml with its default. A key that is commented out has none, or need not be given.
# A table in double brackets may be there many times over; it is shown once.
";

/// The whole file. Read back, it is the defaults and no source.
pub(crate) fn text() -> String {
    let schema = schemars::schema_for!(Config).to_value();
    let mut text = HEAD.to_owned();
    table(&mut text, &schema, &schema, &Value::Null, "", false);
    text
}

/// Writes the keys of a table, then the tables in it. What stands in a list is commented out: a list is empty by default. `whole` is the
/// default of the table, where its keys have none of their own.
fn table(text: &mut String, root: &Value, schema: &Value, whole: &Value, path: &str, listed: bool) {
    let empty = serde_json::Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let mut tables = Vec::new();
    let named = properties.iter().filter(|(key, _)| *key == "name");
    for (key, property) in named.chain(properties.iter().filter(|(key, _)| *key != "name")) {
        let inner = resolve(root, property);
        if inner["properties"].is_object() {
            tables.push((key, property, inner, listed));
        } else if resolve(root, &property["items"])["properties"].is_object() {
            tables.push((key, property, resolve(root, &property["items"]), true));
        } else {
            text.push('\n');
            comment(text, property["description"].as_str().or(inner["description"].as_str()).unwrap_or_default());
            choices(text, inner);
            match value(&property["default"]).or_else(|| value(&whole[key])) {
                Some(value) => writeln!(text, "{}{key} = {value}", if listed { "#" } else { "" }),
                None => writeln!(text, "#{key} ="),
            }
            .ok();
        }
    }
    for (key, property, inner, many) in tables {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        text.push('\n');
        comment(text, property["description"].as_str().or(inner["description"].as_str()).unwrap_or_default());
        let is_list = property["items"].is_object();
        match (is_list, many) {
            (true, _) => writeln!(text, "#[[{path}]]"),
            (false, true) => writeln!(text, "#[{path}]"),
            (false, false) => writeln!(text, "[{path}]"),
        }
        .ok();
        table(text, root, inner, &property["default"], &path, many);
    }
}

/// Follows a reference, and the one schema in an optional one.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return resolve(root, &root["$defs"][name]);
    }
    let variants = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    match variants.iter().filter(|variant| variant["type"] != "null").collect::<Vec<_>>()[..] {
        [one] => resolve(root, one),
        _ => schema,
    }
}

/// The words or forms that a key takes, each with what it means.
fn choices(text: &mut String, schema: &Value) {
    for choice in schema["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let about = choice["description"].as_str().unwrap_or_default();
        let form = match (choice["const"].as_str(), choice["required"][0].as_str()) {
            (Some(word), _) => format!("\"{word}\""),
            (None, Some(key)) => format!("{{ {key} = \"…\" }}"),
            (None, None) => continue,
        };
        comment(text, &format!("- {form}: {about}"));
    }
}

/// A default as TOML writes it.
fn value(default: &Value) -> Option<String> {
    if default.is_null() {
        return None;
    }
    let pair = BTreeMap::from([("v", default)]);
    let written = toml::to_string(&pair).ok()?;
    written.strip_prefix("v = ").map(|value| value.trim_end().to_owned())
}

fn comment(text: &mut String, about: &str) {
    let mut line = String::new();
    for word in about.split_whitespace() {
        if line.len() + word.len() > WIDTH {
            writeln!(text, "# {line}").ok();
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        writeln!(text, "# {line}").ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_as_the_defaults() {
        assert_eq!(toml::from_str::<Config>(&text()).unwrap(), Config::default());
    }

    #[test]
    fn every_key_is_there_and_explained() {
        let text = text();
        let lines: Vec<&str> = text.lines().collect();
        let mut keys = 0;
        for pair in lines.windows(2) {
            let is_key = |line: &str| {
                let line = line.trim_start_matches('#');
                line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains(" =")
            };
            if is_key(pair[1]) {
                assert!(pair[0].starts_with("# "), "{} has no explanation", pair[1]);
                keys += 1;
            }
        }
        assert!(keys > 20, "{keys} keys");
        for key in ["#[[source.folder]]", "#[[source.smtp]]", "#path = \"\"", "#recipients = []", "#after = \"move\""] {
            assert!(lines.contains(&key), "{key}: {text}");
        }
    }
}
