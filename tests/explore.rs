//! The Explorer: states and actions in words, for its own page and for nobody else's.

use overhear::bundle;
use overhear::explore::{Limits, exact};
use overhear::model::{Arrival, Reductions};
use overhear::scenario::{compile, read_scenario};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A running Explorer, ended with the test.
struct Explorer {
    process: Child,
    address: String,
}

impl Drop for Explorer {
    fn drop(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }
}

fn overhear(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overhear"));
    command.arg("explore").args(arguments).stderr(Stdio::piped()).env("NO_COLOR", "1");
    command
}

fn start() -> Explorer {
    let mut process =
        overhear(&["password-thief", "--model", "matrix-tofu", "--port", "0"]).spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(process.stderr.as_mut().expect("piped")).read_line(&mut line).expect("it says where it is");
    let address = line.trim_end().trim_end_matches('/').rsplit("http://").next().expect("an address").to_string();
    assert!(address.starts_with("127.0.0.1:"), "{line}");
    Explorer { process, address }
}

impl Explorer {
    /// The whole answer to a request with these headers.
    fn ask(&self, request: &str, headers: &[&str]) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let headers: String = headers.iter().map(|h| format!("{h}\r\n")).collect();
        write!(stream, "{request} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("UTF-8");
        answer
    }
    fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path}"), &[&format!("Host: {}", self.address)])
    }
}

#[test]
fn states_and_actions_are_told_in_the_names_of_the_scenario() {
    let explorer = start();
    let page = explorer.get("/");
    let title = "password-thief under matrix-tofu, adversary from-start";
    assert!(page.contains("<html") && page.contains(&format!("<title>{title}</title>")), "{page}");
    let (head, body) = page.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.to_lowercase().contains(&format!("content-length: {}", body.len())), "{head}");
    assert!(explorer.get("/.status").contains(&format!("\"model\":\"{title}\"")));
    assert!(explorer.get("/favicon.ico").contains(" 204 "), "there is none, and that is no error");
    assert!(explorer.get("/.states").contains("Nothing has happened yet."));
    let first = explorer.get("/.states/0");
    assert!(first.starts_with("HTTP/1.0 200") || first.starts_with("HTTP/1.1 200"), "{first}");
    for told in
        ["\"sign-in alice-phone\"", "Alice signs in on alice-phone.", "alice-phone is signed in", "no-rogue-key"]
    {
        assert!(first.contains(told), "{told}: {first}");
    }
    assert!(first.contains("\"steal-password bob *\""), "what the adversary does is marked: {first}");
    let body = first.split_once("\r\n\r\n").expect("a head and a body").1;
    let next: Vec<serde_json::Value> = serde_json::from_str(body).expect("JSON");
    let signed_in = next.iter().find(|view| view["action"] == "sign-in alice-phone").expect("it can happen");
    let state = signed_in["state"].as_str().expect("a state in words");
    assert!(state.contains("alice-phone is signed in") && !state.contains("Nothing has happened"), "{state}");
    assert!(explorer.get("/.states/0/999").contains(" 404 "));
}

/// What was asked for with a click: all states are visited, each once, and what fell is marked.
#[test]
fn all_of_it_is_searched_on_demand() {
    let explorer = start();
    let status = || {
        let answer = explorer.get("/.status");
        let body = answer.split_once("\r\n\r\n").expect("a head and a body").1;
        serde_json::from_str::<serde_json::Value>(body).expect("JSON")
    };
    assert_eq!(status()["done"], false);
    let asked = explorer.ask("POST /.runtocompletion", &[&format!("Host: {}", explorer.address)]);
    assert!(asked.contains(" 200 "), "{asked}");
    while status()["done"] != true {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let source = bundle::find_scenario("password-thief").expect("a bundled scenario");
    let (file, models) = (read_scenario(&source).expect("a scenario"), bundle::models());
    let model = models.iter().find(|m| m.name == "matrix-tofu").expect("a bundled model");
    let (world, _) = compile(&file, &source, model, &models, Arrival::FromStart).expect("it compiles");
    let limits = Limits { reductions: Some(Reductions::NONE), ..Limits::default() };
    let searched = exact::search(&world, &file.properties().collect::<Vec<_>>(), limits, &()).states;
    assert_eq!(status()["unique_state_count"].as_u64(), Some(searched as u64));
    let marked = |name: &str| {
        let all = status()["properties"].as_array().expect("properties").clone();
        let found = all.into_iter().find(|p| p[1] == name).unwrap_or_else(|| panic!("{name} is not watched"));
        !found[2].is_null()
    };
    assert!(marked("no-rogue-key") && !marked("no-hidden-key"), "a stolen password adds a device that everybody sees");
    assert!(explorer.ask("PUT /.status", &[&format!("Host: {}", explorer.address)]).contains(" 405 "));
}

/// A power that waits for an arrival which the scenario does not have would be searched for nothing.
#[test]
fn only_an_arrival_of_the_scenario_is_taken() {
    let asked = ["password-thief", "--model", "signal", "--port", "0", "--arrives", "after-verification"];
    let refused = overhear(&asked).output().expect("it ends");
    let said = String::from_utf8(refused.stderr).expect("UTF-8");
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("no arrival in password-thief") && said.contains("from-start, after-first"), "{said}");
}

#[test]
fn foreign_hosts_and_origins_are_refused() {
    let explorer = start();
    let port = explorer.address.rsplit(':').next().expect("a port");
    let (host, named) = (format!("Host: {}", explorer.address), format!("Host: localhost:{port}"));
    let own = format!("Origin: http://{}", explorer.address);
    for headers in [&[host.as_str()][..], &[&named], &[&host, &own], &[&host, "Sec-Fetch-Site: same-origin"]] {
        assert!(explorer.ask("GET /.status", headers).contains(" 200 "), "{headers:?}");
    }
    let foreign = format!("Host: rebound.example:{port}");
    for headers in [
        &[foreign.as_str()][..],
        &["Host: 127.0.0.1"],
        &[&host, &foreign],
        &[&host, "Origin: http://example.org"],
        &[&host, "Origin: null"],
        &[&host, "Sec-Fetch-Site: cross-site"],
    ] {
        assert!(explorer.ask("GET /.status", headers).contains(" 403 "), "{headers:?}");
        assert!(explorer.ask("POST /.runtocompletion", headers).contains(" 403 "), "{headers:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_said() {
    let explorer = start();
    let port = explorer.address.rsplit(':').next().expect("a port");
    let refused = overhear(&["password-thief", "--model", "signal", "--port", port]).output().expect("it ends");
    let said = String::from_utf8(refused.stderr).expect("UTF-8");
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.starts_with(&format!("error: 127.0.0.1:{port}: ")) && said.contains("--port"), "{said}");
}
