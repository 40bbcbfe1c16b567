/// Whether one state of an object is older than another one: a watch may tell what stood before our own write. Versions of one resource are
/// ordered numbers (KEP-5504); where they are not, the watch is believed.
pub(crate) fn is_older(told: &str, held: &str) -> bool {
    let version = |text: &str| text.parse::<u64>().ok();
    version(told).zip(version(held)).is_some_and(|(told, held)| told < held)
}
