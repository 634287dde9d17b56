//! The worst that adversaries reach under each policy.

use super::paper::{
    At, INK, Key, Line, MARGIN, SCALE, digits, height, mark_explained, names_from, sheet, surface, text, write_lines,
};
use super::{Compared, Plot, names};
use crate::model::Property;
use crate::report::results::{Keys, Nth, Run};
use plotters::chart::ChartBuilder;
use plotters::style::text_anchor::HPos;
use plotters::style::{RGBColor, WHITE};
use std::cmp::Reverse;

/// What the plot's files are called.
pub const NAME: &str = "what-adversaries-reach";
const TITLE: &str = "What adversaries reach at worst";

/// How a surface is filled, and the colour of what is written on it.
#[derive(Clone, Copy)]
struct Fill {
    colour: RGBColor,
    ink: RGBColor,
}

/// How bad it gets, the best first: what a column counts, what the sheet says, and how it is filled.
// The worse the darker, so that no colour need be seen.
const REACHED: [(&str, &str, Fill); 6] = [
    ("nothing-read", "nothing is read", Fill { colour: WHITE, ink: INK }),
    ("not-known", "not known", Fill { colour: RGBColor(0xe0, 0xe0, 0xe0), ink: INK }),
    ("read", "something is read", Fill { colour: RGBColor(0xfd, 0xd9, 0xa0), ink: INK }),
    ("nobody-warned", "read, and nobody is warned", Fill { colour: RGBColor(0xee, 0x9a, 0x4d), ink: INK }),
    ("unseen", "read, unseen by those concerned", Fill { colour: RGBColor(0xb5, 0x50, 0x2a), ink: WHITE }),
    (
        "invisible",
        "read unseen and unwarned, and nobody misses a message",
        Fill { colour: RGBColor(0x4a, 0x12, 0x12), ink: WHITE },
    ),
];

/// How many adversaries reach each of these.
type Counts = [usize; REACHED.len()];

/// Which of these it is if a property falls.
fn reached(property: Property) -> usize {
    match property {
        Property::NoInvisibleListener => 5,
        Property::NoHiddenKey | Property::NoUnseenReader => 4,
        Property::NoUnnoticedLeak | Property::NoSilentLeak => 3,
        _ => 2,
    }
}

/// The plot; none if no adversary was met by all policies.
pub fn plot(run: &Run, compared: &Compared) -> Option<Plot> {
    let bars = bars(run, compared);
    if compared.adversaries.is_empty() {
        return None;
    }
    let cut_short = |&n: &Nth| run.sides[n].outcomes.iter().any(|o| o.verdict == "unknown");
    let about = format!(
        "Each bar is a policy, or several that come out equal, and shows how many of {} adversaries reach what, at \
         worst and whenever they arrive; the darker the worse. Only what a scenario asks about can be reached in it. \
         The safest policies stand first.{}{}",
        compared.adversaries.len(),
        if compared.policies.iter().any(cut_short) { " Where a search was cut short there may be worse." } else { "" },
        compared.left_out()
    );
    let row = |&n: &Nth| {
        let bar = bars.iter().position(|(_, policies)| policies.contains(&n)).expect("every policy has a bar");
        let counts = bars[bar].0.iter().copied().chain([compared.adversaries.len()]).map(|n| n.to_string());
        [run.models[n].name.clone(), (bar + 1).to_string()].into_iter().chain(counts).collect()
    };
    let columns = ["policy", "bar"].into_iter().chain(REACHED.map(|r| r.0)).chain(["adversaries"]);
    Some(Plot {
        name: NAME.to_string(),
        title: TITLE.to_string(),
        svg: drawing(run, &bars, &about),
        about,
        columns: columns.map(str::to_string).collect(),
        rows: compared.policies.iter().map(row).collect(),
    })
}

/// What adversaries reach, and under which policies; the safest first.
fn bars(run: &Run, compared: &Compared) -> Vec<(Counts, Vec<Nth>)> {
    let mut bars: Vec<(Counts, Vec<Nth>)> = Vec::new();
    for &n in &compared.policies {
        let mut counts = [0; REACHED.len()];
        compared.adversaries.iter().for_each(|scenario| counts[worst(run, n, scenario)] += 1);
        match bars.iter_mut().find(|bar| bar.0 == counts) {
            Some(bar) => bar.1.push(n),
            None => bars.push((counts, vec![n])),
        }
    }
    // The more of the best the better; of equals, the fewer of the worst.
    bars.sort_by_key(|(counts, _)| (Reverse(counts[0]), counts.iter().rev().copied().collect::<Vec<usize>>()));
    bars
}

/// The worst that one adversary reaches, whenever it arrives.
fn worst(run: &Run, n: Nth, scenario: &str) -> usize {
    let at = |arrives| match run.keys(n, scenario, arrives) {
        Some(Keys::Lost) => run.lost(n, scenario, arrives).map(reached).max().unwrap_or(0),
        Some(Keys::Unknown) => 1,
        Some(Keys::Kept) | None => 0,
    };
    run.arrivals(n, scenario).into_iter().map(at).max().unwrap_or(0)
}

/// How high a bar is, and how much is left free below it.
const BAR: (i32, i32) = (18, 9);

fn drawing(run: &Run, bars: &[(Counts, Vec<Nth>)], about: &str) -> String {
    let occurs = |reached: &usize| bars.iter().any(|(counts, _)| counts[*reached] > 0);
    let key = |reached: usize| Key::Surface(REACHED[reached].2.colour).means(REACHED[reached].1);
    let mut keys = vec![Line::default()];
    keys.extend((0..REACHED.len()).filter(occurs).map(key));
    keys.push(Line::default());
    let names: Vec<Vec<String>> = bars.iter().map(|(_, policies)| names(run, policies)).collect();
    let lines: Vec<Vec<Line>> = names.iter().map(|names| names_from(MARGIN, names)).collect();
    let deep: i32 = lines.iter().map(|lines| height(lines) + BAR.0 + BAR.1).sum();
    let end = mark_explained(names.iter().flatten());
    let total = bars[0].0.iter().sum::<usize>() as i32;
    sheet(height(&keys) + deep + SCALE + height(&end), TITLE, about, |area| {
        let (above, rest) = area.split_vertically(height(&keys));
        let (middle, below) = rest.split_vertically(deep + SCALE);
        write_lines(&above, &keys)?;
        write_lines(&below, &end)?;
        let mut builder = ChartBuilder::on(&middle);
        builder.margin_left(MARGIN).margin_right(2 * MARGIN).x_label_area_size(SCALE);
        let mut chart = builder.build_cartesian_2d(0..total, deep..0)?;
        let (label, title) = (text(HPos::Center, INK), "adversaries");
        chart.configure_mesh().disable_mesh().axis_style(INK).label_style(label).x_desc(title).draw()?;
        let mut top = 0;
        for ((counts, _), lines) in bars.iter().zip(&lines) {
            write_lines(&middle.split_vertically(top).1, lines)?;
            top += height(lines);
            for (n, fill, corners) in parts(counts, top) {
                chart.draw_series(surface(corners, fill.colour))?;
                let [(left, upper), (right, lower)] = corners.map(|corner| chart.backend_coord(&corner));
                if digits(n) <= right - left {
                    let middle = ((left + right) / 2, (upper + lower) / 2);
                    area.draw_text(&n.to_string(), &text(HPos::Center, fill.ink), middle)?;
                }
            }
            top += BAR.0 + BAR.1;
        }
        Ok(())
    })
}

/// The parts of a bar at `top`: a number, how it is filled, and from where to where it reaches.
fn parts(counts: &Counts, top: i32) -> Vec<(usize, Fill, [At; 2])> {
    let mut end = 0;
    let part = |(&n, (.., fill)): (&usize, (_, _, Fill))| {
        let start = end;
        end += n as i32;
        (n, fill, [(start, top), (end, top + BAR.0)])
    };
    counts.iter().zip(REACHED).map(part).filter(|part| part.0 > 0).collect()
}
