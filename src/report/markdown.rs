//! Texts of others in Markdown.

use crate::input::is_invisible;

/// What the mark at a model's name means.
pub const MARK: &str = "† some values of the model are unverified.";

/// A text as Markdown shows it word for word, on one line, in a cell of a table too.
pub fn text(text: &str) -> String {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let entity = |(i, c): (usize, char)| match c {
        '&' | '<' | '>' | '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' | '$' | '@' => {
            format!("&#{};", c as u32)
        }
        // At the beginning of a line these make a list, a heading or code, and so does a number with a stop.
        '-' | '+' | '=' | ' ' if i == 0 => format!("&#{};", c as u32),
        '.' | ')' if i == digits && i > 0 => format!("&#{};", c as u32),
        '\n' | '\r' | '\t' => " ".to_string(),
        c if is_invisible(c) => '\u{fffd}'.to_string(),
        c => c.to_string(),
    };
    text.chars().enumerate().map(entity).collect()
}
