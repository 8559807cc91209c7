//! The numbers that rules go by: all of them in one place, each with its reason.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::AlertRule;

/// When something is worth an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Rules that are switched off.
    pub off: Vec<AlertRule>,
    /// Flows, by id, that matter whatever their size: they are judged on every day with a message.
    pub critical: Vec<String>,
    /// Messages a day below which no share of them is judged.
    pub messages: u64,
    /// Our own mail passes so many points less often than on the days before.
    pub own_drop_points: f64,
    /// So many standard deviations of a usual day are more than chance.
    pub sigmas: f64,
    /// A flow that passed, and of which less than this many per cent pass: red.
    pub flow_red: f64,
    /// The same: amber.
    pub flow_amber: f64,
    /// Failing messages a day of a new flow that looks legitimate.
    pub new_flow: u64,
    /// Messages a day in our name without any right that are delivered, under a policy of quarantine or reject.
    pub delivered_spoof: u64,
    /// Failing messages a day that a wave of unauthorised mail has at least.
    pub campaign: u64,
    /// Mail of which nobody knows whose it is, in per cent of what is not spoofed.
    pub unknown_share: f64,
    /// Messages a day from a subdomain that was never seen.
    pub new_subdomain: u64,
    /// Messages a day for which receivers find our SPF record broken or gone.
    pub spf_broken: u64,
    /// Direct mail of which the signature does not verify, in points above the usual.
    pub dkim_points: f64,
    /// Reporters that matter: so many with most messages.
    pub reporters: usize,
    /// Hours without any report, where reports come every day.
    pub no_reports_hours: u32,
    /// Hours between the end of a day and the reports about it.
    pub lag_hours: u32,
    /// Minutes for which a source of reports fails.
    pub source_minutes: u32,
    /// Months after which a DKIM key is old.
    pub key_months: u32,
    /// Messages that name a look-alike of ours which was not in our mail before.
    pub lookalike_mail: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            off: Vec::new(),
            critical: Vec::new(),
            // A handful of messages makes any share.
            messages: 50,
            own_drop_points: 20.0,
            sigmas: 5.0,
            flow_red: 95.0,
            flow_amber: 98.0,
            new_flow: 50,
            delivered_spoof: 500,
            campaign: 200,
            unknown_share: 0.5,
            new_subdomain: 20,
            spf_broken: 50,
            dkim_points: 10.0,
            reporters: 5,
            // Reports come once a day: a day and a half is one that did not come.
            no_reports_hours: 36,
            lag_hours: 72,
            source_minutes: 60,
            // Longer than anybody who rotates yearly needs; what M3AAWG asks for (every six months) is advice and no alarm.
            key_months: 24,
            // One message may be somebody's slip of the finger.
            lookalike_mail: 10,
        }
    }
}

impl Thresholds {
    /// Whether a rule is to be asked.
    #[must_use]
    pub fn on(&self, rule: AlertRule) -> bool {
        !self.off.contains(&rule)
    }
}
