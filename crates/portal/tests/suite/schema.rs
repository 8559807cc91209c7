//! As much of JSON Schema (2020-12) as the API's document uses, checked more strictly: a property that the schema does not name
//! is a fault.

use serde_json::Value;

/// Where and how `value` differs from `schema`; empty if it does not.
pub(crate) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(document, schema, value, "$", &mut faults);
    faults
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let Some(keys) = schema.as_object() else {
        if schema == &Value::Bool(false) {
            faults.push(format!("{at}: nothing is allowed here"));
        }
        return;
    };
    for (key, rule) in keys {
        match key.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                let target =
                    document.pointer(pointer).unwrap_or_else(|| panic!("{at}: {pointer} is not in the document"));
                check(document, target, value, at, faults);
            }
            "type" => {
                let fits = |name: &Value| is(name.as_str().unwrap_or(""), value);
                if !rule.as_array().map_or_else(|| fits(rule), |names| names.iter().any(fits)) {
                    faults.push(format!("{at}: {value} is no {rule}"));
                }
            }
            "enum" if !rule.as_array().unwrap().contains(value) => {
                faults.push(format!("{at}: {value} is not one of {rule}"));
            }
            "const" if rule != value => faults.push(format!("{at}: {value} is not {rule}")),
            "minimum" if value.is_number() && value.as_f64() < rule.as_f64() => {
                faults.push(format!("{at}: {value} is below {rule}"));
            }
            "anyOf" | "oneOf" => {
                let tries: Vec<_> =
                    rule.as_array().unwrap().iter().map(|one| self::faults(document, one, value)).collect();
                if !tries.iter().any(Vec::is_empty) {
                    faults.push(format!("{at}: none of the alternatives: {tries:?}"));
                }
            }
            "allOf" => rule.as_array().unwrap().iter().for_each(|one| check(document, one, value, at, faults)),
            "prefixItems" => {
                for (index, (one, item)) in
                    rule.as_array().unwrap().iter().zip(value.as_array().into_iter().flatten()).enumerate()
                {
                    check(document, one, item, &format!("{at}[{index}]"), faults);
                }
            }
            "items" if !keys.contains_key("prefixItems") => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, rule, item, &format!("{at}[{index}]"), faults);
                }
            }
            "required" => {
                for name in rule.as_array().unwrap().iter().filter_map(Value::as_str) {
                    if value.get(name).is_none() {
                        faults.push(format!("{at}: {name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, item) in value.as_object().into_iter().flatten() {
                    match rule.get(name) {
                        Some(one) => check(document, one, item, &format!("{at}.{name}"), faults),
                        None => faults.push(format!("{at}: {name} is not in the document")),
                    }
                }
            }
            _ => {}
        }
    }
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[test]
fn the_check_itself_finds_faults() {
    let document = serde_json::json!({"components": {"schemas": {"N": {"type": "integer", "minimum": 0}}}});
    let n = serde_json::json!({"$ref": "#/components/schemas/N"});
    let object = serde_json::json!({"type": "object", "properties": {"n": n}, "required": ["n"]});
    let cases = [
        (serde_json::json!({"n": 1}), 0),
        (serde_json::json!({"n": -1}), 1),
        (serde_json::json!({"n": "1"}), 1),
        (serde_json::json!({}), 1),
        (serde_json::json!({"n": 1, "m": 1}), 1),
        (serde_json::json!([]), 2),
    ];
    for (value, expected) in cases {
        let found = faults(&document, &object, &value);
        assert_eq!(found.len(), expected, "{value}: {found:?}");
    }
}
