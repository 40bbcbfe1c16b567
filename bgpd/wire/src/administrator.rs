//! The `administrator:number` form that route distinguishers (RFC 4364 section 4.2) and route targets
//! (RFC 4360 section 4) share: three layouts of six octets, told apart by a type of 0, 1 or 2.

use std::{fmt, net::Ipv4Addr};

/// The type and the six octets of `AS:number`, `IPv4:number` or, for a small AS number in the 4-octet layout,
/// `ASL:number`.
pub(crate) fn parse(text: &str) -> Option<(u8, [u8; 6])> {
    let (administrator, number) = text.split_once(':')?;
    let number = digits(number)?;
    if let Ok(address) = administrator.parse::<Ipv4Addr>() {
        return Some((1, wide(address.octets(), number)?));
    }
    if let Some(asn) = administrator.strip_suffix('L') {
        return Some((2, wide(digits(asn)?.to_be_bytes(), number)?));
    }
    let asn = digits(administrator)?;
    match u16::try_from(asn) {
        Ok(asn) => {
            let ([a, b], [c, d, e, f]) = (asn.to_be_bytes(), number.to_be_bytes());
            Some((0, [a, b, c, d, e, f]))
        }
        Err(_) => Some((2, wide(asn.to_be_bytes(), number)?)),
    }
}

/// Writes what [`parse`] reads; `false` and nothing written for a type it does not know.
pub(crate) fn write(f: &mut fmt::Formatter<'_>, kind: u8, octets: [u8; 6]) -> Result<bool, fmt::Error> {
    let [a, b, c, d, e, g] = octets;
    let (asn, number) = (u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([e, g]));
    match kind {
        0 => write!(f, "{}:{}", u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, g]))?,
        1 => write!(f, "{}:{number}", Ipv4Addr::new(a, b, c, d))?,
        2 if asn <= u16::MAX.into() => write!(f, "{asn}L:{number}")?,
        2 => write!(f, "{asn}:{number}")?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn wide(administrator: [u8; 4], number: u32) -> Option<[u8; 6]> {
    let ([a, b, c, d], [e, f]) = (administrator, u16::try_from(number).ok()?.to_be_bytes());
    Some([a, b, c, d, e, f])
}

/// Decimal digits only: no sign, no blank.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok())?
}
