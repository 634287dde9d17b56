//! The search of anything packed against a queue and a map, on random graphs, limits and numbers of threads; and
//! searches that are wrong on purpose, all of which the comparison must catch.

use overhear::explore::breadth::{End, Expanded, Graph, Space, Until};
use overhear::explore::{Limits, Stopped};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{HashMap, VecDeque};

/// A graph by its edges, whose nodes pack into so many words.
#[derive(Clone, Debug)]
struct Explicit {
    edges: Vec<Vec<u32>>,
    marks: Vec<u32>,
    words: usize,
}

impl Explicit {
    fn pack(&self, node: u32, packed: &mut [u32]) {
        // Nodes differ in one word only, and that is not always the same.
        packed.fill(7);
        packed[node as usize % self.words] = node + 8;
    }
    fn node(&self, packed: &[u32]) -> u32 {
        packed.iter().find(|&&word| word != 7).expect("a node") - 8
    }
}

impl Space for Explicit {
    type Scratch = ();

    fn words(&self) -> usize {
        self.words
    }
    fn initial(&self, packed: &mut [u32]) {
        self.pack(0, packed);
    }
    fn expand(&self, from: &[u32], (): &mut (), mut reach: impl FnMut(&[u32])) -> Expanded {
        let mut packed = vec![0; self.words];
        let edges = &self.edges[self.node(from) as usize];
        for &to in edges {
            self.pack(to, &mut packed);
            reach(&packed);
        }
        Expanded { transitions: edges.len(), events: 1 }
    }
    fn marks(&self, packed: &[u32]) -> u32 {
        self.marks[self.node(packed) as usize]
    }
}

/// What a search has to find.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    states: usize,
    transitions: usize,
    depth: usize,
    /// For each mark the way to the first node that has it.
    ways: Vec<Option<Vec<u32>>>,
}

/// How a search is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nowhere,
    DropsAState,
    ForgetsASuccessor,
    LastInFirstOut,
    HashOfEightBits,
    LastParent,
}

/// The search that anybody can check by reading, unless it is wrong.
fn plain(graph: &Explicit, wrong: Wrong) -> Found {
    let key = |node: u32| if wrong == Wrong::HashOfEightBits { node % 256 } else { node };
    let mut from = HashMap::from([(key(0), (0, 0))]);
    let mut queue = VecDeque::from([0]);
    let (mut order, mut transitions) = (vec![0], 0);
    while let Some(node) = if wrong == Wrong::LastInFirstOut { queue.pop_back() } else { queue.pop_front() } {
        let level = from[&key(node)].1;
        let forgotten = usize::from(wrong == Wrong::ForgetsASuccessor && node % 5 == 4);
        for &to in graph.edges[node as usize].iter().skip(forgotten) {
            transitions += 1;
            if wrong == Wrong::DropsAState && to == 5 {
                continue;
            }
            if !from.contains_key(&key(to)) {
                from.insert(key(to), (node, level + 1));
                queue.push_back(to);
                order.push(to);
            } else if wrong == Wrong::LastParent && from[&key(to)].1 == level + 1 {
                from.insert(key(to), (node, level + 1));
            }
        }
    }
    let way = |mut node: u32| {
        let mut way = vec![node];
        while node != 0 {
            node = from[&key(node)].0;
            way.push(node);
        }
        way.reverse();
        way
    };
    let first = |mark: u32| order.iter().copied().find(|&node| graph.marks[node as usize] >> mark & 1 == 1);
    let depth = from.values().map(|f| f.1).max().unwrap_or_default();
    Found { states: order.len(), transitions, depth, ways: (0..3).map(|m| first(m).map(way)).collect() }
}

fn ours(graph: &Explicit, threads: usize) -> Found {
    let mut search = Graph::new(graph, threads);
    let end = search.run(graph, &Until { limits: Limits::default(), marks: 0, progress: &(), keep: None });
    assert_eq!(end, End::Exhausted);
    found(graph, &search)
}

fn found(graph: &Explicit, search: &Graph) -> Found {
    let nodes = |place| search.path(place).into_iter().map(|place| graph.node(&search.get(place))).collect();
    Found {
        states: search.states,
        transitions: search.expanded.transitions,
        depth: search.depth - 1,
        ways: search.marked[..3].iter().map(|place| place.map(nodes)).collect(),
    }
}

fn graphs() -> impl Strategy<Value = Explicit> {
    (1usize..9, 1u32..600).prop_flat_map(|(words, nodes)| {
        let edges = prop::collection::vec(prop::collection::vec(0..nodes, 0..6), nodes as usize);
        let marks = prop::collection::vec(prop_oneof![9 => Just(0u32), 1 => 0u32..8], nodes as usize);
        (edges, marks).prop_map(move |(edges, marks)| Explicit { edges, marks, words })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_number_of_threads_finds_what_a_queue_finds(graph in graphs(), threads in 1usize..9) {
        prop_assert_eq!(ours(&graph, threads), plain(&graph, Wrong::Nowhere));
    }

    #[test]
    fn a_search_that_is_stopped_goes_on_where_it_was(graph in graphs(), threads in 1usize..4, max in 1usize..40) {
        let mut search = Graph::new(&graph, threads);
        let mut stops = 0;
        loop {
            let limits = Limits { states_max: Some(search.states + max), ..Limits::default() };
            match search.run(&graph, &Until { limits, marks: 0, progress: &(), keep: None }) {
                End::Stopped(why) => {
                    prop_assert_eq!(why, Stopped::States);
                    // Written and read again, to be searched on another number of threads.
                    let mut file = Vec::new();
                    search.snapshot().write(&mut file).expect("memory can be written");
                    let threads = 1 + (threads + stops) % 4;
                    search = Graph::read(&mut file.as_slice(), graph.words, threads).expect("a search");
                }
                end => {
                    prop_assert_eq!(end, End::Exhausted);
                    break;
                }
            }
            stops += 1;
        }
        prop_assert!(stops <= graph.edges.len());
        prop_assert_eq!(found(&graph, &search), plain(&graph, Wrong::Nowhere));
    }

    #[test]
    fn states_that_become_one_stay_on_their_level(graph in graphs(), threads in 1usize..4) {
        // What follows a node also follows the one that differs in the lowest bit, so the two may become one.
        let twins_of = |node: usize| [node & !1, node | 1].into_iter().filter_map(|n| graph.edges.get(n));
        let both = |node: usize| twins_of(node).flatten().copied();
        let edges = (0..graph.edges.len()).map(|node| both(node).collect());
        let twins = Explicit { edges: edges.collect(), ..graph.clone() };
        let halved = twins.edges.iter().map(|to| to.iter().map(|to| to & !1).collect());
        let halves = Explicit { edges: halved.collect(), ..graph.clone() };
        let mut search = Graph::new(&twins, threads);
        let until = |marks| Until { limits: Limits::default(), marks, progress: &(), keep: None };
        if search.run(&twins, &until(1)) != End::Marked {
            return Ok(());
        }
        search.rewrite(graph.words, |old, new| halves.pack(twins.node(old) & !1, new));
        prop_assert_eq!(search.run(&halves, &until(0)), End::Exhausted);
        let expected = plain(&halves, Wrong::Nowhere);
        prop_assert_eq!((search.len(), search.depth - 1), (expected.states, expected.depth));
    }
}

#[test]
fn whatever_is_wrong_on_purpose_is_caught() {
    let mut runner = TestRunner::deterministic();
    let drawn: Vec<Explicit> = (0..300).map(|_| graphs().new_tree(&mut runner).expect("a graph").current()).collect();
    let wrong = [
        Wrong::DropsAState,
        Wrong::ForgetsASuccessor,
        Wrong::LastInFirstOut,
        Wrong::HashOfEightBits,
        Wrong::LastParent,
    ];
    for wrong in wrong {
        let caught = drawn.iter().filter(|graph| ours(graph, 2) != plain(graph, wrong)).count();
        assert!(caught > 0, "{wrong:?} is not caught by any of {} graphs", drawn.len());
    }
}

#[test]
fn a_mark_that_is_waited_for_ends_its_level() {
    // 0 → 1, 2; 1 → 3; node 2 is marked, so the level of 1 and 2 is the last that is complete.
    let graph = Explicit { edges: vec![vec![1, 2], vec![3], vec![], vec![]], marks: vec![0, 0, 1, 0], words: 1 };
    let mut search = Graph::new(&graph, 1);
    let until = |marks| Until { limits: Limits::default(), marks, progress: &(), keep: None };
    assert_eq!(search.run(&graph, &until(1)), End::Marked);
    assert_eq!((search.states, search.depth), (3, 1));
    assert_eq!(search.run(&graph, &until(0)), End::Exhausted);
    assert_eq!(search.states, 4);
}

#[test]
#[should_panic(expected = "a rule panics")]
fn a_panic_in_one_thread_ends_the_search() {
    struct Panics;
    impl Space for Panics {
        type Scratch = ();
        fn words(&self) -> usize {
            1
        }
        fn initial(&self, packed: &mut [u32]) {
            packed[0] = 0;
        }
        fn expand(&self, from: &[u32], (): &mut (), mut reach: impl FnMut(&[u32])) -> Expanded {
            assert!(from[0] < 1000, "a rule panics");
            (1..=10).for_each(|i| reach(&[from[0] + i]));
            Expanded { transitions: 10, events: 0 }
        }
        fn marks(&self, _: &[u32]) -> u32 {
            0
        }
    }
    let mut search = Graph::new(&Panics, 3);
    search.run(&Panics, &Until { limits: Limits::default(), marks: 0, progress: &(), keep: None });
}
