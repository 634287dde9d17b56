//! Simulated cells as pictures: how long nobody reads, what that asks of people, and what the assumed numbers do to it.

use super::Plot;
use super::paper::{
    At, Axes, Entry, Key, Line, MARGIN, Scales, Style, band, bar, draw_marker, height, line, list, names_from,
    number_points, sheet, thin_line, write_lines,
};
use crate::report::simulation::{Interval, PropertyRecord, SimulatedCell, SimulationRecord, SweptRecord};
use std::collections::BTreeSet;

/// What the names of these plots begin with.
const KINDS: [&str; 3] = ["survival-", "safety-against-questions-", "assumed-numbers-"];

/// Whether a plot of this name is one of these.
pub fn is_named(name: &str) -> bool {
    KINDS.iter().any(|kind| name.starts_with(kind))
}

/// Up to so many curves have their intervals drawn around them: more would hide each other.
const BANDS_MAX: usize = 4;

/// Cells that can be held against each other: the same scenario, arrival and property.
struct Group<'r> {
    /// What they have in common, as words of a heading and of a file's name.
    scenario: &'r str,
    arrives: &'r str,
    property: &'r str,
    cells: Vec<(&'r SimulatedCell, &'r PropertyRecord)>,
}

/// Every plot of a simulation. One that would show nothing is left out.
pub fn plots(record: &SimulationRecord) -> Vec<Plot> {
    let groups = groups(record);
    let survival = groups.iter().map(|group| survival(record, group));
    let against = groups.iter().filter(|group| group.cells.len() > 1).map(|group| against_questions(record, group));
    survival.chain(against).chain(tornado(record)).collect()
}

/// The cells by scenario and arrival, each with what it says of the worst property that fell in any of them.
fn groups(record: &SimulationRecord) -> Vec<Group<'_>> {
    let mut keys: Vec<(&str, Option<&str>)> = Vec::new();
    for cell in &record.cells {
        let key = (cell.scenario.as_str(), cell.arrives.as_deref());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let group = |(scenario, arrives)| {
        let same = |cell: &&SimulatedCell| cell.scenario == scenario && cell.arrives.as_deref() == arrives;
        let cells: Vec<&SimulatedCell> = record.cells.iter().filter(same).collect();
        let property = that_fell(&cells)?;
        let of = |cell| Some((cell, of_property(cell, property)?));
        let cells = cells.into_iter().filter_map(of).collect();
        Some(Group { scenario, arrives: arrives.unwrap_or("no-adversary"), property, cells })
    };
    keys.into_iter().filter_map(group).collect()
}

fn of_property<'r>(cell: &'r SimulatedCell, property: &str) -> Option<&'r PropertyRecord> {
    cell.properties.iter().find(|p| p.property == property)
}

/// The property that a plot is about: whether anybody rogue reads, if that fell in any run, else the first that fell.
fn that_fell<'r>(cells: &[&'r SimulatedCell]) -> Option<&'r str> {
    let fell = |name: &&str| cells.iter().any(|cell| of_property(cell, name).is_some_and(|p| p.fell > 0));
    let names = || cells.iter().flat_map(|cell| cell.properties.iter().map(|p| p.property.as_str()));
    names().find(|name| *name == "no-rogue-key").filter(fell).or_else(|| names().find(fell))
}

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

/// A number of a table; nothing where nothing can be said.
fn number(number: Option<f64>) -> String {
    number.map_or(String::new(), |n| n.to_string())
}

fn name(kind: &str, group: &Group) -> String {
    format!("{kind}-{}-{}", group.scenario, group.arrives)
}

/// What all plots say of where their numbers are from.
fn from_runs(record: &SimulationRecord) -> String {
    let people: Vec<String> = record.people_files.iter().map(|who| who.name.clone()).collect();
    let played: BTreeSet<&str> = record.cells.iter().map(|cell| cell.strategy.name()).collect();
    let played: Vec<String> = played.into_iter().map(str::to_string).collect();
    format!(
        "From {} simulated runs of {} days for each policy, with people as in the files {}, seed {}. The adversary's \
         strategy: {}. Intervals hold what they are about 95 times in 100.",
        record.runs,
        record.days,
        crate::story::list(&people),
        record.seed,
        crate::story::list(&played)
    )
}

/// How long the property holds: a curve for each policy, or for several that come out equal.
fn survival(record: &SimulationRecord, group: &Group) -> Plot {
    let mut curves: Vec<(&PropertyRecord, Vec<String>)> = Vec::new();
    let mut never = Vec::new();
    for (cell, p) in &group.cells {
        match curves.iter_mut().find(|(other, _)| other.survival == p.survival) {
            _ if p.fell == 0 => never.push(cell.model.clone()),
            Some((_, models)) => models.push(cell.model.clone()),
            None => curves.push((p, vec![cell.model.clone()])),
        }
    }
    let last = |p: &PropertyRecord| p.survival.last().map_or(1.0, |point| point.probability.value);
    curves.sort_by(|(a, _), (b, _)| last(b).total_cmp(&last(a)));
    let title = format!("How long {} holds: {}, {}", group.property, group.scenario, group.arrives);
    let mut about = format!("The share of runs in which {} had not fallen by a day. ", group.property);
    about += &from_runs(record);
    if !never.is_empty() {
        about += " Policies in none of whose runs it fell are listed last; that is not a proof.";
    }
    let row = |(cell, p): &(&SimulatedCell, &PropertyRecord)| {
        let (model, points) = (cell.model.clone(), p.survival.clone());
        points.into_iter().map(move |point| {
            let Interval { value, low, high } = point.probability;
            vec![model.clone(), point.day.to_string(), value.to_string(), number(low), number(high)]
        })
    };
    Plot {
        name: name("survival", group),
        svg: survival_drawing(record.days, &curves, &never, &title, &about),
        rows: group.cells.iter().flat_map(row).collect(),
        columns: columns(&["policy", "day", "holds", "low", "high"]),
        title,
        about,
    }
}

fn survival_drawing(
    days: f64,
    curves: &[(&PropertyRecord, Vec<String>)],
    never: &[String],
    title: &str,
    about: &str,
) -> String {
    let y_title = Some("runs in which it had not fallen, %".to_string());
    let scales = Scales {
        x_max: days.sqrt(),
        y_max: 100.0,
        x_title: "days, drawn wider the sooner".to_string(),
        x_shown: |root| root * root,
        y_title,
    };
    let entries: Vec<Entry> =
        curves.iter().enumerate().map(|(n, (_, models))| (Key::Line(Style::nth(n)), models.clone())).collect();
    let mut below = list(&entries, &[]);
    below.extend(in_no_run(never));
    sheet(Axes::HEIGHT + height(&below), title, about, |area| {
        let (mut chart, free) = scales.draw(area)?;
        let (mut markers, mut ends) = (Vec::new(), Vec::new());
        for (n, (p, _)) in curves.iter().enumerate() {
            let style = Style::nth(n);
            let at = |of: fn(Interval) -> Option<f64>| {
                p.survival.iter().map(move |q| (q.day.sqrt(), 100.0 * of(q.probability).unwrap_or(q.probability.value)))
            };
            if curves.len() <= BANDS_MAX {
                let upper = at(|i| i.high);
                let lower: Vec<(f64, f64)> = at(|i| i.low).collect();
                chart.draw_series([band(upper.chain(lower.into_iter().rev()).collect(), style)])?;
            }
            let places: Vec<(f64, f64)> = at(|i| Some(i.value)).collect();
            let middle: Option<At> = places.get(places.len() / 2 + n % 3).map(|place| chart.backend_coord(place));
            ends.extend(places.last().map(|end| (chart.backend_coord(end), n + 1)));
            chart.draw_series([line(places, style)])?;
            middle.iter().try_for_each(|&at| draw_marker(area, at, style))?;
            markers.extend(middle);
        }
        number_points(area, chart.plotting_area().get_pixel_range(), &markers, &ends)?;
        write_lines(&free, &below)
    })
}

/// Who is listed last, as no run shows anything of them.
fn in_no_run(never: &[String]) -> Vec<Line> {
    if never.is_empty() {
        return Vec::new();
    }
    let head = names_from(MARGIN, &["It fell in no run of".to_string()]);
    head.into_iter().chain(names_from(MARGIN, never)).collect()
}

/// What a policy asks of a person a year, ceremonies included.
fn asked(cell: &SimulatedCell) -> f64 {
    let of = |name: &str| cell.measures.iter().find(|m| m.measure == name).map_or(0.0, |m| m.mean.value);
    of("questions") + of("ceremonies")
}

/// What policies withstand, against what they ask: a point for each, or for several that come out equal.
fn against_questions(record: &SimulationRecord, group: &Group) -> Plot {
    let mut points: Vec<(f64, f64, Vec<String>)> = Vec::new();
    for (cell, p) in &group.cells {
        let (x, y) = (asked(cell), 100.0 * (1.0 - p.probability.value));
        match points.iter_mut().find(|(a, b, _)| (*a, *b) == (x, y)) {
            Some((.., models)) => models.push(cell.model.clone()),
            None => points.push((x, y, vec![cell.model.clone()])),
        }
    }
    points.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.total_cmp(&b.0)));
    let beats = |p: &(f64, f64), q: (f64, f64)| *p != q && p.0 <= q.0 && p.1 >= q.1;
    let places: Vec<(f64, f64)> = points.iter().map(|(x, y, _)| (*x, *y)).collect();
    let best: Vec<bool> = places.iter().map(|&q| !places.iter().any(|p| beats(p, q))).collect();
    let title = format!("{} against what is asked: {}, {}", group.property, group.scenario, group.arrives);
    let about = format!(
        "Each point is a policy, or several that come out equal. To the right: questions that stop a person and \
         ceremonies, a year. Upwards: the share of runs in which {} held to the end. No other policy beats those that \
         are marked, by holding in more runs for as little or in as many for less; within their intervals some may. {}",
        group.property,
        from_runs(record)
    );
    let row = |(cell, p): &(&SimulatedCell, &PropertyRecord)| {
        let point = points.iter().position(|(.., models)| models.contains(&cell.model));
        let Interval { value, low, high } = p.probability;
        let unbeaten = point.is_some_and(|n| best[n]);
        let held = [Some(1.0 - value), high.map(|h| 1.0 - h), low.map(|l| 1.0 - l)].map(number);
        let mut row = vec![cell.model.clone(), point.map_or(String::new(), |n| (n + 1).to_string())];
        row.extend([asked(cell).to_string()].into_iter().chain(held));
        row.push(if unbeaten { "yes" } else { "no" }.to_string());
        row
    };
    Plot {
        name: name("safety-against-questions", group),
        svg: points_drawing(&points, &best, &title, &about),
        rows: group.cells.iter().map(row).collect(),
        columns: columns(&["policy", "point", "asked-a-person-a-year", "holds", "low", "high", "unbeaten"]),
        title,
        about,
    }
}

fn points_drawing(points: &[(f64, f64, Vec<String>)], best: &[bool], title: &str, about: &str) -> String {
    let x_max = points.iter().map(|p| p.0).fold(0.0, f64::max);
    let scales = Scales {
        x_max: if x_max > 0.0 { 1.1 * x_max } else { 1.0 },
        y_max: 100.0,
        x_title: "questions and ceremonies a person a year".to_string(),
        y_title: Some("runs in which it held, %".to_string()),
        x_shown: |x| x,
    };
    let style = |best: &bool| if *best { Style::BEST } else { Style::OTHER };
    let mut below = vec![
        Key::Point(Style::BEST).means("no other holds in more runs for as little, or in as many for less"),
        Key::Point(Style::OTHER).means("another does"),
        Line::default(),
    ];
    let entries: Vec<Entry> =
        points.iter().zip(best).map(|((.., models), best)| (Key::Point(style(best)), models.clone())).collect();
    below.extend(list(&entries, &[]));
    sheet(Axes::HEIGHT + height(&below), title, about, |area| {
        let (chart, free) = scales.draw(area)?;
        let markers: Vec<At> = points.iter().map(|(x, y, _)| chart.backend_coord(&(*x, *y))).collect();
        markers.iter().zip(best).try_for_each(|(&at, best)| draw_marker(area, at, style(best)))?;
        let numbered: Vec<(At, usize)> = markers.iter().copied().zip(1..).collect();
        number_points(area, chart.plotting_area().get_pixel_range(), &markers, &numbered)?;
        write_lines(&free, &below)
    })
}

/// What each assumed number does to the worst property that falls, the most telling first; none if nothing was swept.
fn tornado(record: &SimulationRecord) -> Option<Plot> {
    let sweep = record.sweep.as_ref()?;
    let cell = record.cells.get(sweep.cell)?;
    let property = that_fell(&[cell])?;
    let now = of_property(cell, property)?.probability.value;
    let ends = |s: &SweptRecord| {
        let of = s.properties.iter().find(|p| p.property == property)?;
        Some((of.at_low, of.at_high))
    };
    let mut swept: Vec<_> = sweep.numbers.iter().filter_map(|s| Some((s, ends(s)?))).collect();
    let spread = |(low, high): &(Interval, Interval)| (high.value - low.value).abs();
    swept.sort_by(|(_, a), (_, b)| spread(b).total_cmp(&spread(a)));
    let title = format!("What the assumed numbers do to {property}: {} under {}", cell.scenario, cell.model);
    let about = format!(
        "The share of runs in which {property} fell, with each assumed number at either end of its range and all else \
         equal. The thin line is where it falls with all numbers as they are. {}",
        from_runs(record)
    );
    let row = |(s, (low, high)): &(&SweptRecord, (Interval, Interval))| {
        let of = [&s.people, &s.habit].map(String::clone);
        let numbers = [Some(s.low), Some(s.high)].into_iter();
        let fell = [low, high].into_iter().flat_map(|i| [Some(i.value), i.low, i.high]);
        of.into_iter().chain(numbers.chain(fell).map(number)).collect()
    };
    let names = ["people", "number", "low", "high", "falls-at-low", "from", "to", "falls-at-high", "from", "to"];
    let says = |s: &SweptRecord| {
        let per = s.per.map_or(String::new(), |per| format!(" a {}", per.name()));
        format!("{} of {}: {} to {}{per}", s.habit, s.people, s.low, s.high)
    };
    let bars: Vec<(f64, f64, String)> = swept.iter().map(|(s, (low, high))| (low.value, high.value, says(s))).collect();
    Some(Plot {
        name: format!("assumed-numbers-{}-{}", cell.scenario, cell.model),
        svg: bars_drawing(&bars, now, &title, &about),
        rows: swept.iter().map(row).collect(),
        columns: columns(&names),
        title,
        about,
    })
}

fn bars_drawing(bars: &[(f64, f64, String)], now: f64, title: &str, about: &str) -> String {
    let all = bars.len() as f64;
    let scales = Scales {
        x_max: 100.0,
        y_max: all,
        x_title: "runs in which it fell, %".to_string(),
        y_title: None,
        x_shown: |x| x,
    };
    let mut below = vec![
        Key::Point(Style::BEST).means("at the low end"),
        Key::Point(Style::OTHER).means("at the high end"),
        Line::default(),
    ];
    let entries: Vec<Entry> = bars.iter().map(|(.., says)| (Key::Line(Style::nth(0)), vec![says.clone()])).collect();
    below.extend(list(&entries, &[]));
    sheet(Axes::HEIGHT + height(&below), title, about, |area| {
        let (mut chart, free) = scales.draw(area)?;
        let mut ends = Vec::new();
        for (n, (low, high, _)) in bars.iter().enumerate() {
            let y = all - n as f64;
            let (left, right) = (100.0 * low.min(*high), 100.0 * low.max(*high));
            chart.draw_series([bar([(left, y - 0.25), (right, y - 0.75)], Style::nth(0))])?;
            let [at_low, at_high] = [low, high].map(|x| chart.backend_coord(&(100.0 * x, y - 0.5)));
            draw_marker(area, at_low, Style::BEST)?;
            draw_marker(area, at_high, Style::OTHER)?;
            ends.push((chart.backend_coord(&(right, y - 0.5)), n + 1));
        }
        let markers: Vec<At> = ends.iter().map(|(at, _)| *at).collect();
        chart.draw_series([thin_line((100.0 * now, 0.0), (100.0 * now, all))])?;
        number_points(area, chart.plotting_area().get_pixel_range(), &markers, &ends)?;
        write_lines(&free, &below)
    })
}
