use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::audit::{self, Request};

/// The first user of every server.
pub const ADMIN: &str = "admin";

const READY_WITHIN: Duration = Duration::from_secs(60);

/// What a server is started with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Users beside [`ADMIN`], such as `system:serviceaccount:sixedge:sixedge-agent`. All of them may do everything.
    pub users: Vec<String>,
    /// Address of the server, 127.0.0.1 where it is not set, and its port, a free one where it is not set.
    pub bind: Option<SocketAddr>,
    /// Network namespace that it runs in.
    pub netns: Option<String>,
}

/// A server with an etcd of its own. Both are gone when it is dropped, or when the test's process ends in any other way.
#[derive(Debug)]
pub struct ApiServer {
    folder: PathBuf,
    command: Vec<String>,
    process: Option<Child>,
}

impl ApiServer {
    /// A server for [`ADMIN`] on a free loopback port; `None`, and why on stderr, where it was not built.
    pub fn start() -> Option<Self> {
        Self::start_with(Options::default())
    }

    /// A server.
    pub fn start_with(options: Options) -> Option<Self> {
        let program = program()?;
        let folder = own_folder();
        fs::create_dir(&folder).unwrap();
        let mut server = Self { command: command_line(&program, &folder, &options), folder, process: None };
        server.restart();
        Some(server)
    }

    /// One server for all tests of a program; no test may stop it, and each has names of its own.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<ApiServer>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// Ends the server, without a word to its clients. What it stored stays.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Starts it again at the same address with all that it stored. It remembers no events from before: a watch from an older
    /// resource version is answered with 410.
    pub fn restart(&mut self) {
        self.stop();
        // The server removes it when it starts, but that may take a moment.
        let _ = fs::remove_file(self.kubeconfig());
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().unwrap());
        self.await_ready();
    }

    fn await_ready(&mut self) {
        let started = Instant::now();
        while !self.kubeconfig().exists() {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            if ended.is_some() || started.elapsed() > READY_WITHIN {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                panic!("the API server is not ready after {:?} ({ended:?}):\n{log}", started.elapsed());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// A kubeconfig with a context for each user, named as the user; [`ADMIN`]'s is the current one.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// A client of [`ADMIN`].
    pub async fn client(&self) -> Client {
        self.client_of(ADMIN).await
    }

    /// A client of a user.
    pub async fn client_of(&self, user: &str) -> Client {
        let options = KubeConfigOptions { context: Some(user.into()), ..KubeConfigOptions::default() };
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig()).unwrap();
        Client::try_from(Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap()).unwrap()
    }

    /// What was asked of the server so far, in the order of the answers; watches when they began.
    pub fn requests(&self) -> Vec<Request> {
        audit::read(&self.folder.join("audit.log"))
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn command_line(program: &Path, folder: &Path, options: &Options) -> Vec<String> {
    let bind = options.bind.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
    let port = if bind.port() == 0 { free_port(options.netns.is_none(), bind.ip()) } else { bind.port() };
    let inside = options.netns.iter().flat_map(|name| ["ip", "netns", "exec", name]).map(str::to_owned);
    let mut line: Vec<String> = inside.collect();
    let audit = folder.join("audit.log");
    let [program, folder, audit] = [program, folder, &audit].map(|path| path.display().to_string());
    line.extend([program, "-temporary".into(), "-dir".into(), folder, "-audit".into(), audit]);
    line.extend(["-bind".into(), bind.ip().to_string(), "-port".into(), port.to_string()]);
    for (number, user) in [ADMIN.to_owned()].iter().chain(&options.users).enumerate() {
        line.extend(["-token".into(), format!("{user}=token-{number}")]);
    }
    line
}

/// In a namespace of its own every port is free.
fn free_port(here: bool, address: IpAddr) -> u16 {
    if !here {
        return 6443;
    }
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port()
}

fn own_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    env::temp_dir().join(format!("sixedge-testapi-{}-{number}", std::process::id()))
}

/// kubectl, of the same packages as the server; `None`, and why on stderr, where they were not built.
pub fn kubectl() -> Option<PathBuf> {
    built("kubectl")
}

fn program() -> Option<PathBuf> {
    built("testapi")
}

/// Where `build.sh` leaves it.
fn built(name: &str) -> Option<PathBuf> {
    let variable = |name| env::var_os(name).map(PathBuf::from);
    let cache = || variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    let home = variable("SIXEDGE_TESTAPI").or_else(|| cache().map(|cache| cache.join("sixedge/testapi")))?;
    let program = home.join("bin").join(name);
    if !program.exists() {
        eprintln!(
            "SKIPPED: no API server for tests: {} is missing; `make testapi` builds it",
            program.display()
        );
        return None;
    }
    Some(program)
}
