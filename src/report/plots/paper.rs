//! A sheet of paper as SVG: axes of whole numbers, marks that need no colour to be told apart, a list of names below.
//!
//! The sheet is white on any page, and narrow, so that its letters can be read on a phone. It has no ids: many can
//! stand in one page.

use std::fmt::Write;

/// How wide every sheet is; letters are 15 high.
const WIDTH: f64 = 520.0;
/// From one line of text to the next.
const LINE: f64 = 20.0;
/// What is left free at the sides.
const MARGIN: f64 = 10.0;
/// How wide digits are at most.
const DIGIT: f64 = 10.0;
/// Where names stand in the list, and how much room there is for them.
const NAMES: (f64, f64) = (84.0, WIDTH - 84.0 - 12.0);

/// A place on a sheet: to the right, and down.
pub type At = (f64, f64);

/// The colours of Okabe and Ito, which are told apart without full sight of colours as well; their yellow is too pale.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#56b4e9", "#e69f00"];
/// How lines are broken.
const DASHES: [&str; 4] = ["none", "9 4", "2 4", "12 4 2 4"];
/// Circle, square, diamond, triangle, cross.
const SHAPES: [&str; 5] = [
    "m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0z",
    "m-5.5-5.5h11v11h-11z",
    "m0-7.5l7.5 7.5l-7.5 7.5l-7.5-7.5z",
    "m0-8l7.5 13h-15z",
    "m-5.5-5.5l11 11m0-11l-11 11",
];

/// How the things of one number are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// The colour.
    pub colour: &'static str,
    /// How its lines are broken.
    pub dashes: &'static str,
    /// The marker, from its middle.
    pub shape: &'static str,
    /// The colour within the marker.
    pub within: &'static str,
}

impl Style {
    /// The `n`th of many that all differ.
    pub fn nth(n: usize) -> Self {
        let colour = COLOURS[n % COLOURS.len()];
        Self { colour, dashes: DASHES[n % DASHES.len()], shape: SHAPES[n % SHAPES.len()], within: colour }
    }
    /// What stands out.
    pub const BEST: Self = Self { colour: COLOURS[0], dashes: DASHES[1], shape: SHAPES[2], within: COLOURS[0] };
    /// What does not.
    pub const OTHER: Self = Self { colour: "#555555", dashes: DASHES[0], shape: SHAPES[0], within: "#ffffff" };
}

/// How a surface is filled, and what can be read on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The surface's colour.
    pub colour: &'static str,
    /// The colour of what is written on it.
    pub ink: &'static str,
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text is written that is none of many.
const BOLD: &str = " font-weight=\"bold\"";
/// The same where lines may run behind it.
const BOLD_ON_WHITE: &str = " font-weight=\"bold\" stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\"";

/// A sheet that is being drawn.
#[derive(Default)]
pub struct Sheet {
    drawn: String,
    /// Where something stands that nothing may be written over: the middle, and how far it reaches.
    taken: Vec<(At, At)>,
}

impl Sheet {
    /// The sheet as a file, cut off below `height`.
    pub fn finish(self, height: f64, title: &str, about: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {WIDTH} {height}\" \
             width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"15\" fill=\"#222222\">\n\
             <title>{}</title>\n<desc>{}</desc>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             {}</svg>\n",
            escaped(title),
            escaped(about),
            self.drawn
        )
    }

    /// A line through several places.
    pub fn line(&mut self, places: &[At], colour: &str, width: f64, dashes: &str) {
        let points: Vec<String> = places.iter().map(|&(x, y)| format!("{},{}", round(x), round(y))).collect();
        self.draw(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" \
             stroke-dasharray=\"{dashes}\"/>",
            points.join(" ")
        ));
    }

    /// A marker, which says what it stands for where it is pointed at.
    pub fn marker(&mut self, (x, y): At, style: Style, says: &str) {
        let Style { colour, shape, within, .. } = style;
        let (x, y) = (round(x), round(y));
        self.draw(format_args!(
            "<path d=\"M{x} {y}{shape}\" fill=\"{within}\" stroke=\"{colour}\" stroke-width=\"2\"><title>{}</title>\
             </path>",
            escaped(&straight(says))
        ));
        self.taken.push(((x, y), (9.0, 9.0)));
    }

    /// A line of text with its middle at the height of its place.
    fn text(&mut self, (x, y): At, anchor: Anchor, text: &str, how: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, text) = (round(x), round(y + 5.0), escaped(text));
        self.draw(format_args!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\"{how}>{text}</text>"));
    }

    /// Writes a number near a marker, where nothing else stands; from farther away a thin line leads to it.
    pub fn number(&mut self, near: At, number: usize) {
        let text = number.to_string();
        let reach = (DIGIT * text.len() as f64 / 2.0, LINE / 2.0 - 1.0);
        let place = self.free_place(near, reach);
        if (place.0 - near.0).abs().max((place.1 - near.1).abs()) > 26.0 {
            self.line(&[near, place], "#888888", 1.0, "none");
        }
        self.text(place, Anchor::Middle, &text, BOLD_ON_WHITE);
        self.taken.push((place, reach));
    }

    /// The nearest place to the right, to the left, above or below, in which something of that reach touches nothing.
    fn free_place(&self, near: At, reach: At) -> At {
        const WAYS: [At; 8] =
            [(1.0, 0.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (-1.0, -1.0), (-1.0, 1.0)];
        let far = |steps: u32| 11.0 + 8.0 * f64::from(steps);
        let place = |steps, way: At| (near.0 + way.0 * (far(steps) + reach.0), near.1 + way.1 * (far(steps) + 7.0));
        let on_sheet = |p: &At| p.0 > reach.0 && p.0 + reach.0 < WIDTH && p.1 > reach.1;
        let apart =
            |p: &At, (q, r): &(At, At)| (p.0 - q.0).abs() >= reach.0 + r.0 || (p.1 - q.1).abs() >= reach.1 + r.1;
        let free = |p: &At| on_sheet(p) && self.taken.iter().all(|other| apart(p, other));
        let mut all = (0..40).flat_map(|steps| WAYS.map(|way| place(steps, way)));
        all.find(free).unwrap_or(place(0, WAYS[0]))
    }

    /// Lists what the numbers stand for, from `top` on, and then who has no number; returns where the list ends.
    pub fn list(&mut self, top: f64, entries: &[Entry], without: &[String]) -> f64 {
        let mut y = top;
        for Entry { number, style, as_line, names } in entries {
            let key = (62.0, y);
            if *as_line {
                self.line(&[(key.0 - 18.0, y), (key.0 + 18.0, y)], style.colour, 2.0, style.dashes);
            }
            self.marker(key, *style, &names.join(", "));
            self.text((32.0, y), Anchor::End, &number.to_string(), BOLD);
            y = self.names((NAMES.0, y), NAMES.1, names);
        }
        if !without.is_empty() {
            self.text((MARGIN, y + 4.0), Anchor::Start, "No way to set these up was found:", "");
            y = self.names((MARGIN, y + 4.0 + LINE), WIDTH - 2.0 * MARGIN, without);
        }
        self.explain_mark(y, entries.iter().flat_map(|entry| entry.names.clone()).chain(without.iter().cloned()))
    }

    /// Says at `y` what the mark behind a name means, if one of `names` has it; returns where the sheet is free.
    pub fn explain_mark(&mut self, y: f64, mut names: impl Iterator<Item = String>) -> f64 {
        if !names.any(|name| name.ends_with('†')) {
            return y;
        }
        self.text((MARGIN, y + 4.0), Anchor::Start, "† some values of the model are unverified", "");
        y + 4.0 + LINE
    }

    /// A marker at `y`, and what it means; returns where the next one stands.
    pub fn key(&mut self, y: f64, style: Style, says: &str) -> f64 {
        self.marker((MARGIN + 12.0, y), style, says);
        self.text((MARGIN + 34.0, y), Anchor::Start, says, "");
        y + LINE
    }

    /// A colour at `y`, and what it means; returns where the next one stands.
    pub fn swatch(&mut self, y: f64, fill: Fill, says: &str) -> f64 {
        self.rectangle((MARGIN, y - 8.0), (24.0, 16.0), fill);
        self.text((MARGIN + 34.0, y), Anchor::Start, says, "");
        y + LINE
    }

    /// Names at `y`, and below them a bar of numbers, each as long as it is large; returns where the next names stand.
    pub fn bar(&mut self, y: f64, names: &[String], parts: &[(usize, Fill)]) -> f64 {
        let (room, high) = (WIDTH - 2.0 * MARGIN, 17.0);
        let top = self.names((MARGIN, y), room, names) - LINE / 2.0 - 3.0;
        let total: usize = parts.iter().map(|part| part.0).sum();
        let mut left = MARGIN;
        for &(n, fill) in parts.iter().filter(|part| part.0 > 0) {
            let wide = room * n as f64 / total as f64;
            self.rectangle((left, top), (wide, high), fill);
            if DIGIT * n.to_string().len() as f64 <= wide {
                let ink = format!(" fill=\"{}\"", fill.ink);
                self.text((left + wide / 2.0, top + high / 2.0), Anchor::Middle, &n.to_string(), &ink);
            }
            left += wide;
        }
        top + high + 16.0
    }

    fn rectangle(&mut self, (x, y): At, (width, height): At, fill: Fill) {
        let (x, y, width, colour) = (round(x), round(y), round(width), fill.colour);
        self.draw(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{colour}\" stroke=\"#222222\"/>"
        ));
    }

    /// Writes names one after the other, on as many lines as they take; returns where the next line stands.
    fn names(&mut self, (x, top): At, room: f64, names: &[String]) -> f64 {
        let lines = wrapped(names, room);
        for (i, line) in lines.iter().enumerate() {
            self.text((x, top + LINE * i as f64), Anchor::Start, line, "");
        }
        top + LINE * lines.len() as f64 + 4.0
    }

    fn draw(&mut self, element: std::fmt::Arguments) {
        writeln!(self.drawn, "{element}").expect("a string takes everything");
    }
}

/// A line of the list: what a number on the sheet stands for.
pub struct Entry {
    /// The number.
    pub number: usize,
    /// How it is drawn.
    pub style: Style,
    /// Whether it is a line; a point otherwise.
    pub as_line: bool,
    /// The names of what it stands for.
    pub names: Vec<String>,
}

/// Two axes of whole numbers.
pub struct Axes {
    /// The least and the greatest number to the right.
    pub x: (u32, u32),
    /// The greatest number upwards; the least is 0.
    pub y_max: u32,
    /// How high the axes are.
    pub height: f64,
    /// What the numbers to the right are.
    pub x_title: String,
    /// What the numbers upwards are.
    pub y_title: String,
}

impl Axes {
    /// Left and right end, and the top, of what is drawn.
    const LEFT: f64 = 48.0;
    const RIGHT: f64 = WIDTH - 16.0;
    const TOP: f64 = 44.0;

    /// Where two numbers meet.
    pub fn at(&self, x: u32, y: u32) -> At {
        let ((least, most), room) = (self.x, Self::RIGHT - Self::LEFT - 28.0 - 44.0);
        let across = if most == least { 0.5 } else { f64::from(x - least) / f64::from(most - least) };
        let up = f64::from(y) / f64::from(self.y_max.max(1));
        (Self::LEFT + 28.0 + room * across, self.bottom() - 14.0 - up * (self.height - 30.0))
    }

    /// The right end of the axes.
    pub fn right(&self) -> f64 {
        Self::RIGHT
    }

    fn bottom(&self) -> f64 {
        Self::TOP + self.height
    }

    /// Draws the axes with their numbers and titles; returns where the sheet is free below them.
    pub fn draw(&self, sheet: &mut Sheet) -> f64 {
        let (bottom, grey) = (self.bottom(), "#dddddd");
        for y in ticks(0, self.y_max, 11) {
            let height = self.at(self.x.0, y).1;
            sheet.line(&[(Self::LEFT, height), (Self::RIGHT, height)], grey, 1.0, "none");
            sheet.text((Self::LEFT - 8.0, height), Anchor::End, &y.to_string(), "");
            sheet.taken.push(((Self::LEFT / 2.0, height), (Self::LEFT / 2.0, 9.0)));
        }
        for x in ticks(self.x.0, self.x.1, 9) {
            let (across, _) = self.at(x, 0);
            sheet.line(&[(across, bottom), (across, bottom + 6.0)], "#222222", 1.0, "none");
            sheet.text((across, bottom + 18.0), Anchor::Middle, &x.to_string(), "");
            sheet.taken.push(((across, bottom + 18.0), (18.0, 9.0)));
        }
        sheet.line(&[(Self::LEFT, Self::TOP), (Self::LEFT, bottom), (Self::RIGHT, bottom)], "#222222", 1.0, "none");
        sheet.text((MARGIN, 20.0), Anchor::Start, &self.y_title, "");
        sheet.text(((Self::LEFT + Self::RIGHT) / 2.0, bottom + 40.0), Anchor::Middle, &self.x_title, "");
        bottom + 76.0
    }
}

/// The numbers from `least` to `most` that stand at an axis: round ones, and at most `many`.
fn ticks(least: u32, most: u32, many: u32) -> Vec<u32> {
    let tens = (0..9).map(|n| 10u32.pow(n));
    let step = tens.flat_map(|ten| [ten, 2 * ten, 5 * ten]).find(|s| (most - least) / s < many);
    (least..=most).filter(|n| n % step.unwrap_or(u32::MAX) == 0).collect()
}

/// Names with commas between them, on lines that fit into `room`.
fn wrapped(names: &[String], room: f64) -> Vec<String> {
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
    lines
}

/// A name as a sheet shows it: cut where it would be too long, and unable to turn round what stands beside it.
fn shown(name: &str, room: f64) -> String {
    let name = straight(name);
    let (mut cut, mut used) = (String::new(), width("…,"));
    for c in name.chars() {
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

/// A text without characters that turn others round.
fn straight(text: &str) -> String {
    text.chars().map(|c| if turns_text(c) { '\u{fffd}' } else { c }).collect()
}

/// Whether a character says in which direction others run.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How wide a text is at most, in the widest of the usual fonts.
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

/// A text as it stands in XML, which has no place for most control characters.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn round(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}
