//! What adversaries, properties, times and costs are called in a sentence.
//!
//! **Invariant:** nothing here knows a verdict.

use crate::model::Property;
use crate::scenario::property_by_name;
use crate::story::{capital, list};

/// What the adversary of a bundled scenario is, as a noun phrase.
const ADVERSARIES: &[(&str, &str)] = &[
    ("added-member", "an uninvited account that is put into the room"),
    ("asked-added-member", "an uninvited account, met by what users asked for"),
    ("asked-password-thief", "a password thief, met by what users asked for"),
    ("dehydrated-device", "a password thief whose device poses as dehydrated"),
    ("fresh-login-swap", "the recipient's server as the sender's second device signs in"),
    ("id-for-a-key", "a server that passes a key off as the id of a device"),
    ("invite-history", "the server of somebody who is invited"),
    ("invited-newcomer", "a proxy before somebody who is invited"),
    ("invited-newcomer-history", "a proxy before somebody who is handed the history"),
    ("large-everyone-sends", "the recipient's server where everybody sends"),
    ("large-four-people", "proxies before two people and a thief of a third one's tablet, in a room of four"),
    ("large-three-people", "a password thief in a room of three"),
    ("large-two-sender-devices", "the sender's server that lies to two sending devices"),
    ("large-verified-contact", "the server of a recipient whom one of two sending devices verified"),
    ("number-hijack", "a thief of the phone number"),
    ("own-identity-swapped", "the sender's server that forges the sender's own identity"),
    ("own-identity-swapped-later", "a proxy that swaps the sender's own identity after verifications"),
    ("password-and-number", "a thief of the password and the phone number"),
    ("password-thief", "a password thief"),
    ("password-thief-at-sender", "a thief of the sender's password"),
    ("password-thief-removed", "a password thief whom the owner throws out"),
    ("password-thief-verified", "a thief of a verified contact's password"),
    ("phished-link", "a phisher whose device the owner approves"),
    ("planted-backup", "a server that plants a key backup"),
    ("replaced-identity", "a password thief who replaces the identity"),
    ("replaced-identity-of-verified", "a verified contact's server that replaces his identity"),
    ("reused-device-id", "a password thief who takes over an old device's id"),
    ("reused-device-id-at-server", "the recipient's server that gives a device's id away"),
    ("reused-device-id-asked-again", "the recipient's server that asks for old keys under a device's id"),
    ("second-sending-device", "the recipient's server, lying to the sender's second device"),
    ("server-of-recipient", "the recipient's server"),
    ("server-of-recipient-reset", "the recipient's server while people reset their identities"),
    ("server-of-sender", "the sender's server"),
    ("split-view", "a server that shows two logs"),
    ("split-view-forgotten", "a server that shows two logs to people who sign out in between"),
    ("split-view-put-right", "a server that shows two logs and puts one right again"),
    ("stolen-device", "a thief of an unlocked device"),
    ("stolen-device-and-password", "a thief of an unlocked device and the password"),
    ("stolen-device-reset", "a thief of an unlocked device whose owner begins anew"),
    ("stolen-recovery-key", "a thief of recovery key and password"),
    ("tls-breaker-at-sender", "a proxy on the sender's link"),
    ("tls-breaker-one-client", "a proxy on the link of one of the recipient's clients"),
    ("tls-breaker-reverse-proxy", "a reverse proxy before all of the recipient's clients"),
    ("verified-contact", "the server of a verified recipient"),
];
/// What the names of scenarios end in that differ from others in who the people are, who are careful there.
const CARELESS: [(&str, &str); 2] = [("-hurried", "hurried people"), ("-inattentive", "an inattentive sender")];

/// What it is if a property falls, as a clause.
const CLAUSES: [(Property, &str); 13] = [
    (Property::NoInvisibleListener, "a rogue device reads, unseen and without a warning, and nobody misses a message"),
    (Property::NoHiddenKey, "a rogue device reads that its claimed owner is never shown"),
    (Property::NoUnnoticedLeak, "a rogue device reads, all have looked, and nobody is warned"),
    (Property::NoSilentLeak, "a rogue device reads before anybody is warned"),
    (Property::NoRogueKey, "a rogue device reads"),
    (Property::PastStaysPrivate, "past messages are read"),
    (Property::RemovalEndsAccess, "a removed device reads on"),
    (Property::NeverShownAsVerified, "a rogue device is displayed as verified"),
    (Property::NoUninvitedReader, "an uninvited member reads"),
    (Property::NoUnseenReader, "a member whom no client displays reads"),
    (Property::NoBlockedRoom, "nobody can write to the room any more"),
    (Property::NoLockOut, "an honest device is locked out"),
    (Property::EverybodyReads, "no message reaches everybody"),
];

/// The careful twin of a scenario with hurried or inattentive people, and who these are.
pub fn careful_twin(scenario: &str) -> Option<(&str, &'static str)> {
    CARELESS.iter().find_map(|(ends, who)| Some((scenario.strip_suffix(ends)?, *who)))
}

/// The noun phrase for a scenario's adversary; none if nobody wrote one.
pub fn phrase(scenario: &str) -> Option<&'static str> {
    let named = careful_twin(scenario).map_or(scenario, |(careful, _)| careful);
    ADVERSARIES.iter().find(|(of, _)| *of == named).map(|(_, phrase)| *phrase)
}

/// A scenario's adversary as a noun phrase, with a link to the file where it is a bundled one.
pub fn adversary(scenario: &str) -> String {
    linked(scenario, |phrase| phrase.to_string())
}

/// The same where a sentence begins.
pub fn adversary_first(scenario: &str) -> String {
    linked(scenario, capital)
}

fn linked(scenario: &str, first: impl Fn(&str) -> String) -> String {
    let people = careful_twin(scenario).map_or(String::new(), |(_, who)| format!(", with {who}"));
    match phrase(scenario) {
        Some(phrase) => format!("[{}{people}](../scenarios/{scenario}.json)", first(phrase)),
        None => format!("{} of `{scenario}`", first("the adversary")),
    }
}

/// What it is if the property of this name falls, as a clause.
pub fn clause(property: &str) -> &'static str {
    let known = property_by_name(property).and_then(|p| CLAUSES.iter().find(|(of, _)| *of == p));
    known.expect("every property has a clause").1
}

/// Since when the adversary is there.
pub fn when(arrives: &str) -> &'static str {
    match arrives {
        "from-start" => "from the start",
        "after-first-contact" => "once the first contact was made",
        _ => "once the contact was verified",
    }
}

/// Names as in a sentence, set apart so that commas within them do no harm.
pub fn names(all: &[String]) -> String {
    match all {
        [init @ .., last] if all.len() > 2 && all.iter().any(|name| name.contains(',')) => {
            format!("{}; and {last}", init.join("; "))
        }
        _ => list(all),
    }
}

/// A number and what it counts.
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A number: as a word among as few as people count without figures, as figures among more.
pub fn number(n: usize, among: usize) -> String {
    const WORDS: [&str; 8] = ["none", "one", "two", "three", "four", "five", "six", "seven"];
    if among < WORDS.len() { WORDS[n].to_string() } else { n.to_string() }
}

/// `n` of `total` policies, and what they do: one of them alone, or several.
pub fn share(n: usize, total: usize, one: &str, many: &str) -> String {
    let [some, all] = [n, total].map(|n| number(n, total));
    match (n, total) {
        (0, 1) => format!("no policy {one}"),
        (1, 1) => format!("the only policy {one}"),
        (2, 2) => format!("both policies {many}"),
        (0, _) => format!("none of {all} policies {one}"),
        (1, _) => format!("{some} of {all} policies {one}"),
        (n, total) if n == total => format!("all {all} policies {many}"),
        _ => format!("{some} of {all} policies {many}"),
    }
}

/// How many of `total` policies give nothing away.
pub fn giving_nothing(n: usize, total: usize) -> String {
    match (n, total) {
        (0, 1) => "the only policy gives something away".to_string(),
        (0, _) => format!("each of {} policies gives something away", number(total, total)),
        _ => format!("{} nothing away", share(n, total, "gives", "give")),
    }
}

/// A cost as tables write it, in words.
fn spelled(cost: &str) -> String {
    let part = |text: &str| match text.split_at(text.len() - 1) {
        (n, "c") => n.parse().map_or(text.to_string(), |n| count(n, "ceremony", "ceremonies")),
        (n, "p") => n.parse().map_or(text.to_string(), |n| count(n, "prompt", "prompts")),
        (_, "0") => "nothing".to_string(),
        _ => "impossible".to_string(),
    };
    let sum = |text: &str| list(&text.split_whitespace().map(part).collect::<Vec<_>>());
    let Some((owner, others)) = cost.split_once(" + ") else { return sum(cost) };
    let asked = [(owner, "owner"), (others, "others")].into_iter().filter(|(cost, _)| *cost != "0");
    let asked: Vec<String> = asked.map(|(cost, who)| format!("{} of the {who}", sum(cost))).collect();
    if asked.is_empty() { "nothing".to_string() } else { list(&asked) }
}

/// One cost in the place of another, as tables write them, in words: what both count is named once.
pub fn instead(cost: &str, of: &str) -> String {
    let unit = |text: &str| text.trim_start_matches(|c: char| c.is_ascii_digit()).to_string();
    let of = match unit(of) {
        same if same.len() == 1 && same == unit(cost) => of.trim_end_matches(&same).to_string(),
        _ => spelled(of),
    };
    format!("{} instead of {of}", spelled(cost))
}
