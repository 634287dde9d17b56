//! What a policy costs, held against formulas for every number of people and devices within the limits.

use overhear::explore::cost::{Cost, Event, TooMany, cast, cheapest, cheapest_within, event, everybody_reads};
use overhear::model::action::possible;
use overhear::model::{Action, PEOPLE_MAX, State, VIEWERS_MAX, World, step};
use overhear::policy::Policy;
use std::collections::HashMap;

/// A bundled policy by its file's name.
fn policy(name: &str) -> Policy {
    overhear::bundle::models().into_iter().find(|m| m.name == name).expect("a bundled model").policy
}

/// Every list of device counts within the limits: at least two people, at least one device each.
fn casts() -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = (1..VIEWERS_MAX).map(|n| vec![n]).collect();
    let mut done = Vec::new();
    for _ in 1..PEOPLE_MAX {
        let room = |c: &Vec<usize>| VIEWERS_MAX - c.iter().sum::<usize>();
        let longer = |c: &Vec<usize>| (1..=room(c)).map(|n| [c.as_slice(), &[n]].concat()).collect::<Vec<_>>();
        all = all.iter().flat_map(longer).collect();
        done.extend(all.clone());
    }
    done
}

fn cost(policy: &Policy, devices: &[usize], hurried: bool) -> Option<Cost> {
    let w: World = cast(policy, devices, hurried, [false; 5]);
    cheapest(&w, w.initial(), w.honest).map(|c| c.cost)
}

/// Devices beyond each person's first.
fn extra(devices: &[usize]) -> u32 {
    devices.iter().map(|&n| n as u32 - 1).sum()
}

/// Pairs of a sending device and a device of somebody else, and pairs of sending devices.
fn pairs(devices: &[usize]) -> (u32, u32) {
    let (n, others) = (devices[0] as u32, devices[1..].iter().sum::<usize>() as u32);
    (n * others, n * (n - 1) / 2)
}

fn check(name: &str, hurried: bool, formula: impl Fn(&[usize]) -> Cost) {
    let policy = policy(name);
    for devices in casts() {
        assert_eq!(cost(&policy, &devices, hurried), Some(formula(&devices)), "{name}, devices {devices:?}");
    }
}

fn ceremonies(ceremonies: u32) -> Cost {
    Cost { ceremonies, prompts: 0 }
}

#[test]
fn trusting_every_listed_device_costs_nothing() {
    check("matrix-tofu", false, |_| Cost::default());
    check("signal-password", false, |_| Cost::default());
}

#[test]
fn comparing_device_by_device_costs_the_product() {
    for name in ["matrix-riot-2019", "matrix-riot-2019-verified-only"] {
        check(name, false, |devices| ceremonies(pairs(devices).0 + pairs(devices).1));
    }
}

#[test]
fn hurried_people_answer_one_prompt_for_each_device_that_each_client_shows() {
    check("matrix-riot-2019", true, |devices| Cost { ceremonies: 0, prompts: pairs(devices).0 + 2 * pairs(devices).1 });
}

#[test]
fn signing_costs_one_approval_for_each_device_beyond_the_first() {
    for name in ["matrix-cross-signing-tofu", "matrix-cross-signing-tofu-strict", "matrix-identity-based", "signal"] {
        check(name, false, |devices| ceremonies(extra(devices)));
    }
    check("matrix-tofu-linked", false, |devices| ceremonies(extra(devices)));
}

#[test]
fn verified_identities_cost_one_ceremony_more_for_each_contact() {
    for name in ["matrix-cross-signing-verified", "signal-verified"] {
        check(name, false, |devices| ceremonies(extra(devices) + devices.len() as u32 - 1));
    }
}

#[test]
fn n_by_m_devices_take_n_times_m_ceremonies_one_by_one_and_n_plus_m_less_one_by_signing() {
    let (one_by_one, signing) = (policy("matrix-riot-2019-verified-only"), policy("matrix-cross-signing-verified"));
    for (n, m) in (1..VIEWERS_MAX).flat_map(|n| (1..=VIEWERS_MAX - n).map(move |m| (n, m))) {
        let between = |c: Option<Cost>| c.map(|c| c.ceremonies - (n * (n - 1) / 2) as u32);
        assert_eq!(between(cost(&one_by_one, &[n, m], false)), Some((n * m) as u32));
        assert_eq!(cost(&signing, &[n, m], false), Some(ceremonies((n + m - 1) as u32)));
    }
}

#[test]
fn a_search_for_the_fewest_that_may_not_look_far_gives_up() {
    let policy = policy("matrix-cross-signing-verified");
    let w = cast(&policy, &[2, 2], false, [false; 5]);
    let within = |states| cheapest_within(&w, w.initial(), w.honest, states).map(|found| found.map(|way| way.cost));
    // Three ceremonies have a state before each of them and one after the last.
    assert_eq!(within(1), Err(TooMany));
    assert_eq!(within(1000), Ok(Some(ceremonies(3))));
    // Where there is nothing to ask, the first state is the last.
    let free = cast(&self::policy("matrix-tofu"), &[2, 2], false, [false; 5]);
    let found = cheapest_within(&free, free.initial(), free.honest, 1).expect("one state").expect("a way");
    assert_eq!(found.cost, Cost::default());
}

/// The same cost, by trying every order of every honest action: the free ones are not done first here.
fn cost_by_all_orders(policy: &Policy, devices: &[usize], hurried: bool) -> Option<Cost> {
    let w = cast(policy, devices, hurried, [false; 5]);
    let honest: Vec<_> = possible(&w).into_iter().filter(|a| !a.is_adversarial()).collect();
    let mut best: HashMap<State, Cost> = HashMap::from([(w.initial(), Cost::default())]);
    let mut queue = vec![(Cost::default(), w.initial())];
    while !queue.is_empty() {
        let next = (0..queue.len()).min_by_key(|&i| queue[i].0).expect("the queue is not empty");
        let (cost, s) = queue.swap_remove(next);
        if everybody_reads(&w, &s, w.honest) {
            return Some(cost);
        }
        for &a in honest.iter().filter(|a| !matches!(a, Action::Send(..) | Action::ForwardKeys(..))) {
            let Ok(after) = step(&w, s, a) else { continue };
            let cost = cost + overhear::explore::cost::of(a);
            if best.get(&after).is_none_or(|known| cost < *known) {
                best.insert(after, cost);
                queue.push((cost, after));
            }
        }
    }
    None
}

#[test]
fn doing_what_is_free_first_loses_no_cheapest_way() {
    for model in overhear::bundle::models() {
        for devices in [[1, 1], [1, 2], [2, 1]] {
            for hurried in [false, true] {
                let all_orders = cost_by_all_orders(&model.policy, &devices, hurried);
                assert_eq!(cost(&model.policy, &devices, hurried), all_orders, "{}, {devices:?}", model.name);
            }
        }
    }
}

#[test]
fn a_reset_is_told_where_the_policy_says_so_and_asked_about_nowhere_else() {
    let told = |name: &str| event(&policy(name), false, Event::Reset).map(|cost| (cost.notices > 0, cost.peers));
    let nothing = Cost::default();
    assert_eq!(told("signal"), Some((true, nothing)));
    assert_eq!(told("matrix-identity-based"), Some((true, nothing)));
    assert_eq!(told("matrix-error-on-verified-user-problem"), Some((true, nothing)));
    assert_eq!(told("whatsapp"), Some((false, nothing)));
    assert_eq!(told("matrix-cross-signing-tofu"), Some((false, ceremonies(1))));
    assert_eq!(told("strict-tofu"), None);
}
