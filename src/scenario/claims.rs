//! What is expected of each cell: claims over axis values, of which exactly one decides.

use super::model_file::{axes, axis_values, check_value};
use super::{Expectation, Model, ScenarioFile, arrival_name, property_name};
use crate::input::{Diagnostic, Place, Source, listed, quoted};
use crate::model::{Arrival, Property};

/// The claim that decides the cell of `model`, `arrives` (none in a control) and `property`.
pub fn decide_cell<'a>(
    file: &'a ScenarioFile,
    source: &Source,
    model: &Model,
    arrives: Option<Arrival>,
    property: Property,
) -> Result<&'a Expectation, Box<Diagnostic>> {
    let matching = deciding(file, model, arrives, property);
    if let [only] = matching[..] {
        return Ok(&file.expectations[only]);
    }
    let arrival = arrives.map_or(String::new(), |arrives| format!(", adversary {}", arrival_name(arrives)));
    let cell = format!("{} under the model {}{arrival}", quoted(property_name(property)), quoted(&model.name));
    Err(undecided(source, &cell, &matching))
}

/// The claims that speak of a cell, by their numbers.
pub fn deciding(file: &ScenarioFile, model: &Model, arrives: Option<Arrival>, property: Property) -> Vec<usize> {
    let chosen = axes(&model.policy);
    let of_cell = |claim: &Expectation| {
        let has = |(axis, values): (&String, &super::Several<String>)| {
            chosen.iter().any(|(name, value)| name == axis && values.0.contains(value))
        };
        let met = claim.arrives.is_none_or(|wanted| Some(wanted.0) == arrives);
        met && claim.property.0.iter().any(|name| name.0 == property) && claim.r#where.iter().all(has)
    };
    (0..file.expectations.len()).filter(|&i| of_cell(&file.expectations[i])).collect()
}

/// A refusal of cells that no claim matches, or more than one does.
pub fn undecided(source: &Source, cell: &str, matching: &[usize]) -> Box<Diagnostic> {
    let place = |i: usize| Place::root().key("expectations").item(i);
    let Some((&last, others)) = matching.split_last() else {
        let at = source.key_at(&Place::root().key("expectations"));
        let help = "add a claim, or widen the `where` of one: every cell is decided by exactly one";
        return source.error("E130", at, format!("no claim decides {cell}")).help(help);
    };
    let line = |&i: &usize| source.line_column(source.at(&place(i)).start).0.to_string();
    let lines: Vec<String> = matching.iter().map(line).collect();
    let message = format!("{} claims decide {cell}: lines {}", matching.len(), lines.join(", "));
    let refusal = source.error("E131", source.at(&place(last)), message);
    let refusal = others.iter().fold(refusal, |refusal, &i| refusal.also(source.at(&place(i)), "also this one"));
    refusal.help("narrow the `where` of all but one: every cell is decided by exactly one")
}

/// Claims speak of axes and values that exist, and of cells that the file has.
pub fn check_claims(file: &ScenarioFile, source: &Source) -> Result<(), Box<Diagnostic>> {
    let all = axis_values();
    for (i, claim) in file.expectations.iter().enumerate() {
        let place = Place::root().key("expectations").item(i);
        let axes = place.key("where");
        for (axis, values) in &claim.r#where {
            check_any(source, &axes.key(axis), values.0.is_empty())?;
            for (k, value) in values.0.iter().enumerate() {
                check_value(source, &axes, &all, axis, (value, axes.key(axis).item(k)))?;
            }
        }
        check_any(source, &place.key("property"), claim.property.0.is_empty())?;
        check_cells(file, source, &place, claim)?;
        if claim.why.trim().is_empty() {
            let message = "a claim says why it is right, so that it can be checked by thinking";
            return Err(source.error("E134", source.at(&place.key("why")), message));
        }
    }
    Ok(())
}

/// A list of alternatives has one.
fn check_any(source: &Source, place: &Place, empty: bool) -> Result<(), Box<Diagnostic>> {
    let message = || format!("{place} is empty, so the claim matches nothing");
    if empty { Err(source.error("E105", source.at(place), message())) } else { Ok(()) }
}

/// The property and the arrival of a claim are among those of the file.
fn check_cells(
    file: &ScenarioFile,
    source: &Source,
    place: &Place,
    claim: &Expectation,
) -> Result<(), Box<Diagnostic>> {
    for (k, property) in claim.property.0.iter().enumerate() {
        if !file.properties.contains(property) {
            let names: Vec<&str> = file.properties().map(property_name).collect();
            let message =
                format!("the claim has no effect: {} is not in `properties`", quoted(property_name(property.0)));
            return Err(source.error("E132", source.at(&place.key("property").item(k)), message).known("", &names));
        }
    }
    let arrivals = file.arrivals();
    if let Some(arrives) = claim.arrives.filter(|arrives| !arrivals.contains(&Some(arrives.0))) {
        let names: Vec<&str> = arrivals.into_iter().flatten().map(arrival_name).collect();
        let has =
            if names.is_empty() { "there is no adversary".to_owned() } else { format!("only {}", listed(&names)) };
        let message = format!("the claim has no effect: no adversary arrives {} ({has})", arrival_name(arrives.0));
        return Err(source.error("E133", source.at(&place.key("arrives")), message));
    }
    Ok(())
}
