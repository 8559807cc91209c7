//! The days on which something happens, counted from the first day. With the default first day, 2025-10-22, they fall on the dates given.

/// The key that most mail is still signed with was made: 15 March 2021.
pub(crate) const KEY_OF_2021: i32 = -1_682;
/// The key of the second site was made: 3 May 2023.
pub(crate) const KEY_OF_2023: i32 = -903;
/// The SPF record is trimmed from 14 look-ups to 9: 6 November.
pub(crate) const SPF_TRIMMED: i32 = 15;
/// The HELO names of the outbound hosts get SPF records: 24 November.
pub(crate) const HELO_PUBLISHED: i32 = 33;
/// `sp` and `np` appear: 1 December.
pub(crate) const NP_PUBLISHED: i32 = 40;
/// A newly bought company publishes a DMARC record, and its first reports come: 11 December.
pub(crate) const AVERIN_BOUGHT: i32 = 50;
/// A subdomain is delegated for customer mail, and eight services are set up: 15 December.
pub(crate) const DELEGATED: i32 = 54;
/// The bulk campaign nobody had announced: 23 December.
pub(crate) const CAMPAIGN: i32 = 62;
/// A new DKIM key takes over the first hosts: 6 January.
pub(crate) const KEY_ROTATED: i32 = 76;
/// A service sends from a new address that nobody set up: 11 January.
pub(crate) const NEW_ADDRESS: i32 = 81;
/// `p=quarantine; t=y; pct=0`: 13 January.
pub(crate) const QUARANTINE_TESTED: i32 = 83;
/// A new printer fails: 18 January.
pub(crate) const NEW_PRINTER: i32 = 88;
