//! Fraud: the rules about mail that nothing stands behind, or only somebody who has no part in us.
//!
//! In: a [`Case`] in which nothing shows a sender of ours, a service, or a forwarder. Out: a spoofer, or nothing. A strong sign is enough by
//! itself. Weak ones are weighed together, and every sign is evidence; what speaks for a sender is weighed as well. Nothing here looks at
//! mail of which a part passes.

use enrich::ServiceKind::{Marketing, Saas, Transactional};

use super::knowledge::share;
use super::rhythm::Beat;
use super::rules::{Case, Finding, Who};

/// Weight from which signs are enough: two strong ones, or several of which none explains the others.
const ENOUGH: i32 = 4;

/// Days on which receivers hold mail back, after which somebody would have missed it: two weeks of them.
const MISSED: usize = 14;

impl Case<'_> {
    /// Mail that nothing stands behind.
    pub(super) fn spoofed(&self) -> Option<Finding> {
        let (f, around) = (self.f, self.around);
        if f.passing() * 50 > f.messages || self.share(f.passes_nearby) >= 0.5 {
            return None;
        }
        if self.share(f.hard) >= 0.5 {
            let why = "nothing passes, and its addresses are on a list on which nothing legitimate is";
            return self.found(Who::Spoofer, 95, "C7-listed", why);
        }
        // Somebody works with it; and a crowd that keeps office hours is people at home. What a crowd does says more than the few messages
        // of one network in it.
        let of_crowd = self.in_a_crowd() && f.messages < 100;
        let by_chance = of_crowd && (f.messages < 30 || self.of_profiled(f.suspicious) >= 0.7);
        let office = match around.crowd_beat {
            Beat::Office if of_crowd => true,
            Beat::Flat if by_chance => false,
            _ if by_chance && self.of_profiled(f.suspicious) >= 0.7 => false,
            _ => self.office() || (around.crowd > 0 && around.crowd_beat == Beat::Office),
        };
        if office {
            return None;
        }
        let (weight, signs) = self.weigh();
        if weight < ENOUGH {
            return None;
        }
        for (fact, text) in signs {
            self.note(fact, f.messages, text);
        }
        let (rule, sure, why) = if self.in_a_crowd() {
            let why = "very many unrelated networks send a few each in our name, and nothing of it ever passes";
            ("C7-crowd", 90, why)
        } else if self.of_profiled(f.suspicious) >= 0.7 {
            let why = "nothing passes, and its addresses are of bad standing or have no name that leads back to them";
            ("C7-standing", 90, why)
        } else if self.share(f.of_silent_names) >= 0.9 {
            ("C7-silent-name", 85, "it uses a name from which nothing ever passes")
        } else if around.organizations >= 3 {
            ("C7-many-names", 85, "it writes in the name of several of our domains, and nothing of it ever passes")
        } else if self.borrows() > 0 {
            ("C7-borrowed", 80, "it claims now this name and now that in the envelope, and none of them knows it")
        } else {
            ("C7-loud", 75, "much mail from one place that is none of ours, and nothing of it ever passes")
        };
        self.found(Who::Spoofer, sure, rule, why)
    }

    /// A share of what is known of its addresses, where enough is: what was seen long ago may never have been looked at.
    pub(super) fn of_profiled(&self, messages: u64) -> f64 {
        if self.share(self.f.profiled) >= 0.2 { share(messages, self.f.profiled) } else { self.share(messages) }
    }

    /// Many networks at once that send as thinly as machines of strangers do.
    fn in_a_crowd(&self) -> bool {
        let around = self.around;
        // Where our own mail is among it, thin is a few; where no name of ours sends at all, whatever a household sends.
        let few = if around.silent { 20 } else { 8 };
        let thin = around.crowd_sightings > 0 && around.crowd_messages <= few * around.crowd_sightings;
        let silent = self.share(self.f.of_silent_names) >= 0.9;
        // Machines of botnets come and go; what comes back to one place for weeks may be anybody's, unless there are very many.
        let many = if around.lasting && !silent { 3 * self.at.crowd } else { self.at.crowd };
        thin && (around.crowd >= many || (silent && around.crowd_all >= many))
    }

    /// Whether it is bounces. Not every reporter says that SPF was about the greeting: where one name stands in all, what some say goes for all.
    fn bounces(&self) -> bool {
        let f = self.f;
        let one = f.borrowed.len() == 1 && self.share(f.honest) >= 0.9;
        self.share(f.bounces) >= if one { 0.2 } else { 0.8 }
    }

    /// How much it says that envelopes bear names that they do not pass for: unrelated ones, or ours and somebody else's in turn.
    fn borrows(&self) -> i32 {
        let f = self.f;
        if f.borrowed.len() >= 3 {
            3
        } else if self.share(f.honest) >= 0.1 && self.share(f.lying) >= 0.1 {
            2
        } else {
            0
        }
    }

    /// Where nobody said which networks are ours, and nothing is known of the address, what stands beside our own servers may be ours too.
    fn near_ours(&self) -> bool {
        let (f, around) = (self.f, self.around);
        !around.declared && f.profiled * 2 < f.messages && around.near_ours * 2 >= f.messages
    }

    /// What speaks against it, less what speaks for it.
    fn weigh(&self) -> (i32, Vec<(&'static str, String)>) {
        let (f, around) = (self.f, self.around);
        let mut weight = 0;
        let mut signs = Vec::new();
        let mut sign = |holds: bool, by: i32, fact: &'static str, text: &str| {
            if holds && by != 0 {
                weight += by;
                if !text.is_empty() {
                    signs.push((fact, text.to_owned()));
                }
            }
        };
        let crowd = format!(
            "{} networks around it, {} in all, send the same at once, {:.1} messages an address and day",
            around.crowd,
            around.crowd_all,
            share(around.crowd_messages, around.crowd_sightings)
        );
        sign(self.in_a_crowd(), if around.crowd >= 3 * self.at.crowd { 4 } else { 3 }, "crowd", &crowd);
        let bad = self.of_profiled(f.suspicious) >= 0.7 && self.share(f.mail_host) < 0.3;
        sign(bad, 3, "standing", "its addresses are of bad standing, or have no name that leads back to them");
        let forged = self.share(f.forged) >= 0.5;
        sign(
            forged,
            1,
            "forged",
            "its addresses bear names of a known service, or of ours, that do not lead back to them",
        );
        let borrowed = format!("{} names in its envelopes do not know it", f.borrowed.len());
        sign(true, self.borrows(), "borrowed", if self.borrows() > 0 { &borrowed } else { "" });
        sign(self.flat(), self.flat_weight(), "flat", "it keeps no office hours");
        sign(self.share(f.of_silent_names) >= 0.9, 2, "silent_name", "it uses a name from which nothing ever passes");
        sign(around.organizations >= 3, 2, "many_names", "it writes in the name of several of our domains");
        let per_day = f.messages / u64::from(f.active_days.max(1));
        let loud = per_day >= self.at.loud && f.weeks >= self.at.steady_weeks;
        let by = if per_day >= 5 * self.at.loud { 2 } else { 1 };
        sign(loud, by, "loud", "it sends much, week after week");
        let lies = self.share(f.lying) >= 0.5;
        sign(
            lies && around.signs_all,
            1,
            "unsigned",
            "all mail of ours is signed, and this claims to be ours and is not",
        );
        sign(
            lies && around.declared,
            1,
            "elsewhere",
            "it claims to be ours, from outside of the networks that were declared",
        );
        let stranger = self.share(f.honest) >= 0.8;
        sign(stranger, 2, "nobody", "not even the name in its envelope knows it");
        let bare = self.share(f.foreign) >= 0.5 && self.share(f.other) < 0.1;
        sign(bare, 1, "bare", "SPF passes for a name that has nothing to do with us, and nobody signs");
        let looked_at = self.share(f.profiled) >= 0.5 && self.share(f.mail_host + f.graded_good) < 0.1;
        sign(!bad && looked_at, 1, "plain", "no name of its addresses is a mail server's");
        let bounces = self.bounces();
        let fake = bounces && (loud || (f.messages >= 100 && f.weeks >= self.at.steady_weeks));
        sign(fake, 1, "bounces", "it has the look of bounces, which nobody sends in the name of somebody else");
        let held = format!("receivers held most of it back on {} days, and nobody missed it", around.held_days);
        sign(around.held_days >= MISSED, 1, "held_back", &held);
        // What speaks for it.
        sign(self.share(f.mail_host) >= 0.5, -2, "", "");
        sign(self.share(f.graded_good) >= 0.3, -3, "", "");
        sign(self.share(f.of_service(&[Marketing, Transactional, Saas])) >= 0.3, -3, "", "");
        // A line from which somebody writes now and then, for weeks: people at home, a small server. They have one, and send no bounces.
        let one = !bounces && !f.side_by_side();
        let few = one && f.messages <= 3 * f.sightings && self.share(f.of_silent_names) < 0.9;
        sign(around.lasting && few && !self.in_a_crowd() && !self.flat(), -2, "", "");
        sign(self.near_ours(), -2, "", "");
        sign(f.active_days <= 2 && !self.in_a_crowd(), -2, "", "");
        (weight, signs)
    }

    /// Keeping no office hours says most where all of ours does, and nothing where ours does not either.
    fn flat_weight(&self) -> i32 {
        match self.around.ours {
            Beat::Office => 2,
            Beat::Unclear => 1,
            Beat::Flat => 0,
        }
    }

    /// Very many addresses side by side that each send a few: mail is spread so thin so that none of them is noticed.
    pub(super) fn snowshoe(&self) -> Option<Finding> {
        let f = self.f;
        let thin = f.sightings > 0 && f.messages <= 20 * f.sightings;
        let dense = f.networks > 0 && f.sources >= 32 * f.networks;
        if dense && thin && !self.office() && self.around.service.is_none() && f.good * 2 < f.messages {
            self.note(
                "snowshoe",
                f.messages,
                format!("{} addresses in {} networks send a few each", crate::commas(f.sources), f.networks),
            );
            let why = "a whole network sends a few messages from each address, and somebody we never had to do with stands behind it";
            return self.found(Who::Spoofer, 85, "C7-snowshoe", why);
        }
        None
    }

    /// Mailboxes of strangers that send in our name at all hours.
    pub(super) fn strangers(&self) -> Option<Finding> {
        let alike = self.around.strangers?;
        // Where our own mail keeps no hours either, who passes it on does not: but most of that would bear our signature, and nothing does.
        let unlike_ours = self.around.ours == Beat::Office || self.around.signs_most;
        let flat = alike.beat == Beat::Flat && unlike_ours && !self.near_ours();
        // Of a few messages each, guests may be among them: then it must not look like an office by itself either.
        let alone = alike.busy || self.around.rhythm.is_some_and(|rhythm| rhythm.ratio >= 0.6);
        if flat && alone && alike.organizations >= if alike.busy { 5 } else { self.at.crowd } {
            let text = format!("{} unrelated organizations do the same", alike.organizations);
            self.note("strangers", self.f.messages, text);
            let why = "one of several strangers' mail servers that send in our name on weekends as on weekdays: mailboxes that somebody broke into";
            return self.found(Who::Spoofer, 75, "C7-strangers", why);
        }
        let office = alike.beat == Beat::Office && alike.organizations >= 5;
        if office && self.share(self.f.suspicious) < 0.5 {
            let text = format!("{} unrelated organizations do the same, in office hours", alike.organizations);
            self.note("strangers", self.f.messages, text);
            let why = "one of many organizations' mail servers with a few messages each, in office hours: invitations and answers that people pass on";
            return self.found(Who::Forwarder { broken: true }, 60, "C5-guests", why);
        }
        None
    }

    /// A signature of ours that hardly ever fits, and nobody stands behind it.
    pub(super) fn copied(&self) -> Option<Finding> {
        let (f, around) = (self.f, self.around);
        let altered = around.alters.max(f.broken);
        if around.carries * 10 >= altered
            || self.share(f.foreign + f.other) >= 0.1
            || f.says_forwarded * 5 >= f.messages
        {
            return None;
        }
        if self.of_profiled(f.suspicious.max(f.hard)) >= 0.7 {
            let why = "it carries a signature of ours that does not fit, from addresses of bad standing: copied";
            return self.found(Who::Spoofer, 80, "C7-copied", why);
        }
        if self.flat() && around.ours == Beat::Office && self.share(f.mail_host + f.graded_good) < 0.3 {
            let why = "it carries a signature of ours that does not fit, keeps no office hours, and nobody stands behind it: copied";
            return self.found(Who::Spoofer, 70, "C7-copied", why);
        }
        None
    }
}
