//! The trust-establishment columns of Unger and others, "SoK: Secure Messaging" (2015), as far as a search decides
//! them.
//!
//! A column is provided if all that decides it is as it should be, partly if it is once the first contact was made, and
//! otherwise not. The paper's own table was made by hand; this one only says what the model comes to.

use crate::explore::cost::{Cost, Event, cast, cheapest};
use crate::model::{Arrival, Property};
use crate::policy::Transparency;
use crate::report::matrix::{PolicyCost, verdict_word};
use crate::run::Cell;
use crate::scenario::{Model, property_name};
use serde_json::{Value, json};

/// What decides a column.
enum By {
    /// A property in scenarios, under each arrival.
    Holds(Property, &'static [&'static str]),
    /// What people are asked, or an axis, and whether that is enough.
    Cost(&'static str, fn(&Model, &PolicyCost) -> bool),
}

/// One column of the table.
struct Column {
    /// Its name in the paper.
    name: &'static str,
    by: By,
}

fn is_free(cost: Option<Cost>) -> bool {
    cost == Some(Cost::default())
}

fn event(cost: &PolicyCost, wanted: Event) -> Option<crate::explore::cost::EventCost> {
    cost.events.iter().find(|(e, _)| *e == wanted).and_then(|(_, c)| *c)
}

/// What two people with one device each are asked before they can write.
fn first_message(model: &Model) -> Option<Cost> {
    let w = cast(&model.policy, &[1, 1], false, [false; 5]);
    cheapest(&w, w.initial(), w.honest).map(|c| c.cost)
}

const NETWORK: &[&str] = &["tls-breaker-one-client", "tls-breaker-reverse-proxy", "tls-breaker-at-sender"];
const OPERATOR: &[&str] = &["server-of-recipient", "server-of-sender"];

const COLUMNS: &[Column] = &[
    Column { name: "network MitM prevention", by: By::Holds(Property::NoRogueKey, NETWORK) },
    Column { name: "operator MitM prevention", by: By::Holds(Property::NoRogueKey, OPERATOR) },
    Column { name: "operator MitM detection", by: By::Holds(Property::NoUnnoticedLeak, &["server-of-recipient"]) },
    Column {
        name: "operator accountability",
        by: By::Cost("what the operator says is in a log that all compare (axis transparency)", |m, _| {
            m.policy.transparency == Transparency::Gossip
        }),
    },
    Column { name: "key revocation possible", by: By::Holds(Property::RemovalEndsAccess, &["stolen-device"]) },
    Column {
        name: "automatic key initialization",
        by: By::Cost("the first message asks nothing", |m, _| is_free(first_message(m))),
    },
    Column {
        name: "low key maintenance",
        by: By::Cost("a device that signs in again asks nothing of others", |_, c| {
            event(c, Event::ReLogin).is_some_and(|c| is_free(Some(c.peers)))
        }),
    },
    Column {
        name: "alert-less key renewal",
        by: By::Cost("a reset asks nothing of others", |_, c| {
            event(c, Event::Reset).is_some_and(|c| is_free(Some(c.peers)))
        }),
    },
    Column {
        name: "immediate enrollment",
        by: By::Cost("a new device asks nothing of others", |_, c| {
            event(c, Event::NewDevice).is_some_and(|c| is_free(Some(c.peers)))
        }),
    },
    Column {
        name: "inattentive user resistant",
        by: By::Holds(Property::NoRogueKey, &["password-thief-hurried", "server-of-recipient-hurried"]),
    },
    Column {
        name: "multiple key support",
        by: By::Cost("two people with two devices each all read", |_, c| c.careful.is_some()),
    },
    Column {
        name: "asynchronous",
        by: By::Cost("nobody has to be met for the first message", |m, _| {
            first_message(m).is_some_and(|c| c.ceremonies == 0)
        }),
    },
];

/// How far a policy provides a column.
fn provided(cells: &[Cell], model: &Model, cost: &PolicyCost, by: &By) -> &'static str {
    let (property, scenarios) = match by {
        By::Cost(_, enough) => return if enough(model, cost) { "yes" } else { "no" },
        By::Holds(property, scenarios) => (*property, *scenarios),
    };
    let of_model = |c: &&Cell| c.model.name == model.name && scenarios.contains(&c.scenario.file.name.as_str());
    let found: Vec<(bool, &str)> = cells
        .iter()
        .filter(of_model)
        .filter_map(|c| Some((c.arrives == Some(Arrival::FromStart), &c.verdicts.iter().find(|v| v.0 == property)?.1)))
        .map(|(first, verdict)| (first, verdict_word(verdict)))
        .collect();
    let all = |wanted: &dyn Fn(bool) -> bool| found.iter().filter(|f| wanted(f.0)).all(|f| f.1 == "holds");
    match () {
        () if found.is_empty() || found.iter().any(|f| matches!(f.1, "unknown" | "vacuous")) => "?",
        () if all(&|_| true) => "yes",
        () if all(&|first| !first) => "partly",
        () => "no",
    }
}

/// What decides a column, as text.
fn decided_by(by: &By) -> String {
    match by {
        By::Cost(what, _) => (*what).to_string(),
        By::Holds(property, scenarios) => {
            let links: Vec<String> = scenarios.iter().map(|s| format!("[{s}](../scenarios/{s}.json)")).collect();
            format!("{} in {}", property_name(*property), links.join(", "))
        }
    }
}

/// The table as Markdown: a row for each policy that is no variant.
pub fn markdown(cells: &[Cell], models: &[Model], costs: &[PolicyCost]) -> String {
    let mut out = "# Columns of the SoK, decided by search\n\nTrust establishment in the words of Unger and others, \
                   \"SoK: Secure Messaging\" (2015), for every bundled policy, as far as a search can decide a column: \
                   yes, no, or partly (once the first contact was made). The paper rated schemes by hand; these are \
                   the model's verdicts. Generated by `overhear compare --out reports`.\n\n\
                   | column | decided by |\n| --- | --- |\n"
        .to_string();
    COLUMNS.iter().for_each(|c| out += &format!("| {} | {} |\n", c.name, decided_by(&c.by)));
    let names: Vec<&str> = COLUMNS.iter().map(|c| c.name).collect();
    out += &format!("\n| policy | {} |\n|{}\n", names.join(" | "), " --- |".repeat(names.len() + 1));
    for (model, cost) in models.iter().zip(costs).filter(|(m, _)| m.variant_of.is_none()) {
        let row: Vec<&str> = COLUMNS.iter().map(|c| provided(cells, model, cost, &c.by)).collect();
        out += &format!("| {} | {} |\n", model.marked_name(), row.join(" | "));
    }
    out + "\n† some values of the model are unverified.\n\nLeft out, because they are not questions of reachability \
           or of what people are asked: privacy preserving, easy key discovery, easy key recovery, in-band, no shared \
           secrets, and all of adoption but multiple keys and asynchronous.\n"
}

/// The table as JSON.
pub fn json(cells: &[Cell], models: &[Model], costs: &[PolicyCost]) -> Value {
    let row = |(model, cost): (&Model, &PolicyCost)| {
        let columns = COLUMNS.iter().map(|c| (c.name.to_string(), provided(cells, model, cost, &c.by).into()));
        json!({ "model": model.name, "columns": columns.collect::<serde_json::Map<String, Value>>() })
    };
    let rows = models.iter().zip(costs).filter(|(m, _)| m.variant_of.is_none()).map(row);
    json!({ "format": 1, "policies": rows.collect::<Vec<_>>() })
}
