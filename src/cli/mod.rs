//! The command line: flags, the commands behind them, the exit code.
//!
//! Exit codes: 0 after an orderly stop (SIGINT and SIGTERM are one), 1 when the server cannot start or a listener
//! dies, 2 for a command line that cannot be understood.

mod announce;
mod bind;
mod logger;
mod serve;

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use clap::{Parser, Subcommand};

/// Serves a web-platform-tests checkout and runs its Python handlers, without Python.
#[derive(Debug, Parser)]
#[command(name = "wptserve", version, arg_required_else_help = true)]
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
    Serve(Box<serve::Args>),
}

/// Runs a whole command line, the program's name included.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(refusal) => {
            // Help and version come this way too. A closed pipe is no reason to fail.
            let _ = refusal.print();
            return ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2));
        }
    };
    logger::install();
    let result = match cli.command {
        Command::Serve(args) => serve::run(*args, None),
    };
    logger::finish();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = format!("wptserve: {error}\n");
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
