//! The plots of a run: what counts as withstood, who is beaten, and that no name breaks a picture.

use overhear::bundle;
use overhear::explore::Limits;
use overhear::explore::cost::Cost;
use overhear::report::diff::{Outcome, Side};
use overhear::report::matrix::PolicyCost;
use overhear::report::plots::{NAMES, Plot, of_run};
use overhear::report::results::Run;
use overhear::report::{matrix, write_all};
use overhear::run::{Plan, Scenario, run};
use overhear::scenario::{Model, read_scenario};
use std::fs;

const SAFETY: &str = "safety-against-cost";
/// What two careful people with two devices each may be asked for.
const NOTHING: Option<Cost> = Some(Cost { ceremonies: 0, prompts: 0 });

/// A verdict on `no-rogue-key` from the start, by scenario.
type Verdicts<'a> = &'a [(&'a str, &'static str)];

fn bundled(name: &str) -> Model {
    bundle::models().into_iter().find(|m| m.name == name).expect("a bundled model")
}

/// A policy by another name.
fn named(name: &str) -> Model {
    Model { name: name.to_string(), sources: Vec::new(), ..bundled("matrix-tofu") }
}

fn outcome(scenario: &str, arrives: Option<&str>, property: &str, verdict: &'static str) -> Outcome {
    Outcome {
        scenario: scenario.to_string(),
        word: scenario.to_string(),
        arrives: arrives.map(str::to_string),
        property: property.to_string(),
        verdict,
        sign: String::new(),
        attack: Vec::new(),
        says: String::new(),
        no_move: false,
        only_asked: false,
    }
}

fn from_start(verdicts: Verdicts) -> Vec<Outcome> {
    verdicts.iter().map(|(s, verdict)| outcome(s, Some("from-start"), "no-rogue-key", verdict)).collect()
}

fn asks(ceremonies: u32) -> Option<Cost> {
    Some(Cost { ceremonies, prompts: 0 })
}

/// The plots of a run with these policies, what each costs and what was found of it.
fn plots(policies: Vec<(Model, Option<Cost>, Vec<Outcome>)>) -> Vec<Plot> {
    let cost = |careful| PolicyCost { careful, hurried: None, events: Vec::new() };
    let costs: Vec<PolicyCost> = policies.iter().map(|p| cost(p.1)).collect();
    let side = |outcomes| Side { name: String::new(), word: String::new(), axes: vec![], outcomes, costs: vec![] };
    let (models, sides): (Vec<Model>, Vec<Side>) = policies.into_iter().map(|(m, _, all)| (m, side(all))).unzip();
    of_run(&Run { models: &models, sides, claims: Vec::new() }, &costs)
}

fn safety(policies: Vec<(Model, Option<Cost>, Vec<Outcome>)>) -> Option<Plot> {
    plots(policies).into_iter().find(|plot| plot.name == SAFETY)
}

/// The texts in one column, a row each.
fn column<'p>(plot: &'p Plot, name: &str) -> Vec<&'p str> {
    let at = plot.columns.iter().position(|c| *c == name).unwrap_or_else(|| panic!("no column {name}"));
    plot.rows.iter().map(|row| row[at].as_str()).collect()
}

#[test]
fn an_adversary_is_withstood_where_nothing_is_read_at_any_arrival() {
    let found = |late: [&'static str; 2]| {
        vec![
            outcome("thief", Some("from-start"), "no-rogue-key", "holds"),
            outcome("thief", Some("after-first-contact"), "no-rogue-key", late[0]),
            outcome("thief", Some("after-first-contact"), "past-stays-private", late[1]),
            // Who is locked out reads nothing.
            outcome("thief", Some("from-start"), "no-lock-out", "violated"),
        ]
    };
    let all = [["holds", "holds"], ["violated", "holds"], ["holds", "violated"], ["holds", "unknown"]];
    let policies = all.iter().map(|&late| (named("some"), NOTHING, found(late))).collect();
    let plot = safety(policies).expect("a plot");
    assert_eq!(column(&plot, "withstands"), ["1", "0", "0", "0"]);
    assert_eq!(column(&plot, "falls"), ["0", "1", "1", "0"]);
    assert_eq!(column(&plot, "open"), ["0", "0", "0", "1"]);
    assert_eq!(column(&plot, "withstood"), ["thief", "", "", ""]);
    assert_eq!(column(&plot, "fallen"), ["", "thief", "thief", ""]);
    assert_eq!(column(&plot, "not-known"), ["", "", "", "thief"]);
}

#[test]
fn what_is_not_known_is_never_withstood_and_the_page_says_so() {
    let about = |verdict| {
        let policies = vec![(named("a"), NOTHING, from_start(&[("s", verdict)]))];
        let plot = safety(policies).expect("a plot");
        (column(&plot, "withstands")[0].to_string(), plot.about.contains("not known"))
    };
    assert_eq!(about("holds"), ("1".to_string(), false));
    assert_eq!(about("violated"), ("0".to_string(), false));
    assert_eq!(about("unknown"), ("0".to_string(), true));
    assert_eq!(about("vacuous"), ("0".to_string(), true));
}

#[test]
fn policies_are_compared_by_the_adversaries_that_all_of_them_met() {
    let variant = |name| Model { variant_of: Some("a".to_string()), ..named(name) };
    let policies = vec![
        (named("a"), NOTHING, from_start(&[("s", "holds"), ("t", "holds"), ("u", "violated")])),
        (named("b"), NOTHING, from_start(&[("t", "violated"), ("u", "holds")])),
        (named("met-nobody"), NOTHING, Vec::new()),
        (variant("met-one"), NOTHING, from_start(&[("t", "holds")])),
        (variant("met-both"), NOTHING, from_start(&[("t", "holds"), ("u", "holds")])),
    ];
    let plot = safety(policies).expect("a plot");
    assert_eq!(column(&plot, "policy"), ["a", "b", "met-both"]);
    assert_eq!(column(&plot, "withstood"), ["t", "u", "t u"]);
    assert_eq!(column(&plot, "adversaries"), ["2", "2", "2"]);
    assert!(plot.about.contains("One policy that did not meet all adversaries is left out."), "{}", plot.about);
}

#[test]
fn nothing_is_drawn_where_nothing_can_be_compared() {
    let control = || vec![outcome("s", None, "everybody-reads", "holds")];
    let no_reader = || vec![outcome("s", Some("from-start"), "no-lock-out", "holds")];
    assert_eq!(safety(vec![(named("a"), NOTHING, control())]), None);
    assert_eq!(safety(vec![(named("a"), NOTHING, no_reader())]), None);
    assert_eq!(safety(vec![(named("a"), None, from_start(&[("s", "holds")]))]), None);
    let apart = [("s", "holds"), ("t", "holds")].map(|one| (named("a"), NOTHING, from_start(&[one])));
    assert_eq!(safety(apart.into()), None);
    assert_eq!(plots(Vec::new()), []);
}

#[test]
fn who_is_beaten_asks_no_less_and_withstands_no_more() {
    let policy = |ceremonies, withstood| {
        let verdict = |i: usize| if i < withstood { "holds" } else { "violated" };
        let found = ["s", "t", "u"].iter().enumerate().map(|(i, s)| (*s, verdict(i))).collect::<Vec<_>>();
        (named("some"), asks(ceremonies), from_start(&found))
    };
    let all = [(0, 1), (2, 1), (2, 2), (2, 2), (3, 2), (0, 0), (5, 3)];
    let plot = safety(all.map(|(c, w)| policy(c, w)).into()).expect("a plot");
    assert_eq!(column(&plot, "unbeaten"), ["yes", "no", "yes", "yes", "no", "no", "yes"]);
    // Numbered from the top; those that come out equal share a number.
    assert_eq!(column(&plot, "point"), ["4", "5", "2", "2", "3", "6", "1"]);
}

/// A prompt counts like a ceremony, and what is not known reaches up to where it may come out.
#[test]
fn prompts_are_asked_too_and_what_is_not_known_may_be_withstood() {
    let policy =
        |ceremonies, prompts, found: Verdicts| (named("some"), Some(Cost { ceremonies, prompts }), from_start(found));
    let known = [("s", "holds"), ("t", "violated")];
    let plot = safety(vec![policy(1, 2, &known), policy(2, 0, &known)]).expect("a plot");
    assert_eq!(column(&plot, "unbeaten"), ["no", "yes"]);
    // What is drawn thin is the line up to there.
    let lines = |found: Verdicts| {
        let plot = safety(vec![policy(0, 0, found)]).expect("a plot");
        plot.svg.matches("<line").count() + plot.svg.matches("<polyline").count()
    };
    assert_eq!(lines(&[("s", "holds"), ("t", "unknown")]), lines(&known) + 1);
}

#[test]
fn who_cannot_be_set_up_is_listed_apart() {
    let policies = vec![
        (named("works"), asks(1), from_start(&[("s", "violated")])),
        (named("mute"), None, from_start(&[("s", "holds")])),
    ];
    let plot = safety(policies).expect("a plot");
    assert_eq!(column(&plot, "point"), ["1", ""]);
    assert_eq!(column(&plot, "ceremonies"), ["1", ""]);
    assert_eq!(column(&plot, "unbeaten"), ["yes", "no"]);
    assert!(plot.svg.contains("No way to set these up"));
    let legend = texts(&plot.svg);
    assert!(legend.iter().any(|t| t.says == "mute"), "the name is not on the sheet");
}

/// The rows of one policy: what it asks, and at which size.
fn growth(plots: &[Plot], name: &str, policy: &str) -> Vec<(u32, u32)> {
    let plot = plots.iter().find(|plot| plot.name == name).expect("a plot");
    let rows = plot.rows.iter().filter(|row| row[0] == policy);
    rows.map(|row| (row[2].parse().expect("a number"), row[3].parse().expect("a number"))).collect()
}

#[test]
fn costs_grow_as_the_formulas_say() {
    let names = ["matrix-tofu", "matrix-riot-2019", "matrix-riot-2019-verified-only", "matrix-cross-signing-verified"];
    let plots = plots(names.map(|name| (bundled(name), NOTHING, Vec::new())).into());
    let [devices, people] = ["ceremonies-as-devices-grow", "ceremonies-as-people-grow"];
    // n × n between two people, and each pair of the sender's own.
    assert_eq!(growth(&plots, devices, names[2]), [(1, 1), (2, 4 + 1), (3, 9 + 3), (4, 16 + 6)]);
    // An approval for each device beyond the first, and one comparison of the two.
    assert_eq!(growth(&plots, devices, names[3]), [(1, 1), (2, 3), (3, 5), (4, 7)]);
    assert_eq!(growth(&plots, devices, names[0]), [(1, 0), (2, 0), (3, 0), (4, 0)]);
    assert_eq!(growth(&plots, people, names[2]), [(2, 4 + 1), (3, 8 + 1), (4, 12 + 1)]);
    assert_eq!(growth(&plots, people, names[3]), [(2, 2 + 1), (3, 3 + 2), (4, 4 + 3)]);
    // The dearest line has the first number, and those that cost the same share it.
    let by_devices = plots.iter().find(|plot| plot.name == devices).expect("a plot");
    let lines = column(by_devices, "line");
    assert_eq!(lines.iter().step_by(4).collect::<Vec<_>>(), [&"3", &"1", &"1", &"2"]);
}

#[test]
fn where_the_fewest_are_not_known_a_line_ends() {
    let plots = plots(vec![(bundled("asked-shared-verifications"), NOTHING, Vec::new())]);
    let plot = plots.iter().find(|plot| plot.name == "ceremonies-as-devices-grow").expect("a plot");
    assert_eq!(column(plot, "found"), ["yes", "yes", "yes", "not known"]);
    // As with any signing: an approval for each device beyond the first, and one comparison of the two.
    assert_eq!(column(plot, "ceremonies"), ["1", "3", "5", ""]);
    assert!(plot.about.contains("A line ends early where the fewest were not found"), "{}", plot.about);
    // A marker at each size that is known, and one in the list.
    assert_eq!(plot.svg.matches("<circle").count(), 3 + 1);
}

#[test]
fn the_worst_that_an_adversary_reaches_is_what_counts() {
    let found = |fallen: &[&str]| {
        let all = ["no-rogue-key", "past-stays-private", "no-silent-leak", "no-hidden-key", "no-invisible-listener"];
        let verdict = |p: &&str| if fallen.contains(p) { "violated" } else { "holds" };
        all.iter().map(|p| outcome("s", Some("from-start"), p, verdict(p))).collect::<Vec<_>>()
    };
    let fallen: [&[&str]; 6] = [
        &["no-rogue-key", "no-hidden-key", "no-silent-leak", "no-invisible-listener"],
        &[],
        &["no-rogue-key", "no-silent-leak"],
        &["past-stays-private"],
        &["no-rogue-key", "no-hidden-key", "no-silent-leak"],
        &["no-rogue-key", "no-hidden-key"],
    ];
    let mut policies: Vec<_> = fallen.iter().map(|f| (named("some"), NOTHING, found(f))).collect();
    policies.push((named("cut-short"), NOTHING, vec![outcome("s", Some("from-start"), "no-rogue-key", "unknown")]));
    let plot = plots(policies).into_iter().find(|plot| plot.name == "what-adversaries-reach").expect("a plot");
    let counted = ["nothing-read", "not-known", "read", "nobody-warned", "unseen", "invisible"];
    let reached: Vec<Vec<&str>> = counted.iter().map(|name| column(&plot, name)).collect();
    let where_one = |n: usize| counted.iter().zip(&reached).find(|(_, c)| c[n] == "1").map(|(name, _)| *name);
    let all: Vec<_> = (0..7).filter_map(where_one).collect();
    assert_eq!(all, ["invisible", "nothing-read", "nobody-warned", "read", "unseen", "unseen", "not-known"]);
    // The safest bar is the first, and two that come out equal share one.
    assert_eq!(column(&plot, "bar"), ["6", "1", "4", "3", "5", "5", "2"]);
    assert!(plot.about.contains("Where a search was cut short there may be worse."), "{}", plot.about);
    check_markup(&plot.svg);
}

/// A text on a sheet: where its middle line is, how it is anchored, and what it says.
#[derive(Debug)]
struct Text<'s> {
    x: f64,
    y: f64,
    anchor: &'s str,
    bold: bool,
    says: &'s str,
}

fn attribute<'s>(tag: &'s str, name: &str) -> &'s str {
    tag.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

fn texts(svg: &str) -> Vec<Text<'_>> {
    let text = |part| {
        let (tag, rest): (&str, &str) = str::split_once(part, '>').expect("a tag ends");
        let number = |name| attribute(tag, name).parse().expect("a number");
        let says = rest.split_once("</text>").expect("a text ends").0.trim();
        Text { x: number("x"), y: number("y"), anchor: attribute(tag, "text-anchor"), bold: tag.contains("bold"), says }
    };
    svg.split("<text").skip(1).map(text).collect()
}

const TAGS: [&str; 9] = ["svg", "title", "desc", "rect", "line", "polyline", "polygon", "circle", "text"];

/// That tags are closed in the order in which they were opened, and that there is nothing but what a sheet is made of.
fn check_markup(svg: &str) {
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "a `>` in {text}");
        let name = tag.split([' ', '/']).find(|word| !word.is_empty()).expect("a name");
        assert!(TAGS.contains(&name), "<{name}>");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        match () {
            () if tag.starts_with('/') => assert_eq!(open.pop(), Some(name)),
            () if tag.ends_with('/') => {}
            () => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
    let entities = svg.split('&').skip(1).map(|rest| rest.split(';').next().unwrap_or_default());
    entities.for_each(|e| assert!(["amp", "lt", "gt", "quot", "apos"].contains(&e), "&{e};"));
    assert!(!svg.contains(|c: char| c.is_control() && c != '\n'), "a control character");
    assert!(!svg.contains(" id="), "an id");
}

#[test]
fn no_name_breaks_a_sheet_and_every_name_is_whole_in_the_table() {
    let long = "w".repeat(200);
    let hostile = [
        "<script>alert(1)</script>",
        "]]></title></svg>",
        "\" onload=\"alert(1)",
        "' & &amp;",
        "line\nbreak",
        "null\0bell\u{7}",
        "turned \u{202e}round",
        "עברית, with a comma",
        "👩‍👩‍👧‍👦 family",
        &long,
    ];
    let policy = |name: &str| (named(name), asks(1), from_start(&[("a \"b\", c", "holds")]));
    let all = plots(hostile.iter().map(|name| policy(name)).collect());
    assert_eq!(all.iter().map(|plot| plot.name.as_str()).collect::<Vec<_>>(), NAMES);
    for plot in &all {
        check_markup(&plot.svg);
        assert!(plot.svg.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        let legend = texts(&plot.svg);
        assert!(legend.iter().any(|t| t.says.contains('…')), "{}: the long name is not cut", plot.name);
        assert!(legend.iter().all(|t| !t.says.contains('\u{202e}')), "{}: text runs backwards", plot.name);
        let mut names = column(plot, "policy");
        names.dedup();
        assert_eq!(names, hostile);
        let csv = plot.csv();
        let quoted = ["\"\"\" onload=\"\"alert(1)\",", "\"line\nbreak\",", "\"עברית, with a comma\",", long.as_str()];
        for quoted in quoted {
            assert!(csv.contains(&format!("\n{quoted}")), "{}: {quoted} in {csv}", plot.name);
        }
        assert!(csv.contains("\n<script>alert(1)</script>,"), "what needs no quotes has some");
    }
}

/// The boxes of the numbers beside points; those of the list stand in a column of their own, ended by their anchor.
fn numbers(svg: &str) -> Vec<Text<'_>> {
    texts(svg).into_iter().filter(|t| t.bold && t.anchor == "middle").collect()
}

#[test]
fn numbers_do_not_cover_each_other_nor_leave_the_sheet() {
    let scenarios: Vec<String> = (0..40).map(|i| format!("s{i}")).collect();
    let policy = |ceremonies, withstood| {
        let verdict = |i| if i < withstood { "holds" } else { "violated" };
        let found: Vec<(&str, _)> = scenarios.iter().enumerate().map(|(i, s)| (s.as_str(), verdict(i))).collect();
        (named("some"), asks(ceremonies), from_start(&found))
    };
    let crowd = (0..=40).map(|w| policy(30 + w as u32 % 2, w)).collect();
    let plot = safety(crowd).expect("a plot");
    let all = numbers(&plot.svg);
    assert_eq!(all.len(), 41);
    for (i, a) in all.iter().enumerate() {
        assert!(a.x >= 10.0 && a.x <= 510.0 && a.y >= 8.0, "{a:?}");
        for b in &all[..i] {
            // A digit is at most 10 wide, and a line 15 high.
            let digits = (a.says.len() + b.says.len()) as f64;
            let apart = (a.x - b.x).abs() >= 5.0 * digits || (a.y - b.y).abs() >= 15.0;
            assert!(apart, "{a:?} covers {b:?}");
        }
    }
}

#[test]
fn one_policy_and_one_adversary_make_a_plot() {
    let plot = safety(vec![(named("a"), NOTHING, from_start(&[("s", "holds")]))]).expect("a plot");
    assert_eq!(plot.rows.len(), 1);
    assert_eq!(column(&plot, "unbeaten"), ["yes"]);
    check_markup(&plot.svg);
    assert!(!plot.svg.contains("NaN") && !plot.svg.contains("inf"));
}

fn scenario(name: &str) -> Scenario {
    let source = bundle::find_scenario(name).expect("a bundled scenario");
    Scenario { file: read_scenario(&source).expect("a bundled scenario"), source }
}

/// Searches some scenarios with some models and writes the reports; returns the plots by file name.
fn written(dir: &std::path::Path, scenarios: &[&str], models: &[Model], threads: usize) -> Vec<(String, String)> {
    let scenarios: Vec<Scenario> = scenarios.iter().map(|name| scenario(name)).collect();
    let plan = Plan {
        scenarios: &scenarios,
        models,
        known: models,
        named: true,
        large: false,
        limits: Limits::default(),
        kept: None,
        may_be_vacuous: false,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let cells = run(&plan, &()).expect("bundled files run");
        let costs: Vec<PolicyCost> = models.iter().map(matrix::policy_cost).collect();
        write_all(dir, &cells, models, &costs, None).expect("a folder");
    });
    let entries = fs::read_dir(dir.join("plots")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("UTF-8"))
    };
    let mut files: Vec<_> = entries.map(read).collect();
    files.sort();
    files
}

#[test]
fn a_run_writes_the_same_plots_at_any_number_of_threads_and_takes_others_away() {
    let models = [bundled("matrix-tofu"), bundled("signal")];
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("plots")).expect("a folder");
    fs::write(dir.path().join("plots/mine.svg"), "<svg/>").expect("written");
    let adversaries = ["password-thief", "no-adversary"];
    let one = written(dir.path(), &adversaries, &models, 1);
    let names: Vec<&str> = one.iter().map(|file| file.0.as_str()).collect();
    let both = |name: &str| [format!("{name}.csv"), format!("{name}.svg")];
    let growth = ["ceremonies-as-devices-grow", "ceremonies-as-people-grow"].map(both).concat();
    let safety = ["safety-against-cost", "what-adversaries-reach"].map(both).concat();
    assert_eq!(names, [&growth[..], &["mine.svg".to_string()], &safety[..]].concat());
    assert_eq!(one, written(dir.path(), &adversaries, &models, 4));
    let safety = &one[5].1;
    // The thief has no move against Signal as it is installed, and reads where a password opens an account.
    assert!(safety.contains("\nmatrix-tofu,2,0,0,0,1,0,1,yes,,password-thief,\n"), "{safety}");
    assert!(safety.contains("\nsignal,1,2,0,1,0,0,1,yes,password-thief,,\n"), "{safety}");
    let attack = "traces/password-thief.matrix-tofu.from-start.no-rogue-key.itf.json";
    fs::copy(dir.path().join(attack), dir.path().join("traces/mine.itf.json")).expect("the trace was written");
    let without: Vec<String> = written(dir.path(), &["no-adversary"], &models, 2).into_iter().map(|f| f.0).collect();
    assert_eq!(without, [&growth[..], &["mine.svg".to_string()]].concat());
    // So are traces that no sentence speaks of any more, but for those that have another name.
    let left = fs::read_dir(dir.path().join("traces")).expect("a folder").map(|entry| entry.expect("an entry").path());
    assert_eq!(left.collect::<Vec<_>>(), [dir.path().join("traces/mine.itf.json")]);
}
