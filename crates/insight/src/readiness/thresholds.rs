//! What is needed before a policy is tightened. Our defaults; `[readiness]` of the configuration has others.

use report::Day;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// `[readiness]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// For `p=quarantine`.
    #[serde(deserialize_with = "quarantine")]
    pub quarantine: Needed,
    /// For `p=reject`.
    #[serde(deserialize_with = "reject")]
    pub reject: Needed,
    /// Gates that block although this program does not measure them (`G8`, `G9`) until somebody waives them.
    pub require: Vec<String>,
    /// Times in which nothing is changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<Freeze>,
}

/// One time in which nothing is changed, both days included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// First day, as 2026-12-15.
    #[schemars(with = "String")]
    pub from: Day,
    /// Last day.
    #[schemars(with = "String")]
    pub to: Day,
}

/// What one step needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Needed {
    /// G0: days of reports without a gap; for reject: days at quarantine.
    pub days: u16,
    /// G1: unknown mail of all legitimate mail, in per cent.
    pub unknown_percent: f64,
    /// G2: of each larger legitimate flow passes, in per cent.
    pub flow_percent: f64,
    /// G3: of all legitimate mail passes, in per cent.
    pub legitimate_percent: f64,
    /// G4: of all legitimate mail carries an aligned signature, in per cent.
    pub signed_percent: f64,
    /// G5: legitimate messages a day that may be stopped.
    pub harm: f64,
    /// G5: or so much of all legitimate mail, in per cent; the larger counts.
    pub harm_percent: f64,
    /// G7: days without a new legitimate flow.
    pub quiet_days: u16,
}

fn quarantine<'de, D: Deserializer<'de>>(given: D) -> Result<Needed, D::Error> {
    over(Thresholds::default().quarantine, given)
}

fn reject<'de, D: Deserializer<'de>>(given: D) -> Result<Needed, D::Error> {
    over(Thresholds::default().reject, given)
}

/// What is given, over the defaults of that step.
fn over<'de, D: Deserializer<'de>>(defaults: Needed, given: D) -> Result<Needed, D::Error> {
    let given = serde_json::Map::deserialize(given)?;
    let mut all = serde_json::to_value(defaults).map_err(D::Error::custom)?;
    all.as_object_mut().into_iter().for_each(|all| all.extend(given.clone()));
    serde_json::from_value(all).map_err(D::Error::custom)
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            quarantine: Needed {
                days: 28,
                unknown_percent: 0.5,
                flow_percent: 98.0,
                legitimate_percent: 99.0,
                signed_percent: 90.0,
                harm: 10.0,
                harm_percent: 0.1,
                quiet_days: 14,
            },
            reject: Needed {
                days: 28,
                unknown_percent: 0.1,
                flow_percent: 99.0,
                legitimate_percent: 99.5,
                signed_percent: 98.0,
                harm: 2.0,
                harm_percent: 0.02,
                quiet_days: 28,
            },
            require: Vec::new(),
            freeze: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_is_as_by_default_for_that_step() {
        let found: Thresholds = serde_json::from_str(r#"{"reject": {"days": 60}}"#).unwrap();
        let usual = Thresholds::default();
        assert_eq!(found.reject, Needed { days: 60, ..usual.reject });
        assert_eq!(found.quarantine, usual.quarantine);
        let wrong = serde_json::from_str::<Thresholds>(r#"{"reject": {"day": 60}}"#).unwrap_err().to_string();
        assert!(wrong.contains("`day`"), "{wrong}");
    }
}
