//! The `wptserve` binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    wptserve::cli::main(std::env::args_os())
}
