use bgp_wire::{
    Message,
    message::{Context, Notification},
};
use bytes::Bytes;
pub(super) trait Codec: Sized {
    fn encode(&self, c: &Context, o: &mut Vec<u8>);
    fn decode(f: Bytes, c: &Context) -> Result<Self, Notification>;
}
impl Codec for Message {
    fn encode(&self, _: &Context, _: &mut Vec<u8>) {}
    fn decode(_: Bytes, _: &Context) -> Result<Self, Notification> {
        Ok(Message::Keepalive)
    }
}
pub(super) fn frame_length(_: &[u8]) -> Result<Option<usize>, Notification> {
    Ok(None)
}
