//! The page as HTML and as Markdown.

use super::{Page, Story};
use crate::report::{chart, markdown};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, context};
use std::collections::BTreeMap;

/// Attacks up to this many lie open on the page; of more, one line each, to be opened.
const OPEN_MAX: usize = 30;
/// GitHub cuts Markdown off here, or shows it as plain text: <https://github.com/isaacs/github/issues/1610>.
const MARKDOWN_MAX: usize = 512_000;
/// The folder of the parts of a report that is longer, one for each scenario.
pub(in crate::report) const PARTS: &str = "attacks";
/// How each of them begins, which tells them from files of somebody else's.
const PART: &str = "<!-- A part of ../report.md, which Overhear wrote. -->";

/// The page as one HTML file that needs nothing else: no script, no network.
pub fn html(page: &Page) -> String {
    let of = |s: &Story| {
        let title = format!("Chart of attack {}", s.id);
        (s.id.clone(), chart::svg(&s.chart, &format!("{}-", s.id), &title, &s.sentence))
    };
    let charts: BTreeMap<String, String> = page.stories.iter().map(of).collect();
    let opened = page.stories.len() <= OPEN_MAX;
    let (searches, stories, page) = (searches(page), by_id(page), Value::from(Serde(page)));
    let template = ("index.html", include_str!("index.html"));
    render(template, &context! { page, charts, opened, stories, searches })
}

/// The page as Markdown, with charts that GitHub draws: `report.md`, and of one that is too long for GitHub the attacks
/// in files of their own.
pub fn markdown(page: &Page) -> Vec<(String, String)> {
    let of = |s: &Story| (s.id.clone(), chart::mermaid(&s.chart));
    let charts = Value::from(page.stories.iter().map(of).collect::<BTreeMap<String, String>>());
    let stories = by_id(page);
    // What leads from one file to a story in another.
    let at = |file: &dyn Fn(&Story) -> String| {
        Value::from(page.stories.iter().map(|s| (s.id.clone(), file(s))).collect::<BTreeMap<String, String>>())
    };
    let section = |s: &super::Scenario, at: &Value| {
        let template = ("scenario.md", include_str!("scenario.md"));
        let (s, charts, stories, at) = (Value::from(Serde(s)), charts.clone(), stories.clone(), at.clone());
        render(template, &context! { s, charts, stories, at })
    };
    let whole = |sections: BTreeMap<&str, String>, at: &Value, parts: Option<&str>| {
        let template = ("report.md", include_str!("report.md"));
        let (searches, page, at) = (searches(page), Value::from(Serde(page)), at.clone());
        let text = render(template, &context! { page, sections, at, parts, searches });
        ("report.md".to_string(), text)
    };
    let here = at(&|_| String::new());
    let one = whole(page.scenarios.iter().map(|s| (s.name.as_str(), section(s, &here))).collect(), &here, None);
    if one.1.len() <= MARKDOWN_MAX {
        return vec![one];
    }
    let there = at(&|s| format!("{PARTS}/{}.md", s.scenario));
    let beside = at(&|s| format!("{}.md", s.scenario));
    let back = "[The matrix, the plots and the policies](../report.md), from whose folder the paths are that follow.";
    let part = |s: &super::Scenario| {
        let text = format!("{PART}\n\n{back}\n\n{}", section(s, &beside));
        (format!("{PARTS}/{}.md", s.name), text.trim_end().to_string() + "\n")
    };
    let parts = page.scenarios.iter().map(part);
    [whole(BTreeMap::new(), &there, Some(PARTS))].into_iter().chain(parts).collect()
}

/// Whether a text is that of a part of a report.
pub(in crate::report) fn is_part(text: &str) -> bool {
    text.starts_with(PART)
}

fn searches(page: &Page) -> usize {
    page.scenarios.iter().map(|s| s.rows.len()).sum()
}

fn by_id(page: &Page) -> Value {
    let stories: BTreeMap<&str, &Story> = page.stories.iter().map(|s| (s.id.as_str(), s)).collect();
    Value::from(Serde(stories))
}

fn render((name, template): (&str, &str), values: &Value) -> String {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the default syntax is right"));
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment.add_filter("md", |text: String| markdown::text(&text));
    // Digits of one number stay on one line.
    environment.add_filter("thousands", |n: usize| crate::report::matrix::thousands(n).replace(' ', "\u{a0}"));
    environment.add_template(name, template).expect("the template is right");
    let template = environment.get_template(name).expect("it was added");
    template.render(values).expect("the template fits the page")
}
