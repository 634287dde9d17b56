//! The sentences that attacks are told in: those written by hand in `docs/stories.md`, and what all have in common.

use overhear::bundle;
use overhear::explore::exact;
use overhear::input::Source;
use overhear::model::{Arrival, Property, World};
use overhear::scenario::{arrival_by_name, compile, property_by_name, read_scenario};
use overhear::story::{changes, consequence, gist, sentence};
use overhear::trace::{self, Names, replay};
use std::collections::BTreeSet;

/// A story of the document: what it is of, and what is in bold.
struct Written {
    cell: Vec<String>,
    bold: Vec<String>,
}

fn written() -> Vec<Written> {
    let text = include_str!("../docs/stories.md");
    let story = |section: &str| {
        let mut parts = section.split("\n\n").skip(1).map(str::trim);
        let cell = parts.next().expect("what it is of").split(", ").map(str::to_string).collect();
        let quote = parts.next().expect("the sentence").lines().map(|l| l.trim_start_matches("> ")).collect::<Vec<_>>();
        let bold = quote.join(" ").split("**").skip(1).step_by(2).map(str::to_string).collect();
        Written { cell, bold }
    };
    text.split("\n## ").skip(1).map(story).collect()
}

fn compiled(scenario: &str, model: &str, arrives: Arrival) -> (World, Names) {
    compiled_from(bundle::find_scenario(scenario).expect("a bundled scenario"), model, arrives)
}

fn compiled_from(source: Source, model: &str, arrives: Arrival) -> (World, Names) {
    let models = bundle::models();
    let model = models.iter().find(|m| m.name == model).expect("a bundled model");
    compile(&read_scenario(&source).expect("a scenario"), &source, model, &models, arrives).expect("it compiles")
}

fn found(scenario: &str, model: &str, arrives: Arrival, property: Property) -> String {
    let (w, names) = compiled(scenario, model, arrives);
    let trace = exact::first(&w, property).expect("an attack");
    gist(&w, &names, &trace, property).expect("it replays").to_string()
}

#[test]
fn what_stands_in_bold_is_told() {
    let all = written();
    assert_eq!(all.len(), 10);
    let mut missing = String::new();
    for Written { cell, bold } in all {
        let [scenario, model, arrives, property] = &cell[..] else { panic!("four words: {cell:?}") };
        let arrives = arrival_by_name(arrives).expect("an arrival");
        let told = found(scenario, model, arrives, property_by_name(property).expect("a property"));
        assert!(bold.len() >= 4, "{cell:?} says too little in bold");
        let mut rest = told.to_lowercase();
        for phrase in bold {
            match rest.split_once(&phrase.to_lowercase()) {
                Some((_, after)) => rest = after.to_string(),
                None => missing += &format!("{cell:?} lacks \"{phrase}\": {told}\n"),
            }
        }
    }
    assert!(missing.is_empty(), "\n{missing}");
}

/// Each attack that the searches of the base scenarios find has one sentence that says who, with which device, and how
/// it ends, in names of the scenario.
#[test]
fn every_attack_is_told_in_one_sentence() {
    let models = bundle::models();
    let mut told = 0;
    for source in bundle::scenarios().iter().map(|s| s.source()) {
        let file = read_scenario(&source).expect("a bundled scenario");
        for model in models.iter().filter(|m| file.is_about(m)).take(2) {
            for arrives in file.arrivals().into_iter().flatten() {
                let (w, names) = compile(&file, &source, model, &models, arrives).expect("it compiles");
                let limits = overhear::explore::Limits { states_max: Some(3_000), ..Default::default() };
                let properties: Vec<Property> = file.properties().collect();
                let findings = exact::search(&w, &properties, limits, &());
                for p in properties.into_iter().filter(|p| p.is_safety()) {
                    let Some(trace) = findings.trace(p) else { continue };
                    let sentence = gist(&w, &names, trace, p).expect("it replays").to_string();
                    let end = *replay(&w, trace).expect("it replays").last().expect("a state");
                    let case = format!("{}, {}, {p:?}: {sentence}", file.name, model.name);
                    assert!(sentence.ends_with('.') && sentence.matches(". ").count() == 0, "{case}");
                    assert!(!sentence.contains("  ") && !sentence.contains(" ,") && !sentence.contains(",,"), "{case}");
                    assert!(!sentence.contains("an honest device misses"), "it is not said which: {case}");
                    let acts: Vec<&str> = sentence.split([';', ',']).flat_map(|part| part.split(" and ")).collect();
                    let said = |act: &&&str| act.len() > 20 && acts.iter().filter(|other| other == act).count() > 1;
                    assert_eq!(acts.iter().find(said), None, "said twice: {case}");
                    for d in overhear::model::property::culprits(&w, end, p).iter() {
                        assert!(sentence.to_lowercase().contains(names.device(d)), "{case}: {}", names.device(d));
                    }
                    assert!(!consequence(&w, &names, end, p).is_empty());
                    if std::env::var_os("OVERHEAR_SHOW").is_some() {
                        println!("{case}");
                    }
                    told += 1;
                }
            }
        }
    }
    assert!(told > 150, "{told} attacks");
}

/// What honest people do, and what becomes of it on the way, under a policy with identities.
const HONEST: [(&str, &str); 27] = [
    ("sign-in bob-phone", "Bob signs in on bob-phone."),
    (
        "sign-in bob-phone replaced mallory",
        "Bob signs in on bob-phone; on the way the adversary puts mallory in the place of bob-phone.",
    ),
    (
        "publish-identity bob-phone joined mallory",
        "Bob publishes an identity from bob-phone; on the way the adversary puts a forged identity in its place and \
         adds mallory.",
    ),
    ("approve-device bob-phone bob-laptop", "Bob approves bob-laptop on bob-phone."),
    ("look-up bob-phone bob", "Bob looks at their own list of devices on bob-phone."),
    ("look-up alice-phone bob", "Alice looks Bob up on alice-phone."),
    (
        "look-up alice-phone bob=old~bob-phone",
        "Alice looks Bob up on alice-phone; Alice's server shows the identity that Bob has replaced, leaves out \
         bob-phone and names no device of the adversary.",
    ),
    (
        "look-up alice-phone bob=stealth+mallory",
        "Alice looks Bob up on alice-phone; Alice's server shows a forged identity of Bob that signs the honest \
         devices too and lists mallory as Bob's.",
    ),
    ("verify alice-phone bob", "Alice and Bob compare Bob's identity, as alice-phone shows it."),
    ("verify-device bob-phone bob-laptop", "Bob compares the keys of bob-laptop on bob-phone."),
    (
        "overlook-identity alice-phone bob",
        "Alice and Bob compare Bob's identity, as alice-phone shows it, and Alice overlooks that it is another.",
    ),
    (
        "overlook-device alice-phone mallory",
        "Alice compares the keys of mallory on alice-phone with those that Bob shows, and overlooks that they differ.",
    ),
    ("accept-device bob-phone mallory", "Bob is asked about mallory on bob-phone and says yes."),
    ("block-device bob-phone mallory", "Bob is asked about mallory on bob-phone and says no."),
    ("acknowledge alice-phone bob", "Alice acknowledges Bob's changed identity on alice-phone."),
    ("withdraw alice-phone bob", "Alice gives up the verification of Bob on alice-phone."),
    ("send alice-phone", "Alice sends a message from alice-phone."),
    (
        "send alice-phone bob=nothing+mallory",
        "Alice sends a message from alice-phone; Alice's server shows no identity of Bob and lists mallory as Bob's.",
    ),
    (
        "send alice-phone bob=forged+mallory",
        "Alice sends a message from alice-phone; Alice's server shows a forged identity of Bob and lists mallory as \
         Bob's.",
    ),
    ("forward-keys bob-phone mallory", "The device bob-phone gives mallory the old keys that it asks for."),
    ("reshare-keys alice-phone mallory", "The device alice-phone sends the key of an old message again, to mallory."),
    ("remove-device bob-phone mallory", "Bob takes mallory off the account, on bob-phone."),
    (
        "reset-identity bob-phone replaced mallory",
        "Bob makes a new identity on bob-phone; on the way the adversary puts mallory in the place of bob-phone.",
    ),
    ("log-out bob-laptop", "Bob signs bob-laptop out."),
    ("change-password bob-phone", "Bob changes the password on bob-phone."),
    ("invite alice-phone bob", "Alice invites Bob on alice-phone."),
    ("compare-logs alice-phone", "The device alice-phone compares the log that it was shown with others."),
];

/// What the adversary does who has Alice's server, and mallory on Bob's account.
const ADVERSARIAL: [(&str, &str); 18] = [
    ("arrive", "The adversary arrives."),
    ("steal-password bob", "The adversary takes Bob's password."),
    ("register-device mallory", "The adversary signs mallory in to Bob's account."),
    ("register-device mallory-a", "The adversary, who holds Alice's server, puts mallory-a on the account."),
    ("evict-device bob-phone", "The adversary signs bob-phone out of Bob's account."),
    ("forge-identity bob", "The adversary publishes a forged identity for Bob."),
    (
        "forge-identity bob stealth",
        "The adversary publishes a forged identity for Bob that signs the honest devices too.",
    ),
    ("hijack-number mallory", "The adversary registers Bob's phone number anew, on mallory."),
    ("steal-recovery bob", "The adversary takes Bob's recovery key."),
    ("open-recovery bob", "The adversary opens Bob's identity with the recovery key."),
    ("sign-rogue mallory", "The adversary signs mallory with Bob's identity."),
    ("steal-device bob-phone", "The adversary steals bob-phone from Bob."),
    ("link-rogue bob-phone mallory", "The adversary links mallory from the stolen bob-phone."),
    ("phish-link bob-phone mallory", "Bob is tricked into approving mallory on bob-phone."),
    ("add-member bob", "Bob appears in the room, invited by nobody."),
    (
        "swap-in-ceremony alice-phone bob",
        "Alice and Bob compare on alice-phone, and find the same; but what alice-phone then signs is a forged identity \
         of Bob, which the server gave the id that was confirmed.",
    ),
    ("plant-backup mallory", "The adversary names a backup of its own as Bob's, for mallory to read."),
    ("open-backup mallory", "The adversary reads Bob's backup, with the recovery key, on mallory."),
];

/// Each kind of action in the words of a step, where nothing else is different after it.
#[test]
fn each_action_has_its_sentence() {
    let (w, names) = compiled("server-of-sender", "signal", Arrival::FromStart);
    let mut verbs = BTreeSet::new();
    for (line, told) in HONEST.into_iter().chain(ADVERSARIAL) {
        let action = trace::parse(&w, &names, line).expect("an action");
        assert_eq!(trace::text(&w, &names, action), line);
        assert_eq!(sentence(&w, &names, w.initial(), w.initial(), action), told, "{line}");
        verbs.insert(line.split(' ').next().expect("a verb"));
    }
    assert_eq!(verbs, trace::VERBS.into_iter().collect());
}

/// The same actions, where a policy, the adversary's place or the state makes another sentence of them.
#[test]
fn what_a_policy_or_a_state_changes_is_told() {
    let [thief, link, server, member, number] =
        ["password-thief", "tls-breaker-one-client", "reused-device-id-at-server", "added-member", "number-hijack"];
    for (scenario, model, line, told) in [
        (server, "signal", "look-up alice-phone bob=true+mallory", "; Bob's server lists mallory as Bob's."),
        (link, "signal", "look-up bob-phone bob=true", "; the adversary, on the link of bob-phone, names no device"),
        (thief, "matrix-riot-2019", "forward-keys bob-phone mallory", "; Bob is asked and says yes."),
        (thief, "matrix-riot-2019", "send alice-phone bob=nothing+mallory", "link of alice-phone, lists mallory as"),
        (server, "matrix-tofu", "reshare-keys alice-phone mallory", ", which comes under the id of bob-phone."),
        (server, "imessage", "open-backup mallory", "backup, whose key the server holds, on mallory."),
        (thief, "imessage", "phish-link bob-phone mallory", "Bob is tricked into reading out the code with which"),
        (number, "signal", "hijack-number mallory", "registers Bob's phone number anew, on mallory."),
        (
            number,
            "signal-registration-lock",
            "hijack-number mallory",
            "fails to register Bob's phone number anew without",
        ),
    ] {
        let (w, names) = compiled(scenario, model, Arrival::FromStart);
        let action = trace::parse(&w, &names, line).expect("an action");
        let said = sentence(&w, &names, w.initial(), w.initial(), action);
        assert!(said.contains(told), "{scenario}, {model}: {said}");
    }
    let (w, names) = compiled(thief, "imessage", Arrival::FromStart);
    let phished = trace::parse(&w, &names, "phish-link bob-phone mallory").expect("an action");
    let mut listed = w.initial();
    listed.registered = listed.registered.union(w.rogue);
    let approved = "Bob is tricked into approving mallory on bob-phone.";
    assert_eq!(sentence(&w, &names, listed, listed, phished), approved, "on the account there is no code to read out");
    // Who is given keys with it is told.
    let (w, names) = compiled(member, "matrix-tofu", Arrival::FromStart);
    let mut given = w.initial();
    given.current = given.current.union(w.uninvited_devices);
    let told = |line| sentence(&w, &names, w.initial(), given, trace::parse(&w, &names, line).expect("an action"));
    assert_eq!(told("invite alice-phone bob"), "Alice invites Bob on alice-phone; eve-phone is handed the keys.");
    let sent = "Alice sends a message from alice-phone; eve-phone is given the room key.";
    assert_eq!(told("send alice-phone"), sent);
}

/// Kinds of attack that the document has no story of, each from the start: scenario, model, property and sentence.
const OTHER_KINDS: [(&str, &str, Property, &str); 12] = [
    (
        "number-hijack",
        "signal-registration-lock",
        Property::NoLockOut,
        "The adversary fails to register Bob's phone number anew without the PIN, which throws bob-phone off; from \
         then on bob-phone misses every message.",
    ),
    (
        "server-of-recipient-hurried",
        "matrix-riot-2019",
        Property::NoRogueKey,
        "Bob's server invents a device for Bob, mallory; Alice is asked about it and says yes; Alice's client \
         gives it the room key, and Bob never enrolled it.",
    ),
    (
        "server-of-recipient-hurried",
        "ssh-known-hosts",
        Property::NoRogueKey,
        "Bob's server shows Alice's client a forged identity of Bob; Alice acknowledges Bob's changed \
         identity, which is forged; Bob's server shows Alice's client that identity with a device of its own, \
         mallory; Alice's client gives it the room key, and Bob never enrolled it.",
    ),
    (
        "reused-device-id-at-server",
        "matrix-all-devices",
        Property::NoLockOut,
        "As Bob signs in on bob-phone, Bob's server reads the password and then signs bob-phone out of Bob's \
         account; from then on bob-phone misses every message.",
    ),
    (
        "reused-device-id-at-server",
        "matrix-tofu",
        Property::PastStaysPrivate,
        "Bob's server leaves bob-phone out of what it tells Alice's client and invents a device for Bob, mallory; \
         Alice's client sends the key of an old message again, to it, which goes by the id of bob-phone; so it \
         reads messages from before it existed.",
    ),
    (
        "invite-history",
        "matrix-mandatory-verification",
        Property::PastStaysPrivate,
        "Bob's server shows Alice's client a forged identity of Bob with a device of its own, mallory; Alice \
         invites Bob; Alice's client hands it the keys; so it reads messages from before it existed.",
    ),
    (
        "split-view-forgotten",
        "key-transparency-gossip",
        Property::NoUnnoticedLeak,
        "Bob's server shows Alice's client a forged identity of Bob with a device of its own, mallory; \
         Alice's client, at its first contact with Bob, gives it the room key; Alice signs alice-phone out; \
         Bob has looked, and nobody is warned.",
    ),
    (
        "server-of-sender",
        "threema",
        Property::NoLockOut,
        "Alice's server shows Alice's client a forged identity of Bob; from then on bob-phone misses what Alice \
         sends.",
    ),
    (
        "server-of-sender",
        "imessage",
        Property::NoHiddenKey,
        "As Alice signs in on alice-phone, Alice's server puts a device of its own in the place of alice-phone, \
         mallory-a, and then reads Alice's backup on it; Alice looks and never sees it.",
    ),
    (
        "stolen-recovery-key",
        "matrix-2020-cross-signing-default",
        Property::NeverShownAsVerified,
        "The adversary takes Bob's password, signs a device of its own in to Bob's account, mallory, takes \
         Bob's recovery key, opens Bob's identity with the recovery key and signs mallory with Bob's identity, and \
         a client displays mallory as verified.",
    ),
    (
        "planted-backup",
        "matrix-js-sdk-19.6",
        Property::PastStaysPrivate,
        "Bob's server names a backup of its own as Bob's, for a device of its own to read, mallory; so it \
         reads messages from before it existed.",
    ),
    (
        "tls-breaker-one-client",
        "ghost-user",
        Property::NoInvisibleListener,
        "As Bob signs in on bob-phone, the adversary, on the link, puts a forged identity of Bob in the place \
         of the true one and adds a device of its own, mallory; Alice's client, at its first contact with \
         Bob, gives it the room key; Bob looks and never sees it, nobody is warned, and no honest device \
         misses a message.",
    ),
];

#[test]
fn attacks_of_other_kinds_are_told_like_this() {
    for (scenario, model, property, told) in OTHER_KINDS {
        assert_eq!(found(scenario, model, Arrival::FromStart, property), told, "{scenario}, {model}");
    }
}

/// What was on a device when it was stolen nobody had to give.
#[test]
fn a_stolen_device_holds_what_it_holds() {
    for (model, property, ending) in [
        ("signal", Property::NoRogueKey, "; bob-laptop holds a room key."),
        ("signal", Property::NoSilentLeak, "; bob-laptop holds a room key, and nobody is warned."),
        ("matrix-tofu", Property::PastStaysPrivate, "; so bob-laptop reads past messages."),
    ] {
        let told = found("stolen-device", model, Arrival::FromStart, property);
        assert!(told.ends_with(ending), "{model}: {told}");
    }
}

/// Two hurried people, whose links are listened to and one of whose devices is stolen, and two devices that come as
/// Bob's: what no bundled scenario has together.
fn beset(model: &str) -> (World, Names) {
    let bundled = bundle::find_scenario("tls-breaker-one-client").expect("a bundled scenario");
    let text = [
        (
            r#"{ "power": "break-tls", "of": "bob-phone" }"#,
            r#"{ "power": "break-tls", "of": "bob-phone" }, { "power": "break-tls", "of": "alice-phone" },
               { "power": "steal-recovery", "of": "bob" }, { "power": "steal-device", "of": "bob-laptop" }"#,
        ),
        (
            r#"{ "name": "mallory", "claims": "bob" }"#,
            r#"{ "name": "mallory", "claims": "bob" }, { "name": "mike", "claims": "bob" }"#,
        ),
        (r#""care": "careful""#, r#""care": "hurried""#),
    ];
    let text = text.iter().fold(bundled.text.clone(), |text, (old, new)| {
        assert!(text.contains(old), "the bundled scenario has no {old}");
        text.replace(old, new)
    });
    compiled_from(Source::new("beset.json", &text), model, Arrival::FromStart)
}

/// What happens in a world from the start, told in a sentence without an end.
fn deed(w: &World, names: &Names, lines: &[&str]) -> String {
    let actions: Vec<_> = lines.iter().map(|line| trace::parse(w, names, line).expect("an action")).collect();
    gist(w, names, &actions, Property::EverybodyReads).unwrap_or_else(|e| panic!("{lines:?}: {e}")).to_string()
}

/// What people do in an attack, and what of it goes without saying: scenario, model, steps and sentence.
const PEOPLE: [(&str, &str, &[&str], &str); 11] = [
    (
        "password-thief",
        "matrix-riot-2019",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "verify-device alice-phone bob-phone",
            "steal-password bob",
            "register-device mallory",
            "look-up alice-phone bob",
            "block-device alice-phone mallory",
        ],
        "The adversary takes Bob's password and signs a device of its own in to Bob's account, mallory; Alice is asked \
         about it and says no.",
    ),
    (
        "password-thief-removed",
        "matrix-tofu",
        &[
            "sign-in bob-phone",
            "steal-password bob",
            "register-device mallory",
            "look-up bob-phone bob",
            "remove-device bob-phone mallory",
            "change-password bob-phone",
        ],
        "The adversary takes Bob's password and signs a device of its own in to Bob's account, mallory; Bob takes it \
         off the account and changes the password.",
    ),
    (
        "server-of-recipient-reset",
        "matrix-cross-signing-tofu",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "publish-identity alice-phone",
            "publish-identity bob-phone",
            "look-up alice-phone bob",
            "verify alice-phone bob",
            "reset-identity alice-phone",
            "withdraw alice-phone bob",
        ],
        "Alice makes a new identity and gives up the verification of Bob.",
    ),
    (
        "server-of-recipient-hurried",
        "matrix-riot-2019",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "look-up alice-phone bob=nothing+mallory",
            "accept-device alice-phone bob-phone",
            "accept-device alice-phone mallory",
            "send alice-phone bob=nothing+mallory",
        ],
        "Bob's server invents a device for Bob, mallory; Alice is asked about it and says yes; Alice's client gives it \
         the room key.",
    ),
    (
        "server-of-recipient-hurried",
        "strict-tofu",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "look-up alice-phone bob",
            "acknowledge alice-phone bob",
            "look-up alice-phone bob=forged+mallory",
        ],
        "Bob's server shows Alice's client a forged identity of Bob with a device of its own, mallory.",
    ),
    (
        "password-thief-hurried",
        "matrix-riot-2019",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "verify-device alice-phone bob-phone",
            "send alice-phone",
            "steal-password bob",
            "register-device mallory",
            "forward-keys bob-phone mallory",
        ],
        "The adversary takes Bob's password and signs a device of its own in to Bob's account, mallory; Bob is asked \
         and says yes; Bob's client gives it the old keys that it asks for.",
    ),
    (
        "stolen-device",
        "matrix-riot-2019",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "verify-device alice-phone bob-phone",
            "send alice-phone",
            "sign-in bob-laptop",
            "verify-device bob-phone bob-laptop",
            "steal-device bob-laptop",
            "forward-keys bob-phone bob-laptop",
        ],
        "The adversary steals bob-laptop from Bob; Bob's client gives bob-laptop the old keys that it asks for.",
    ),
    (
        "stolen-device",
        "signal",
        &["sign-in bob-laptop", "steal-device bob-laptop", "link-rogue bob-laptop mallory"],
        "The adversary steals bob-laptop from Bob and links a device of its own from the stolen bob-laptop, mallory.",
    ),
    (
        "phished-link",
        "imessage-ckv",
        &[
            "sign-in bob-phone",
            "publish-identity bob-phone",
            "steal-password bob",
            "phish-link bob-phone mallory",
            "phish-link bob-phone mallory",
        ],
        "The adversary takes Bob's password; Bob is tricked into reading out the code for the adversary's device \
         mallory and into approving it.",
    ),
    (
        "phished-link",
        "matrix-cross-signing-tofu",
        &[
            "sign-in bob-phone",
            "publish-identity bob-phone",
            "steal-password bob",
            "register-device mallory",
            "phish-link bob-phone mallory",
        ],
        "The adversary takes Bob's password and signs a device of its own in to Bob's account, mallory; Bob is tricked \
         into approving it.",
    ),
    (
        "password-thief",
        "matrix-cross-signing-tofu",
        &[
            "sign-in bob-phone",
            "publish-identity bob-phone",
            "steal-password bob",
            "register-device mallory",
            "forge-identity bob",
        ],
        "The adversary takes Bob's password, signs a device of its own in to Bob's account, mallory, and publishes a \
         forged identity for Bob.",
    ),
];

#[test]
fn what_people_do_is_told_where_it_is_about_the_adversary() {
    for (scenario, model, lines, told) in PEOPLE {
        let (w, names) = compiled(scenario, model, Arrival::FromStart);
        assert_eq!(deed(&w, &names, lines), told, "{scenario}, {model}");
    }
    let (w, names) = beset("matrix-riot-2019");
    let lines = [
        "sign-in alice-phone",
        "sign-in bob-phone",
        "sign-in bob-laptop",
        "look-up alice-phone bob",
        "accept-device alice-phone bob-phone",
        "steal-device bob-laptop",
        "accept-device alice-phone bob-laptop",
        "send alice-phone",
    ];
    let told = "The adversary steals bob-laptop from Bob; Alice is asked about bob-laptop and says yes; Alice's client \
                gives bob-laptop the room key.";
    assert_eq!(deed(&w, &names, &lines), told, "a stolen device is the adversary's");
}

/// Both people sign in where their links are listened to, and only the password of one opens anything: what the
/// adversary does then, and how it is told.
const BY_THE_PASSWORD: [(&[&str], &str); 3] = [
    (&["register-device mallory"], "signs a device of its own in to Bob's account, mallory"),
    (&["evict-device bob-phone"], "signs bob-phone out of Bob's account"),
    (&["publish-identity bob-phone", "forge-identity bob"], "publishes a forged identity for Bob"),
];

/// The same with the recovery key, which was taken before.
const WITH_THE_RECOVERY_KEY: [(&str, &str); 2] = [
    ("open-recovery bob", "opens Bob's identity with the recovery key"),
    ("open-backup mallory", "reads Bob's backup on a device of its own, mallory"),
];

/// What a server does with its own users' accounts, for which it needs no password.
const WITHOUT_A_PASSWORD: [(&str, &str, &str, &str); 3] = [
    (
        "server-of-recipient",
        "matrix-tofu",
        "register-device mallory",
        "Bob's server puts a device of its own on Bob's account, mallory.",
    ),
    (
        "server-of-recipient",
        "matrix-cross-signing-tofu",
        "forge-identity bob",
        "Bob's server publishes a forged identity for Bob.",
    ),
    (
        "planted-backup",
        "matrix-js-sdk-19.6",
        "plant-backup mallory",
        "Bob's server names a backup of its own as Bob's, for a device of its own to read, mallory.",
    ),
];

#[test]
fn a_password_that_passes_is_told_if_something_later_takes_it() {
    let reads = "s Bob signs in on bob-phone, the adversary, on the link, reads the password and then";
    let (w, names) = beset("matrix-cross-signing-tofu");
    for (acts, told) in BY_THE_PASSWORD {
        let lines = [&["sign-in alice-phone", "sign-in bob-phone"], acts].concat();
        assert_eq!(deed(&w, &names, &lines), format!("A{reads} {told}."));
    }
    let before = ["sign-in alice-phone", "sign-in bob-laptop", "publish-identity bob-laptop", "steal-recovery bob"];
    for (act, told) in WITH_THE_RECOVERY_KEY {
        let lines = [&before[..], &["sign-in bob-phone", act]].concat();
        assert_eq!(deed(&w, &names, &lines), format!("The adversary takes Bob's recovery key; a{reads} {told}."));
    }
    for (scenario, model, act, told) in WITHOUT_A_PASSWORD {
        let (w, names) = compiled(scenario, model, Arrival::FromStart);
        assert_eq!(deed(&w, &names, &["sign-in bob-phone", act]), told, "{scenario}, {model}");
    }
    let controls = r#"{ "power": "control-server", "of": "bob.example" }"#;
    let bundled = bundle::find_scenario("server-of-recipient").expect("a bundled scenario");
    let both = bundled.text.replace(controls, &format!(r#"{controls}, {{ "power": "steal-recovery", "of": "bob" }}"#));
    let (w, names) = compiled_from(Source::new("both.json", &both), "matrix-cross-signing-tofu", Arrival::FromStart);
    assert_eq!(
        deed(
            &w,
            &names,
            &["sign-in bob-phone", "publish-identity bob-phone", "steal-recovery bob", "open-recovery bob"]
        ),
        "The adversary takes Bob's recovery key and opens Bob's identity with the recovery key."
    );
}

#[test]
fn who_overlooks_what_is_told() {
    let told = |model: &str, lines: &[&str]| {
        let (w, names) = compiled("server-of-recipient-inattentive", model, Arrival::FromStart);
        deed(&w, &names, &[&["sign-in alice-phone", "sign-in bob-phone"], lines].concat())
    };
    let invented = "Bob's server invents a device for Bob, mallory";
    let overlooks = "and overlooks that they differ";
    let shown = ["look-up alice-phone bob=nothing+mallory", "overlook-device alice-phone mallory"];
    assert_eq!(told("matrix-riot-2019", &shown), format!("{invented}; Alice compares its keys with Bob {overlooks}."));
    let on_the_account = ["register-device mallory", "look-up alice-phone bob", "overlook-device alice-phone mallory"];
    assert_eq!(
        told("matrix-riot-2019", &on_the_account),
        format!(
            "Bob's server puts a device of its own on Bob's account, mallory; Alice compares its keys with Bob \
             {overlooks}."
        )
    );
    let forged = ["publish-identity alice-phone", "publish-identity bob-phone", "look-up alice-phone bob=forged"];
    assert_eq!(
        told("matrix-cross-signing-verified", &[&forged[..], &["overlook-identity alice-phone bob"]].concat()),
        "Bob's server shows Alice's client a forged identity of Bob; Alice compares with Bob and overlooks that the \
         identity shown is forged."
    );
}

/// What one client is told again and again is told once, and two forged identities in one breath.
#[test]
fn lies_of_one_kind_are_told_together() {
    let (w, names) = compiled("own-identity-swapped", "matrix-only-trusted-0.7", Arrival::FromStart);
    let both = [
        "sign-in alice-phone",
        "sign-in bob-phone",
        "look-up alice-phone alice=forged",
        "look-up alice-phone bob=forged",
    ];
    assert_eq!(
        deed(&w, &names, &both),
        "Alice's server shows Alice's client a forged identity of Alice and one of Bob."
    );
    let (w, names) = compiled("server-of-recipient", "matrix-cross-signing-tofu", Arrival::FromStart);
    let hides =
        ["sign-in alice-phone", "sign-in bob-phone", "publish-identity bob-phone", "publish-identity alice-phone"];
    let lies = ["look-up alice-phone bob=nothing+mallory", "look-up alice-phone bob=nothing~bob-phone+mallory"];
    assert_eq!(
        deed(&w, &names, &[&hides[..], &lies].concat()),
        "Bob's server hides Bob's identity from Alice's client, invents a device for Bob, mallory, and leaves \
         bob-phone out of what it tells Alice's client."
    );
}

#[test]
fn devices_that_are_invented_are_told_once() {
    let before = ["sign-in alice-phone", "sign-in bob-phone"];
    let told = |(w, names): (World, Names), lines: &[&str]| deed(&w, &names, &[&before, lines].concat());
    let of = |scenario: &str| compiled(scenario, "matrix-tofu", Arrival::FromStart);
    assert_eq!(
        told(of("tls-breaker-at-sender"), &["send alice-phone bob=nothing+mallory"]),
        "The adversary, on the link of alice-phone, invents a device for Bob, mallory; Alice's client gives it the \
         room key."
    );
    assert_eq!(
        told(beset("matrix-tofu"), &["send alice-phone bob=nothing+mallory+mike"]),
        "The adversary, on the link of alice-phone, invents devices for Bob, mallory and mike; Alice's client gives \
         mallory and mike the room key."
    );
    let again = ["look-up alice-phone bob=nothing+mallory", "send alice-phone bob=nothing~bob-phone+mallory"];
    assert_eq!(
        told(of("server-of-recipient"), &again),
        "Bob's server invents a device for Bob, mallory, and leaves bob-phone out of what it tells Alice's client; \
         Alice's client gives it the room key."
    );
}

/// What differs after a step, of what clients are shown and keep.
#[test]
fn what_a_client_is_shown_and_what_it_keeps_is_told() {
    let (w, names) = compiled("server-of-recipient-hurried", "ssh-known-hosts", Arrival::FromStart);
    let lines = ["sign-in alice-phone", "look-up alice-phone bob=stealth", "acknowledge alice-phone bob"];
    let actions: Vec<_> = lines.iter().map(|line| trace::parse(&w, &names, line).expect("an action")).collect();
    let states = replay(&w, &actions).expect("a trace");
    let told = |step: usize| changes(&w, &names, &states[step - 1], &states[step]);
    let (shown, pinned) =
        ("alice-phone is shown a forged identity of Bob", "alice-phone pins a forged identity of Bob");
    let has = |step, text: &str| told(step).iter().any(|line| line == text);
    assert!(has(2, shown) && !has(2, pinned), "{:?}", told(2));
    assert!(has(3, pinned) && !has(3, shown), "{:?}", told(3));
    assert!(!told(1).iter().any(|line| line.contains("identity of Bob")), "{:?}", told(1));
}
