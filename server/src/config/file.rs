//! The configuration as a file: TOML whose keys are the flags without their dashes.

use std::ffi::OsString;
use std::path::Path;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command};
use toml::{Table, Value};

/// What the file says, as arguments: only what neither a flag nor the environment said.
pub(super) fn arguments(path: &Path, command: &Command, said: &ArgMatches) -> Result<Vec<OsString>, clap::Error> {
    let wrong = |reason: String| {
        command.clone().error(ErrorKind::InvalidValue, format!("--config {}: {reason}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let table: Table = text.parse().map_err(|error| wrong(where_and_why(&text, &error)))?;
    let mut arguments = Vec::new();
    for (key, value) in table {
        let known = command.get_arguments().find(|argument| argument.get_long() == Some(key.as_str()));
        let Some(argument) = known.filter(|argument| argument.get_id() != "config") else {
            return Err(wrong(format!("there is no setting {key:?}; settings are the flags that --help lists")));
        };
        let source = said.value_source(argument.get_id().as_str());
        if matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
            continue;
        }
        let flag = format!("--{key}");
        match (value, argument.get_action()) {
            (Value::Boolean(true), ArgAction::SetTrue) => arguments.push(flag.into()),
            (Value::Boolean(false), ArgAction::SetTrue) => {}
            (Value::Array(values), ArgAction::Append) => {
                for value in values {
                    let value = scalar(&value).ok_or_else(|| wrong(format!("{key} is a list of texts")))?;
                    arguments.push(format!("{flag}={value}").into());
                }
            }
            (value, ArgAction::Set | ArgAction::Append) => {
                let value = scalar(&value).ok_or_else(|| wrong(format!("{key} is a text or a number")))?;
                arguments.push(format!("{flag}={value}").into());
            }
            _ => return Err(wrong(format!("{key} is true or false"))),
        }
    }
    Ok(arguments)
}

/// Without the line itself, which may hold a secret.
fn where_and_why(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    format!("line {}: {}", before.matches('\n').count() + 1, error.message())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}
