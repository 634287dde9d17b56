//! The checks can fail: small pages, each with one thing wrong, and what is found there.

use overhear_browser::{folder, node};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What every page here has: a chart, a table that scrolls, and a part that is folded on a screen and not on paper.
const SOUND: &str = r#"
<div role="region" aria-label="A table" tabindex="0" class="wide"><table><tr><td>one</td></tr></table></div>
<details><summary>More</summary>
<svg role="img" aria-label="A chart" viewBox="0 0 200 30" width="200"><text x="10" y="20">A chart</text></svg>
</details>
<p>&lt;b&gt;verbatim &amp; whole&lt;/b&gt;</p>"#;
const STYLE: &str = "
:root { color-scheme: light dark; }
svg text { fill: CanvasText; font: 14px sans-serif; }
.wide { overflow-x: auto; } .wide table { min-width: 600px; }
@media print { .wide { overflow-x: visible; } details::details-content { content-visibility: visible; } }";

/// What is added to a sound page, and the kinds of findings that must come of it: these and no others.
const PAGES: [(&str, &str, &[&str]); 25] = [
    ("sound", "", &[]),
    ("warning", "<script>console.warn('x')</script>", &["console"]),
    ("throws", "<script>throw new Error('x')</script>", &["error"]),
    ("remote-image", "<img alt='a' src='https://example.org/a.png'>", &["console", "request"]),
    ("remote-fetch", "<script>fetch('http://127.0.0.1:9/').catch(() => 0)</script>", &["console", "request"]),
    ("second-file", "<link rel='stylesheet' href='other.css'>", &["console", "request"]),
    ("too-wide", "<div style='width: 2000px'>wide</div>", &["overflow", "scroll"]),
    (
        "on-paper-at-night",
        "<style>@media print and (prefers-color-scheme: dark) { h1 { width: 2000px } }</style>",
        &["overflow", "scroll"],
    ),
    ("cut-off", "<div style='overflow: hidden; width: 40px; white-space: nowrap'>much too long</div>", &["cut"]),
    (
        "no-keys",
        "<div style='overflow-x: auto; width: 40px'><p style='width: 60px'>a</p></div>",
        &["cut", "unfocusable"],
    ),
    ("hidden-chart", "<svg style='visibility: hidden' width='9' height='9'><path d='M0 0h9'/></svg>", &["invisible"]),
    ("flat-chart", "<svg width='9' height='0'><path d='M0 0h9'/></svg>", &["invisible"]),
    (
        "folded-on-paper",
        "<div class='f'><details><summary>a</summary><svg width='9' height='9'><path d='M0 0h9'/></svg></details></div>
         <style>@media print { .f ::details-content { content-visibility: hidden !important } }</style>",
        &["invisible"],
    ),
    ("label-right", "<svg viewBox='0 0 99 30' width='99'><text x='60' y='20'>A label</text></svg>", &["clipped"]),
    (
        "label-turned",
        "<svg viewBox='0 0 99 30' width='99'><text transform='rotate(90 50 20)' x='50' y='20'>Label</text></svg>",
        &["clipped"],
    ),
    ("tiny-label", "<svg viewBox='0 0 990 30' width='99'><text x='60' y='20'>A label</text></svg>", &["small"]),
    (
        "black-at-night",
        "<svg viewBox='0 0 99 30' width='99'><text x='9' y='20' style='fill: #000'>A label</text></svg>",
        &["contrast"],
    ),
    (
        "on-a-dark-shape",
        "<svg viewBox='0 0 99 30' width='99'><rect width='99' height='30' fill='#777'/><text x='9' y='20'
         style='fill: #888'>A label</text></svg>",
        &["contrast"],
    ),
    ("colour-on-screen-only", "<p><b style='background: #fcc; color: #000'>falls</b></p>", &["unprinted"]),
    (
        "crowded",
        "<div class='wide' role='region' aria-label='b' tabindex='0'><table><tr><td>1</td>
         <th style='position: sticky; left: 0'><div style='width: 200px'>a</div></th></tr></table></div>",
        &["crowded"],
    ),
    ("no-alternative", "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>", &["axe"]),
    ("pale", "<p style='color: #aaa; background: #fff'>pale</p>", &["axe"]),
    ("needs-scripts", "<script>document.write('<p>more</p>')</script>", &["text"]),
    ("runs-a-name", "<svg width='9' height='9' onload='window.__hit=1'><path d='M0 0h9'/></svg>", &["executed"]),
    ("asks", "<script>alert(1)</script>", &["executed"]),
];

fn write(folder: &Path, name: &str, body: &str) -> String {
    let path = folder.join(format!("{name}.html"));
    let head = format!("<meta charset='utf-8'><title>{name}</title><style>{STYLE}</style>");
    let head = format!("{head}<meta name='viewport' content='width=device-width, initial-scale=1'>");
    let page = format!("<!doctype html><html lang='en'>{head}<main><h1>{name}</h1>{body}</main></html>");
    fs::write(&path, page).expect("an empty folder");
    path.to_str().expect("UTF-8").to_string()
}

/// The kinds of findings of each page, and all that was said.
fn found(folder: &Path, pages: &[String]) -> (BTreeMap<String, BTreeSet<String>>, bool, String) {
    let texts = folder.join("texts.json");
    fs::write(&texts, r#"["<b>verbatim & whole</b>"]"#).expect("an empty folder");
    let mut arguments = vec!["--axe", "--charts", "1", "--verbatim", texts.to_str().expect("UTF-8")];
    arguments.extend(pages.iter().map(String::as_str));
    let (passed, said) = node("page.mjs", &arguments);
    let mut kinds: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in said.lines() {
        let mut parts = line.split('\t');
        if let (Some(page), Some(kind)) = (parts.next().and_then(|p| p.strip_suffix(".html")), parts.next()) {
            kinds.entry(page.to_string()).or_default().insert(kind.to_string());
        }
    }
    (kinds, passed, said)
}

#[test]
fn what_is_wrong_with_a_page_is_found_and_nothing_else() {
    let folder = folder("controls");
    let pages: Vec<_> = PAGES.iter().map(|(name, added, _)| write(&folder, name, &format!("{SOUND}{added}"))).collect();
    let (kinds, passed, said) = found(&folder, &pages);
    assert!(!passed, "{said}");
    assert_eq!(said.lines().filter(|l| l.starts_with("# /")).count(), PAGES.len(), "every page is read: {said}");
    for (name, _, expected) in PAGES {
        let expected: BTreeSet<String> = expected.iter().map(|k| (*k).to_string()).collect();
        assert_eq!(kinds.get(name).cloned().unwrap_or_default(), expected, "{name}: {said}");
    }
}

#[test]
fn what_is_missing_from_a_page_is_found() {
    let folder = folder("controls-missing");
    let without_chart = SOUND.replace("<svg", "<b").replace("</svg", "</b");
    let large = format!("{SOUND}<!--{}-->", "x".repeat(8 << 20));
    let pages = [
        write(&folder, "chart", &without_chart),
        write(&folder, "text", &SOUND.replace("&lt;b&gt;", "")),
        write(&folder, "large", &large),
    ];
    let (kinds, passed, said) = found(&folder, &pages);
    assert!(!passed, "{said}");
    let kinds: Vec<(&str, Vec<&str>)> =
        kinds.iter().map(|(page, k)| (page.as_str(), k.iter().map(String::as_str).collect())).collect();
    assert_eq!(kinds, [("chart", vec!["charts"]), ("large", vec!["size"]), ("text", vec!["verbatim"])], "{said}");
    let sound = write(&folder, "sound", SOUND);
    assert!(found(&folder, &[sound]).1, "a sound page passes");
    assert!(!node("page.mjs", &[]).0, "no page at all is no success");
}

/// What is wrong in a section is found as well where axe is given one after another, in the last of them too.
#[test]
fn what_is_wrong_in_a_part_of_a_page_is_found() {
    let folder = folder("controls-parts");
    let wrong = "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>";
    let page = |name: &str, last: &str| {
        let sections = format!("<section><p>one</p></section><section><section><p>two</p></section>{last}</section>");
        write(&folder, name, &format!("{SOUND}{sections}"))
    };
    let read = |page: String| node("page.mjs", &["--axe", "--parts", &page]);
    let (passed, said) = read(page("sound", "<section><p>three</p></section>"));
    assert!(passed, "{said}");
    let (passed, said) = read(page("wrong", &format!("<section>{wrong}</section>")));
    assert!(!passed && said.contains("image-alt"), "{said}");
}

#[test]
fn mermaid_refuses_what_is_no_chart() {
    let folder = folder("controls-mermaid");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("an empty folder");
        path.to_str().expect("UTF-8").to_string()
    };
    let read = |paths: &[String]| node("mermaid.mjs", &paths.iter().map(String::as_str).collect::<Vec<_>>());
    let chart = |line: &str| format!("# A\n\n```mermaid\nsequenceDiagram\n  participant p0 as A\n  {line}\n```\n");
    let (passed, said) = read(&[write("sound.md", &chart("p0->>p0: all well"))]);
    assert!(passed && said.contains("1 charts accepted, 0 refused"), "{said}");
    let lines = [("arrow", "p0->>"), ("semicolon", "p0->>p0: one; two"), ("word", "end")];
    let second = |line| format!("{}{}", chart("p0->>p0: well"), chart(line));
    let mut wrong: Vec<String> = lines.iter().map(|(name, line)| write(&format!("{name}.md"), &second(line))).collect();
    let unclosed = chart("p0->>p0: all well").trim_end().trim_end_matches('`').to_string();
    wrong.extend([write("unclosed.md", &unclosed), write("other.md", "```mermaid\nx\n```\n")]);
    let (passed, said) = read(&wrong);
    assert!(!passed && said.contains("3 charts accepted, 5 refused"), "{said}");
    for place in ["arrow.md:11: ", "semicolon.md:11: ", "word.md:11: ", "unclosed.md:4: ", "other.md:2: "] {
        assert!(said.contains(place), "{place}: {said}");
    }
    assert!(!read(&[write("none.md", "# No chart\n")]).0, "no chart at all is no success");
}

#[test]
fn charts_that_mermaid_accepts_and_does_not_draw_are_found() {
    let folder = folder("controls-drawn");
    let long = "p0->>p0: said again\n".repeat(3000);
    let path = folder.join("long.md");
    fs::write(&path, format!("```mermaid\nsequenceDiagram\nparticipant p0 as A\n{long}```\n"))
        .expect("an empty folder");
    let path = path.to_str().expect("UTF-8");
    assert!(node("mermaid.mjs", &[path]).0, "it is well formed");
    let (passed, said) = node("mermaid.mjs", &["--draw", folder.to_str().expect("UTF-8"), path]);
    assert!(!passed && said.contains("0 names are drawn for 1 participants"), "{said}");
}
