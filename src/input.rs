//! Reading a JSON file into a type, and saying exactly where a file is wrong.
//!
//! Every refusal is a [`Diagnostic`]: a stable code, a sentence, the place, what would be valid and what is nearest.
//! Types and keys are checked by serde; what a later check finds wrong is located by its [`Place`] in the file.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use jsonc_parser::ast::{self, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::io::Read;
use std::marker::PhantomData;
use std::ops::Range;

/// Limit on the size of a file in bytes. 1 MiB: the largest bundled file has 8 KiB, and nobody writes more by hand.
pub const SIZE_MAX: usize = 1 << 20;
/// The only file format this version reads.
pub const FORMAT: &str = "1";
/// Names are cut to this many characters in a message, so that a hostile one does not fill the screen.
const NAME_SHOWN_MAX: usize = 80;
/// Limit on the bytes between two places that are shown on one line.
const BETWEEN_MAX: usize = 1000;

/// A range of bytes in a source's text.
pub type Span = Range<usize>;

/// One step from a JSON value into it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Item(usize),
}

/// Where in a JSON document a value is: the steps from the root to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(Vec<Step>);

impl Place {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }
    /// The value under `key` in the object here.
    pub fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }
    /// The value at `index` in the array here.
    pub fn item(&self, index: usize) -> Self {
        self.then(Step::Item(index))
    }
    fn then(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

/// `people[1].name`; the root is `the file`.
impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the file");
        }
        f.write_str("`")?;
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i == 0 => f.write_str(&shown(key))?,
                Step::Key(key) => write!(f, ".{}", shown(key))?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        f.write_str("`")
    }
}

/// A file's text, with the path by which messages call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path, as the user gave it.
    pub path: String,
    /// What the file says.
    pub text: String,
}

impl Source {
    /// A text that is already in memory.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Reads a file from disk that a person writes.
    pub fn read(path: &str) -> Result<Self, Box<Diagnostic>> {
        Self::read_up_to(path, SIZE_MAX)
    }

    /// Reads a file from disk, unless it has more than `size_max` bytes.
    pub fn read_up_to(path: &str, size_max: usize) -> Result<Self, Box<Diagnostic>> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path);
        let read = file.and_then(|file| file.take(size_max as u64 + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) => Self::take(path, bytes, size_max),
            Err(e) => Err(Diagnostic::of_file("E001", path, format!("the file cannot be read: {}", reason(&e)))),
        }
    }

    /// Takes the bytes of a file, if they are a text of a reasonable size.
    pub fn from_bytes(path: &str, bytes: Vec<u8>) -> Result<Self, Box<Diagnostic>> {
        Self::take(path, bytes, SIZE_MAX)
    }

    fn take(path: &str, bytes: Vec<u8>, size_max: usize) -> Result<Self, Box<Diagnostic>> {
        if bytes.len() > size_max {
            let message = format!("the file is too large: more than {size_max} bytes ({} MiB)", size_max >> 20);
            return Err(Diagnostic::of_file("E002", path, message));
        }
        String::from_utf8(bytes).map(|text| Self::new(path, text)).map_err(|e| {
            let start = e.utf8_error().valid_up_to();
            let byte = e.as_bytes()[start];
            let source = Self::new(path, String::from_utf8_lossy(e.as_bytes()));
            source.error("E003", start..start, format!("the file is not UTF-8: byte 0x{byte:02x} cannot stand here"))
        })
    }

    /// The range of the value at `place`, or of the last value on the way that exists. Of an object or array over
    /// several lines only the opening bracket.
    pub fn at(&self, place: &Place) -> Span {
        self.with_ast(|root| root.map_or(0..0, |root| opening(&self.text, span(walk(root, &place.0).0))))
    }

    /// The range of the key that ends `place`.
    pub fn key_at(&self, place: &Place) -> Span {
        let Some((Step::Key(key), rest)) = place.0.split_last() else { return self.at(place) };
        self.with_ast(|root| {
            let (parent, is_the_end) = walk(root?, rest);
            let property = parent.as_object().filter(|_| is_the_end)?.get(key)?;
            Some(span(&property.name))
        })
        .unwrap_or_else(|| self.at(place))
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..floor(&self.text, offset)];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// A refusal of what stands in `span`.
    pub fn error(&self, code: &'static str, span: Span, message: impl Into<String>) -> Box<Diagnostic> {
        let (line, column) = self.line_column(span.start);
        let span = floor(&self.text, span.start)..floor(&self.text, span.end);
        let excerpt = Some((self.text.clone(), span));
        Box::new(Diagnostic { line, column, excerpt, ..*Diagnostic::of_file(code, &self.path, message.into()) })
    }

    fn with_ast<T>(&self, read: impl FnOnce(Option<&Value>) -> T) -> T {
        let strict = ParseOptions {
            allow_comments: false,
            allow_loose_object_property_names: false,
            allow_trailing_commas: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            ..ParseOptions::default()
        };
        let parsed = parse_to_ast(&self.text, &CollectOptions::default(), &strict).ok();
        read(parsed.as_ref().and_then(|parsed| parsed.value.as_ref()))
    }
}

/// A refusal of a file, or of a name that should lead to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable over versions.
    pub code: &'static str,
    /// The file, as the user named it; empty where no file is meant.
    pub path: String,
    /// From 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// From 1, in characters; 0 where the file as a whole is meant.
    pub column: usize,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What would be valid here.
    pub expected: Option<String>,
    /// The valid name that is most like the given one.
    pub nearest: Option<String>,
    /// What to do about it, where that needs saying.
    pub help: Option<String>,
    /// The text and the range in it that the caret is under.
    excerpt: Option<(String, Span)>,
    /// Another place that matters, and why.
    also: Vec<(Span, String)>,
}

impl Diagnostic {
    /// A refusal that concerns a file as a whole.
    pub fn of_file(code: &'static str, path: &str, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            code,
            path: path.to_owned(),
            line: 0,
            column: 0,
            message: message.into(),
            expected: None,
            nearest: None,
            help: None,
            excerpt: None,
            also: Vec::new(),
        })
    }

    /// `error`, or `warning` where the file can be used as it is: what the letter of the code stands for.
    pub fn severity(&self) -> &'static str {
        if self.code.starts_with('W') { "warning" } else { "error" }
    }

    /// Adds what would be valid.
    pub fn expected(mut self: Box<Self>, expected: impl Into<String>) -> Box<Self> {
        self.expected = Some(expected.into());
        self
    }

    /// Adds the names that would be valid, and the one most like `given`.
    pub fn known<S: AsRef<str>>(mut self: Box<Self>, given: &str, names: &[S]) -> Box<Self> {
        if !names.is_empty() {
            self.expected = Some(one_of(names));
        }
        self.nearest = nearest(given, names);
        self
    }

    /// Adds what to do about it.
    pub fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that matters, with a word on why.
    pub fn also(mut self: Box<Self>, span: Span, why: impl Into<String>) -> Box<Self> {
        self.also.push((span, why.into()));
        self
    }

    /// The sentence, the line it is about with a caret, and help; with colours for a terminal or without.
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let level = if self.severity() == "error" { Level::ERROR } else { Level::WARNING };
        let mut group = Group::with_level(level);
        if let Some((text, span)) = &self.excerpt {
            // Two places on one very long line cannot be shown together.
            let near = |at: &Span| {
                let [from, to] = [at.start.min(span.start), at.start.max(span.start)];
                to - from < BETWEEN_MAX || text[from..to].contains('\n')
            };
            let also = self.also.iter().filter(|(at, _)| near(at));
            let also = also.map(|(at, why)| AnnotationKind::Context.span(at.clone()).label(why.as_str()));
            let snippet = Snippet::source(text.as_str()).annotation(AnnotationKind::Primary.span(span.clone()));
            group = group.element(snippet.annotations(also));
        }
        let expected = self.expected.as_ref().map(|expected| Level::NOTE.message(format!("expected {expected}")));
        let nearest = self.nearest.as_ref().map(|name| Level::HELP.message(format!("did you mean {}?", quoted(name))));
        let help = self.help.as_deref().map(|help| Level::HELP.message(help));
        group = group.elements([expected, nearest, help].into_iter().flatten());
        let head = self.head(coloured);
        if group.is_empty() { head } else { format!("{head}\n{}", renderer.render(&[group])) }
    }

    fn head(&self, coloured: bool) -> String {
        let path = shown(&self.path);
        let place = match (path.as_str(), self.line) {
            ("", _) => String::new(),
            (_, 0) => format!("{path}: "),
            (_, line) => format!("{path}:{line}:{}: ", self.column),
        };
        let severity = self.severity();
        let colour = if severity == "error" { "\x1b[1m\x1b[91m" } else { "\x1b[1m\x1b[33m" };
        let (on, off) = if coloured { (colour, "\x1b[0m") } else { ("", "") };
        format!("{place}{on}{severity}[{}]{off}: {}", self.code, self.message)
    }
}

impl Display for Diagnostic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}

/// Reads `source` as a `T`. Refused are: what is not strict JSON, a key twice, a `"format"` that this version does not
/// know, and whatever `T` refuses.
pub fn parse<T: DeserializeOwned>(source: &Source) -> Result<T, Box<Diagnostic>> {
    serde_json::from_str::<serde_json::Value>(&source.text).map_err(|e| syntax_error(source, &e))?;
    source.with_ast(|root| root.map_or(Ok(()), |root| check_keys(source, root).and(check_format(source, root))))?;
    let mut json = serde_json::Deserializer::from_str(&source.text);
    serde_path_to_error::deserialize(&mut json).map(|Object(value)| value).map_err(|e| shape_error(source, &e))
}

/// Reads a struct from an object only: serde alone would also take a list of its values.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct MapOnly<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for MapOnly<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        input.deserialize_map(MapOnly(PhantomData))
    }
}

/// For `deserialize_with`: an object, if the key is there.
pub fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(input: D) -> Result<Option<T>, D::Error> {
    Object::deserialize(input).map(|Object(value)| Some(value))
}

/// For `deserialize_with`: a list of objects.
pub fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(input: D) -> Result<Vec<T>, D::Error> {
    Vec::deserialize(input).map(|all: Vec<Object<T>>| all.into_iter().map(|Object(value)| value).collect())
}

/// For `deserialize_with`: an object of objects.
pub fn object_map<'de, T: Deserialize<'de>, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, T>, D::Error> {
    let all: BTreeMap<String, Object<T>> = BTreeMap::deserialize(input)?;
    Ok(all.into_iter().map(|(key, Object(value))| (key, value)).collect())
}

/// For `deserialize_with`: an enum's name as a text only. serde alone would also take an object.
pub fn name<'de, T: Deserialize<'de>, D: Deserializer<'de>>(input: D) -> Result<T, D::Error> {
    T::deserialize(String::deserialize(input)?.into_deserializer())
}

/// The text says something that is not JSON.
fn syntax_error(source: &Source, e: &serde_json::Error) -> Box<Diagnostic> {
    let text = &source.text;
    let line_start = text.split_inclusive('\n').take(e.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let found = floor(text, line_start + e.column().saturating_sub(1));
    let said = without_position(&e.to_string());
    if e.is_eof() {
        let end = text.trim_end().len();
        let says = if end == 0 { "it is empty" } else { "it ends too early" };
        return source.error("E004", end..end, format!("the file is not JSON: {says}"));
    }
    if said.starts_with("number out of range") {
        return number_error(source, found);
    }
    let here = text[found..].chars().next();
    let (at, says) = match here {
        Some('/' | '#') => (found, "comments are not allowed"),
        Some('\u{feff}') => (found, "it starts with a byte order mark"),
        Some('\'') => (found, "texts stand in double quotes"),
        _ if said == "trailing comma" => (text[..found].rfind(',').unwrap_or(found), "nothing follows this comma"),
        _ if said == "recursion limit exceeded" => (found, "brackets stand in brackets too often"),
        _ if said == "expected value" => (found, "a value is expected here"),
        _ => (found, said.as_str()),
    };
    let end = at + text[at..].chars().next().map_or(0, char::len_utf8);
    source.error("E004", at..end, format!("the file is not JSON: {says}"))
}

/// A number that no computer number can hold; `end` is where its reading stopped.
fn number_error(source: &Source, end: usize) -> Box<Diagnostic> {
    let of_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let text = &source.text;
    let start = text[..end].rfind(|c| !of_number(c)).map_or(0, |i| i + 1);
    let end = text[end..].find(|c| !of_number(c)).map_or(text.len(), |i| end + i);
    let message = format!("the number {} is out of range", shown(&text[start..end]));
    source.error("E011", start..end, message).help("no number in these files is so large")
}

/// No object has a key twice: readers differ in which of the two they believe.
fn check_keys(source: &Source, value: &Value) -> Result<(), Box<Diagnostic>> {
    match value {
        Value::Array(array) => array.elements.iter().try_for_each(|element| check_keys(source, element)),
        Value::Object(object) => {
            check_keys_of(source, object)?;
            object.properties.iter().try_for_each(|property| check_keys(source, &property.value))
        }
        _ => Ok(()),
    }
}

fn check_keys_of(source: &Source, object: &ast::Object) -> Result<(), Box<Diagnostic>> {
    let mut seen = std::collections::HashMap::new();
    for property in &object.properties {
        let name = property.name.as_str();
        if let Some(first) = seen.insert(name, &property.name) {
            let message = format!("the key {} stands in this object twice", quoted(name));
            return Err(source.error("E005", span(&property.name), message).also(span(first), "first here"));
        }
    }
    Ok(())
}

/// The format is looked at before anything else: what other formats look like is not known.
fn check_format(source: &Source, root: &Value) -> Result<(), Box<Diagnostic>> {
    let Some(format) = root.as_object().and_then(|root| root.get("format")) else { return Ok(()) };
    if format.value.as_number_lit().is_some_and(|number| number.value == FORMAT) {
        return Ok(());
    }
    let span = span(&format.value);
    let message = format!("this version does not read format {}", shown(&source.text[span.clone()]));
    Err(source.error("E006", span, message).expected(format!("`\"format\": {FORMAT}`, the only one so far")))
}

/// The JSON is sound, but not of the shape that `T` has.
fn shape_error(source: &Source, e: &serde_path_to_error::Error<serde_json::Error>) -> Box<Diagnostic> {
    use serde_path_to_error::Segment;
    let steps = e.path().iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    let place = Place(steps.collect());
    let said = without_position(&e.inner().to_string());
    // What serde found may hold any text; what it expected is ours, and comes last.
    let (found, expected) = said.rsplit_once(", expected ").unwrap_or((&said, ""));
    let names: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    if found.starts_with("unknown field") {
        unknown_key(source, &place, &names)
    } else if found.starts_with("unknown variant") {
        let span = source.at(&place);
        let given: String = serde_json::from_str(&source.text[span.clone()]).unwrap_or_default();
        let message = format!("{} is not a value that {place} can have", quoted(&given));
        source.error("E009", span, message).known(&given, &names)
    } else if let Some(key) = found.strip_prefix("missing field ") {
        let start = source.at(&place).start;
        source.error("E010", start..start + 1, format!("{place} lacks the key {key}"))
    } else {
        wrong_type(source, &place, expected, &said)
    }
}

fn unknown_key(source: &Source, place: &Place, names: &[&str]) -> Box<Diagnostic> {
    let Some((Step::Key(key), parent)) = place.0.split_last() else {
        return source.error("E008", source.at(place), format!("{place} has an unknown key")).known("", names);
    };
    let parent = Place(parent.to_vec());
    let message = format!("{} is not a key that {parent} can have", quoted(key));
    source.error("E008", source.key_at(place), message).known(key, names)
}

fn wrong_type(source: &Source, place: &Place, expected: &str, said: &str) -> Box<Diagnostic> {
    let span = source.at(place);
    let found = source.with_ast(|root| root.map(|root| described(walk(root, &place.0).0)));
    let message = format!("{place} is {}", found.unwrap_or_else(|| "missing".to_owned()));
    match expected {
        "" => source.error("E007", span, format!("{place} is wrong: {said}")),
        _ => source.error("E007", span, message).expected(plainly(expected)),
    }
}

/// A value as a person would call it.
fn described(value: &Value) -> String {
    match value {
        Value::StringLit(text) => format!("the text \"{}\"", shown(&text.value)),
        Value::NumberLit(number) => format!("the number {}", shown(number.value)),
        Value::BooleanLit(boolean) => format!("`{}`", boolean.value),
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::NullKeyword(_) => "`null`".to_owned(),
    }
}

/// What serde expected, without Rust's words.
fn plainly(expected: &str) -> String {
    match expected {
        "a string" | "string or map" => "a text in quotes".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        _ => expected.to_owned(),
    }
}

/// The value at the end of the steps, or the last one on the way, and whether that is the end.
fn walk<'a, 'b>(root: &'a Value<'b>, steps: &[Step]) -> (&'a Value<'b>, bool) {
    let mut value = root;
    for step in steps {
        let next = match (step, value) {
            (Step::Key(key), Value::Object(object)) => object.get(key).map(|property| &property.value),
            (Step::Item(index), Value::Array(array)) => array.elements.get(*index),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return (value, false),
        }
    }
    (value, true)
}

fn span(node: &impl Ranged) -> Span {
    node.range().start..node.range().end
}

/// The span, or its first byte if it goes over several lines.
fn opening(text: &str, span: Span) -> Span {
    if text[span.clone()].contains('\n') { span.start..span.start + 1 } else { span }
}

/// The last character boundary at or before `offset`.
fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

fn without_position(message: &str) -> String {
    message.rfind(" at line ").map_or(message, |i| &message[..i]).to_owned()
}

/// What the system says of a file, without the number of the error.
pub fn reason(e: &std::io::Error) -> String {
    let said = e.to_string();
    said.split(" (os error").next().unwrap_or(&said).to_lowercase()
}

/// Whether a character would be unseen in a terminal and yet change what is seen: it moves the cursor, ends the line or
/// turns the direction of writing.
pub fn is_invisible(c: char) -> bool {
    // Zero-width characters too, but for the two that join and part letters and emoji.
    let zero_width = matches!(c, '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || zero_width || turns
}

/// A text with everything in it to be seen, on one line, and wherever a line is broken no command to whoever reads the
/// log: GitHub's runner takes what follows `::` at the beginning of a line, or `##[` anywhere, for one.
pub fn visible(text: &str) -> String {
    let one = |c: char| match c {
        '\n' | '\r' | '\t' => " ".to_string(),
        c if is_invisible(c) => c.escape_unicode().to_string(),
        c => c.to_string(),
    };
    let text = text.chars().map(one).collect::<String>().replace("##[", "## [");
    let words =
        text.split(' ').map(|word| if word.starts_with("::") { format!(": {}", &word[1..]) } else { word.into() });
    words.collect::<Vec<String>>().join(" ")
}

/// A text as it may stand in a message: on one line, without control characters, not too long.
pub fn shown(text: &str) -> String {
    let joins = |c: char| matches!(c, '\u{200c}' | '\u{200d}');
    let visible = |c: char| if is_invisible(c) || joins(c) { c.escape_unicode().to_string() } else { c.to_string() };
    let cut = if text.chars().count() > NAME_SHOWN_MAX { "…" } else { "" };
    text.chars().take(NAME_SHOWN_MAX).map(visible).collect::<String>() + cut
}

/// A name as it may stand in a message, in backquotes.
pub fn quoted(name: &str) -> String {
    format!("`{}`", shown(name))
}

/// The names in backquotes, with commas.
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| quoted(name.as_ref())).collect::<Vec<_>>().join(", ")
}

fn one_of<S: AsRef<str>>(names: &[S]) -> String {
    if names.len() == 1 { listed(names) } else { format!("one of {}", listed(names)) }
}

/// The name most like `given`, if one is like it at all.
pub fn nearest<S: AsRef<str>>(given: &str, names: &[S]) -> Option<String> {
    let likeness = |name: &S| strsim::jaro_winkler(&given.to_lowercase(), name.as_ref());
    let best = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.75).then(|| best.as_ref().to_owned())
}
