use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use cni::protocol::{Request, Reservation, Response, host_interface};

/// An agent as far as the plugin sees it: it listens, and answers.
pub(crate) struct Agent {
    socket: PathBuf,
    asked: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Agent {
    /// Answers with what `answer` gives; goes away without an answer where it gives none.
    pub(crate) fn start(
        socket: &Path,
        mut answer: impl FnMut(&Request) -> Option<Response> + Send + 'static,
    ) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (record, stopped) = (Arc::clone(&asked), Arc::clone(&stop));
        let serving = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let mut stream = stream.unwrap();
                let mut line = String::new();
                BufReader::new(&stream).read_line(&mut line).unwrap();
                let request: Request = serde_json::from_str(&line).unwrap();
                let response = answer(&request);
                record.lock().unwrap().push(request);
                if let Some(response) = response {
                    let _ = stream
                        .write_all(format!("{}\n", serde_json::to_string(&response).unwrap()).as_bytes());
                }
            }
        });
        Self { socket: socket.to_owned(), asked, stop, serving: Some(serving) }
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Request> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = UnixStream::connect(&self.socket);
        let _ = fs::remove_file(&self.socket);
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

/// The answers for a pod of VRF red: 10.1.0.2 and fd00:1::2 where it asks for addresses, MTU 1400.
pub(crate) fn tenant(request: &Request) -> Option<Response> {
    Some(match request {
        Request::Reserve { id, .. } => Response::Reserved(Reservation {
            vrf: "red".to_owned(),
            addresses: vec!["10.1.0.2/32".parse().unwrap(), "fd00:1::2/128".parse().unwrap()],
            gateways: vec!["10.1.0.1".parse().unwrap(), "fd00:1::1".parse().unwrap()],
            mtu: 1400,
            host_interface: host_interface(id),
        }),
        Request::Attach(_) => Response::Attached { mtu: 1400, vrf: "red".to_owned() },
        Request::Retain { .. } => Response::Released { ids: vec![] },
        Request::Detach(_) | Request::Check(_) | Request::Status => Response::Done,
    })
}
