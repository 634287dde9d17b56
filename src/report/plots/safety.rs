//! What policies withstand, against what they ask of people.

use super::paper::{
    At, Axes, Entry, Key, Line, Place, Style, draw_marker, height, line, list, number_points, place, sheet, thin_line,
    write_lines,
};
use super::{Compared, Plot, names};
use crate::explore::cost::Cost;
use crate::report::matrix::PolicyCost;
use crate::report::results::{Keys, Nth, Run};
use plotters::coord::ranged1d::SegmentValue;
use std::collections::BTreeSet;

/// What the plot's files are called.
pub const NAME: &str = "safety-against-cost";
const TITLE: &str = "What policies withstand, and what they ask";

/// How one policy does.
struct Standing<'r> {
    policy: Nth,
    /// What it asks of two careful people with two devices each; none if some device then never reads.
    cost: Option<Cost>,
    /// The adversaries to whom it gives nothing away, whenever they arrive.
    withstood: Vec<&'r str>,
    /// Those to whom it gives something away.
    fallen: Vec<&'r str>,
    /// Those of whom it is not known.
    open: Vec<&'r str>,
}

/// Policies that ask as much and withstand as many.
struct Point {
    asked: u32,
    withstood: usize,
    /// How many it would withstand if all held that is not known of one of its policies.
    at_most: usize,
    policies: Vec<Nth>,
    /// Whether no other point asks no more, withstands no fewer, and is another.
    best: bool,
}

/// The plot; none if no adversary was met by all policies, or none of them can be set up.
pub fn plot(run: &Run, costs: &[PolicyCost], compared: &Compared) -> Option<Plot> {
    let adversaries = &compared.adversaries;
    let standings: Vec<Standing> = compared.policies.iter().map(|&n| standing(run, costs, n, adversaries)).collect();
    let points = points(&standings);
    if adversaries.is_empty() || points.is_empty() {
        return None;
    }
    let nowhere: Vec<Nth> = standings.iter().filter(|s| s.cost.is_none()).map(|s| s.policy).collect();
    let about = about(&standings, compared);
    Some(Plot {
        name: NAME.to_string(),
        title: TITLE.to_string(),
        svg: drawing(run, &points, &names(run, &nowhere), adversaries.len(), &about),
        about,
        columns: COLUMNS.map(str::to_string).to_vec(),
        rows: standings.iter().map(|s| row(run, s, &points)).collect(),
    })
}

fn standing<'r>(run: &Run, costs: &[PolicyCost], n: Nth, adversaries: &BTreeSet<&'r str>) -> Standing<'r> {
    let mut all = Standing { policy: n, cost: costs[n].careful, withstood: vec![], fallen: vec![], open: vec![] };
    for &scenario in adversaries {
        let found = run.arrivals(n, scenario).into_iter().filter_map(|arrives| run.keys(n, scenario, arrives));
        let found: Vec<Keys> = found.collect();
        match () {
            () if found.contains(&Keys::Lost) => all.fallen.push(scenario),
            () if found.contains(&Keys::Unknown) => all.open.push(scenario),
            () => all.withstood.push(scenario),
        }
    }
    all
}

fn asks(cost: Cost) -> u32 {
    cost.ceremonies + cost.prompts
}

/// The points, the safest first.
fn points(standings: &[Standing]) -> Vec<Point> {
    let mut all: Vec<Point> = Vec::new();
    for s in standings {
        let Some(asked) = s.cost.map(asks) else { continue };
        let (withstood, at_most) = (s.withstood.len(), s.withstood.len() + s.open.len());
        match all.iter_mut().find(|p| (p.asked, p.withstood) == (asked, withstood)) {
            Some(point) => {
                point.policies.push(s.policy);
                point.at_most = point.at_most.max(at_most);
            }
            None => all.push(Point { asked, withstood, at_most, policies: vec![s.policy], best: true }),
        }
    }
    all.sort_by_key(|p| (std::cmp::Reverse(p.withstood), p.asked));
    let places: Vec<(u32, usize)> = all.iter().map(|p| (p.asked, p.withstood)).collect();
    for point in &mut all {
        let own = (point.asked, point.withstood);
        point.best = !places.iter().any(|&p| p != own && p.0 <= own.0 && p.1 >= own.1);
    }
    all
}

fn about(standings: &[Standing], compared: &Compared) -> String {
    let adversaries = compared.adversaries.len();
    let mut out = format!(
        "Each point is a policy, or several that come out equal. To the right: the ceremonies and prompts that two \
         careful people with two devices each go through until everybody reads. Upwards: how many of {adversaries} \
         adversaries learn nothing, whenever they arrive: every property about readers that was asked holds. On the \
         broken line are those that no other policy beats, by withstanding more for as little or as many for less. All \
         adversaries count the same, however likely they are."
    );
    if standings.iter().any(|s| !s.open.is_empty()) {
        out += " What is not known counts as not withstood; a thin line upwards ends where a point would be if all of \
                it held.";
    }
    out + &compared.left_out()
}

const COLUMNS: [&str; 12] = [
    "policy",
    "point",
    "ceremonies",
    "prompts",
    "withstands",
    "falls",
    "open",
    "adversaries",
    "unbeaten",
    "withstood",
    "fallen",
    "not-known",
];

fn row(run: &Run, s: &Standing, points: &[Point]) -> Vec<String> {
    let point = points.iter().position(|p| p.policies.contains(&s.policy));
    let cost = |of: fn(Cost) -> u32| s.cost.map_or(String::new(), |cost| of(cost).to_string());
    let numbers = [s.withstood.len(), s.fallen.len(), s.open.len()];
    let mut row = vec![
        run.models[s.policy].name.clone(),
        point.map_or(String::new(), |p| (p + 1).to_string()),
        cost(|c| c.ceremonies),
        cost(|c| c.prompts),
    ];
    row.extend(numbers.iter().chain([&numbers.iter().sum()]).map(usize::to_string));
    row.push(if point.is_some_and(|p| points[p].best) { "yes" } else { "no" }.to_string());
    row.extend([&s.withstood, &s.fallen, &s.open].map(|names| names.join(" ")));
    row
}

fn drawing(run: &Run, points: &[Point], nowhere: &[String], adversaries: usize, about: &str) -> String {
    let style = |p: &Point| if p.best { Style::BEST } else { Style::OTHER };
    let axes = Axes {
        x: (0, points.iter().map(|p| p.asked).max().unwrap_or(0).max(1)),
        y_max: adversaries as u32,
        x_title: "ceremonies and prompts until everybody reads".to_string(),
        y_title: format!("adversaries withstood, of {adversaries}"),
    };
    let mut below = vec![
        Key::Point(Style::BEST).means("no other withstands more for as little, or as many for less"),
        Key::Point(Style::OTHER).means("another does"),
        Line::default(),
    ];
    let entries: Vec<Entry> = points.iter().map(|p| (Key::Point(style(p)), names(run, &p.policies))).collect();
    below.extend(list(&entries, nowhere));
    sheet(Axes::HEIGHT + height(&below), TITLE, about, |area| {
        let (mut chart, free) = axes.draw(area)?;
        chart.draw_series([line(steps(points), Style::BEST)])?;
        let open = points.iter().filter(|p| p.at_most > p.withstood);
        chart.draw_series(open.map(|p| thin_line(at(p), place(p.asked, p.at_most as u32))))?;
        let markers: Vec<At> = points.iter().map(|p| chart.backend_coord(&at(p))).collect();
        points.iter().zip(&markers).try_for_each(|(p, &at)| draw_marker(area, at, style(p)))?;
        let numbered: Vec<(At, usize)> = markers.iter().copied().zip(1..).collect();
        number_points(area, chart.plotting_area().get_pixel_range(), &markers, &numbered)?;
        write_lines(&free, &below)
    })
}

fn at(p: &Point) -> Place {
    place(p.asked, p.withstood as u32)
}

/// The line that no point lies above, as far as to the right end.
fn steps(points: &[Point]) -> Vec<Place> {
    let mut steps: Vec<Place> = Vec::new();
    for (x, y) in points.iter().rev().filter(|p| p.best).map(at) {
        steps.extend(steps.last().map(|(_, before)| (x.clone(), before.clone())));
        steps.push((x, y));
    }
    steps.extend(steps.last().map(|(_, y)| (SegmentValue::Last, y.clone())));
    steps
}
