//! What the tests here have in common: a run with every kind of verdict, and hostile texts in all that it says.

use overhear::bundle;
use overhear::explore::Limits;
use overhear::input::Source;
use overhear::run::{Cell, Plan, Scenario, run};
use overhear::scenario::read_scenario;

/// Texts that end, or begin, something in one format or another.
pub const HOSTILE: &str =
    "<script>alert(1)</script> ]]> \"'`| %0A::error:: \u{202e}right-to-left end; #quot; --> \u{1f4a5}";

/// The bundled scenario of that name, its claims turned round if so said, its texts hostile.
fn scenario(name: &str, turned: bool) -> Scenario {
    let bundled = bundle::find_scenario(name).expect("a bundled scenario");
    let hostile = HOSTILE.replace('\\', "\\\\").replace('"', "\\\"");
    let mut text = bundled.text.replace("\"why\": \"", &format!("\"why\": \"{hostile}"));
    text = text.replace("\"title\": \"", &format!("\"title\": \"{hostile}"));
    if turned {
        let (holds, violated) = ("\"expect\": \"holds\"", "\"expect\": \"violated\"");
        text = text.replace(holds, "\"expect\": \"\"").replace(violated, holds).replace("\"expect\": \"\"", violated);
    }
    let source = Source::new(format!("a folder/[{name}]%#.json"), text);
    Scenario { file: read_scenario(&source).expect("it is as right as it was"), source }
}

/// Hands on a run in which claims are met and not met, one search is cut short, and one scenario is not searched.
pub fn with_run(read: impl FnOnce(&[Cell], &[Scenario])) {
    let names = [("password-thief", false), ("server-of-recipient", true), ("large-three-people", false)];
    let scenarios: Vec<Scenario> = names.iter().map(|&(name, turned)| scenario(name, turned)).collect();
    let known = bundle::models();
    let models: Vec<_> =
        known.iter().filter(|m| ["matrix-tofu", "signal"].contains(&m.name.as_str())).cloned().collect();
    let plan = Plan {
        scenarios: &scenarios,
        models: &models,
        known: &known,
        named: true,
        large: false,
        limits: Limits { states_max: Some(400), ..Limits::default() },
        kept: None,
        may_be_vacuous: true,
    };
    read(&run(&plan, &()).expect("bundled files run"), &scenarios);
}
