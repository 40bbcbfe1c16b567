//! Names of the dataplane have room for 31 octets, those of Kubernetes for 253.

use crate::world::Key;

/// Most octets of a name.
pub(super) const LONGEST: usize = 31;

/// A name that has room, and is another for another text, all but surely: what is cut off leaves a hash behind.
pub(super) fn distinct(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    format!("{}-{:08x}", cut(text, LONGEST - 9), fnv(text))
}

/// `namespace/name` in so many octets; `~` stands where something was cut off, from the namespace first.
pub(super) fn short(key: &Key, octets: usize) -> String {
    let whole = key.to_string();
    if whole.len() <= octets {
        return whole;
    }
    let room = octets.saturating_sub(1);
    let for_name = key.name.len().min(room.saturating_sub(key.namespace.len().min(room / 2)));
    format!("{}/{}", shorten(&key.namespace, room - for_name), shorten(&key.name, for_name))
}

fn shorten(text: &str, octets: usize) -> String {
    if text.len() <= octets { text.to_owned() } else { format!("{}~", cut(text, octets.saturating_sub(1))) }
}

fn cut(text: &str, octets: usize) -> &str {
    &text[..text.floor_char_boundary(octets)]
}

/// FNV-1a.
fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_room_stays_and_what_has_none_still_tells_both_parts() {
        let short = |namespace: &str, name: &str| short(&Key::new(namespace, name), 23);
        assert_eq!(short("shop", "web"), "shop/web");
        assert_eq!(short("shop", "allow-from-the-frontend"), "shop/allow-from-the-fr~");
        assert_eq!(short("payments-production-eu", "web"), "payments-productio~/web");
        assert_eq!(short("payments-production-eu", "allow-from-frontend"), "payments-p~/allow-from~");
        assert_eq!(short("payments-production-eu", "allow-from-frontend").len(), 23);
    }

    #[test]
    fn long_names_that_begin_alike_differ_and_fit() {
        let long = |end: &str| distinct(&format!("{}{end}", "internet-of-the-payments-department"));
        assert_ne!(long("-a"), long("-b"));
        assert_eq!(long("-a").len(), LONGEST);
        assert_eq!(distinct("internet"), "internet");
    }
}
