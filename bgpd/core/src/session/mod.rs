//! The session: RFC 4271 section 8, capabilities, collisions, timers.
