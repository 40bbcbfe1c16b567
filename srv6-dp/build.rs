//! Builds the programs in the kernel (`ebpf/`) with the very cargo and rustc that build this crate, so that one
//! `cargo build` makes the whole. Needs `bpf-linker` and the component `rust-src`.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const TARGET: &str = "bpfel-unknown-none";
const PACKAGE: &str = "sixedge-ebpf";
/// The second object of the package: the traffic of the benchmark.
const GENERATOR: &str = "sixedge-generator";

fn main() -> ExitCode {
    // The model alone is wanted.
    if env::var_os("CARGO_FEATURE_EBPF").is_none() {
        return ExitCode::SUCCESS;
    }
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("cannot build the eBPF programs: {why}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = manifest.parent().ok_or("srv6-dp lies at the file system's root")?;
    for watched in ["ebpf/src", "ebpf/Cargo.toml", "srv6-dp/types/src", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
    println!("cargo:rerun-if-env-changed=BPF_LINKER");
    let linker = env::var_os("BPF_LINKER").unwrap_or_else(|| "bpf-linker".into());
    check_toolchain(&linker)?;

    // Its own target directory: the outer cargo holds the lock on the other one.
    let target_dir = out.join("bpf");
    let mut cargo = Command::new(variable("CARGO")?);
    cargo.current_dir(root).args(["build", "--release", "--package", PACKAGE, "--target", TARGET]);
    cargo.args(["-Z", "build-std=core", "--target-dir"]).arg(&target_dir);
    for inherited in [
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_TARGET_DIR",
    ] {
        cargo.env_remove(inherited);
    }
    cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &linker);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", rustflags()?);
    let status = cargo.status().map_err(|e| format!("cargo does not start: {e}"))?;
    if !status.success() {
        return Err(format!("cargo ended with {status}; its messages are above"));
    }
    for (built, name) in [(PACKAGE, "sixedge.o"), (GENERATOR, "generator.o")] {
        let object = target_dir.join(TARGET).join("release").join(built);
        fs::copy(&object, out.join(name)).map_err(|e| format!("{}: {e}", object.display()))?;
    }
    Ok(())
}

/// BTF for the verifier's messages and for maps; the architecture picks aya's bindings.
fn rustflags() -> Result<String, String> {
    let arch = variable("CARGO_CFG_TARGET_ARCH")?.to_string_lossy().into_owned();
    Ok([&format!("--cfg=bpf_target_arch=\"{arch}\""), "-Cdebuginfo=2", "-Clink-arg=--btf"].join("\x1f"))
}

fn check_toolchain(linker: &OsString) -> Result<(), String> {
    let runs = Command::new(linker).arg("--version").output().is_ok_and(|run| run.status.success());
    if !runs {
        return Err(format!(
            "{} does not run; cargo install --locked bpf-linker@0.10.3",
            Path::new(linker).display()
        ));
    }
    let sysroot = Command::new(variable("RUSTC")?)
        .args(["--print", "sysroot"])
        .output()
        .map_err(|e| format!("rustc does not start: {e}"))?;
    let sysroot = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    if !Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock").exists() {
        return Err(format!("no rust-src in {sysroot}; rustup component add rust-src"));
    }
    Ok(())
}

fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).ok_or_else(|| format!("{name} is not set; is this run by cargo?"))
}
