//! `sixedge crds`: the definitions of the custom resources, for `kubectl apply`.

use std::process::ExitCode;

use serde_json::Value;

/// Prints the definitions of the custom resources as YAML.
#[derive(clap::Args)]
pub(crate) struct Crds {}

impl Crds {
    pub(crate) fn run(&self) -> ExitCode {
        match yaml() {
            Ok(text) => {
                print!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("the definitions cannot be written: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

/// A document each.
fn yaml() -> Result<String, Box<dyn std::error::Error>> {
    let mut text = String::new();
    for crd in k8s_sync::crds() {
        let mut value = serde_json::to_value(crd)?;
        whole(&mut value);
        text += "---\n";
        text += &serde_saphyr::to_string(&value)?;
    }
    Ok(text)
}

/// Bounds of numbers are floating in the type; 65535.0 reads as 65535 for people, and so does the API server give it back.
fn whole(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
            if let Some(integer) = float.and_then(|float| format!("{float:.0}").parse::<i64>().ok()) {
                *number = integer.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole),
        Value::Object(fields) => fields.values_mut().for_each(whole),
        _ => {}
    }
}
