//! What each command does. One call, one answer on stdout: a result, an error, or nothing.

mod add;
mod check;
mod circuit;
mod del;
mod gc;
mod status;

use std::{
    io::{self, Read},
    process::ExitCode,
};

use serde_json::Value;

use crate::spec::{Call, Command, Config, Failure, Version};

/// Octets of a network configuration; GC names every attachment of the node in it.
const MAX_CONFIG: u64 = 4 << 20;

/// Does what the runtime asks for.
pub(crate) fn run() -> ExitCode {
    let variable = |name: &str| std::env::var(name).ok();
    let mut text = Vec::new();
    let done = read(&mut text).and_then(|()| perform(&Call::new(&variable), &text));
    match done {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(result)) => {
            println!("{result}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{}", failure.report(Config::version(&text).ok()));
            ExitCode::FAILURE
        }
    }
}

fn read(text: &mut Vec<u8>) -> Result<(), Failure> {
    io::stdin().take(MAX_CONFIG + 1).read_to_end(text)?;
    if text.len() as u64 > MAX_CONFIG { Err(Failure::TooLong(MAX_CONFIG)) } else { Ok(()) }
}

fn perform(call: &Call<'_>, text: &[u8]) -> Result<Option<Value>, Failure> {
    let command = call.command()?;
    // Runtimes ask for it before they know which version to write.
    if command == Command::Version {
        return Ok(Some(Version::report()));
    }
    let config = Config::read(text)?;
    match command {
        Command::Add => add::add(call, &config).map(Some),
        Command::Del => del::del(call, &config).map(|()| None),
        Command::Check => check::check(call, &config).map(|()| None),
        Command::Status => since_1_1("STATUS", &config).and_then(|()| status::status(&config)).map(|()| None),
        Command::Gc => since_1_1("GC", &config).and_then(|()| gc::gc(&config)).map(|()| None),
        Command::Version => Ok(Some(Version::report())),
    }
}

fn since_1_1(command: &'static str, config: &Config) -> Result<(), Failure> {
    if config.version < Version::V1_1_0 {
        return Err(Failure::NotInVersion { command, version: config.version });
    }
    Ok(())
}
