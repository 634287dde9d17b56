//! A sheet of paper, drawn by plotters: charts, lines of text below them, and numbers beside points.
//!
//! The sheet is white on any page, and narrow, so that its letters can be read on a phone. It has no ids: many can
//! stand in one page. What differs in colour differs in shape or dashes as well.

use minijinja::HtmlEscape;
use plotters::coord::Shift;
use plotters::coord::ranged1d::SegmentedCoord;
use plotters::coord::types::{RangedCoordf64, RangedCoordu32};
use plotters::element::{DashedPathElement, DynElement};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// How wide every sheet is; letters are 15 high.
const WIDTH: u32 = 520;
/// From one line of text to the next.
const LINE: i32 = 20;
/// What is left free at the sides.
pub const MARGIN: i32 = 10;
/// How high the numbers below an axis are with their title.
pub const SCALE: i32 = 54;
/// What plotters calls a font whose letters it writes 15 high.
const FONT: (&str, f64) = ("sans-serif", 15.0 * 1.24);
/// Where names stand in the list.
const NAMES: i32 = 84;

/// A place on a sheet: to the right, and down.
pub type At = (i32, i32);
/// A sheet, or a part of it.
pub type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;
/// Axes with what is drawn between them.
pub type Chart<'s> = ChartContext<'s, SVGBackend<'s>, Cartesian2d<Axis, Axis>>;
type Axis = SegmentedCoord<RangedCoordu32>;
/// Two numbers on the axes.
pub type Place = (SegmentValue<u32>, SegmentValue<u32>);
/// Something drawn, at places of one kind.
type Element<'s, C> = DynElement<'static, SVGBackend<'s>, C>;
/// What drawing on a string could fail with, if it could fail.
pub type Error = DrawingAreaErrorKind<std::io::Error>;

/// What is written and drawn if nothing else is said.
pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const GREY: RGBColor = RGBColor(0x55, 0x55, 0x55);
const PALE: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

/// The colours of Okabe and Ito, which are told apart without full sight of colours as well; their yellow is too pale.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xe6, 0x9f, 0x00),
];
/// How lines are broken: how long each dash is, and each gap.
const DASHES: [(i32, i32); 4] = [(1, 0), (9, 4), (2, 4), (16, 7)];
const SHAPES: [Shape; 5] = [Shape::Circle, Shape::Square, Shape::Diamond, Shape::Triangle, Shape::Cross];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Ring,
    Circle,
    Square,
    Diamond,
    Triangle,
    Cross,
}

/// How the things of one number are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    colour: RGBColor,
    dashes: (i32, i32),
    shape: Shape,
}

impl Style {
    /// The `n`th of many that all differ.
    pub fn nth(n: usize) -> Self {
        Self { colour: COLOURS[n % 7], dashes: DASHES[n % 4], shape: SHAPES[n % 5] }
    }
    /// What stands out.
    pub const BEST: Self = Self { colour: COLOURS[0], dashes: DASHES[1], shape: Shape::Diamond };
    /// What does not.
    pub const OTHER: Self = Self { colour: GREY, dashes: DASHES[0], shape: Shape::Ring };
}

/// A sheet as a file; `draw` draws on it.
pub fn sheet(height: i32, title: &str, about: &str, draw: impl FnOnce(&Area) -> Result<(), Error>) -> String {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (WIDTH, height as u32)).into_drawing_area();
    let drawn = area.fill(&WHITE).and_then(|()| draw(&area)).and_then(|()| area.present());
    drawn.expect("a string takes everything");
    drop(area);
    // What plotters has no word for: that this is one picture, and what it is called.
    let (title, about) = (HtmlEscape(title), HtmlEscape(about));
    svg.replacen('>', &format!(" role=\"img\">\n<title>{title}</title>\n<desc>{about}</desc>"), 1)
}

/// Text as every sheet has it, with that part of it at its place.
pub fn text(part: HPos, colour: RGBColor) -> TextStyle<'static> {
    FONT.into_font().color(&colour).pos(Pos::new(part, VPos::Center))
}

fn bold(part: HPos) -> TextStyle<'static> {
    let TextStyle { font, color, pos } = text(part, INK);
    TextStyle { font: font.style(FontStyle::Bold), color, pos }
}

/// How wide a number is at most.
pub fn digits(number: usize) -> i32 {
    10 * number.to_string().len() as i32
}

/// A line through several places.
pub fn line<'s, C: Clone + 'static>(places: Vec<C>, style: Style) -> Element<'s, C> {
    let Style { colour, dashes: (dash, gap), .. } = style;
    match gap {
        0 => PathElement::new(places, colour.stroke_width(2)).into_dyn(),
        _ => DashedPathElement::new(places, dash, gap, colour.stroke_width(2)).into_dyn(),
    }
}

/// A thin line from one place to another.
pub fn thin_line<'s, C: Clone + 'static>(from: C, to: C) -> Element<'s, C> {
    PathElement::new(vec![from, to], GREY).into_dyn()
}

/// Draws a marker with its middle at a place.
pub fn draw_marker(area: &Area, at: At, style: Style) -> Result<(), Error> {
    let (full, drawn) = (style.colour.filled(), style.colour.stroke_width(2));
    let polygon = |corners: &[At]| {
        let corners: Vec<At> = corners.iter().map(|corner| (at.0 + corner.0, at.1 + corner.1)).collect();
        area.draw(&Polygon::new(corners, full))
    };
    match style.shape {
        Shape::Ring => {
            area.draw(&Circle::new(at, 6, WHITE.filled()))?;
            area.draw(&Circle::new(at, 6, drawn))
        }
        Shape::Circle => area.draw(&Circle::new(at, 7, full)),
        Shape::Square => polygon(&[(-6, -6), (6, -6), (6, 6), (-6, 6)]),
        Shape::Diamond => polygon(&[(0, -8), (8, 0), (0, 8), (-8, 0)]),
        Shape::Triangle => polygon(&[(0, -8), (8, 6), (-8, 6)]),
        Shape::Cross => area.draw(&Cross::new(at, 6, drawn)),
    }
}

/// A filled surface with a border, from its upper left to its lower right.
pub fn surface<'s, C: Clone + 'static>(corners: [C; 2], fill: RGBColor) -> [Element<'s, C>; 2] {
    [fill.filled(), INK.stroke_width(1)].map(|style| Rectangle::new(corners.clone(), style).into_dyn())
}

/// Two axes of whole numbers.
pub struct Axes {
    /// The least and the greatest number to the right.
    pub x: (u32, u32),
    /// The greatest number upwards; the least is 0.
    pub y_max: u32,
    /// What the numbers to the right are.
    pub x_title: String,
    /// What the numbers upwards are.
    pub y_title: String,
}

impl Axes {
    /// How high a chart is with its axes.
    pub const HEIGHT: i32 = 500;

    /// Draws the axes at the top of a sheet; gives what is drawn between them, and what is free below them.
    pub fn draw<'s>(&self, area: &Area<'s>) -> Result<(Chart<'s>, Area<'s>), Error> {
        let (above, below) = area.split_vertically(Self::HEIGHT);
        let mut builder = ChartBuilder::on(&above);
        // Numbers of the last points stand to the right of the axes.
        builder.margin(MARGIN).margin_right(4 * MARGIN).margin_bottom(2 * MARGIN);
        builder.x_label_area_size(SCALE).y_label_area_size(64);
        let (x, y) = (self.x.0..self.x.1, 0..self.y_max);
        let mut chart = builder.build_cartesian_2d(x.into_segmented(), y.into_segmented())?;
        let mut mesh = chart.configure_mesh();
        mesh.axis_style(INK).bold_line_style(PALE).disable_x_mesh().x_labels(9).y_labels(11);
        mesh.label_style(text(HPos::Center, INK)).axis_desc_style(text(HPos::Center, INK));
        mesh.x_desc(&self.x_title).y_desc(&self.y_title).draw()?;
        Ok((chart, below))
    }
}

/// Axes of any numbers, from 0 on, with what is drawn between them.
pub type Plane<'s> = ChartContext<'s, SVGBackend<'s>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Two axes of any numbers from 0 on.
pub struct Scales {
    /// The greatest number to the right.
    pub x_max: f64,
    /// The greatest number upwards.
    pub y_max: f64,
    /// What the numbers to the right are.
    pub x_title: String,
    /// What the numbers upwards are; none if they are not to be read.
    pub y_title: Option<String>,
    /// What is written at a number to the right: itself, or what it stands for.
    pub x_shown: fn(f64) -> f64,
}

impl Scales {
    /// Draws the axes at the top of a sheet; gives what is drawn between them, and what is free below them.
    pub fn draw<'s>(&self, area: &Area<'s>) -> Result<(Plane<'s>, Area<'s>), Error> {
        let (above, below) = area.split_vertically(Axes::HEIGHT);
        let mut builder = ChartBuilder::on(&above);
        builder.margin(MARGIN).margin_right(4 * MARGIN).margin_bottom(2 * MARGIN).x_label_area_size(SCALE);
        builder.y_label_area_size(if self.y_title.is_some() { 64 } else { 2 * MARGIN });
        let mut chart = builder.build_cartesian_2d(0.0..self.x_max, 0.0..self.y_max)?;
        let number = |n: &f64| ((n * 1000.0).round() / 1000.0).to_string();
        let mut mesh = chart.configure_mesh();
        mesh.axis_style(INK).bold_line_style(PALE).light_line_style(TRANSPARENT).x_labels(7).x_desc(&self.x_title);
        let shown = |n: &f64| number(&(self.x_shown)(*n));
        mesh.x_label_formatter(&shown).y_label_formatter(&number);
        mesh.label_style(text(HPos::Center, INK)).axis_desc_style(text(HPos::Center, INK));
        match &self.y_title {
            Some(title) => mesh.y_labels(11).y_desc(title).disable_x_mesh(),
            None => mesh.disable_y_axis().disable_y_mesh(),
        };
        mesh.draw()?;
        Ok((chart, below))
    }
}

/// What lies between two lines, paler than they are.
pub fn band<'s, C: Clone + 'static>(around: Vec<C>, style: Style) -> Element<'s, C> {
    Polygon::new(around, style.colour.mix(0.18)).into_dyn()
}

/// A bar, from its upper left to its lower right.
pub fn bar<'s, C: Clone + 'static>(corners: [C; 2], style: Style) -> Element<'s, C> {
    Rectangle::new(corners, style.colour.filled()).into_dyn()
}

/// Where two numbers meet.
pub fn place(x: u32, y: u32) -> Place {
    (SegmentValue::CenterOf(x), SegmentValue::CenterOf(y))
}

/// The part of a sheet between axes, as its chart's area tells it.
pub type Between = (Range<i32>, Range<i32>);

/// Writes numbers beside points, so that none covers another, nor one of `markers`; from farther away a thin line leads
/// to the point.
pub fn number_points(area: &Area, between: Between, markers: &[At], points: &[(At, usize)]) -> Result<(), Error> {
    let (across, down) = between;
    let room = (across.start..WIDTH as i32, down);
    let mut taken: Vec<(At, At)> = markers.iter().map(|&at| (at, (9, 9))).collect();
    for &(near, number) in points {
        let reach = (digits(number) / 2, 8);
        let at = free_place(&room, &taken, near, reach);
        if (at.0 - near.0).abs().max((at.1 - near.1).abs()) > 26 {
            area.draw(&thin_line(near, at))?;
        }
        // What lies behind the number leaves it free.
        area.draw(&Rectangle::new(
            [(at.0 - reach.0, at.1 - reach.1), (at.0 + reach.0, at.1 + reach.1)],
            WHITE.filled(),
        ))?;
        area.draw_text(&number.to_string(), &bold(HPos::Center), at)?;
        taken.push((at, reach));
    }
    Ok(())
}

/// The nearest place to the right, to the left, above or below, in which something of that reach touches nothing.
fn free_place(room: &(Range<i32>, Range<i32>), taken: &[(At, At)], near: At, reach: At) -> At {
    const WAYS: [At; 8] = [(1, 0), (1, -1), (1, 1), (-1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1)];
    let place = |far: i32, way: At| (near.0 + way.0 * (far + reach.0), near.1 + way.1 * (far + 7));
    let inside = |p: &At| {
        let all_in = |n: i32, reach: i32, room: &Range<i32>| room.start <= n - reach && n + reach < room.end;
        all_in(p.0, reach.0, &room.0) && all_in(p.1, reach.1, &room.1)
    };
    let apart = |p: &At, (q, r): &(At, At)| (p.0 - q.0).abs() >= reach.0 + r.0 || (p.1 - q.1).abs() >= reach.1 + r.1;
    let mut all = (0..40).flat_map(|step| WAYS.map(|way| place(11 + 8 * step, way)));
    all.find(|p| inside(p) && taken.iter().all(|other| apart(p, other))).unwrap_or(place(11, WAYS[0]))
}

/// A line of text, and what stands before it.
#[derive(Default)]
pub struct Line {
    number: Option<usize>,
    key: Option<Key>,
    left: i32,
    says: String,
}

/// What stands before a text and is explained by it.
#[derive(Clone, Copy)]
pub enum Key {
    /// The marker of a point.
    Point(Style),
    /// A line with its marker.
    Line(Style),
    /// A surface of that colour.
    Surface(RGBColor),
}

impl Key {
    /// The key and what it means.
    pub fn means(self, says: &str) -> Line {
        Line { key: Some(self), left: MARGIN + 34, says: says.to_string(), number: None }
    }

    fn draw(self, area: &Area, (x, y): At) -> Result<(), Error> {
        match self {
            Self::Point(style) => draw_marker(area, (x, y), style),
            Self::Line(style) => {
                area.draw(&line(vec![(x - 18, y), (x + 18, y)], style))?;
                draw_marker(area, (x, y), style)
            }
            Self::Surface(fill) => {
                surface([(x - 12, y - 8), (x + 12, y + 8)], fill).iter().try_for_each(|part| area.draw(part))
            }
        }
    }
}

/// How high some lines are.
pub fn height(lines: &[Line]) -> i32 {
    LINE * lines.len() as i32
}

/// Writes lines from the top of an area on.
pub fn write_lines(area: &Area, lines: &[Line]) -> Result<(), Error> {
    for (Line { number, key, left, says }, n) in lines.iter().zip(0..) {
        let y = LINE * n + LINE / 2;
        if let Some(number) = number {
            area.draw_text(&number.to_string(), &bold(HPos::Right), (MARGIN + 22, y))?;
        }
        if let Some(key) = key {
            key.draw(area, (left - 22, y))?;
        }
        area.draw_text(says, &text(HPos::Left, INK), (*left, y))?;
    }
    Ok(())
}

/// What a number on the sheet stands for: how it is drawn, and the names.
pub type Entry = (Key, Vec<String>);

/// Lists what the numbers from 1 on stand for, and then who has no number.
pub fn list(entries: &[Entry], without: &[String]) -> Vec<Line> {
    let mut out = Vec::new();
    for ((key, names), number) in entries.iter().zip(1..) {
        let first = out.len();
        out.extend(names_from(NAMES, names));
        (out[first].number, out[first].key) = (Some(number), Some(*key));
    }
    if !without.is_empty() {
        out.push(plain_line("No way to set these up was found:"));
        out.extend(names_from(MARGIN, without));
    }
    out.extend(mark_explained(entries.iter().flat_map(|entry| &entry.1).chain(without)));
    out
}

fn plain_line(says: &str) -> Line {
    Line { left: MARGIN, says: says.to_string(), ..Line::default() }
}

/// The end of a sheet: what the mark behind a name means, if one of `names` has it.
pub fn mark_explained<'n>(mut names: impl Iterator<Item = &'n String>) -> Vec<Line> {
    let marked = names.any(|name| name.ends_with('†'));
    let mark = marked.then(|| [Line::default(), plain_line("† some values of the model are unverified")]);
    mark.into_iter().flatten().chain([Line::default()]).collect()
}

/// Names with commas between them, on as many lines as they take; the lines begin at `left`.
pub fn names_from(left: i32, names: &[String]) -> Vec<Line> {
    let room = f64::from(WIDTH as i32 - left - MARGIN);
    let mut lines = vec![String::new()];
    for (i, name) in names.iter().enumerate() {
        let name = shown(name, room) + if i + 1 == names.len() { "" } else { "," };
        let last = lines.last_mut().expect("there is always a line");
        match () {
            () if last.is_empty() => *last = name,
            () if width(last) + width(" ") + width(&name) <= room => *last += &format!(" {name}"),
            () => lines.push(name),
        }
    }
    lines.into_iter().map(|says| Line { left, says, ..Line::default() }).collect()
}

/// A name as a sheet shows it: cut where it would be too long, and unable to turn round what stands beside it.
fn shown(name: &str, room: f64) -> String {
    let (mut cut, mut used) = (String::new(), width("…,"));
    for c in name.chars().map(harmless) {
        used += width_of(c);
        if used > room {
            cut.push('…');
            break;
        }
        cut.push(c);
    }
    // Letters that run from right to left stay within their name.
    if name.is_ascii() { cut } else { format!("\u{2068}{cut}\u{2069}") }
}

/// A character, unless XML has no place for it or it says in which direction others run.
fn harmless(c: char) -> char {
    match c {
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// How wide a text is at most, in the widest of the usual fonts; plotters knows how many bytes it has.
fn width(text: &str) -> f64 {
    text.chars().map(width_of).sum()
}

fn width_of(c: char) -> f64 {
    let of_height = match c {
        'i' | 'j' | 'l' => 0.3,
        ' ' | 'f' | 'r' | 't' | '.' | ',' | ':' | ';' | '\'' | '-' | '(' | ')' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.0,
        'A'..='Z' => 0.8,
        '\u{2066}'..='\u{2069}' => 0.0,
        c if c.is_ascii() => 0.64,
        '\u{2e80}'.. => 1.4,
        _ => 0.9,
    };
    15.0 * of_height
}
