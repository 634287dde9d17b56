//! The command line: what is asked is parsed here and done in the library.

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use overhear::command::{self, Exit, Format, Selection};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "overhear", version, about, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// When to colour: `auto` looks at the terminal, NO_COLOR and CLICOLOR_FORCE.
    #[arg(long, value_enum, default_value_t, global = true)]
    color: Colour,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  overhear compare                      every bundled policy against every adversary
  overhear check password-thief         are the expectations of one scenario met?
  overhear explain server-of-recipient --model matrix-tofu --property no-hidden-key
  overhear explain password-thief --model mine.json --property no-rogue-key
  overhear simulate password-thief --models matrix-tofu --people typical
  overhear replay attack.itf.json       do a trace's steps still happen?
  overhear init study                   a model and a scenario of your own to begin with
  overhear lint study/my-model.json     what is wrong or without effect in a file
  overhear diff --models signal signal-password

Exit codes:
  0  every expectation met, all conclusive     4        nothing selected, or vacuous
  1  an expectation not met                    70       internal error
  2  usage or bad input                        130/143  interrupted by SIGINT/SIGTERM
  3  inconclusive                              Several at once: 70 > 2 > 130/143 > 1 > 4 > 3.";

#[derive(Clone, Copy, Default, ValueEnum)]
enum Colour {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Print the matrix policy × adversary × property, and what each policy costs people.
    Compare {
        #[command(flatten)]
        selection: SelectionArgs,
        /// How the result is written to standard output.
        #[arg(long, value_enum, default_value_t)]
        format: FormatArg,
        /// Also write the report into this folder: index.html for people, report.md and report.json with the same,
        /// traces and plots; and tables, such as matrix.md, claims.md and coverage.md.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        likely: LikelyArgs,
    },
    /// Check that every expectation of the scenarios is met.
    Check {
        #[command(flatten)]
        selection: SelectionArgs,
        /// How the result is written to standard output; `github` also adds to the file that GITHUB_STEP_SUMMARY names.
        #[arg(long, value_enum, default_value_t)]
        format: FormatArg,
        /// Also write a JUnit report: a suite for each scenario, a case for each property.
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
        /// Also write a SARIF log: a result for each verdict that is not as expected.
        #[arg(long, value_name = "FILE")]
        sarif: Option<PathBuf>,
    },
    /// Tell the shortest attack: numbered steps, what each changed, which axis value let it happen.
    Explain {
        /// A bundled scenario's name, or the path of a scenario file.
        scenario: String,
        /// A bundled model's name, or the path of a model file.
        #[arg(long)]
        model: String,
        /// The property that falls, e.g. no-rogue-key.
        #[arg(long)]
        property: String,
        /// When the adversary arrives; the first arrival under which the property falls if not said.
        #[arg(long)]
        arrives: Option<String>,
        /// Search what is left of the attack with each other value on one axis that stops these steps.
        #[arg(long)]
        deep: bool,
        /// Also write the trace as an ITF file.
        #[arg(long, value_name = "FILE")]
        itf: Option<PathBuf>,
        #[command(flatten)]
        limits: LimitArgs,
        /// How the result is written to standard output.
        #[arg(long, value_enum, default_value_t)]
        format: StoryFormatArg,
    },
    /// Go from state to state in the browser: stateright's Explorer, on this machine alone, until interrupted.
    Explore {
        /// A bundled scenario's name, or the path of a scenario file.
        scenario: String,
        /// A bundled model's name, or the path of a model file.
        #[arg(long)]
        model: String,
        /// When the adversary arrives; the scenario's first arrival if not said.
        #[arg(long)]
        arrives: Option<String>,
        /// The port on 127.0.0.1; 0 for any that is free.
        #[arg(long, default_value_t = 3000)]
        port: u16,
    },
    /// Write the report of a run for people: one HTML file, the same as Markdown and JSON, traces and plots.
    ///
    /// RUN is what `compare --format json` or `check --format json` printed. The scenarios and models of the run have
    /// to be where they were, and unchanged; each attack is replayed before it is told.
    Report {
        /// A file of results.
        run: String,
        /// The folder to write to.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Compare two models, or two runs: the axes, verdicts, attacks and costs that differ.
    ///
    /// With --models, both models are searched. Without, two files of results are compared, as `compare --format json`
    /// and `check --format json` write them. Exit code 1 if the second loses a property that the first one keeps;
    /// otherwise 4 if a verdict is vacuous and 3 if one is unknown.
    Diff {
        /// Scenarios: bundled names or paths of scenario files, all bundled ones if none is named; or two files of
        /// results.
        #[arg(value_name = "SCENARIO|RUN")]
        scenarios: Vec<String>,
        /// The first model and the second: bundled names or paths of model files.
        #[arg(long, num_args = 1..=2, value_delimiter = ',', value_names = ["A", "B"])]
        models: Vec<String>,
        /// Search the large scenarios too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        limits: LimitArgs,
        /// How the result is written to standard output.
        #[arg(long, value_enum, default_value_t)]
        format: StoryFormatArg,
    },
    /// Replay a trace file by the plain rules and tell it.
    Replay {
        /// A file that `explain --itf` wrote.
        trace: PathBuf,
        /// Replay it on the real Matrix client too, with the program `overhear-real`.
        #[arg(long)]
        real: bool,
    },
    /// Simulate people and an adversary: how likely, how soon, at what cost. What it shows is no proof.
    ///
    /// Each run is a walk by the checker's rules in continuous time, with people who do things at rates and answer with
    /// probabilities (`models/people/`).
    Simulate(SimulateArgs),
    /// Write a folder to begin with: a model, a scenario, their schemas and a README. Overwrites nothing.
    Init {
        /// The folder; the current one if not said.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// The bundled model that yours begins as a copy of.
        #[arg(long, value_name = "MODEL", default_value = "matrix-tofu")]
        from: String,
    },
    /// Look for mistakes in files of models, scenarios and people, and for what has no effect in them.
    ///
    /// Exit code 2 if a file is wrong, 4 if a scenario is vacuous under one of the models, 0 if there are at most
    /// warnings.
    Lint {
        /// Model and scenario files and files about people, or bundled names.
        #[arg(required = true)]
        files: Vec<String>,
        /// The models that the scenarios are for, separated by commas, besides those in FILES; all bundled ones if not
        /// said.
        #[arg(long, value_delimiter = ',', value_name = "MODEL")]
        models: Vec<String>,
        /// Exit with 1 if there is a warning.
        #[arg(long)]
        strict: bool,
        #[command(flatten)]
        limits: LimitArgs,
        /// How the findings are written to standard output.
        #[arg(long, value_enum, default_value_t)]
        format: LintFormatArg,
    },
    /// List the bundled scenarios and models, the properties and the axes.
    List,
    /// Print the JSON Schema of model or scenario files.
    Schema {
        #[arg(value_enum)]
        of: SchemaOf,
    },
    /// Print a completion script for a shell.
    Completions { shell: clap_complete::Shell },
    /// Print the manual page.
    Man,
}

#[derive(Args)]
struct SelectionArgs {
    /// Scenarios: bundled names or paths of scenario files. All bundled ones if none is named.
    scenarios: Vec<String>,
    /// Models, separated by commas: bundled names or paths of model files. All bundled ones if not said.
    #[arg(long, value_delimiter = ',', value_name = "MODEL")]
    models: Vec<String>,
    /// Search the large scenarios too.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    limits: LimitArgs,
    /// Keep long searches in this folder, and go on with those that are there.
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
    /// Write each search to the folder of `--resume` again after this time, e.g. 30s, 10m.
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = command::parse_duration, requires = "resume")]
    checkpoint_every: std::time::Duration,
}

/// What walks without rates know nothing of.
const RATES: [&str; 9] = ["people", "strategy", "property", "pace", "days", "sweep", "exact", "rare", "out"];

#[derive(Args)]
struct SimulateArgs {
    /// Scenarios: bundled names or paths of scenario files.
    #[arg(required = true)]
    scenarios: Vec<String>,
    /// Models, separated by commas: bundled names or paths of model files. All bundled ones if not said.
    #[arg(long, value_delimiter = ',', value_name = "MODEL")]
    models: Vec<String>,
    /// Who people are, separated by commas: a bundled name or the path of a file for everybody, or PERSON=NAME for
    /// one. If not said, `careful` or `hurried`, as the scenario has it.
    #[arg(long, value_delimiter = ',', value_name = "PEOPLE")]
    people: Vec<String>,
    /// The arrival: from-start, after-first-contact or after-verification; all of the scenario if not said.
    #[arg(long)]
    arrives: Option<String>,
    /// How the adversary plays.
    #[arg(long, value_enum, default_value_t)]
    strategy: StrategyArg,
    /// The property that the attack is on; the worst that falls if not said.
    #[arg(long)]
    property: Option<String>,
    /// The moves a day of an opportunist.
    #[arg(long, value_name = "N", default_value = "1", value_parser = command::simulate::parse_pace)]
    pace: f64,
    /// How many runs.
    #[arg(long, value_name = "N", default_value = "10000", value_parser = command::simulate::parse_runs)]
    runs: u64,
    /// How many days each run lasts.
    #[arg(long, value_name = "D", default_value = "365", value_parser = command::simulate::parse_days)]
    days: f64,
    /// Walk without rates and without time instead: at each step anything that can happen, each as likely as another.
    /// What comes of it is no likelihood of anything real, only a look into spaces that are too large to be searched.
    #[arg(long, conflicts_with_all = RATES)]
    uniform: bool,
    /// The steps after which such a walk ends; `--runs` is how many walks.
    #[arg(long, value_name = "N", default_value = "40", value_parser = command::simulate::parse_steps)]
    #[arg(requires = "uniform")]
    steps: u32,
    /// What all randomness is made from: the same seed gives the same bytes.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Tell this run, counted from 0, as a story.
    #[arg(long, value_name = "K")]
    case: Option<u64>,
    /// Also write simulation.json, simulation.csv and plots with their numbers into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "case")]
    out: Option<PathBuf>,
    /// Also simulate with each assumed number of the people at either end of its range.
    #[arg(long, conflicts_with = "case")]
    sweep: bool,
    /// Also solve the chain exactly, where it has at most so many states.
    #[arg(long, value_name = "STATES", num_args = 0..=1, default_missing_value = "50000")]
    exact: Option<usize>,
    /// Also estimate each probability by multilevel splitting, with `--runs` walks to each level: for what plain runs
    /// hardly ever reach.
    #[arg(long)]
    rare: bool,
    #[command(flatten)]
    limits: LimitArgs,
    /// How the result is written to standard output.
    #[arg(long, value_enum, default_value_t)]
    format: SimulationFormatArg,
}

impl From<SimulateArgs> for command::simulate::Simulation {
    fn from(s: SimulateArgs) -> Self {
        let SimulateArgs {
            scenarios,
            models,
            people,
            arrives,
            property,
            pace,
            runs,
            days,
            seed,
            case,
            exact,
            rare,
            ..
        } = s;
        let (out, sweep, uniform) = (s.out, s.sweep, s.uniform.then_some(s.steps));
        let (strategy, limits, format) = (s.strategy.into(), s.limits.into(), s.format.into());
        Self {
            scenarios,
            models,
            people,
            arrives,
            strategy,
            property,
            pace,
            runs,
            days,
            uniform,
            seed,
            case,
            out,
            sweep,
            exact,
            rare,
            limits,
            format,
        }
    }
}

#[derive(Args)]
struct LikelyArgs {
    /// Also simulate every cell with these people, as `simulate` does, and show in the reports how likely and how soon
    /// attacks come and what that asks of people.
    #[arg(long, value_delimiter = ',', value_name = "PEOPLE", requires = "out")]
    people: Vec<String>,
    /// How many simulated runs for each cell.
    #[arg(long, value_name = "N", default_value = "1000", requires = "people")]
    #[arg(value_parser = command::simulate::parse_runs)]
    runs: u64,
    /// How many days each simulated run lasts.
    #[arg(long, value_name = "D", default_value = "365", requires = "people")]
    #[arg(value_parser = command::simulate::parse_days)]
    days: f64,
    /// What all randomness is made from: the same seed gives the same bytes.
    #[arg(long, value_name = "S", default_value_t = 1, requires = "people")]
    seed: u64,
}

impl From<LikelyArgs> for Option<command::simulate::Likelihood> {
    fn from(LikelyArgs { people, runs, days, seed }: LikelyArgs) -> Self {
        (!people.is_empty()).then_some(command::simulate::Likelihood { people, runs, days, seed })
    }
}

#[derive(Args)]
struct LimitArgs {
    /// Give a search up as `unknown` after this many states.
    #[arg(long, value_name = "N")]
    max_states: Option<usize>,
    /// Give a search up as `unknown` when it has seen all that can happen in this many steps.
    #[arg(long, value_name = "N")]
    max_depth: Option<usize>,
    /// Give all searches up as `unknown` after this time, e.g. 90s, 10m.
    #[arg(long, value_name = "TIME", value_parser = command::parse_duration)]
    timeout: Option<std::time::Duration>,
    /// Give searches up as `unknown` rather than hold more memory than this, e.g. 2GiB. Those side by side share it.
    #[arg(long, value_name = "SIZE", value_parser = command::parse_bytes)]
    max_memory: Option<usize>,
    /// Search one of each family of states that differ only in who of those who are alike is who. Verdicts and lengths
    /// are the same; an attack that is told is a shortest one, and may be another.
    #[arg(long)]
    symmetry: bool,
    /// How many searches run side by side; all cores if not said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum FormatArg {
    #[default]
    Text,
    Json,
    Csv,
    /// Annotations for GitHub Actions.
    Github,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum StoryFormatArg {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum LintFormatArg {
    #[default]
    Text,
    Json,
    /// Annotations for GitHub Actions.
    Github,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum SimulationFormatArg {
    #[default]
    Text,
    Json,
    Csv,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum StrategyArg {
    /// It follows a shortest attack that the checker found, each move as soon as it can be made; `opportunist` where
    /// there is none.
    #[default]
    Attack,
    /// It makes any of its moves at random, and gives any answer that it can give.
    Opportunist,
    /// It does whatever makes it most likely that the property falls in time, by value iteration, where the scenario
    /// is small enough.
    Best,
}

impl From<StrategyArg> for command::simulate::Choice {
    fn from(s: StrategyArg) -> Self {
        match s {
            StrategyArg::Attack => Self::Attack,
            StrategyArg::Opportunist => Self::Opportunist,
            StrategyArg::Best => Self::Best,
        }
    }
}

impl From<SimulationFormatArg> for Format {
    fn from(f: SimulationFormatArg) -> Self {
        match f {
            SimulationFormatArg::Text => Self::Text,
            SimulationFormatArg::Json => Self::Json,
            SimulationFormatArg::Csv => Self::Csv,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum SchemaOf {
    Model,
    People,
    Scenario,
    Run,
    Simulation,
    Walks,
    Report,
}

impl From<FormatArg> for Format {
    fn from(f: FormatArg) -> Self {
        match f {
            FormatArg::Text => Self::Text,
            FormatArg::Json => Self::Json,
            FormatArg::Csv => Self::Csv,
            FormatArg::Github => Self::Github,
        }
    }
}

impl From<StoryFormatArg> for Format {
    fn from(f: StoryFormatArg) -> Self {
        match f {
            StoryFormatArg::Text => Self::Text,
            StoryFormatArg::Json => Self::Json,
        }
    }
}

impl From<LintFormatArg> for Format {
    fn from(f: LintFormatArg) -> Self {
        match f {
            LintFormatArg::Text => Self::Text,
            LintFormatArg::Json => Self::Json,
            LintFormatArg::Github => Self::Github,
        }
    }
}

impl From<LimitArgs> for command::LimitOptions {
    fn from(l: LimitArgs) -> Self {
        let jobs = l.jobs.map(usize::from);
        let LimitArgs { max_states, max_depth, timeout, max_memory, symmetry, .. } = l;
        Self { states_max: max_states, depth_max: max_depth, timeout, bytes_max: max_memory, jobs, symmetry }
    }
}

impl From<SelectionArgs> for Selection {
    fn from(s: SelectionArgs) -> Self {
        let resume = s.resume.map(|dir| (dir, s.checkpoint_every));
        Self { scenarios: s.scenarios, models: s.models, large: s.all, limits: s.limits.into(), resume }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.color {
        Colour::Auto => {}
        Colour::Always => anstream::ColorChoice::Always.write_global(),
        Colour::Never => anstream::ColorChoice::Never.write_global(),
    }
    let done = match cli.command {
        Command::Compare { selection, format, out, likely } => {
            command::compare(&selection.into(), format.into(), out.as_deref(), Option::from(likely).as_ref())
        }
        Command::Check { selection, format, junit, sarif } => {
            command::check(&selection.into(), format.into(), &command::CiFiles { junit, sarif })
        }
        Command::Explain { scenario, model, property, arrives, deep, itf, limits, format } => {
            command::explain(&command::Question {
                scenario,
                model,
                property,
                arrives,
                deep,
                itf,
                limits: limits.into(),
                format: format.into(),
            })
        }
        Command::Diff { scenarios, models, all: _, limits: _, format } if models.is_empty() => {
            command::diff::of_runs(&scenarios, format.into())
        }
        Command::Diff { scenarios, models, all, limits, format } => command::diff::diff(command::diff::Models {
            models,
            scenarios,
            large: all,
            limits: limits.into(),
            format: format.into(),
        }),
        Command::Explore { scenario, model, arrives, port } => {
            command::explore::explore(&command::explore::Exploration { scenario, model, arrives, port })
        }
        Command::Report { run, out } => command::report::report(&run, &out),
        Command::Replay { trace, real: false } => command::replay(&trace),
        Command::Replay { trace, real: true } => command::replay_real(&trace),
        Command::Simulate(asked) => command::simulate::run(asked.into()),
        Command::Init { dir, from } => command::init::init(&dir, &from),
        Command::Lint { files, models, strict, limits, format } => command::lint::lint(&command::lint::Files {
            files,
            models,
            strict,
            limits: limits.into(),
            format: format.into(),
        }),
        Command::List => command::list(),
        Command::Schema { of: SchemaOf::Model } => command::print(&overhear::schema::model()),
        Command::Schema { of: SchemaOf::People } => command::print(&overhear::schema::people()),
        Command::Schema { of: SchemaOf::Scenario } => command::print(&overhear::schema::scenario()),
        Command::Schema { of: SchemaOf::Run } => command::print(&overhear::schema::run()),
        Command::Schema { of: SchemaOf::Simulation } => command::print(&overhear::schema::simulation()),
        Command::Schema { of: SchemaOf::Walks } => command::print(&overhear::schema::walks()),
        Command::Schema { of: SchemaOf::Report } => command::print(&overhear::schema::report()),
        Command::Completions { shell } => completions(shell),
        Command::Man => manual(),
    };
    ExitCode::from(done.unwrap_or_else(|error| error.report()).code())
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, command::Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "overhear", &mut script);
    command::print(&String::from_utf8_lossy(&script))
}

fn manual() -> Result<Exit, command::Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    command::print(&String::from_utf8_lossy(&page))
}
