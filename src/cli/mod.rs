//! The command line: flags, the commands behind them, the exit code.
//!
//! Exit codes: 0 after an orderly stop (by SIGINT or SIGTERM, for example), 1 when the server cannot start or a listener
//! dies, 2 for a wrong command line.

mod announce;
mod args;
mod bind;
mod dns;
mod hosts_file;
mod logger;
mod names;
mod personality;
mod serve;
mod subdomains;
mod supervised;

use std::{
    ffi::OsString,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

/// Serves a web-platform-tests checkout and runs its Python handlers, without Python.
#[derive(Debug, Parser)]
#[command(name = "wptserve", version, arg_required_else_help = true, after_help = args::EXIT_CODES)]
struct Cli {
    /// Accepted for compatibility and ignored: there is no virtual environment
    #[arg(long, value_name = "PATH", hide = true)]
    venv: Option<OsString>,

    /// Likewise
    #[arg(long, hide = true)]
    skip_venv_setup: bool,

    /// Likewise
    #[arg(long, hide = true)]
    debug: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<args::Args>),
    MakeHostsFile(hosts_file::Args),
    /// Print a script that completes command lines in a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in roff
    Man {
        /// The page of this command instead
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
}

/// Runs a whole command line, the program's name included.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    names::use_own_services();
    let mut arguments = arguments.into_iter();
    let program = arguments.next().unwrap_or_default();
    if !personality::is_python(&program) {
        return run("wptserve", arguments.collect(), None);
    }
    match personality::parse(arguments) {
        personality::Line::Wpt { script, arguments } => run("wpt", arguments, Some(script)),
        personality::Line::Print(text) => print(text.as_bytes()),
        personality::Line::Refuse(message) => refuse(2, &message),
    }
}

/// Runs the arguments behind the program's name. `script` is the `wpt` script on a command line for Python.
fn run(name: &'static str, arguments: Vec<OsString>, script: Option<PathBuf>) -> ExitCode {
    let line = [OsString::from(name)].into_iter().chain(arguments);
    let matches = Cli::command().name(name).bin_name(name).try_get_matches_from(line);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(refusal) => {
            if let Some(message) = personality::not_here(name, &refusal) {
                return refuse(2, &message);
            }
            // clap returns help and version as errors, too. A closed pipe is not a reason to fail.
            let _ = refusal.print();
            return ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2));
        }
    };
    match cli.command {
        Command::Serve(args) => {
            logger::install();
            let result = serve::run(*args, script.as_deref());
            logger::finish();
            match result {
                Ok(code) => ExitCode::from(code),
                Err(error) => refuse(1, &error.to_string()),
            }
        }
        Command::MakeHostsFile(args) => print(hosts_file::text(&args).as_bytes()),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "wptserve", &mut text);
            print(&text)
        }
        Command::Man { command } => man(command.as_deref()),
    }
}

fn man(command: Option<&str>) -> ExitCode {
    let mut all = Cli::command();
    // Gives the commands their full names.
    all.build();
    let page = match command {
        None => all,
        Some(name) => match all.find_subcommand(name) {
            Some(found) => found.clone(),
            None => return refuse(2, &format!("there is no command {name:?}; --help lists them")),
        },
    };
    let mut text = Vec::new();
    match clap_mangen::Man::new(page).render(&mut text) {
        Ok(()) => print(&text),
        Err(error) => refuse(1, &format!("cannot make the manual page: {error}")),
    }
}

/// A closed pipe is not a reason to fail.
fn print(text: &[u8]) -> ExitCode {
    let _ = io::stdout().write_all(text);
    ExitCode::SUCCESS
}

fn refuse(code: u8, message: &str) -> ExitCode {
    let _ = io::stderr().write_all(format!("wptserve: {message}\n").as_bytes());
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
