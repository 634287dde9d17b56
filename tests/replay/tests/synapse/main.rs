//! Password thieves at a real homeserver: each run's actions are taken in the model and at a Synapse on loopback, with
//! real clients in everybody's hands, and the two are compared after each step.
//!
//! `tests/replay/synapse/run` starts the server and names it in `OVERHEAR_SYNAPSE`; without that nothing is played.

mod http;
mod session;
mod stage;
mod check;

use http::Homeserver;
use overhear::model::{Action, Blocked, Set, State, World, property};
use overhear::scenario::{Model, arrival_by_name, compile, property_by_name, read_scenario};
use overhear::trace::{self, Names};
use overhear::{bundle, story};
use overhear_real::compare::{lookups, refusal, successor};
use overhear_real::drive::strategy;
use overhear_real::failure::{Failure, Res};
use overhear_real::machine;
use serde::Deserialize;
use session::Deed;
use stage::Stage;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// Scenarios whose adversary needs nothing but an account's password, or somebody's session.
const THIEVES: [&str; 5] =
    ["password-thief", "password-thief-hurried", "password-thief-removed", "password-thief-at-sender", "stolen-device"];

/// An attack as in `tests/attacks`.
#[derive(Deserialize)]
struct Attack {
    title: String,
    scenario: String,
    arrives: String,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    model: String,
    r#do: Vec<String>,
    #[serde(default)]
    violates: Vec<String>,
    #[serde(default)]
    keeps: Vec<String>,
    blocked: Option<Stop>,
}

/// The step that is refused, and why.
#[derive(Deserialize)]
struct Stop {
    step: usize,
    by: String,
}

/// The attacks that were written for this test, then those of `tests/attacks` whose adversary is a thief.
fn attacks() -> Vec<Attack> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| fs::read_to_string(path).expect("UTF-8");
    let mut attacks: Vec<Attack> = serde_json::from_str(&read(&tests.join("synapse/flows.json"))).expect("attacks");
    let others = fs::read_dir(tests.join("../attacks")).expect("a folder");
    let mut others: Vec<_> = others.map(|e| e.expect("an entry").path()).collect();
    others.sort();
    attacks.extend(others.iter().map(|path| serde_json::from_str(&read(path)).expect("an attack")));
    attacks.retain(|attack: &Attack| THIEVES.contains(&attack.scenario.as_str()));
    attacks
}

/// A run in the middle: both sides, and what they disagreed about so far.
struct Play<'w> {
    world: &'w World,
    names: &'w Names,
    stage: Stage<'w>,
    state: State,
    /// The first step that the model does not allow, and its guard.
    blocked: Option<(usize, Blocked)>,
    /// What server or client said to it.
    refusal: Option<String>,
}

impl Play<'_> {
    /// Takes one step on both sides; what they disagree about.
    async fn step(&mut self, number: usize, action: Action) -> Res<Vec<String>> {
        let (w, before) = (self.world, self.state);
        let expected = successor(w, before, action);
        let refused = match &expected {
            Ok((_, None)) => None,
            Ok((_, Some(why))) => Some(Blocked::SendRefused(*why)),
            Err(blocked) => Some(*blocked),
        };
        self.blocked = self.blocked.or(refused.map(|by| (number, by)));
        // What a person decides, no server and no client is asked about.
        if refused == Some(Blocked::CarefulPerson) {
            return Ok(Vec::new());
        }
        let sent = self.stage.letters.len();
        let deed: Deed = self.stage.act(before, action).await?;
        let mut found = match (&expected, &deed) {
            (Ok((_, None)), Ok(())) | (Err(_), Err(_)) => Vec::new(),
            (Ok((_, Some(why))), Err(error)) if error == refusal(*why) => Vec::new(),
            (_, Ok(())) => vec![format!("it is done; the model says {refused:?}")],
            (_, Err(why)) => vec![format!("it is refused, {why}; the model says {refused:?}")],
        };
        let after = expected.map_or(before, |(after, _)| after);
        self.stage.letters[sent..].iter_mut().for_each(|letter| letter.past = after.existed.is_empty());
        self.state = after;
        found.extend(self.stage.check_lists(after)?);
        let looked = lookups(w, before, action).unwrap_or_default().into_iter().map(|(v, p, _)| (v, p));
        let compared = if let Action::Verify(v, p) = action { Some((v, p)) } else { None };
        for (v, p) in looked.chain(compared) {
            found.extend(self.stage.check_contact((before, after), v, p).await?);
        }
        if matches!(action, Action::Send(..) | Action::ForwardKeys(..)) {
            found.extend(self.stage.check_readers(after).await?.0);
        }
        self.refusal = deed.err();
        Ok(found)
    }
    /// What is wrong with the end of a run, and which rogue devices read something.
    async fn end(&mut self, run: &Run) -> Res<(Vec<String>, String)> {
        let (w, s) = (self.world, self.state);
        let (mut found, readers) = self.stage.check_readers(s).await?;
        let written = run.blocked.as_ref().map(|stop| (stop.step, stop.by.clone()));
        let blocked = self.blocked.map(|(step, by)| (step, format!("{by:?}")));
        if written != blocked {
            found.push(format!("the file says that {written:?} is blocked, the model {blocked:?}"));
        }
        for (names, holds) in [(&run.violates, false), (&run.keeps, true)] {
            let named = |name: &String| property_by_name(name).unwrap_or_else(|| panic!("no property {name}"));
            let others = names.iter().filter(|name| property::condition(w, s, named(name)) != holds);
            found.extend(others.map(|name| format!("the file is wrong about {name}")));
        }
        let rogue: Set<_> = readers.and(s.held(w));
        let names = rogue.iter().map(|d| self.names.device(d).to_string()).collect::<Vec<_>>();
        Ok((
            found,
            if names.is_empty() {
                "the thief reads nothing".to_string()
            } else {
                format!("{} reads", story::list(&names))
            },
        ))
    }
}

/// Plays a run; what it came to, or where the two sides disagree.
async fn play(
    home: &Homeserver,
    (attack, run, number): (&Attack, &Run, usize),
    models: &[Model],
) -> Result<String, String> {
    let model = models.iter().find(|m| m.name == run.model).ok_or("no such model")?;
    let strategy = strategy(&run.model).ok_or("no such strategy")?;
    let source = bundle::find_scenario(&attack.scenario).map_err(|e| e.to_string())?;
    let file = read_scenario(&source).map_err(|e| e.to_string())?;
    let arrives = arrival_by_name(&attack.arrives).ok_or("no such arrival")?;
    let (world, names) = compile(&file, &source, model, models, arrives).map_err(|e| e.to_string())?;
    let broken = |e: Failure| e.to_string();
    let stage = Stage::new(home, (&world, &names), strategy, number).map_err(broken)?;
    let mut play = Play { world: &world, names: &names, stage, state: world.initial(), blocked: None, refusal: None };
    for (i, line) in run.r#do.iter().enumerate() {
        let action = trace::parse(&world, &names, line).map_err(|e| format!("`{line}`: {e}"))?;
        let found = play.step(i + 1, action).await.map_err(|e| format!("step {} `{line}`: {e}", i + 1))?;
        if !found.is_empty() {
            return Err(format!("step {} `{line}`\n    {}", i + 1, found.join("\n    ")));
        }
    }
    let (found, read) = play.end(run).await.map_err(broken)?;
    if !found.is_empty() {
        return Err(format!("at the end\n    {}", found.join("\n    ")));
    }
    let last = run.r#do.last().map_or("", String::as_str);
    let refusal = play.refusal.map(|why| format!("`{last}` is refused ({why}), "));
    Ok(refusal.unwrap_or_default() + &read)
}

#[test]
fn a_thief_at_a_real_homeserver_comes_as_far_as_in_the_model() {
    let Ok(url) = std::env::var("OVERHEAR_SYNAPSE") else {
        println!("synapse: skipped, OVERHEAR_SYNAPSE names no homeserver; tests/replay/synapse/run starts one");
        return;
    };
    let (home, models, began) = (Homeserver::new(url), bundle::models(), Instant::now());
    let (mut played, mut steps, mut failures) = (0, 0, String::new());
    for attack in attacks() {
        for run in attack.runs.iter().filter(|run| strategy(&run.model).is_some()) {
            let began = Instant::now();
            let came = machine::run(play(&home, (&attack, run, played), &models)).expect("a runtime");
            (played, steps) = (played + 1, steps + run.r#do.len());
            let result = came.as_ref().unwrap_or_else(|e| e);
            println!("{:5.1} s  {} ({}): {result}", began.elapsed().as_secs_f32(), attack.title, run.model);
            if let Err(message) = came {
                failures += &format!("{} ({}): {message}\n", attack.title, run.model);
            }
        }
    }
    println!("synapse: {played} runs played, {steps} steps, in {:.1} s", began.elapsed().as_secs_f32());
    assert!(failures.is_empty(), "\n{failures}");
    assert!(played > 0, "nothing was played");
}
