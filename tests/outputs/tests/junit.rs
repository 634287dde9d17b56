//! JUnit reports are read back by an XML parser that did not write them.

use overhear::report::ci::junit;
use overhear::run::Verdict;
use overhear_outputs::{HOSTILE, with_run};
use roxmltree::{Document, Node};

/// The elements of that name, in order.
fn all<'a>(document: &'a Document, name: &'a str) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|n| n.has_tag_name(name)).collect()
}

/// What a case came to: the element that says so and its type.
fn outcome<'a>(case: Node<'a, 'a>) -> Option<(&'a str, &'a str, &'a str)> {
    let inner = case.first_element_child()?;
    Some((inner.tag_name().name(), inner.attribute("type").unwrap_or_default(), inner.text().unwrap_or_default()))
}

#[test]
fn every_verdict_is_read_back_as_what_it_is() {
    with_run(|cells, scenarios| {
        let report = junit(cells, scenarios);
        let document = Document::parse(&report).expect("well-formed XML");
        let (suites, cases) = (all(&document, "testsuite"), all(&document, "testcase"));
        let names: Vec<_> = suites.iter().filter_map(|s| s.attribute("name")).collect();
        assert_eq!(names, scenarios.iter().map(|s| s.file.name.as_str()).collect::<Vec<_>>());
        let verdicts = || cells.iter().flat_map(|c| (0..c.verdicts.len()).map(move |i| (c, i)));
        let skipped: usize = scenarios[2].file.properties().count();
        assert_eq!(cases.len(), verdicts().count() + skipped);
        let mut unlike = [0; 4];
        for ((cell, i), case) in verdicts().zip(&cases) {
            let class = case.attribute("classname").expect("a class");
            assert!(class.starts_with(&format!("{}.{}.", cell.scenario.file.name, cell.model.name)), "{class}");
            let kind = match (&cell.verdicts[i].1, cell.met(i), outcome(*case)) {
                (Verdict::Violated { trace }, Some(false), Some(("failure", "safety", text))) => {
                    assert!(text.contains(HOSTILE), "{text}");
                    assert!(text.contains(&format!("{:>3}.", trace.len())), "each step is told: {text}");
                    0
                }
                (Verdict::Holds { .. }, Some(false), Some(("failure", "expectation", _))) => 1,
                (Verdict::Unknown { .. }, _, Some(("error", "inconclusive", _))) => 2,
                (_, Some(true) | None, None) => 3,
                (verdict, met, outcome) => panic!("{verdict:?}, met {met:?}, is read as {outcome:?}"),
            };
            unlike[kind] += 1;
        }
        assert!(unlike.iter().all(|n| *n > 0), "each kind is there: {unlike:?}");
        let count = |name| document.root_element().attribute(name).and_then(|n| n.parse().ok());
        assert_eq!((count("failures"), count("errors")), (Some(unlike[0] + unlike[1]), Some(unlike[2])));
        let last = &cases[cases.len() - skipped..];
        assert!(last.iter().all(|c| outcome(*c).is_some_and(|o| o.0 == "skipped")), "what was not searched is skipped");
    });
}
