use std::path::PathBuf;

use cni::protocol::{AttachmentId, PodRef};

use super::Failure;

/// `CNI_COMMAND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Add,
    Del,
    Check,
    Status,
    Gc,
    Version,
}

const COMMANDS: [(&str, Command); 6] = [
    ("ADD", Command::Add),
    ("DEL", Command::Del),
    ("CHECK", Command::Check),
    ("STATUS", Command::Status),
    ("GC", Command::Gc),
    ("VERSION", Command::Version),
];

/// What the runtime says by environment variables, section 2.
pub(crate) struct Call<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Call<'a> {
    /// `variable` gives the value of a variable that is set, and is text.
    pub(crate) fn new(variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { variable }
    }

    pub(crate) fn command(&self) -> Result<Command, Failure> {
        let [word] = self.required(["CNI_COMMAND"])?;
        let found = COMMANDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, command)| *command).ok_or_else(|| {
            let words = COMMANDS.map(|(word, _)| word).join(", ");
            environment("CNI_COMMAND", format!("{word:?} is none of {words}"))
        })
    }

    /// Of ADD, CHECK and DEL.
    pub(crate) fn id(&self) -> Result<AttachmentId, Failure> {
        let [container, interface] = self.required(["CNI_CONTAINERID", "CNI_IFNAME"])?;
        let id = AttachmentId { container, interface };
        id.check()?;
        Ok(id)
    }

    /// Of ADD and CHECK.
    pub(crate) fn netns(&self) -> Result<PathBuf, Failure> {
        self.required(["CNI_NETNS"]).map(|[path]| path.into())
    }

    /// The pod that the container is of: `K8S_POD_*` of `CNI_ARGS`.
    pub(crate) fn pod(&self) -> Result<PodRef, Failure> {
        let [args] = self.required(["CNI_ARGS"])?;
        let value = |key: &str| {
            let pairs = args.split(';').filter_map(|pair| pair.split_once('='));
            pairs
                .filter(|(found, value)| *found == key && !value.is_empty())
                .map(|(_, v)| v.to_owned())
                .next()
        };
        match (value("K8S_POD_NAMESPACE"), value("K8S_POD_NAME")) {
            (Some(namespace), Some(name)) => Ok(PodRef { namespace, name, uid: value("K8S_POD_UID") }),
            _ => {
                let problem =
                    "K8S_POD_NAMESPACE and K8S_POD_NAME are not both in it: VRFs are of Kubernetes pods";
                Err(environment("CNI_ARGS", problem.to_owned()))
            }
        }
    }

    fn required<const N: usize>(&self, names: [&'static str; N]) -> Result<[String; N], Failure> {
        let values = names.map(|name| (self.variable)(name).filter(|value| !value.is_empty()));
        let missing = names.iter().zip(&values).filter(|(_, value)| value.is_none()).map(|(name, _)| *name);
        let missing = missing.collect::<Vec<_>>().join(", ");
        if missing.is_empty() {
            return Ok(values.map(Option::unwrap_or_default));
        }
        Err(environment(&missing, "not set, or no text; runtimes set it".to_owned()))
    }
}

fn environment(variables: &str, problem: String) -> Failure {
    Failure::Environment { variables: variables.to_owned(), problem }
}
