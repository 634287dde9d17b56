//! Names and labels as they can be shown: visible, of one direction, and of a width that is known.

/// The most characters of a name within a label.
pub(super) const NAME_MAX: usize = 22;

/// Begins a stretch of text that takes its own direction and cannot reorder what is around it.
const ISOLATE: char = '\u{2068}';
/// Ends it.
const POP: char = '\u{2069}';

/// Whether a character would be unseen and yet change what is seen, or has no place in XML.
pub(super) fn is_hidden(c: char) -> bool {
    let reorders = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    reorders || breaks
}

/// Whether a character is one of those that keep names to themselves.
pub(super) fn is_isolate(c: char) -> bool {
    matches!(c, ISOLATE | POP)
}

/// Whether a character is written from right to left.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Whether a character belongs to the one before it.
fn is_joined(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// A name with everything in it to be seen: what would hide or reorder is replaced, and what runs from right to left is
/// kept to itself.
pub(super) fn visible(name: &str) -> String {
    isolated(&name.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect::<String>())
}

/// The same, of at most so many characters: the middle of a longer one is left out.
pub(super) fn name(name: &str, most: usize) -> String {
    let seen: String = name.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
    isolated(&shortened(&seen, most))
}

fn isolated(name: &str) -> String {
    if name.chars().any(is_right_to_left) { format!("{ISOLATE}{name}{POP}") } else { name.to_string() }
}

/// Text of at most so many characters: the middle of a longer one is left out.
fn shortened(text: &str, most: usize) -> String {
    let letters = letters(text);
    if letters.len() <= most {
        return text.to_string();
    }
    let (head, tail) = ((most - 1).div_ceil(2), (most - 1) / 2);
    letters[..head].concat() + "…" + &letters[letters.len() - tail..].concat()
}

/// The text cut into what can stand by itself.
fn letters(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for c in text.chars() {
        let joins = is_joined(c) || all.last().is_some_and(|l| l.ends_with('\u{200d}'));
        match all.last_mut() {
            // No longer than this, so that nothing is piled up without end.
            Some(letter) if joins && letter.len() < 40 => letter.push(c),
            _ => all.push(c.to_string()),
        }
    }
    all
}

/// At most how wide text is, in ems of a common sans-serif face: an upper bound for those that browsers fall back on.
pub(super) fn ems(text: &str) -> f32 {
    text.chars().map(em).sum()
}

fn em(c: char) -> f32 {
    match c {
        ISOLATE | POP => 0.0,
        _ if is_joined(c) => 0.0,
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '-' | '(' | ')' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '▲' => 1.0,
        'a'..='z' | '0'..='9' => 0.64,
        _ if c.is_ascii() => 0.84,
        '\u{a0}'..='\u{24f}' => 0.9,
        _ => 1.35,
    }
}

/// Text in lines of at most so many ems, at most so many lines: what does not fit is left out in the middle.
pub(super) fn lines(text: &str, width: f32, most: usize) -> Vec<String> {
    let all = evenly_wrapped(text, width);
    let kept = match all.len() {
        n if n <= most => all,
        _ if most == 1 => vec![cut(&all[0], width)],
        n => all[..most - 2].iter().cloned().chain([cut(&all[most - 2], width), all[n - 1].clone()]).collect(),
    };
    kept.iter().map(|line| balanced(line)).collect()
}

/// The line with a mark of omission at its end.
fn cut(line: &str, width: f32) -> String {
    let mut letters = letters(line);
    while letters.len() > 1 && ems(&letters.concat()) + 1.0 > width {
        letters.pop();
    }
    letters.concat() + "…"
}

/// As few lines as the width allows, and none much shorter than the others.
fn evenly_wrapped(text: &str, width: f32) -> Vec<String> {
    let widest = wrapped(text, width);
    if widest.len() == 1 {
        return widest;
    }
    // No narrower than the widest word, which would be cut.
    let word = text.split(' ').map(ems).fold(0.0, f32::max);
    let narrower = (4..10).map(|tenths| width * tenths as f32 / 10.0).filter(|&narrow| narrow >= word);
    let even = narrower.map(|narrow| wrapped(text, narrow)).find(|lines| lines.len() == widest.len());
    even.unwrap_or(widest)
}

fn wrapped(text: &str, width: f32) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut line = String::new();
    // Hyphens end a line only within words that are too wide by themselves, and anything else only in their parts.
    let too_wide = |piece: &str| ems(piece.trim_end()) > width;
    let words = pieces(letters(text), " ").into_iter();
    let parts = words.flat_map(|w| if too_wide(&w.concat()) { pieces(w, "-") } else { vec![w] });
    let parts =
        parts.flat_map(|p| if too_wide(&p.concat()) { p.into_iter().map(|l| vec![l]).collect() } else { vec![p] });
    for piece in parts.map(|part| part.concat()) {
        if !line.is_empty() && ems(&line) + ems(piece.trim_end()) > width {
            all.push(std::mem::take(&mut line).trim_end().to_string());
        }
        line += &piece;
    }
    all.push(line.trim_end().to_string());
    all
}

/// Letters in pieces, each of which ends with `end`, but for the last.
fn pieces(letters: Vec<String>, end: &str) -> Vec<Vec<String>> {
    letters.split_inclusive(|letter| letter == end).map(<[String]>::to_vec).collect()
}

/// A line that ends every isolate that it begins, and ends none that it does not begin.
fn balanced(line: &str) -> String {
    let (mut open, mut unopened) = (0usize, 0usize);
    for c in line.chars() {
        match c {
            ISOLATE => open += 1,
            POP if open == 0 => unopened += 1,
            POP => open -= 1,
            _ => {}
        }
    }
    let pair = |c: char, n: usize| c.to_string().repeat(n);
    pair(ISOLATE, unopened) + line + &pair(POP, open)
}
