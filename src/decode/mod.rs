//! `sixedge decode`: what do these BGP messages say?

mod capture;
mod reassembly;
mod session;
#[cfg(test)]
mod tests;
mod text;
mod view;

use std::{
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::Path,
    process::ExitCode,
};

use bgp_wire::{Context, Family, Message, message::frame_length};
use bytes::Bytes;
use view::View;

/// Decodes BGP messages from a capture, from hex digits, or line by line from standard input.
#[derive(clap::Args)]
pub(crate) struct Decode {
    /// One JSON object per message and line.
    #[arg(long)]
    json: bool,
    /// AS numbers take two octets (in a capture: unless both OPENs say otherwise).
    #[arg(long)]
    asn2: bool,
    /// Routes of this family carry path identifiers (in a capture the OPENs tell).
    #[arg(long, value_name = "FAMILY", value_parser = family)]
    addpath: Vec<Family>,
    /// A capture (pcap, pcapng), one or more messages as hex digits, or - to read a message as hex digits from
    /// each line of standard input and to answer with a line of JSON.
    #[arg(value_name = "FILE.pcap | HEX | -", required = true)]
    input: Vec<String>,
}

/// Why nothing, or not everything, could be decoded.
#[derive(Debug, thiserror::Error)]
enum DecodeError {
    #[error("{0:?} is neither a file nor hex digits; give a capture file, a message as hex digits, or -")]
    Input(String),
    #[error("{path}: {reason}; give a pcap or pcapng capture of Ethernet, IP or Linux cooked frames")]
    Capture { path: String, reason: String },
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

impl Decode {
    pub(crate) fn run(&self) -> ExitCode {
        match self.decode(&mut BufWriter::new(io::stdout().lock())) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            // Who closes the pipe has read enough.
            Err(DecodeError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }

    /// Whether every message was well-formed.
    fn decode(&self, out: &mut impl Write) -> Result<bool, DecodeError> {
        match self.input.as_slice() {
            [dash] if dash == "-" => self.lines(io::stdin().lock(), out),
            [path] if Path::new(path).is_file() => self.capture(path, out),
            digits => self.hex(&digits.concat(), out),
        }
    }

    /// One line in, one line out. Answers are written together while whole lines wait, and at once when none does.
    fn lines(&self, input: impl Read, out: &mut impl Write) -> Result<bool, DecodeError> {
        let (mut input, mut line) = (BufReader::with_capacity(1 << 16, input), Vec::new());
        let (context, mut well_formed) = (self.context(), true);
        while input.read_until(b'\n', &mut line)? > 0 {
            let view = answer(&String::from_utf8_lossy(&line), &context);
            well_formed &= view.is_well_formed();
            writeln!(out, "{}", view.json())?;
            if !input.buffer().contains(&b'\n') {
                out.flush()?;
            }
            line.clear();
        }
        Ok(well_formed)
    }

    fn hex(&self, digits: &str, out: &mut impl Write) -> Result<bool, DecodeError> {
        let mut stream = octets(digits)
            .filter(|octets| !octets.is_empty())
            .ok_or_else(|| DecodeError::Input(digits.to_owned()))?;
        let (context, mut well_formed) = (self.context(), true);
        while !stream.is_empty() {
            // What is cut short or out of step is shown as it is, to its end.
            let length = frame_length(&stream).ok().flatten().unwrap_or(stream.len());
            let view = message(stream.split_to(length.min(stream.len())), &context);
            well_formed &= view.is_well_formed();
            self.show(&view, out)?;
        }
        out.flush()?;
        Ok(well_formed)
    }

    fn capture(&self, path: &str, out: &mut impl Write) -> Result<bool, DecodeError> {
        let error = |reason| DecodeError::Capture { path: path.to_owned(), reason };
        let (mut sessions, mut well_formed) = (session::Sessions::new(self.context()), true);
        let capture = capture::read(path).map_err(error)?;
        for segment in capture.segments {
            well_formed &= self.show_all(&sessions.receive(&segment), out)?;
        }
        well_formed &= self.show_all(&sessions.finish_all(), out)?;
        out.flush()?;
        if capture.cut_short > 0 {
            eprintln!(
                "{path}: {} packets are cut short; capture whole ones (tcpdump -s 0)",
                capture.cut_short
            );
        }
        sessions.notes().iter().for_each(|note| eprintln!("{note}"));
        Ok(well_formed)
    }

    /// Whether all were well-formed.
    fn show_all(&self, views: &[View], out: &mut impl Write) -> io::Result<bool> {
        views.iter().try_for_each(|view| self.show(view, out))?;
        Ok(views.iter().all(View::is_well_formed))
    }

    fn show(&self, view: &View, out: &mut impl Write) -> io::Result<()> {
        match self.json {
            true => writeln!(out, "{}", view.json()),
            false => writeln!(out, "{}", text::render(view)),
        }
    }

    fn context(&self) -> Context {
        Context {
            four_octet_as: !self.asn2,
            add_path: self.addpath.iter().copied().collect(),
            extended_message: true,
            external: false,
        }
    }
}

/// The one message of a line.
fn answer(line: &str, context: &Context) -> View {
    let Some(frame) = octets(line) else { return View::unreadable("not hex digits, two for each octet") };
    match frame_length(&frame) {
        _ if frame.is_empty() => View::unreadable("an empty line; write one message as hex digits"),
        Ok(Some(length)) if frame.get(length..).is_some_and(begins_a_message) => {
            View::unreadable("more than one message; write one per line")
        }
        _ => message(frame, context),
    }
}

fn begins_a_message(octets: &[u8]) -> bool {
    !octets.is_empty() && frame_length(octets).is_ok()
}

fn message(frame: Bytes, context: &Context) -> View {
    View::of(Message::decode(frame, context), context)
}

/// Blanks and colons between the digits are skipped.
fn octets(text: &str) -> Option<Bytes> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|digit| !digit.is_whitespace() && *digit != ':')
        .map(|digit| digit.to_digit(16).map(|value| value as u8))
        .collect();
    match digits?.as_chunks::<2>() {
        (pairs, []) => Some(pairs.iter().map(|[high, low]| high << 4 | low).collect()),
        _ => None,
    }
}

fn family(word: &str) -> Result<Family, String> {
    Family::ALL
        .into_iter()
        .find(|family| family.word() == word)
        .ok_or_else(|| format!("write one of {}", Family::ALL.map(Family::word).join(", ")))
}
