//! The page as HTML and as Markdown.

use super::Page;
use crate::report::{chart, markdown};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, context};
use std::collections::BTreeMap;

/// Attacks up to this many lie open on the page; of more, one line each, to be opened.
const OPEN_MAX: usize = 30;

/// The page as one HTML file that needs nothing else: no script, no network.
pub fn html(page: &Page) -> String {
    let of = |s: &super::Story| {
        let title = format!("Chart of attack {}", s.id);
        (s.id.clone(), chart::svg(&s.chart, &format!("{}-", s.id), &title, &s.sentence))
    };
    render("index.html", include_str!("index.html"), page, page.stories.iter().map(of).collect())
}

/// The page as Markdown, with charts that GitHub draws.
pub fn markdown(page: &Page) -> String {
    let of = |s: &super::Story| (s.id.clone(), chart::mermaid(&s.chart));
    render("report.md", include_str!("report.md"), page, page.stories.iter().map(of).collect())
}

fn render(name: &str, template: &str, page: &Page, charts: BTreeMap<String, String>) -> String {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the default syntax is right"));
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment.add_filter("md", |text: String| markdown::text(&text));
    environment.add_filter("thousands", crate::report::matrix::thousands);
    environment.add_template(name, template).expect("the template is right");
    let opened = page.stories.len() <= OPEN_MAX;
    let template = environment.get_template(name).expect("it was added");
    let stories: BTreeMap<&str, &super::Story> = page.stories.iter().map(|s| (s.id.as_str(), s)).collect();
    let searches: usize = page.scenarios.iter().map(|s| s.rows.len()).sum();
    let (page, stories) = (Value::from(Serde(page)), Value::from(Serde(stories)));
    template.render(context! { page, charts, opened, stories, searches }).expect("the template fits the page")
}
