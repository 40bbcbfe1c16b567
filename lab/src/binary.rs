//! Where the lab binary is: nodes are made by starting it anew, because only a program of one thread may enter
//! mount and process namespaces.
use std::path::PathBuf;

use crate::LabError;

/// `$LAB_BIN`, this program itself, or `lab` beside the running test.
pub(crate) fn lab() -> Result<PathBuf, LabError> {
    let named = ["LAB_BIN", "CARGO_BIN_EXE_lab"].into_iter().find_map(std::env::var_os).map(PathBuf::from);
    let here = std::env::current_exe().ok();
    // Tests run from target/debug/deps, the binary is in target/debug.
    let beside = here.iter().flat_map(|exe| exe.ancestors().skip(1).take(2)).map(|dir| dir.join("lab"));
    let itself = here.iter().filter(|exe| exe.file_name().is_some_and(|name| name == "lab")).cloned();
    named.into_iter().chain(itself).chain(beside).find(|path| path.is_file()).ok_or_else(|| {
        LabError::Missing {
            program: "the lab binary".into(),
            remedy: "build it (cargo build -p lab) or name it in LAB_BIN".into(),
        }
    })
}
