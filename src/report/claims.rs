//! What others have said, held against the cells that decide it: the claims of the blog post that the project starts
//! from ("Why for Matrix TOFU is not an option yet", Sheogorath's Blog, 2020), and attacks that are known.

use crate::model::{Arrival, Property};
use crate::report::markdown::MARK;
use crate::report::matrix::verdict_word;
use crate::run::Cell;
use crate::scenario::{Model, arrival_name, property_name};
use serde_json::{Value, json};

/// A cell and the verdict that it must have for the claim to stand.
struct Evidence {
    scenario: &'static str,
    model: &'static str,
    arrives: Arrival,
    property: Property,
    verdict: &'static str,
}

/// How a claim is decided.
enum Decided {
    /// By cells that must all be as they are listed.
    By(&'static [Evidence]),
    /// By the source of a value: what it says instead.
    Refuted(&'static str),
    /// Not by this model, and why.
    Outside(&'static str),
}

/// Something that somebody says.
struct Claim {
    says: &'static str,
    decided: Decided,
}

const START: Arrival = Arrival::FromStart;
const LATER: Arrival = Arrival::AfterFirstContact;
const VERIFIED: Arrival = Arrival::AfterVerification;

const fn cell(
    scenario: &'static str,
    model: &'static str,
    arrives: Arrival,
    property: Property,
    verdict: &'static str,
) -> Evidence {
    Evidence { scenario, model, arrives, property, verdict }
}

use Property::{
    NeverShownAsVerified, NoBlockedRoom, NoHiddenKey, NoInvisibleListener, NoRogueKey, NoSilentLeak, NoUninvitedReader,
    NoUnnoticedLeak, NoUnseenReader, PastStaysPrivate,
};

const CLAIMS: &[Claim] = &[
    Claim {
        says: "Signal takes whatever identity the server has at first, without a question.",
        decided: Decided::By(&[cell("server-of-recipient", "signal", START, NoSilentLeak, "violated")]),
    },
    Claim {
        says: "Later identities are checked against the first one.",
        decided: Decided::By(&[cell("server-of-recipient", "signal", LATER, NoSilentLeak, "holds")]),
    },
    Claim {
        says: "Riot asks before it sends to “Untrusted devices”: what is added to an account gets no key unasked.",
        decided: Decided::By(&[
            cell("server-of-recipient", "matrix-riot-2019", LATER, NoRogueKey, "holds"),
            cell("password-thief", "matrix-riot-2019", LATER, NoRogueKey, "holds"),
        ]),
    },
    Claim {
        says: "Whoever gets the password can add a device, and trust on first use would give it the keys.",
        decided: Decided::By(&[
            cell("password-thief", "matrix-tofu", START, NoRogueKey, "violated"),
            cell("password-thief", "matrix-tofu", LATER, NoRogueKey, "violated"),
        ]),
    },
    Claim {
        says: "It would even share the keys of earlier messages on request.",
        decided: Decided::By(&[cell("password-thief", "matrix-tofu", LATER, PastStaysPrivate, "violated")]),
    },
    Claim {
        says: "Whatever breaks TLS on the way obtains the password, be it a company's proxy or malware.",
        decided: Decided::By(&[
            cell("tls-breaker-one-client", "matrix-tofu", START, NoRogueKey, "violated"),
            cell("tls-breaker-one-client", "matrix-tofu", START, NoHiddenKey, "violated"),
        ]),
    },
    Claim {
        says: "So does a reverse proxy in front of the homeserver.",
        decided: Decided::By(&[cell("tls-breaker-reverse-proxy", "matrix-tofu", START, NoHiddenKey, "violated")]),
    },
    Claim {
        says: "The homeserver can pretend that a client logged in and never reveal it: a listener nobody sees.",
        decided: Decided::By(&[
            cell("server-of-recipient", "matrix-tofu", START, NoInvisibleListener, "violated"),
            cell("server-of-recipient", "matrix-tofu", LATER, NoInvisibleListener, "violated"),
        ]),
    },
    Claim {
        says: "With cross-signing Riot “will simply not send the room key there at all”, to a device without a \
               signature, once an identity is pinned.",
        decided: Decided::By(&[cell("password-thief", "matrix-cross-signing-tofu", LATER, NoRogueKey, "holds")]),
    },
    Claim {
        says: "Nor will Riot send it there at a first contact, before an identity is pinned: the post excepts none.",
        decided: Decided::By(&[cell("password-thief", "matrix-cross-signing-tofu", START, NoRogueKey, "holds")]),
    },
    Claim {
        says: "What makes the difference is how devices join an account (for the thief, not for the server).",
        decided: Decided::By(&[
            cell("password-thief", "matrix-tofu", LATER, NoRogueKey, "violated"),
            cell("password-thief", "matrix-tofu-linked", LATER, NoRogueKey, "holds"),
            cell("password-thief", "signal", LATER, NoRogueKey, "holds"),
            cell("password-thief", "signal-password", LATER, NoRogueKey, "violated"),
            cell("server-of-recipient", "matrix-tofu-linked", LATER, NoRogueKey, "violated"),
        ]),
    },
    Claim {
        says: "Manipulated keys would break all existing sessions in Signal.",
        decided: Decided::Outside("sessions that break are not modelled; a changed identity is (axes `change-*`)"),
    },
    Claim {
        says: "Signal's servers are unlikely to manipulate keys.",
        decided: Decided::Outside("how likely a server is to be malicious is no question of reachability"),
    },
    Claim {
        says: "Signal's phone cross-signs the keys of Signal Desktop.",
        decided: Decided::Refuted(
            "linked devices share the identity key (`identity` in [models/signal.json](../models/signal.json))",
        ),
    },
    Claim {
        says: "Cross-signing is not implemented in Riot yet.",
        decided: Decided::Outside("a fact about one release, not about a policy"),
    },
];

/// Attacks on trust that were published: each with a policy, or a client's version, that falls, and one that holds.
const ATTACKS: &[Claim] = &[
    Claim {
        says: "A homeserver adds a device (Albrecht and others 2023, \"simple confidentiality break\").",
        decided: Decided::By(&[
            cell("server-of-recipient", "matrix-all-devices", LATER, NoInvisibleListener, "violated"),
            cell("server-of-recipient", "matrix-identity-based", LATER, NoSilentLeak, "holds"),
        ]),
    },
    Claim {
        says: "A homeserver adds a member (the same; Albrecht, Dowling and Jones 2025 for WhatsApp).",
        decided: Decided::By(&[
            cell("added-member", "matrix-identity-based", LATER, NoUninvitedReader, "violated"),
            cell("added-member", "whatsapp", LATER, NoUninvitedReader, "violated"),
            cell("added-member", "signal", LATER, NoUninvitedReader, "holds"),
        ]),
    },
    Claim {
        says: "A device id that equals an identity key (CVE-2022-39250).",
        decided: Decided::By(&[
            cell("id-for-a-key", "matrix-2020-cross-signing-default", START, NeverShownAsVerified, "violated"),
            cell("id-for-a-key", "matrix-js-sdk-19.7", START, NeverShownAsVerified, "holds"),
        ]),
    },
    Claim {
        says: "Forwarded and spoofed room keys (CVE-2022-39246, -39249, -39257, -39252, -39255, -39248).",
        decided: Decided::Outside("who wrote a message is not modelled, only who can read it"),
    },
    Claim {
        says: "A key backup that the homeserver made (CVE-2022-39251, carried on).",
        decided: Decided::By(&[
            cell("planted-backup", "matrix-js-sdk-19.6", LATER, PastStaysPrivate, "violated"),
            cell("planted-backup", "matrix-js-sdk-19.7", LATER, PastStaysPrivate, "holds"),
        ]),
    },
    Claim {
        says: "AES-CTR without binding of the nonce for attachments and secrets (Albrecht and others 2023).",
        decided: Decided::Outside("cryptography is perfect here"),
    },
    Claim {
        says: "Old keys shared again with a device that comes under an old id (CVE-2021-40823, -40824).",
        decided: Decided::By(&[
            cell("reused-device-id", "matrix-riot-2019", LATER, PastStaysPrivate, "violated"),
            cell("reused-device-id", "matrix-all-devices", LATER, PastStaysPrivate, "holds"),
        ]),
    },
    Claim {
        says: "History for every device of who is invited (CVE-2024-47080).",
        decided: Decided::By(&[
            cell("invite-history", "matrix-js-sdk-19.7", START, PastStaysPrivate, "violated"),
            cell("invite-history", "matrix-js-sdk-34.8", START, PastStaysPrivate, "holds"),
        ]),
    },
    Claim {
        says: "An own identity that is not verified vouches for others (CVE-2024-40648).",
        decided: Decided::By(&[
            cell("own-identity-swapped", "matrix-only-trusted-0.7", START, NeverShownAsVerified, "violated"),
            cell("own-identity-swapped", "matrix-only-trusted", START, NeverShownAsVerified, "holds"),
        ]),
    },
    Claim {
        says: "A verified contact's identity changes without a word (CVE-2024-52813).",
        decided: Decided::By(&[
            cell("replaced-identity-of-verified", "matrix-identity-based-0.7", VERIFIED, NoSilentLeak, "violated"),
            cell("replaced-identity-of-verified", "matrix-identity-based", VERIFIED, NoSilentLeak, "holds"),
        ]),
    },
    Claim {
        says: "The same in WhatsApp as installed, where Signal asks (the Guardian, January 2017).",
        decided: Decided::By(&[
            cell("verified-contact", "whatsapp", VERIFIED, NoSilentLeak, "violated"),
            cell("verified-contact", "signal", VERIFIED, NoSilentLeak, "holds"),
        ]),
    },
    Claim {
        says: "A sender that is not the one who sent (CVE-2025-48937, CVE-2026-45056).",
        decided: Decided::Outside("who wrote a message is not modelled, only who can read it"),
    },
    Claim {
        says: "The identity of a contact who was never verified is swapped.",
        decided: Decided::By(&[
            cell("server-of-recipient", "matrix-identity-based", LATER, NoRogueKey, "violated"),
            cell("server-of-recipient", "matrix-cross-signing-tofu", LATER, NoRogueKey, "holds"),
        ]),
    },
    Claim {
        says: "The swap waits for a fresh login of the sender (MSC4153).",
        decided: Decided::By(&[
            cell("fresh-login-swap", "matrix-cross-signing-tofu-strict", LATER, NoSilentLeak, "violated"),
            cell("fresh-login-swap", "signal", LATER, NoSilentLeak, "holds"),
        ]),
    },
    Claim {
        says: "A person is tricked into linking the attacker's device (FBI and CISA, I-032026-PSA).",
        decided: Decided::By(&[
            cell("phished-link", "signal", LATER, NoRogueKey, "violated"),
            cell("phished-link", "out-of-band-only", LATER, NoRogueKey, "holds"),
        ]),
    },
    Claim {
        says: "The first identity of an account is planted (MSC3967). That the first device brings it along does not \
               stop whoever has the password, which replaces it as well; a password that does neither does, and so \
               does a comparison that comes first.",
        decided: Decided::By(&[
            cell("password-thief", "matrix-cross-signing-tofu", START, NoSilentLeak, "violated"),
            cell("password-thief", "matrix-cross-signing-verified", START, NoSilentLeak, "holds"),
            cell("password-thief", "signal", START, NoSilentLeak, "holds"),
        ]),
    },
    Claim {
        says: "The ghost user (Levy and Robinson 2018).",
        decided: Decided::By(&[
            cell("added-member", "ghost-user", LATER, NoUnseenReader, "violated"),
            cell("added-member", "matrix-all-devices", LATER, NoUnseenReader, "holds"),
            cell("added-member", "signal", LATER, NoUninvitedReader, "holds"),
        ]),
    },
    Claim {
        says: "One injected device or identity stops everybody's messages.",
        decided: Decided::By(&[
            cell("verified-contact", "matrix-error-on-verified-user-problem", VERIFIED, NoBlockedRoom, "violated"),
            cell("verified-contact", "matrix-only-trusted", VERIFIED, NoBlockedRoom, "holds"),
        ]),
    },
    Claim {
        says: "The number is taken over (Lee and others 2020).",
        decided: Decided::By(&[
            cell("number-hijack", "signal", LATER, NoRogueKey, "violated"),
            cell("number-hijack", "signal-registration-lock", LATER, NoRogueKey, "holds"),
        ]),
    },
    Claim {
        says: "A log that is shown in two versions (KEYTRANS, CONIKS).",
        decided: Decided::By(&[
            cell("split-view", "key-transparency-monitored", START, NoUnnoticedLeak, "violated"),
            cell("split-view", "key-transparency-gossip", START, NoUnnoticedLeak, "holds"),
        ]),
    },
    Claim {
        says: "A dehydrated device that nobody sees (MSC3814).",
        decided: Decided::By(&[
            cell("dehydrated-device", "matrix-js-sdk-19.7", VERIFIED, NoSilentLeak, "violated"),
            cell("dehydrated-device", "matrix-all-devices", VERIFIED, NoSilentLeak, "holds"),
        ]),
    },
];

/// The verdict of one piece of evidence among `cells`.
fn found(cells: &[Cell], e: &Evidence) -> Option<&'static str> {
    let is = |c: &&Cell| c.scenario.file.name == e.scenario && c.model.name == e.model && c.arrives == Some(e.arrives);
    let cell = cells.iter().find(is)?;
    cell.verdicts.iter().find(|v| v.0 == e.property).map(|v| verdict_word(&v.1))
}

/// What the cells say of a claim.
fn status(cells: &[Cell], evidence: &[Evidence]) -> &'static str {
    let all: Vec<_> = evidence.iter().map(|e| (found(cells, e), e.verdict)).collect();
    match () {
        () if all.iter().any(|(found, _)| found.is_none()) => "not searched",
        () if all.iter().all(|(found, wanted)| *found == Some(wanted)) => "holds",
        () if all.iter().any(|(found, _)| matches!(found, Some("unknown" | "vacuous"))) => "not conclusive",
        () => "does not hold",
    }
}

/// The claims of the post as a Markdown table.
pub fn markdown(cells: &[Cell], models: &[Model]) -> String {
    let intro = "# The post's claims\n\nWhat \"Why for Matrix TOFU is not an option yet\" (Sheogorath's Blog, 2020) \
                 claims, in other words but for what stands in quotation marks, and what decides it. Generated by \
                 `overhear compare --out reports`.\n\n\
                 | the post's claim | verdict | decided by |\n";
    table(cells, models, intro, CLAIMS)
}

/// The attacks that are known as a Markdown table.
pub fn attacks_markdown(cells: &[Cell], models: &[Model]) -> String {
    let intro = "# Known attacks, found again\n\nAttacks that were published, each found by the search from what the \
                 adversary can do: in one policy or version of a client it succeeds, in another it does not. `holds` \
                 says that all verdicts are so. Generated by `overhear compare --out reports`.\n\n\
                 | attack | found again | decided by |\n";
    table(cells, models, intro, ATTACKS)
}

/// The verdict on a claim that the source of a policy's value contradicts.
pub const REFUTED: &str = "does not hold, by its source";
/// The verdict on a claim that no cell and no source of a value decides.
pub const OUTSIDE: &str = "outside the model";

/// A claim, and what the cells say of it.
pub struct Told {
    /// The claim.
    pub says: &'static str,
    /// `holds`, `does not hold`, `not conclusive`, `not searched`, [`REFUTED`] or [`OUTSIDE`].
    pub verdict: &'static str,
    /// What a source says instead, or why it is outside the model, if it is.
    pub why: Option<&'static str>,
    /// What decides it.
    pub cells: Vec<Judged>,
}

/// A verdict that decides a claim, by the names in files.
pub struct Judged {
    /// The scenario.
    pub scenario: &'static str,
    /// The model.
    pub model: &'static str,
    /// When the adversary arrives.
    pub arrives: &'static str,
    /// The property.
    pub property: &'static str,
    /// The verdict that the claim needs.
    pub needed: &'static str,
    /// The verdict that was found; none if nothing was searched.
    pub found: Option<&'static str>,
}

/// The claims of the post, each with what the cells say of it.
pub fn told(cells: &[Cell]) -> Vec<Told> {
    CLAIMS.iter().map(|claim| told_of(cells, claim)).collect()
}

fn told_of(cells: &[Cell], claim: &Claim) -> Told {
    let without_cells = |verdict, why| Told { says: claim.says, verdict, why: Some(why), cells: Vec::new() };
    let evidence = match claim.decided {
        Decided::By(evidence) => evidence,
        Decided::Refuted(why) => return without_cells(REFUTED, why),
        Decided::Outside(why) => return without_cells(OUTSIDE, why),
    };
    let judged = |e: &Evidence| Judged {
        scenario: e.scenario,
        model: e.model,
        arrives: arrival_name(e.arrives),
        property: property_name(e.property),
        needed: e.verdict,
        found: found(cells, e),
    };
    Told { says: claim.says, verdict: status(cells, evidence), why: None, cells: evidence.iter().map(judged).collect() }
}

fn table(cells: &[Cell], models: &[Model], intro: &str, claims: &[Claim]) -> String {
    let marked = |name: &str| models.iter().find(|m| m.name == name).map_or(name.to_string(), Model::marked_name);
    let mut out = format!("{intro}| --- | --- | --- |\n");
    for claim in claims.iter().map(|claim| told_of(cells, claim)) {
        let one = |j: &Judged| {
            let Judged { scenario, model, arrives, property, .. } = j;
            let (model, found) = (marked(model), j.found.unwrap_or("not searched"));
            format!("[{scenario}](../scenarios/{scenario}.json), {model}, {arrives}: {property} **{found}**")
        };
        let cells = claim.cells.iter().map(one).collect::<Vec<_>>().join("<br>");
        out += &format!("| {} | {} | {} |\n", claim.says, claim.verdict, claim.why.unwrap_or(&cells));
    }
    out + "\n" + MARK + "\n"
}

/// The claims of the post as JSON.
pub fn json(cells: &[Cell]) -> Value {
    json_of(cells, CLAIMS)
}

/// The attacks that are known as JSON.
pub fn attacks_json(cells: &[Cell]) -> Value {
    json_of(cells, ATTACKS)
}

fn json_of(cells: &[Cell], claims: &[Claim]) -> Value {
    let cell = |j: &Judged| {
        json!({
            "scenario": j.scenario, "model": j.model, "arrives": j.arrives, "property": j.property,
            "needed": j.needed, "found": j.found,
        })
    };
    let claims = claims.iter().map(|claim| told_of(cells, claim)).map(|t| match t.why {
        Some(why) => json!({ "claim": t.says, "verdict": t.verdict, "why": why }),
        None => json!({
            "claim": t.says, "verdict": t.verdict, "cells": t.cells.iter().map(cell).collect::<Vec<_>>()
        }),
    });
    json!({ "format": 1, "claims": claims.collect::<Vec<_>>() })
}
