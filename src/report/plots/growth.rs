//! How what a policy asks of people grows with their number and with their devices.

use super::paper::{
    At, Axes, Entry, Key, Place, Style, draw_marker, height, line, list, number_points, place, sheet, write_lines,
};
use super::{Compared, Plot};
use crate::explore::cost::{Cost, TooMany, cast, cheapest_within};
use crate::model::{PEOPLE_MAX, VIEWERS_MAX};
use crate::policy::Policy;
use crate::report::matrix::thousands;
use crate::scenario::Model;
use rayon::prelude::*;
use std::cmp::Reverse;

/// What the files of the plot over devices are called.
pub const BY_DEVICES: &str = "ceremonies-as-devices-grow";
/// What the files of the plot over people are called.
pub const BY_PEOPLE: &str = "ceremonies-as-people-grow";
/// How many devices each person has where people are counted.
const DEVICES_EACH: usize = VIEWERS_MAX / PEOPLE_MAX;
/// How many states a search for the fewest ceremonies looks at before it gives up.
const STATES_MAX: usize = 8000;

/// What is counted.
struct Growth {
    name: &'static str,
    title: &'static str,
    /// Who takes part, as a clause.
    who: String,
    x_title: String,
    column: &'static str,
    /// Numbers, and how many devices each person then has.
    sizes: Vec<(u32, Vec<usize>)>,
}

/// What a policy asks at one size; none where some device never reads.
type Asked = Result<Option<Cost>, TooMany>;
/// The same at each size.
type Curve = Vec<Asked>;

/// Policies that ask the same at each size.
struct Class<'m> {
    curve: Curve,
    models: Vec<&'m Model>,
}

/// Both plots; none of policies that nobody can set up.
pub fn plots(models: &[&Model], compared: &Compared) -> Vec<Plot> {
    let by_devices = Growth {
        name: BY_DEVICES,
        title: "What it asks of two people as their devices grow in number",
        who: "two careful people with that many devices each".to_string(),
        x_title: "devices of each of two people".to_string(),
        column: "devices-each",
        sizes: (1..=VIEWERS_MAX / 2).map(|n| (n as u32, vec![n; 2])).collect(),
    };
    let by_people = Growth {
        name: BY_PEOPLE,
        title: "What it asks of people as they grow in number",
        who: format!("that many careful people with {DEVICES_EACH} devices each"),
        x_title: format!("people with {DEVICES_EACH} devices each"),
        column: "people",
        sizes: (2..=PEOPLE_MAX).map(|n| (n as u32, vec![DEVICES_EACH; n])).collect(),
    };
    [by_devices, by_people].iter().filter_map(|growth| plot(growth, models, compared)).collect()
}

fn plot(growth: &Growth, models: &[&Model], compared: &Compared) -> Option<Plot> {
    let set_up = |policy: &Policy, devices: &[usize]| -> Asked {
        let w = cast(policy, devices, false, [false; 5]);
        Ok(cheapest_within(&w, w.initial(), w.honest, STATES_MAX)?.map(|way| way.cost))
    };
    let curve = |m: &&Model| growth.sizes.iter().map(|(_, devices)| set_up(&m.policy, devices)).collect();
    let curves: Vec<Curve> = models.par_iter().map(curve).collect();
    let (classes, nowhere) = classes(models, &curves);
    let about = about(growth, &curves) + &compared.left_out();
    Some(Plot {
        name: growth.name.to_string(),
        title: growth.title.to_string(),
        svg: (!classes.is_empty()).then(|| drawing(growth, &classes, &nowhere, &about))?,
        columns: ["policy", "line", growth.column, "ceremonies", "prompts", "found"].map(str::to_string).to_vec(),
        rows: models.iter().zip(&curves).flat_map(|(m, curve)| rows(growth, &classes, m, curve)).collect(),
        about,
    })
}

fn about(growth: &Growth, curves: &[Curve]) -> String {
    let mut out = format!(
        "How many ceremonies and prompts it takes until everybody reads what the first person sends, among {}. \
         Policies that ask the same at each number share a line.",
        growth.who
    );
    if curves.iter().flatten().any(Result::is_err) {
        out += &format!(" A line ends early where the fewest were not found among {} states.", thousands(STATES_MAX));
    }
    out
}

/// The rows of one policy, one for each size.
fn rows(growth: &Growth, classes: &[Class], m: &Model, curve: &Curve) -> Vec<Vec<String>> {
    let line = classes.iter().position(|class| class.curve == *curve).map_or(String::new(), |n| (n + 1).to_string());
    let row = |((size, _), asked): (&(u32, Vec<usize>), &Asked)| {
        let (cost, found) = match asked {
            Ok(Some(cost)) => (Some(cost), "yes"),
            Ok(None) => (None, "impossible"),
            Err(TooMany) => (None, "not known"),
        };
        let number = |of: fn(&Cost) -> u32| cost.map_or(String::new(), |cost| of(cost).to_string());
        let numbers = [number(|c| c.ceremonies), number(|c| c.prompts)];
        [m.name.clone(), line.clone(), size.to_string()].into_iter().chain(numbers).chain([found.to_string()]).collect()
    };
    growth.sizes.iter().zip(curve).map(row).collect()
}

/// How many ceremonies and prompts, if that is known and a number.
fn asks(asked: &Asked) -> Option<u32> {
    asked.ok().flatten().map(|cost| cost.ceremonies + cost.prompts)
}

/// Policies by what they ask, the dearest first; and those of which no way to set them up is known at any size.
fn classes<'m>(models: &[&'m Model], curves: &[Curve]) -> (Vec<Class<'m>>, Vec<String>) {
    let mut classes: Vec<Class> = Vec::new();
    let mut nowhere = Vec::new();
    for (m, curve) in models.iter().zip(curves) {
        match classes.iter_mut().find(|class| class.curve == *curve) {
            _ if !curve.iter().any(|asked| asks(asked).is_some()) => nowhere.push(m.marked_name()),
            Some(class) => class.models.push(m),
            None => classes.push(Class { curve: curve.clone(), models: vec![m] }),
        }
    }
    classes.sort_by_key(|class| Reverse(class.curve.iter().rev().map(asks).collect::<Vec<_>>()));
    (classes, nowhere)
}

fn drawing(growth: &Growth, classes: &[Class], nowhere: &[String], about: &str) -> String {
    let all = classes.iter().flat_map(|class| class.curve.iter().filter_map(asks));
    let axes = Axes {
        x: (growth.sizes[0].0, growth.sizes[growth.sizes.len() - 1].0),
        y_max: all.max().unwrap_or(0).max(1),
        x_title: growth.x_title.clone(),
        y_title: "ceremonies and prompts until everybody reads".to_string(),
    };
    let names = |class: &Class| class.models.iter().map(|m| m.marked_name()).collect::<Vec<String>>();
    let entry = |(n, class)| (Key::Line(Style::nth(n)), names(class));
    let entries: Vec<Entry> = classes.iter().enumerate().map(entry).collect();
    let below = list(&entries, nowhere);
    sheet(Axes::HEIGHT + height(&below), growth.title, about, |area| {
        let (mut chart, free) = axes.draw(area)?;
        let (mut markers, mut ends) = (Vec::new(), Vec::new());
        for (n, class) in classes.iter().enumerate() {
            let places = places(growth, class);
            for part in places.split(Option::is_none) {
                let part: Vec<Place> = part.iter().flatten().cloned().collect();
                let known: Vec<At> = part.iter().map(|place| chart.backend_coord(place)).collect();
                chart.draw_series([line(part, Style::nth(n))])?;
                known.iter().try_for_each(|&at| draw_marker(area, at, Style::nth(n)))?;
                markers.extend(known);
            }
            ends.extend(places.iter().flatten().next_back().map(|end| (chart.backend_coord(end), n + 1)));
        }
        number_points(area, chart.plotting_area().get_pixel_range(), &markers, &ends)?;
        write_lines(&free, &below)
    })
}

/// Where the line of some policies goes through at each size.
fn places(growth: &Growth, class: &Class) -> Vec<Option<Place>> {
    let at = |((size, _), asked): (&(u32, Vec<usize>), &Asked)| Some(place(*size, asks(asked)?));
    growth.sizes.iter().zip(&class.curve).map(at).collect()
}
