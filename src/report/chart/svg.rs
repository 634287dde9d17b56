//! A chart as one SVG element to be put into a page.
//!
//! Colours are the page's: `--ink`, `--paper`, `--adversary`, `--muted` and `--good`. What is the adversary's is bold,
//! dashed and marked as well, so that it can be told without colours. There are no scripts, no links and no fonts.

use super::text::{ems, is_hidden, is_isolate, lines};
use super::{Chart, Lane, LaneKind, Row, RowKind};
use std::fmt::Write;

/// The width that no chart exceeds.
const WIDTH_MAX: usize = 1000;
/// The room for the numbers of steps, left of the lanes.
const GUTTER: usize = 36;
/// The room right of the lanes.
const MARGIN: usize = 8;
/// The distance of lanes if there is room.
const SPACING: usize = 150;
/// Where lanes are nearer than this, every other one is introduced further down.
const SPACING_MIN: usize = 100;
/// The distance of lines of text.
const LINE: usize = 15;
/// The size of labels and that of what is said below a lane's name.
const SIZES: (f32, f32) = (12.0, 11.0);
/// How much wider bold text is.
const BOLD: f32 = 1.12;
/// The width that a label may have whatever the lanes that it is between.
const LABEL: usize = 250;

const STYLE: &str = ".chart{font:12px system-ui,sans-serif;color:var(--ink,currentColor);max-width:100%;height:auto}\
.chart text{fill:currentColor;text-anchor:middle;stroke:var(--paper,Canvas);stroke-width:4px;stroke-linejoin:round;\
paint-order:stroke}\
.chart path,.chart rect{fill:none;stroke:currentColor;stroke-width:1.3}\
.chart .w{font-size:11px}.chart .b,.chart .x text{font-weight:700}.chart .s{font-style:italic}\
.chart rect{fill:var(--paper,Canvas)}.chart .h{fill:currentColor;stroke:none}.chart .k{stroke-width:3.2}\
.chart .m{color:var(--muted,GrayText)}.chart .g,.chart .x .g{color:var(--good,#1b7a43);font-weight:400}\
.chart .x{color:var(--adversary,#b3261e)}.chart .x path,.chart .x rect{stroke-dasharray:6 3}\
.chart .x .w{font-weight:400}.chart .x .h,.chart .x .i{stroke-dasharray:none}";

/// The chart as an SVG element, whose ids begin with `id`, with a title and a description for those who do not see it.
pub fn svg(chart: &Chart, id: &str, title: &str, description: &str) -> String {
    let sheet = Sheet::of(chart);
    let (head, top) = introductions(&sheet, chart);
    let mut page = Page { sheet: &sheet, chart, y: top, rows: String::new(), steps: Vec::new() };
    chart.rows.iter().for_each(|row| page.row(row));
    let Page { y: bottom, rows, steps, .. } = page;
    let (id, title, description) = (escape(id), escape(title), escape(description));
    let (width, height) = (sheet.width, bottom + 6);
    let lives = lives(&sheet, chart, &steps, top, height);
    format!(
        "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"{id}-title {id}-desc\"><title id=\"{id}-title\">{title}</title>\
         <desc id=\"{id}-desc\">{description}</desc><style>{STYLE}</style>{lives}{head}{rows}</svg>"
    )
}

/// Text as it may stand in XML, within an element or an attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\n' | '\t' => out.push(' '),
            c if is_hidden(c) && !is_isolate(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Where lanes are.
struct Sheet {
    spacing: usize,
    width: usize,
    staggered: bool,
}

impl Sheet {
    fn of(chart: &Chart) -> Self {
        let n = chart.lanes.len().max(1);
        let spacing = SPACING.max(2 * LABEL / n).min((WIDTH_MAX - GUTTER - MARGIN) / n);
        Self { spacing, width: GUTTER + n * spacing + MARGIN, staggered: spacing < SPACING_MIN }
    }
    /// The middle of a lane.
    fn x(&self, lane: usize) -> usize {
        GUTTER + lane * self.spacing + self.spacing / 2
    }
    /// Where the middle of something so wide can be nearest to `x`.
    fn within(&self, x: usize, width: usize) -> usize {
        let (least, most) = (GUTTER + width / 2, (self.width - 3).saturating_sub(width / 2));
        x.min(most).max(least)
    }
}

/// Text in lines of at most so many pixels, and how wide the widest may be.
fn set(text: &str, width: usize, size: f32, most: usize) -> (Vec<String>, usize) {
    let lines = lines(text, width as f32 / size, most);
    let widest = lines.iter().map(|line| ems(line) * size).fold(0.0, f32::max);
    (lines, widest.ceil() as usize)
}

/// Writes lines of text, the first one's foot at `y`.
fn write(out: &mut String, class: &str, lines: &[String], x: usize, y: usize) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    for (i, line) in lines.iter().enumerate() {
        let y = y + i * LINE;
        write!(out, "<text{class} x=\"{x}\" y=\"{y}\">{}</text>", escape(line)).expect("a string takes it");
    }
}

/// A sign for what a lane stands for, around the middle of its top.
fn sign(kind: LaneKind) -> &'static str {
    match kind {
        LaneKind::Person => "m-7 16a7 7 0 0 1 14 0zm7-8a4 4 0 1 1 .1 0z",
        LaneKind::Device => "m-5 0h10v16h-10zm3 13h4",
        LaneKind::Server => "m-8 1h16v6h-16zm0 8h16v6h-16zm3-5h2m-2 8h2",
        LaneKind::Link | LaneKind::Adversary => "m0 1l8 14h-16zm0 5v4m0 2v1",
    }
}

/// The heads of all lanes, and where what is below them begins.
fn introductions(sheet: &Sheet, chart: &Chart) -> (String, usize) {
    let room = if sheet.staggered { 2 * sheet.spacing } else { sheet.spacing } - 8;
    let heads: Vec<(String, usize)> = chart.lanes.iter().map(|lane| head(lane, room)).collect();
    let tallest = |odd: usize| heads.iter().skip(odd).step_by(2).map(|h| h.1).max().unwrap_or(0);
    let second = if sheet.staggered { tallest(0) + 8 } else { 0 };
    let mut out = String::new();
    for (i, (head, _)) in heads.iter().enumerate() {
        let y = if i % 2 == 1 { second } else { 0 };
        let class = if chart.lanes[i].adversary { " class=\"x\"" } else { "" };
        write!(out, "<g{class} transform=\"translate({} {})\">{head}</g>", sheet.x(i), y + 4)
            .expect("a string takes it");
    }
    (out, 4 + tallest(0).max(second + tallest(1)) + 6)
}

/// The head of a lane around x = 0, and how tall it is.
fn head(lane: &Lane, room: usize) -> (String, usize) {
    let mut out = format!("<path class=\"i\" d=\"M0 0{}\"/>", sign(lane.kind));
    let marked = if lane.adversary { format!("▲ {}", lane.name) } else { lane.name.clone() };
    let (name, _) = set(&marked, room, SIZES.0 * BOLD, 3);
    if ems(&name.concat()) + 1.0 < ems(&marked) {
        out = format!("<title>{}</title>{out}", escape(&lane.name));
    }
    let about = if lane.about.is_empty() { Vec::new() } else { set(&lane.about, room, SIZES.1, 6).0 };
    write(&mut out, "b", &name, 0, 30);
    write(&mut out, "w", &about, 0, 30 + name.len() * LINE);
    (out, 34 + (name.len() + about.len() - 1) * LINE)
}

/// The line below each lane's head, which is the adversary's from the step on in which it takes the device.
fn lives(sheet: &Sheet, chart: &Chart, steps: &[(usize, usize)], top: usize, bottom: usize) -> String {
    let mut out = String::new();
    for (i, lane) in chart.lanes.iter().enumerate() {
        let taken = lane.stolen_in.and_then(|s| steps.iter().find(|(step, _)| *step == s)).map_or(bottom, |s| s.1);
        let taken = if lane.adversary { top } else { taken };
        for (class, from, to) in [("m", top, taken), ("x", taken, bottom)] {
            if from < to {
                write!(out, "<g class=\"{class}\"><path d=\"M{} {from}V{to}\"/></g>", sheet.x(i))
                    .expect("a string takes it");
            }
        }
    }
    out
}

/// The rows, one below the other.
struct Page<'a> {
    sheet: &'a Sheet,
    chart: &'a Chart,
    /// Where the next row begins.
    y: usize,
    rows: String,
    /// Where each step begins.
    steps: Vec<(usize, usize)>,
}

impl Page<'_> {
    fn row(&mut self, row: &Row) {
        if self.steps.last().is_none_or(|(step, _)| *step != row.step) {
            self.begin(row.step);
        }
        let class = match (row.adversary, row.kind) {
            (true, _) => " class=\"x\"",
            (false, RowKind::Warning) => " class=\"g\"",
            _ => "",
        };
        write!(self.rows, "<g{class}>").expect("a string takes it");
        match row.kind {
            RowKind::Message | RowKind::Key | RowKind::Ceremony => self.arrow(row),
            RowKind::Event | RowKind::Sight | RowKind::Warning => self.note(row),
            RowKind::Phase => self.phase(row),
        }
        self.rows += "</g>";
    }

    /// Draws a line, and the number of the step below it.
    fn begin(&mut self, step: usize) {
        self.steps.push((step, self.y));
        let adversary = self.chart.rows.iter().any(|row| row.step == step && row.adversary);
        let (class, mark) = if adversary { ("x b", "▲ ") } else { ("b", "") };
        let (y, right) = (self.y, self.sheet.width);
        write!(
            self.rows,
            "<g class=\"m\"><path d=\"M0 {y}H{right}\" stroke-opacity=\".4\"/></g><g class=\"{class}\">\
             <text x=\"16\" y=\"{}\">{mark}{step}</text></g>",
            y + 20
        )
        .expect("a string takes it");
        self.y += 8;
    }

    fn label(row: &Row) -> String {
        if row.adversary { format!("▲ {}", row.label) } else { row.label.clone() }
    }

    fn arrow(&mut self, row: &Row) {
        let (from, to) = (self.sheet.x(row.from), self.sheet.x(row.to));
        let size = if row.adversary { SIZES.0 * BOLD } else { SIZES.0 };
        let room = from.abs_diff(to).saturating_sub(16).max(LABEL);
        let (label, width) = set(&Self::label(row), room, size, 6);
        let middle = (from + to) / 2;
        write(&mut self.rows, "", &label, self.sheet.within(middle, width), self.y + 12);
        let y = self.y + label.len() * LINE + 5;
        let class = if row.kind == RowKind::Key { " class=\"k\"" } else { "" };
        let back: isize = if from < to { -9 } else { 9 };
        let end = to as isize + back / 2;
        write!(self.rows, "<path{class} d=\"M{from} {y}H{end}\"/><path class=\"h\" d=\"M{to} {y}l{back}-5v10z\"/>")
            .expect("a string takes it");
        if row.kind == RowKind::Ceremony {
            write!(self.rows, "<path class=\"h\" d=\"M{from} {y}l{}-5v10z\"/>", -back).expect("a string takes it");
        }
        self.y = y + 9;
        if let Some(truth) = &row.truth {
            let (truth, width) = set(truth, room, SIZES.0, 6);
            write(&mut self.rows, "g", &truth, self.sheet.within(middle, width), y + 14);
            self.y += truth.len() * LINE;
        }
    }

    fn note(&mut self, row: &Row) {
        let size = if row.adversary { SIZES.0 * BOLD } else { SIZES.0 };
        let (label, width) = set(&Self::label(row), LABEL, size, 6);
        let (truth, beside) = row.truth.as_ref().map_or_else(Default::default, |t| set(t, LABEL, SIZES.0, 6));
        let width = width.max(beside) + 14;
        let height = (label.len() + truth.len()) * LINE + 6;
        let x = self.sheet.within(self.sheet.x(row.from), width);
        let seen = matches!(row.kind, RowKind::Sight | RowKind::Warning);
        let (class, round) = if seen { ("s", 10) } else { ("", 0) };
        let (left, y) = (x - width / 2, self.y);
        write!(self.rows, "<rect x=\"{left}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>")
            .expect("a string takes it");
        write(&mut self.rows, class, &label, x, y + 14);
        write(&mut self.rows, "g", &truth, x, y + 14 + label.len() * LINE);
        self.y += height + 8;
    }

    fn phase(&mut self, row: &Row) {
        let (y, left, right) = (self.y + 12, GUTTER, self.sheet.width - MARGIN);
        let (label, width) = set(&Self::label(row), right - left, SIZES.0 * BOLD, 1);
        let x = self.sheet.within((left + right) / 2, width);
        let (to, from) = (x.saturating_sub(width / 2).max(left), (x + width / 2).min(right));
        write!(self.rows, "<path d=\"M{left} {y}H{to}M{from} {y}H{right}\"/>").expect("a string takes it");
        write(&mut self.rows, "", &label, x, y + 4);
        self.y += 26;
    }
}
