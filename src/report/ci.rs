//! What continuous integration reads: JUnit, SARIF, and GitHub's annotations and step summary.

use super::explain::steps;
use super::markdown;
use super::matrix::{evil, stopped_word, verdict_word};
use super::terminal::{cell_text, claim_span, each, expected_text, summary};
use crate::model::Property;
use crate::run::{Cell, Scenario, Verdict};
use crate::scenario::{arrival_name, property_name};
use crate::story::tell;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};
use std::path::{Component, Path};

/// Why a verdict does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    /// A property falls, and a claim says that it holds.
    Safety,
    /// A property holds, and a claim says that it falls.
    Expectation,
    /// The search was cut short.
    Inconclusive,
    /// The question is empty.
    Vacuous,
}

impl Problem {
    fn of(cell: &Cell, index: usize) -> Option<Self> {
        match (&cell.verdicts[index].1, cell.met(index)) {
            (Verdict::Unknown { .. }, _) => Some(Self::Inconclusive),
            (Verdict::Vacuous { .. }, _) => Some(Self::Vacuous),
            (Verdict::Violated { .. }, Some(false)) => Some(Self::Safety),
            (Verdict::Holds { .. }, Some(false)) => Some(Self::Expectation),
            _ => None,
        }
    }
    fn word(self) -> &'static str {
        match self {
            Self::Safety => "safety",
            Self::Expectation => "expectation",
            Self::Inconclusive => "inconclusive",
            Self::Vacuous => "vacuous",
        }
    }
    /// Whether something is wrong, rather than not known.
    fn is_failure(self) -> bool {
        matches!(self, Self::Safety | Self::Expectation)
    }
    fn level(self) -> &'static str {
        if self.is_failure() { "error" } else { "warning" }
    }
}

/// The verdicts that do not pass.
fn problems<'c, 'a>(cells: &'c [Cell<'a>]) -> impl Iterator<Item = (&'c Cell<'a>, usize, Problem)> {
    each(cells).filter_map(|(cell, i)| Some((cell, i, Problem::of(cell, i)?)))
}

/// What a verdict that does not pass comes to, in a sentence.
fn message(cell: &Cell, index: usize) -> String {
    let (property, verdict) = &cell.verdicts[index];
    let expected = cell.claims[index].map_or("nothing was expected", |c| expected_text(c.expect));
    let why = match verdict {
        Verdict::Unknown { stopped } => format!(": stopped by {}", stopped_word(*stopped)),
        Verdict::Vacuous { why } => format!(": {why}"),
        _ => String::new(),
    };
    format!("{} {}, {expected}{why}", cell_text(cell, *property), verdict_word(verdict))
}

/// The steps of the attack that a verdict shows, and why something else was expected.
fn details(cell: &Cell, index: usize) -> String {
    let steps = match &cell.verdicts[index].1 {
        Verdict::Violated { trace } => steps(&cell.world, &cell.names, trace),
        _ => String::new(),
    };
    let why = cell.claims[index].map_or(String::new(), |claim| format!("Expected because: {}\n", claim.why));
    steps + &why
}

/// A JUnit report: a suite for each scenario, a case for each property under each model and arrival. The properties of
/// scenarios that were not searched are skipped.
pub fn junit(cells: &[Cell], scenarios: &[Scenario]) -> String {
    let mut report = Report::new("overhear");
    for scenario in scenarios {
        let mut suite = TestSuite::new(scenario.file.name.as_str());
        let searched = cells.iter().filter(|cell| std::ptr::eq(cell.scenario, scenario)).collect::<Vec<_>>();
        for cell in &searched {
            suite.add_test_cases((0..cell.verdicts.len()).map(|i| test_case(cell, i)));
        }
        if searched.is_empty() {
            let skipped = |p| TestCase::new(property_name(p), TestCaseStatus::skipped());
            suite.add_test_cases(scenario.file.properties().map(skipped));
        }
        report.add_test_suite(suite);
    }
    report.to_string().expect("a report in memory can be written")
}

/// When the adversary of a cell arrives, in a word.
fn arrival(cell: &Cell) -> &'static str {
    cell.arrives.map_or("without-adversary", arrival_name)
}

fn test_case(cell: &Cell, index: usize) -> TestCase {
    let status = match Problem::of(cell, index) {
        None => TestCaseStatus::success(),
        Some(problem) => {
            let kind = if problem.is_failure() { NonSuccessKind::Failure } else { NonSuccessKind::Error };
            let mut status = TestCaseStatus::non_success(kind);
            status.set_type(problem.word()).set_message(message(cell, index)).set_description(details(cell, index));
            status
        }
    };
    let mut case = TestCase::new(property_name(cell.verdicts[index].0), status);
    case.set_classname(format!("{}.{}.{}", cell.scenario.file.name, cell.model.name, arrival(cell)));
    case
}

/// What a path segment of a URI does not hold as it is.
// Letters, digits and what RFC 3986, section 2.3, calls unreserved stay.
const NOT_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path as a URI, from the current folder where it is in there.
fn uri(path: &str) -> String {
    let here = std::env::current_dir().ok();
    let path = Path::new(path);
    let path = here.as_deref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    let encoded = |part: &std::ffi::OsStr| utf8_percent_encode(&part.to_string_lossy(), NOT_IN_PATHS).to_string();
    let parts: Vec<String> =
        path.components().filter(|c| *c != Component::CurDir).map(|c| encoded(c.as_os_str())).collect();
    match path.is_absolute() {
        true => format!("file:///{}", parts[1..].join("/")),
        false => parts.join("/"),
    }
}

/// A log in the Static Analysis Results Interchange Format (SARIF) 2.1.0: a result for each verdict that does not pass.
pub fn sarif(cells: &[Cell]) -> Value {
    let rules: Vec<Value> = Property::ALL.into_iter().map(rule).collect();
    let results: Vec<Value> = problems(cells).map(|(cell, i, problem)| result(cell, i, problem)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "overhear",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "automationDetails": { "id": "overhear/check/" },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(property: Property) -> Value {
    let (name, evil) = (property_name(property), evil(property));
    let ask = format!("overhear explain SCENARIO --model MODEL --property {name}");
    json!({
        "id": name,
        "shortDescription": { "text": format!("{}.", crate::story::capital(evil)) },
        "fullDescription": { "text": format!(
            "The property {name} rules this out, in every state that people and the adversary can reach: {evil}."
        ) },
        "help": { "text": format!("To be told the shortest attack and what would stop it: {ask}") },
    })
}

fn result(cell: &Cell, index: usize, problem: Problem) -> Value {
    let property = cell.verdicts[index].0;
    let (scenario, source) = (&cell.scenario.file, &cell.scenario.source);
    let span = claim_span(cell, index);
    let ((line, column), (end_line, end_column)) = (source.line_column(span.start), source.line_column(span.end));
    let place = json!({
        "artifactLocation": { "uri": uri(&source.path) },
        "region": { "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column },
    });
    let mut result = json!({
        "ruleId": property_name(property),
        "ruleIndex": Property::ALL.iter().position(|p| *p == property),
        "level": problem.level(),
        "message": { "text": message(cell, index) },
        "locations": [{ "physicalLocation": place }],
        // Many results stand at one line, so it is what was asked that tells them apart; edits above do not move it.
        "partialFingerprints": { "primaryLocationLineHash": format!(
            "{}/{}/{}/{}:1", scenario.name, cell.model.name, arrival(cell), property_name(property)
        ) },
        "properties": { "model": cell.model.name, "arrives": arrival(cell), "problem": problem.word() },
    });
    if let Verdict::Violated { trace } = &cell.verdicts[index].1 {
        let told = tell(&cell.world, &cell.names, trace).expect("traces are replayed before they are told");
        let steps = told.iter().map(|step| {
            let mut changes = step.changes.iter().map(|change| format!("\n{change}")).collect::<String>();
            changes.insert_str(0, &step.sentence);
            json!({ "location": { "physicalLocation": place, "message": { "text": changes } } })
        });
        let steps: Vec<Value> = steps.collect();
        if !steps.is_empty() {
            result["codeFlows"] = json!([{ "threadFlows": [{ "locations": steps }] }]);
        }
    }
    result
}

/// One GitHub annotation for each verdict that does not pass.
pub fn annotations(cells: &[Cell]) -> String {
    let one = |(cell, i, problem): (&Cell, usize, Problem)| {
        let source = &cell.scenario.source;
        let place = source.line_column(claim_span(cell, i).start);
        annotation(problem.level(), &source.path, place, property_name(cell.verdicts[i].0), &message(cell, i))
    };
    problems(cells).map(one).collect()
}

/// A GitHub annotation: `level` is `error` or `warning`; a line of 0 means the file as a whole.
pub fn annotation(level: &str, path: &str, (line, column): (usize, usize), title: &str, message: &str) -> String {
    let escape = |s: &str| s.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property_escape = |s: &str| escape(s).replace(':', "%3A").replace(',', "%2C");
    let place = if line == 0 { String::new() } else { format!(",line={line},col={column}") };
    format!("::{level} file={}{place},title={}::{}\n", property_escape(path), property_escape(title), escape(message))
}

/// So many verdicts the step summary lists; there is more in the log.
const LISTED: usize = 50;

/// What GitHub shows of a step, in Markdown: counts, and the verdicts that do not pass.
pub fn step_summary(cells: &[Cell]) -> String {
    let mut out = format!("### Overhear\n\n{}\n", summary(cells).replace('\n', "\n\n").trim_end());
    let listed: Vec<_> = problems(cells).collect();
    if !listed.is_empty() {
        let columns = ["", "scenario", "model", "adversary", "property", "verdict", "why not"];
        out += &format!("\n| {} |\n|{}\n", columns.join(" | "), " --- |".repeat(columns.len()));
    }
    for (cell, i, problem) in listed.iter().take(LISTED) {
        let (property, verdict) = &cell.verdicts[*i];
        let length = if let Verdict::Violated { trace } = verdict { trace.len().to_string() } else { String::new() };
        let verdict = format!("{} {length}", verdict_word(verdict));
        let why = cell.claims[*i].map_or("nothing was expected", |c| expected_text(c.expect));
        let texts =
            [problem.word(), &cell.scenario.file.name, &cell.model.name, arrival(cell), property_name(*property)];
        let texts = texts.into_iter().chain([verdict.trim_end(), why]).map(markdown::text).collect::<Vec<_>>();
        out += &format!("| {} |\n", texts.join(" | "));
    }
    if listed.len() > LISTED {
        out += &format!("\nand {} more\n", listed.len() - LISTED);
    }
    out
}
