use std::{
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
};

use tokio::sync::mpsc;

use super::*;

/// Serves while `client` runs in a thread of its own; every question is answered with `Done`.
fn with_server<T: Send + 'static>(client: impl FnOnce(&Path) -> T + Send + 'static) -> T {
    let folder = Folder::new();
    let path = folder.0.join("run/cni.sock");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = runtime.block_on(async {
        let server = Server::bind(&path).unwrap();
        let (ask, mut questions) = mpsc::channel(1);
        let serving = tokio::spawn(server.serve(ask));
        let at = path.clone();
        let mut client = tokio::task::spawn_blocking(move || client(&at));
        let told = loop {
            tokio::select! {
                told = &mut client => break told.unwrap(),
                Some((request, answer)) = questions.recv() => {
                    let _: Request = request;
                    answer.send(Response::Done).unwrap();
                }
            }
        };
        drop(questions);
        serving.await.unwrap();
        told
    });
    assert!(!path.exists(), "the socket goes with the server");
    told
}

fn exchange(path: &Path, octets: &[u8]) -> Response {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(octets).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

#[test]
fn a_question_is_answered_and_only_root_may_ask() {
    let (mode, answer) = with_server(|path| {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        (mode, exchange(path, b"{\"ask\":\"status\"}\n"))
    });
    assert_eq!((mode, answer), (0o600, Response::Done));
}

#[test]
fn what_is_no_question_is_told_so_and_harms_nobody() {
    with_server(|path| {
        for octets in [&b"{\"ask\":\"bake\"}\n"[..], b"\xff\xfe\n", b"[]\n", b"\n"] {
            assert!(
                matches!(exchange(path, octets), Response::Refused { code: code::INVALID, .. }),
                "{octets:?}"
            );
        }
        drop(UnixStream::connect(path).unwrap());
        assert_eq!(exchange(path, b"{\"ask\":\"status\"}\n"), Response::Done);
    });
}

#[test]
fn a_second_agent_is_refused_and_what_a_dead_one_left_is_replaced() {
    let folder = Folder::new();
    let path = folder.0.join("cni.sock");
    fs::create_dir_all(&folder.0).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let _first = Server::bind(&path).unwrap();
        assert!(matches!(Server::bind(&path), Err(BindError::Taken(_))));
    });
}
