//! SARIF logs are what the standard's own schema says.

use overhear::report::ci::sarif;
use overhear::run::Verdict;
use overhear_outputs::with_run;
use serde_json::Value;
use std::collections::BTreeSet;

/// The schema of SARIF 2.1.0, as it ships inside the crate that has its types.
fn schema() -> Value {
    // Nothing is fetched for platforms that nobody builds for here.
    let options = ["--offline", "--filter-platform", env!("TARGET")].map(str::to_string).to_vec();
    let metadata = cargo_metadata::MetadataCommand::new().other_options(options).exec();
    let metadata = metadata.expect("the workspace's metadata");
    let package = metadata.packages.iter().find(|p| p.name.as_str() == "serde-sarif").expect("it is a dependency");
    let path = package.manifest_path.parent().expect("a folder").join("src/schema.json");
    let text = std::fs::read_to_string(path).expect("the schema ships with it");
    // The pattern of languages, which we do not write, has a bracket too many, which strict readers refuse.
    serde_json::from_str(&text.replace("{2}]?$", "{2}$")).expect("JSON")
}

#[test]
fn logs_are_valid_and_hold_what_does_not_pass() {
    with_run(|cells, _| {
        let log = sarif(cells);
        let validator = jsonschema::validator_for(&schema()).expect("a schema");
        let errors: Vec<String> = validator.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let read: serde_sarif::sarif::Sarif = serde_json::from_value(log).expect("the crate's types read it too");
        let run = &read.runs[0];
        let results = run.results.as_ref().expect("results");
        let verdicts = || cells.iter().flat_map(|c| (0..c.verdicts.len()).map(move |i| (c, i)));
        let passes = |c: &overhear::run::Cell, i: usize| match c.verdicts[i].1 {
            Verdict::Unknown { .. } | Verdict::Vacuous { .. } => false,
            Verdict::Holds { .. } | Verdict::Violated { .. } => c.met(i) != Some(false),
        };
        let wrong: Vec<_> = verdicts().filter(|(c, i)| !passes(c, *i)).collect();
        assert_eq!(results.len(), wrong.len());
        let rules = run.tool.driver.rules.as_ref().expect("rules");
        let mut prints = BTreeSet::new();
        for (result, (cell, i)) in results.iter().zip(wrong) {
            let rule = usize::try_from(result.rule_index.expect("a rule")).expect("an index");
            assert_eq!(Some(&rules[rule].id), result.rule_id.as_ref());
            let place =
                result.locations.as_ref().expect("a location")[0].physical_location.as_ref().expect("in a file");
            let uri = place.artifact_location.as_ref().and_then(|a| a.uri.as_deref()).expect("a file");
            assert!(uri.starts_with("a%20folder/%5B") && uri.ends_with("%5D%25%23.json"), "{uri}");
            let region = place.region.as_ref().expect("a region");
            let line = usize::try_from(region.start_line.expect("a line")).expect("a number");
            let text = cell.scenario.source.text.lines().nth(line - 1).expect("a line of the file");
            assert!(text.trim_start().starts_with('{'), "a claim begins there: {text}");
            let steps = result.code_flows.as_ref().map(|flows| flows[0].thread_flows[0].locations.len());
            let length = if let Verdict::Violated { trace } = &cell.verdicts[i].1 { Some(trace.len()) } else { None };
            assert_eq!(steps, length);
            let print = result.partial_fingerprints.as_ref().expect("a fingerprint")["primaryLocationLineHash"].clone();
            assert!(prints.insert(print), "no two results are taken for one");
        }
    });
}
