//! `overhear explore`: one world in stateright's Explorer, a page in the browser that goes from state to state.

use super::{Exit, Failure, LimitOptions, Selection, arrival_of, load};
use crate::explore::second::{OfWorld, as_stateright};
use crate::model::{Action, Arrival, Facts, Needs, Property, Reduced, Reductions, State, World};
use crate::scenario::{arrival_name, compile, property_name};
use crate::story::{changes, sentence};
use crate::trace::Names;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tiny_http::{Method, Request, Response, Server};

/// What is to be explored.
pub struct Exploration {
    /// A bundled name or the path of a scenario file.
    pub scenario: String,
    /// A bundled name or the path of a model file.
    pub model: String,
    /// When the adversary arrives; the first arrival of the file if not said.
    pub arrives: Option<String>,
    /// The port on 127.0.0.1; any that is free if 0.
    pub port: u16,
}

/// A world with its names.
struct Named {
    reduced: Reduced,
    names: Names,
    tried: Vec<(Needs, Action)>,
}

/// A state that can say what is so in it.
#[derive(Clone)]
struct Told {
    state: State,
    of: Arc<Named>,
}

impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}
impl Hash for Told {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.state.hash(hasher);
    }
}
impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = &self.of.reduced.world;
        match changes(world, &self.of.names, &world.initial(), &self.state) {
            nothing if nothing.is_empty() => f.write_str("Nothing has happened yet."),
            all => f.write_str(&all.join("\n")),
        }
    }
}

/// The world as a model whose states and actions can be read.
struct Explored {
    named: Arc<Named>,
    properties: Vec<Property>,
}

impl OfWorld for Explored {
    fn world(&self) -> &World {
        &self.named.reduced.world
    }
    fn plain(s: &Told) -> &State {
        &s.state
    }
}

impl Explored {
    fn told(&self, state: State) -> Told {
        Told { state, of: Arc::clone(&self.named) }
    }
}

impl stateright::Model for Explored {
    type State = Told;
    type Action = Action;

    fn init_states(&self) -> Vec<Told> {
        vec![self.told(self.named.reduced.initial())]
    }
    fn actions(&self, s: &Told, actions: &mut Vec<Action>) {
        let facts = Facts::of(&s.state);
        let possible = self.named.tried.iter().filter(|(needs, _)| needs.met(facts)).map(|(_, action)| *action);
        // What changes nothing leads nowhere.
        let moves = |a: &Action| self.named.reduced.step(&s.state, *a).is_some_and(|next| next != s.state);
        actions.extend(possible.filter(moves));
    }
    fn next_state(&self, s: &Told, a: Action) -> Option<Told> {
        self.named.reduced.step(&s.state, a).map(|next| self.told(next))
    }
    fn format_action(&self, a: &Action) -> String {
        let mark = if a.is_adversarial() { " *" } else { "" };
        crate::trace::text(self.world(), &self.named.names, *a) + mark
    }
    fn format_step(&self, s: &Told, a: Action) -> Option<String> {
        let next = self.named.reduced.step(&s.state, a)?;
        let (world, names) = (self.world(), &self.named.names);
        let told = sentence(world, names, s.state, next, a);
        let changed = changes(world, names, &s.state, &next).into_iter().map(|change| format!("\u{2022} {change}"));
        Some([told].into_iter().chain(changed).collect::<Vec<_>>().join("\n"))
    }
    fn properties(&self) -> Vec<stateright::Property<Self>> {
        let named = |&p: &Property| stateright::Property { name: property_name(p), ..as_stateright(p) };
        self.properties.iter().map(named).collect()
    }
}

/// Serves the Explorer until it is interrupted.
pub fn explore(asked: &Exploration) -> Result<Exit, Failure> {
    let selection = Selection {
        scenarios: vec![asked.scenario.clone()],
        models: vec![asked.model.clone()],
        large: true,
        limits: LimitOptions::default(),
        resume: None,
    };
    let loaded = load(&selection)?;
    let scenario = &loaded.scenarios[0];
    let arrives = arrival_of(&scenario.file, asked.arrives.as_deref())?.or(scenario.file.arrivals()[0]);
    let at = arrives.unwrap_or(Arrival::FromStart);
    let (world, names) = compile(&scenario.file, &scenario.source, &loaded.models[0], &loaded.known, at)?;
    let properties: Vec<Property> = scenario.file.properties().collect();
    let reduced = Reduced::new(&world, &properties, Reductions::NONE);
    let when = arrives.map_or(String::new(), |a| format!(", adversary {}", arrival_name(a)));
    let title = format!("{} under {}{when}", scenario.file.name, loaded.models[0].name);
    let named = Arc::new(Named { tried: reduced.with_needs(), reduced, names });

    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, asked.port));
    let taken = |e: &dyn fmt::Display| {
        Failure::Message(format!(
            "{address}: {e}\nAnother program may use the port: name another with --port, or 0 for any"
        ))
    };
    let front = Server::http(address).map_err(|e| taken(&e))?;
    let address = front.server_addr().to_ip().expect("it listens on an address of the internet");
    let behind = serve_behind(Explored { named, properties })?;
    anstream::eprintln!("Explore {title} at http://{address}/");
    anstream::eprintln!("What the adversary does is marked with *. Interrupt to stop.");
    let title: Arc<str> = title.into();
    for request in front.incoming_requests() {
        match is_ours(&request, address) {
            true => {
                let title = Arc::clone(&title);
                std::thread::spawn(move || pass_on(request, behind, &title))
            }
            false => std::thread::spawn(move || request.respond(Response::empty(403))),
        };
    }
    Ok(Exit::Fine)
}

/// Whether a request names us as its host, and comes from our own page if from any: no other page that is open in the
/// same browser is to read the model, and no name of somebody else's that leads here.
fn is_ours(request: &Request, address: SocketAddr) -> bool {
    let port = address.port();
    let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let values =
        |name: &'static str| request.headers().iter().filter(move |h| h.field.equiv(name)).map(|h| h.value.as_str());
    let host = values("Host").collect::<Vec<_>>();
    let origins = hosts.iter().map(|host| format!("http://{host}")).collect::<Vec<_>>();
    let same_site = values("Sec-Fetch-Site").all(|site| ["same-origin", "none"].contains(&site));
    host.len() == 1
        && hosts.iter().any(|ours| host[0] == ours)
        && values("Origin").all(|origin| origins.iter().any(|ours| ours == origin))
        && same_site
}

/// Starts stateright's own server where only we look for it: it answers to any host and origin.
fn serve_behind(model: Explored) -> Result<SocketAddrV4, Failure> {
    let random = RandomState::new().build_hasher().finish().to_be_bytes();
    // Where all of 127.0.0.0/8 is this machine, one of 16 million addresses that nobody can guess.
    let hidden = Ipv4Addr::new(127, random[0], random[1], random[2].clamp(1, 254));
    let free =
        [hidden, Ipv4Addr::LOCALHOST].into_iter().find_map(|ip| TcpListener::bind((ip, 0)).ok()?.local_addr().ok());
    let Some(SocketAddr::V4(behind)) = free else {
        return Err(Failure::Message("no loopback address can be listened on".to_string()));
    };
    std::thread::spawn(move || stateright::Model::checker(model).serve(behind));
    let began = Instant::now();
    while TcpStream::connect(behind).is_err() {
        if began.elapsed() > Duration::from_secs(10) {
            return Err(Failure::Message("the Explorer does not start".to_string()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(behind)
}

/// Asks the server behind for what was asked of us. Where its page names itself or our type, we say what is explored.
// The Explorer takes no bodies. By HTTP/1.0 an answer comes in one piece and ends with the connection.
fn pass_on(request: Request, behind: SocketAddrV4, title: &str) -> io::Result<()> {
    // Browsers ask for it, and count what is not there as an error of the page.
    if request.url() == "/favicon.ico" {
        return request.respond(Response::empty(204));
    }
    let method = match request.method() {
        Method::Get => "GET",
        Method::Post => "POST",
        _ => return request.respond(Response::empty(405)),
    };
    let mut answer = Vec::new();
    let mut server = TcpStream::connect(behind)?;
    write!(server, "{method} {} HTTP/1.0\r\nHost: {behind}\r\nContent-Length: 0\r\n\r\n", request.url())?;
    server.read_to_end(&mut answer)?;
    if ["/", "/.status"].contains(&request.url()) {
        answer = renamed(&answer, title);
    }
    let mut client = request.into_writer();
    client.write_all(&answer)?;
    client.flush()
}

/// An answer that says `title`, in which no character means anything to HTML or JSON.
fn renamed(answer: &[u8], title: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return answer.to_vec() };
    let body = body.replace("Stateright Explorer", title).replace(std::any::type_name::<Explored>(), title);
    let head = head.lines().map(|line| match line.to_ascii_lowercase().starts_with("content-length:") {
        true => format!("Content-Length: {}", body.len()),
        false => line.to_string(),
    });
    (head.collect::<Vec<_>>().join("\r\n") + "\r\n\r\n" + &body).into_bytes()
}
