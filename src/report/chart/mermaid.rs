//! A chart as a Mermaid sequence diagram, as GitHub draws it in Markdown.

use super::text::{is_hidden, is_isolate, lines};
use super::{Chart, Lane, LaneKind, Row, RowKind};

/// The colour of what is the adversary's, which lets a light and a dark page shine through.
const RED: &str = "rgba(220, 50, 50, 0.18)";
/// The width of a line of text, in ems.
const WIDTH: f32 = 28.0;

/// The chart as a Mermaid `sequenceDiagram`, without the fence around it.
pub fn mermaid(chart: &Chart) -> String {
    let mut out = "sequenceDiagram\n".to_string();
    let mut boxed = false;
    for (i, lane) in chart.lanes.iter().enumerate() {
        if lane.adversary != boxed {
            out += &if boxed { "  end\n".to_string() } else { format!("  box {RED} the adversary\n") };
            boxed = lane.adversary;
        }
        out += &participant(i, lane);
    }
    out += if boxed { "  end\n" } else { "" };
    for rows in chart.rows.chunk_by(|a, b| a.step == b.step) {
        let adversary = rows.iter().any(|row| row.adversary);
        out += &if adversary { format!("  rect {RED}\n") } else { String::new() };
        for (i, row) in rows.iter().enumerate() {
            out += &line(row, i == 0);
        }
        out += if adversary { "  end\n" } else { "" };
    }
    // An empty diagram is an error.
    if chart.lanes.is_empty() { out + "  participant p0 as nobody\n" } else { out }
}

fn participant(i: usize, lane: &Lane) -> String {
    let word = if lane.kind == LaneKind::Person { "actor" } else { "participant" };
    let mark = if lane.adversary { "▲ " } else { "" };
    let about = if lane.about.is_empty() { String::new() } else { format!("<br/>{}", folded(&lane.about)) };
    format!("  {word} p{i} as {mark}{}{about}\n", folded(&lane.name))
}

fn line(row: &Row, begins: bool) -> String {
    let number = if begins { format!("{}. ", row.step) } else { String::new() };
    let mark = if row.adversary { "▲ " } else { "" };
    let truth = row.truth.as_ref().map_or(String::new(), |t| format!("<br/>{}", folded(t)));
    let text = format!("{number}{mark}{}{truth}", folded(&row.label));
    let Row { from, to, .. } = *row;
    match row.kind {
        RowKind::Message | RowKind::Key => {
            let arrow = if row.adversary { "-->>" } else { "->>" };
            format!("  p{from}{arrow}p{to}: {text}\n")
        }
        RowKind::Ceremony | RowKind::Phase if from != to => {
            format!("  Note over p{},p{}: {text}\n", from.min(to), from.max(to))
        }
        _ => format!("  Note over p{from}: {text}\n"),
    }
}

/// Text in lines that are short enough for a lane.
fn folded(text: &str) -> String {
    lines(text, WIDTH, 4).iter().map(|line| escape(line)).collect::<Vec<_>>().join("<br/>")
}

/// Text that means nothing but itself: whatever could mean more is written as the number of its character.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out += "<br/>",
            c if c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | ',' | '-' | '\'' | '(' | ')' | '?') => {
                out.push(c)
            }
            // What means nothing to a parser has no number that all of them know.
            c if is_hidden(c) && !is_isolate(c) => out.push('\u{fffd}'),
            c if c.is_ascii() => out += &format!("#{};", u32::from(c)),
            c => out.push(c),
        }
    }
    let words =
        out.split(' ').map(|word| if word.eq_ignore_ascii_case("end") { format!("({word})") } else { word.into() });
    words.collect::<Vec<String>>().join(" ")
}
