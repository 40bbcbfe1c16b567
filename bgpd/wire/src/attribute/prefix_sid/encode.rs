use srv6_types::SidStructure;

use super::{PrefixSid, PrefixSidTlv, ServiceKind, ServiceSubTlv, SidInformation, SidSubSubTlv, Srv6Service};

impl PrefixSid {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for tlv in &self.tlvs {
            match tlv {
                PrefixSidTlv::Service(service) => service.encode(out),
                PrefixSidTlv::Other { kind, value } => {
                    put_tlv(*kind, out, |out| out.extend_from_slice(value))
                }
            }
        }
    }
}

impl Srv6Service {
    fn encode(&self, out: &mut Vec<u8>) {
        let kind = match self.kind {
            ServiceKind::L3 => 5,
            ServiceKind::L2 => 6,
        };
        put_tlv(kind, out, |out| {
            out.push(self.reserved);
            for tlv in &self.sub_tlvs {
                match tlv {
                    ServiceSubTlv::SidInformation(information) => {
                        put_tlv(1, out, |out| information.encode(out))
                    }
                    ServiceSubTlv::Other { kind, value } => {
                        put_tlv(*kind, out, |out| out.extend_from_slice(value));
                    }
                }
            }
        });
    }
}

impl SidInformation {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.reserved1);
        out.extend_from_slice(&self.sid.0);
        out.push(self.flags);
        out.extend_from_slice(&self.behavior.0.to_be_bytes());
        out.push(self.reserved2);
        for tlv in &self.sub_sub_tlvs {
            match tlv {
                SidSubSubTlv::Structure(structure) => {
                    put_tlv(1, out, |out| out.extend_from_slice(&lengths(structure)));
                }
                SidSubSubTlv::Other { kind, value } => {
                    put_tlv(*kind, out, |out| out.extend_from_slice(value))
                }
            }
        }
    }
}

const fn lengths(structure: &SidStructure) -> [u8; 6] {
    let transposition = structure.transposition();
    [
        structure.block(),
        structure.node(),
        structure.function(),
        structure.argument(),
        transposition.len(),
        transposition.offset(),
    ]
}

/// Type, two octets of length that are filled in behind the value, value.
fn put_tlv(kind: u8, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[kind, 0, 0]);
    let start = out.len();
    value(out);
    let len = (out.len() - start) as u16;
    out[start - 2..start].copy_from_slice(&len.to_be_bytes());
}
