//! How a scenario file becomes a world: who gets which number, and where each setting ends up.

use overhear::bundle;
use overhear::input::Source;
use overhear::model::world::Powers;
use overhear::model::{Arrival, Device, HonestOption, Person, Property, Server, Set, World};
use overhear::scenario::{
    ARRIVALS, OPTIONS, arrival_by_name, arrival_name, axes, axis_values, compile, option_name, property_by_name,
    property_name, read_scenario,
};
use overhear::trace::Names;

const RICH: &str = r#"{
  "format": 1, "name": "rich", "title": "t", "about": "a", "size": "base",
  "people": [
    { "name": "ann", "server": "one", "care": "hurried", "in-room": "when-invited", "devices": ["ann-a"] },
    { "name": "ben", "server": "two", "care": "careful", "in-room": "at-first", "model": "signal",
      "devices": ["ben-a", "ben-b"] },
    { "name": "cid", "server": "one", "care": "careful", "in-room": "at-first", "devices": ["cid-a"] }
  ],
  "senders": ["ben-b", "cid-a"],
  "options": ["invite", "log-out"],
  "adversary": {
    "arrives": ["after-first-contact"],
    "powers": [
      { "power": "break-tls", "of": "ben" }, { "power": "break-tls", "of": "cid-a" },
      { "power": "control-server", "of": "two" }, { "power": "steal-device", "of": "ben-b" },
      { "power": "steal-password", "of": "cid" }, { "power": "add-member", "of": "eve" }
    ],
    "devices": [{ "name": "mal", "claims": "ben", "reuses-id-of": "ben-b" }, { "name": "mel", "claims": "ann" }],
    "accounts": [{ "name": "eve", "server": "three", "devices": ["eve-a"] }]
  },
  "properties": ["no-rogue-key"],
  "expectations": [{ "where": {}, "property": "no-rogue-key", "expect": "holds", "why": "w" }]
}"#;

fn rich(model: &str, text: &str) -> (World, Names) {
    let source = Source::new("rich.json", text);
    let models = bundle::models();
    let model = models.iter().find(|m| m.name == model).expect("a bundled model");
    let file = read_scenario(&source).unwrap_or_else(|e| panic!("{e}"));
    compile(&file, &source, model, &models, Arrival::AfterFirstContact).unwrap_or_else(|e| panic!("{e}"))
}

fn devices<const N: usize>(of: [u8; N]) -> Set<Device> {
    of.into_iter().map(Device).collect()
}
fn people<const N: usize>(of: [u8; N]) -> Set<Person> {
    of.into_iter().map(Person).collect()
}

#[test]
fn everybody_is_numbered_in_the_order_of_the_file_and_the_adversary_last() {
    let (w, names) = rich("matrix-tofu", RICH);
    assert_eq!(names.people, ["ann", "ben", "cid", "eve"]);
    assert_eq!(names.devices, ["ann-a", "ben-a", "ben-b", "cid-a", "mal", "mel", "eve-a"]);
    assert_eq!(names.servers, ["one", "two", "three"]);
    assert_eq!((w.people, w.devices), (4, 7));
    assert_eq!(w.owner[..7], [0, 1, 1, 2, 1, 0, 3].map(Person));
    assert_eq!((w.honest, w.rogue), (devices([0, 1, 2, 3]), devices([4, 5])));
    assert_eq!((w.uninvited_devices, w.uninvited), (devices([6]), people([3])));
    assert_eq!(w.devices_of, [devices([0, 5]), devices([1, 2, 4]), devices([3]), devices([6])]);
    assert_eq!((w.reuses[4], w.reuses[5], w.reused), (Some(Device(2)), None, devices([2])));
    assert_eq!(w.server, [0, 1, 0, 2].map(Server));
}

#[test]
fn settings_and_powers_reach_the_world() {
    let (w, _) = rich("matrix-tofu", RICH);
    assert_eq!((w.senders, w.members, w.hurried), (devices([2, 3]), people([1, 2]), people([0])));
    assert_eq!((w.powers.break_tls, w.powers.steal_device), (devices([1, 2, 3]), devices([2])));
    assert_eq!((w.powers.control_server, w.powers.add_member), (Set::EMPTY.with(Server(1)), true));
    assert_eq!((w.powers.steal_password, w.powers.phish_link), (people([2]), Set::EMPTY));
    assert!(w.has_option(HonestOption::Invite) && w.has_option(HonestOption::LogOut));
    assert!(!w.has_option(HonestOption::RemoveDevice) && !w.has_option(HonestOption::ResetIdentity));
    assert_eq!(w.arrives, Arrival::AfterFirstContact);
    let joining = |p| w.policy(Person(p)).joining;
    use overhear::policy::Joining::{ExistingDevice, Password};
    assert_eq!([0, 1, 2, 3].map(joining), [Password, ExistingDevice, Password, Password]);
}

#[test]
fn a_control_has_no_powers_and_nobody_arrives_later() {
    let start = RICH.find("\"adversary\"").expect("an adversary");
    let end = RICH.find("\"properties\"").expect("properties");
    let (w, names) = rich("signal", &[&RICH[..start], &RICH[end..]].concat());
    assert_eq!((w.powers, w.arrives), (Powers::default(), Arrival::FromStart));
    assert_eq!((names.people.len(), names.devices.len(), w.rogue), (3, 4, Set::EMPTY));
}

#[test]
fn every_name_leads_back_and_options_are_indexed_by_themselves() {
    assert!(Property::ALL.into_iter().all(|p| property_by_name(property_name(p)) == Some(p)));
    assert!(ARRIVALS.into_iter().all(|(a, name)| arrival_by_name(name) == Some(a) && arrival_name(a) == name));
    assert!(OPTIONS.into_iter().enumerate().all(|(i, (o, name))| o as usize == i && option_name(o) == name));
    assert_eq!(property_by_name("NoRogueKey"), None);
}

#[test]
fn axes_and_their_values_agree_with_the_policies() {
    let all = axis_values();
    for model in bundle::models() {
        let axes = axes(&model.policy);
        assert!(axes.iter().map(|(axis, _)| axis).eq(all.iter().map(|(axis, _)| axis)));
        assert!(axes.iter().zip(&all).all(|((_, value), (_, values))| values.contains(value)));
        let sourced = axes.iter().filter(|(_, value)| value != "unused").map(|(axis, _)| axis);
        assert!(sourced.eq(model.sources.iter().map(|(axis, _)| axis)));
    }
}

#[test]
fn variants_are_of_models_that_are_no_variants_and_are_named_by_a_scenario() {
    let models = bundle::models();
    let scenarios: Vec<_> =
        bundle::scenarios().iter().map(|s| read_scenario(&s.source()).expect("a bundled scenario")).collect();
    for model in models.iter().filter(|m| m.variant_of.is_some()) {
        let base = models.iter().find(|m| Some(&m.name) == model.variant_of.as_ref());
        assert!(base.is_some_and(|b| b.variant_of.is_none()), "{} is a variant of no model", model.name);
        assert!(scenarios.iter().any(|s| s.is_about(model)), "no scenario names {}", model.name);
    }
}
