use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};

use super::{
    client::{CallError, explain},
    *,
};

/// A directory that goes away.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sixedge-control-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    fn socket(&self) -> PathBuf {
        self.0.join("run/agent.sock")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn agent(request: Request) -> Response {
    match request {
        Request::ShowVrfRoutes { name } => {
            Response::Error(format!("there is no VRF {name}; see \"sixedge show vrfs\""))
        }
        Request::Reload => std::future::pending().await,
        request => Response::Ok(json!({ "asked": request })),
    }
}

/// Serves while `client` runs in a thread of its own.
fn with_agent<T: Send + 'static>(client: impl FnOnce(&Path) -> T + Send + 'static) -> T {
    let directory = Directory::new();
    let path = directory.socket();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::bind(&path).unwrap();
        let client = tokio::task::spawn_blocking(move || client(&path));
        tokio::select! {
            () = server.serve(agent) => unreachable!("it serves for ever"),
            result = client => result.unwrap(),
        }
    })
}

/// Sends `octets` and reads the lines of the answers.
fn raw(path: &Path, octets: &[u8]) -> Vec<Value> {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(octets).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    BufReader::new(stream)
        .lines()
        .map_while(Result::ok)
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

#[test]
fn a_question_is_answered() {
    let request = Request::ShowBgpRoutes {
        family: Some(bgp_wire::Family::Vpnv4),
        prefix: Some("10.0.0.0/8".parse().unwrap()),
    };
    let answer = with_agent(move |path| call(path, &request)).unwrap();
    assert_eq!(
        answer,
        json!({ "asked": { "request": "show-bgp-routes", "family": "vpnv4", "prefix": "10.0.0.0/8" } })
    );
}

#[test]
fn every_request_survives_the_wire() {
    let requests = [
        Request::ShowBgpSummary,
        Request::ShowBgpRoutes { family: None, prefix: None },
        Request::ShowNeighbors,
        Request::ShowVrfs { name: None },
        Request::ShowVrfs { name: Some("red".into()) },
        Request::ShowVrfRoutes { name: "red".into() },
        Request::ShowSids,
        Request::ShowDrops,
        Request::ShowCounters,
        Request::ShowServices { vrf: None },
        Request::ShowServices { vrf: Some("red".into()) },
        Request::ShowFlows { vrf: "red".into(), limit: None },
        Request::ShowFlows { vrf: "red".into(), limit: Some(7) },
        Request::ShowEgress { vrf: None, host: None },
        Request::ShowEgress { vrf: Some("red".into()), host: Some([10, 0, 1, 2].into()) },
        Request::ShowFilters { vrf: None },
        Request::ShowFilters { vrf: Some("red".into()) },
        Request::Version,
        Request::Reload,
    ];
    for request in requests {
        let line = serde_json::to_string(&request).unwrap();
        assert!(!line.contains("null") && !line.contains('\n'), "{line}");
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
    }
}

#[test]
fn the_agents_refusal_is_told_in_its_words() {
    let refusal =
        with_agent(|path| call(path, &Request::ShowVrfRoutes { name: "green".into() })).unwrap_err();
    assert_eq!(refusal.to_string(), "there is no VRF green; see \"sixedge show vrfs\"");
}

#[test]
fn a_connection_carries_several_questions_and_outlives_a_wrong_one() {
    let answers = with_agent(|path| {
        raw(
            path,
            b"{\"request\":\"show-bgp-routes\",\"family\":\"vpnv5\"}\nhello\n{\"request\":\"version\"}\n",
        )
    });
    let problem = |answer: &Value| answer["error"].as_str().unwrap().to_owned();
    assert!(problem(&answers[0]).contains("\"vpnv5\" is not an address family; write one of ipv4-unicast"));
    assert!(problem(&answers[1]).starts_with("not a request: "));
    assert_eq!(answers[2], json!({ "ok": { "asked": { "request": "version" } } }));
}

#[test]
fn an_endless_question_is_cut_off() {
    let answers = with_agent(|path| {
        let mut stream = UnixStream::connect(path).unwrap();
        // The server may close before it has read everything.
        let _ = stream.write_all(&[b' '; 100_000]);
        BufReader::new(stream).lines().map_while(Result::ok).count()
    });
    assert!(answers <= 1);
}

#[test]
fn a_slow_question_holds_up_no_other() {
    let answer = with_agent(|path| {
        let mut slow = UnixStream::connect(path).unwrap();
        slow.write_all(b"{\"request\":\"reload\"}\n").unwrap();
        let _silent = UnixStream::connect(path).unwrap();
        call(path, &Request::Version)
    });
    assert!(answer.is_ok());
}

#[test]
fn only_root_and_the_group_may_connect() {
    let mode = with_agent(|path| std::fs::metadata(path).unwrap().permissions().mode());
    assert_eq!(mode & 0o777, 0o660);
}

#[test]
fn the_socket_goes_away_with_the_server() {
    let path = with_agent(Path::to_owned);
    assert!(!path.exists());
}

#[test]
fn a_second_agent_is_refused_and_the_first_goes_on() {
    let (second, first) = with_agent(|path| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let second = runtime.block_on(async { Server::bind(path).err().map(|error| error.to_string()) });
        (second, call(path, &Request::Version))
    });
    assert!(second.unwrap().ends_with("stop it first, or give this one another socket"));
    assert!(first.is_ok());
}

#[test]
fn what_a_dead_agent_left_is_replaced() {
    let directory = Directory::new();
    let path = directory.socket();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(matches!(call(&path, &Request::Version), Err(CallError::NotRunning(_))));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Server::bind(&path).map(drop) }).unwrap();
}

#[test]
fn a_missing_agent_and_missing_rights_name_the_remedy() {
    let path = Path::new("/nonexistent/agent.sock");
    assert_eq!(
        call(path, &Request::Version).unwrap_err().to_string(),
        "no agent answers at /nonexistent/agent.sock; start it with \"sixedge agent --config FILE\""
    );
    assert_eq!(
        explain(path, io::ErrorKind::PermissionDenied.into()).to_string(),
        "/nonexistent/agent.sock is for root and its group; run this with sudo"
    );
}
