//! The claims of the blog post that the project starts from, each with the cells that decide it.
//!
//! "Why for Matrix TOFU is not an option yet", Sheogorath's Blog, 2020.

use crate::model::{Arrival, Property};
use crate::report::matrix::verdict_word;
use crate::run::Cell;
use crate::scenario::{arrival_name, property_name};
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
    /// Not by this model, and why.
    Outside(&'static str),
}

/// Something that the post says.
struct Claim {
    says: &'static str,
    decided: Decided,
}

const START: Arrival = Arrival::FromStart;
const LATER: Arrival = Arrival::AfterFirstContact;

const fn cell(
    scenario: &'static str,
    model: &'static str,
    arrives: Arrival,
    property: Property,
    verdict: &'static str,
) -> Evidence {
    Evidence { scenario, model, arrives, property, verdict }
}

use Property::{NoHiddenKey, NoInvisibleListener, NoRogueKey, NoSilentLeak, PastStaysPrivate};

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
        says: "Riot asks before it sends to devices it does not know, so the server's addition is not silent.",
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
        says: "With cross-signing a device that its owner has not signed gets no key once the identity is pinned.",
        decided: Decided::By(&[cell("password-thief", "matrix-cross-signing-tofu", LATER, NoRogueKey, "holds")]),
    },
    Claim {
        says: "With cross-signing trust on first use is safe against the thief from the first message on.",
        decided: Decided::By(&[cell("password-thief", "matrix-cross-signing-tofu", START, NoRogueKey, "holds")]),
    },
    Claim {
        says: "What makes the difference is how devices join an account (against the thief, not the server).",
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
        decided: Decided::Outside(
            "it does not: linked devices share the identity key (`identity` in models/signal.json, with its source)",
        ),
    },
    Claim {
        says: "Cross-signing is not implemented in Riot yet.",
        decided: Decided::Outside("a fact about one release, not about a policy"),
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

/// The claims as a Markdown table.
pub fn markdown(cells: &[Cell]) -> String {
    let mut out = "# The post's claims\n\nWhat \"Why for Matrix TOFU is not an option yet\" (Sheogorath's Blog, 2020) \
                   claims, and what decides it. Generated by `overhear compare --out reports`.\n\n\
                   | the post's claim | verdict | decided by |\n| --- | --- | --- |\n"
        .to_string();
    for claim in CLAIMS {
        let (verdict, by) = match &claim.decided {
            Decided::Outside(why) => ("outside the model", (*why).to_string()),
            Decided::By(evidence) => {
                let one = |e: &Evidence| {
                    let name = property_name(e.property);
                    let (scenario, arrives) = (e.scenario, arrival_name(e.arrives));
                    let found = found(cells, e).unwrap_or("not searched");
                    format!("[{scenario}](../scenarios/{scenario}.json), {}, {arrives}: {name} **{found}**", e.model)
                };
                (status(cells, evidence), evidence.iter().map(one).collect::<Vec<_>>().join("<br>"))
            }
        };
        out += &format!("| {} | {verdict} | {by} |\n", claim.says);
    }
    out
}

/// The claims as JSON.
pub fn json(cells: &[Cell]) -> Value {
    let claims = CLAIMS.iter().map(|claim| match &claim.decided {
        Decided::Outside(why) => json!({ "claim": claim.says, "verdict": "outside the model", "why": why }),
        Decided::By(evidence) => {
            let cells_json = evidence.iter().map(|e| {
                json!({
                    "scenario": e.scenario,
                    "model": e.model,
                    "arrives": arrival_name(e.arrives),
                    "property": property_name(e.property),
                    "needed": e.verdict,
                    "found": found(cells, e),
                })
            });
            json!({ "claim": claim.says, "verdict": status(cells, evidence), "cells": cells_json.collect::<Vec<_>>() })
        }
    });
    json!({ "format": 1, "claims": claims.collect::<Vec<_>>() })
}
