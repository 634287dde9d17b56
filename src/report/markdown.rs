//! Texts of others in Markdown.

/// A text as Markdown shows it word for word, on one line, in a cell of a table too.
pub fn text(text: &str) -> String {
    let entity = |(i, c): (usize, char)| match c {
        '&' | '<' | '>' | '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' | '$' | '@' => {
            format!("&#{};", c as u32)
        }
        // At the beginning of a line these make a list or a heading.
        '-' | '+' | '=' if i == 0 => format!("&#{};", c as u32),
        '\n' | '\r' => " ".to_string(),
        c => c.to_string(),
    };
    text.chars().enumerate().map(entity).collect()
}
