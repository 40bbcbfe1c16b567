//! An `ipBlock` as prefixes: rules of several policies cannot be ordered so that the exceptions of one do not hold for others.

use ipnet::IpNet;
use k8s_openapi::api::networking::v1::IPBlock;

use super::super::{Reason, parse::Reader};

/// Most prefixes that a block may fall apart into. An exception makes one for each bit that it is longer than the block.
const MOST_PIECES: usize = 4096;

/// What is in the block and not in its exceptions. One that cannot be read, or has no room, is nothing.
pub(super) fn read(block: &IPBlock, path: &str, reader: &mut Reader<'_>) -> Vec<IpNet> {
    let mut prefix = |path: String, text: &str| {
        let parsed: Option<IpNet> = text.parse().ok();
        if parsed.is_none() {
            let problem = format_args!("{text:?} is not a prefix; write address/length, such as 10.0.0.0/8");
            reader.tell(Reason::Invalid, path, problem);
        }
        parsed.map(|net| net.trunc())
    };
    let cidr = prefix(format!("{path}.cidr"), &block.cidr);
    let except = block.except.iter().flatten().enumerate();
    let holes: Option<Vec<_>> = except.map(|(k, text)| prefix(format!("{path}.except[{k}]"), text)).collect();
    let Some((cidr, holes)) = cidr.zip(holes) else { return Vec::new() };
    let mut pieces = Vec::new();
    subtract(cidr, &holes, &mut pieces);
    if pieces.len() > MOST_PIECES {
        let problem = format_args!(
            "the block without its exceptions is more than {MOST_PIECES} prefixes, and is left out; write fewer exceptions"
        );
        reader.tell(Reason::LimitExceeded, format!("{path}.except"), problem);
        return Vec::new();
    }
    pieces
}

/// Halves what is neither whole nor gone. Stops when there are too many.
fn subtract(net: IpNet, holes: &[IpNet], pieces: &mut Vec<IpNet>) {
    if pieces.len() > MOST_PIECES || holes.iter().any(|hole| hole.contains(&net)) {
        return;
    }
    let within: Vec<_> = holes.iter().copied().filter(|hole| net.contains(hole)).collect();
    match net.subnets(net.prefix_len() + 1) {
        Ok(halves) if !within.is_empty() => halves.for_each(|half| subtract(half, &within, pieces)),
        _ => pieces.push(net),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::ObjectRef;

    fn pieces(cidr: &str, except: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut problems = Vec::new();
        let except = except.iter().map(ToString::to_string).collect();
        let block = IPBlock { cidr: cidr.into(), except: Some(except) };
        let pieces = read(
            &block,
            "ipBlock",
            &mut Reader::new(ObjectRef::cluster("NetworkPolicy", "p"), &mut problems),
        );
        (
            pieces.iter().map(ToString::to_string).collect(),
            problems.iter().map(|p| p.message.clone()).collect(),
        )
    }

    #[test]
    fn exceptions_leave_what_is_around_them() {
        assert_eq!(pieces("10.0.0.0/30", &["10.0.0.1/32"]).0, ["10.0.0.0/32", "10.0.0.2/31"]);
        assert_eq!(pieces("10.0.0.7/8", &[]).0, ["10.0.0.0/8"], "host bits mean nothing");
        assert_eq!(pieces("10.0.0.0/8", &["10.0.0.0/8"]).0, [""; 0]);
        assert_eq!(pieces("10.0.0.0/8", &["0.0.0.0/0"]).0, [""; 0]);
        assert_eq!(pieces("10.0.0.0/8", &["192.0.2.0/24", "::/0"]).0, ["10.0.0.0/8"], "not in it");
        assert_eq!(pieces("0.0.0.0/0", &["10.0.0.1/32"]).0.len(), 32);
        assert_eq!(pieces("::/0", &["2001:db8::1/128"]).0.len(), 128);
    }

    #[test]
    fn what_cannot_be_had_is_nothing() {
        assert_eq!(
            pieces("10.0.0.0", &[]),
            (
                vec![],
                vec![
                    "ipBlock.cidr: \"10.0.0.0\" is not a prefix; write address/length, such as 10.0.0.0/8"
                        .into()
                ]
            )
        );
        let (left, told) = pieces("10.0.0.0/8", &["10.1.0.0/33"]);
        assert_eq!((left.len(), told.len()), (0, 1), "an exception that is not known may be anything");
        let many: Vec<_> = (0..8192).map(|n| format!("10.0.{}.{}/32", n / 128, n % 128 * 2)).collect();
        let (left, told) = pieces("10.0.0.0/8", &many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((left.len(), told.len()), (0, 1), "{told:?}");
    }
}
