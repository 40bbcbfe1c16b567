//! The elected one: gives locators to nodes, and tells the authors of our objects what became of them.
//!
//! [`plan`] is pure: what there is in, what is to be written out. The runner around it watches, plans and writes.

mod allocate;
