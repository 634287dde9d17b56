//! Files of scenarios and models in which every name and every text tries to be something else.

use serde_json::{Value, json};

/// The fields that hold free text, in scenario and model files: each is hostile, and says which it is.
pub const TEXTS: [&str; 4] = ["title", "about", "why", "source"];

/// Names that mean something to Mermaid, HTML or JavaScript; `bob-phone` is given one of 200 letters. All are names
/// that files may have.
const NAMES: [(&str, &str); 8] = [
    ("alice", "end"),
    ("bob", "loop"),
    ("alice-phone", "participant"),
    ("bob-laptop", "n--x"),
    ("mallory", "constructor"),
    ("alice.example", "activate"),
    ("bob.example", "o..o--"),
    ("password-thief", "sequencediagram"),
];

/// Gives a file hostile names, and in the place of each text its field's name and `hostile`.
pub fn spoil(value: &mut Value, hostile: &str) {
    match value {
        Value::String(text) if text == "bob-phone" => *text = "b".repeat(200),
        Value::String(text) => {
            let name = NAMES.iter().find(|(from, _)| from == text);
            *text = name.map_or(std::mem::take(text), |(_, to)| to.to_string());
        }
        Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, hostile)),
        Value::Object(fields) => {
            for (key, field) in fields {
                match TEXTS.contains(&key.as_str()) {
                    true => *field = json!(format!("{key} {hostile}")),
                    false => spoil(field, hostile),
                }
            }
        }
        _ => {}
    }
}
