//! Puts the programs onto interfaces, so that they stay when this process ends, and replaces them without a gap.
//!
//! TCX (kernel 6.6) is tried first: a pinned link whose program is swapped in one step. Where the kernel has none,
//! a filter of the clsact qdisc with a priority and handle of our own, which the kernel swaps in one step as well;
//! a filter cannot be pinned, so its program is, as the record of where we are attached.

use std::collections::BTreeSet;

use aya::{Ebpf, programs::SchedClassifier};

use super::{
    error::{EbpfError, program_errno},
    mechanism::{failed, lacks_tcx},
    pins::{Attachment, Mechanism, Pins, Role},
};
use crate::model::IfIndex;

/// Which mechanism new attachments take; those there keep theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attach {
    /// TCX, and clsact where the kernel has no TCX.
    #[default]
    Auto,
    /// This one only.
    Only(Mechanism),
}

/// How often loading is interrupted before it is given up.
const LOAD_ATTEMPTS: usize = 100;

pub(super) struct Programs {
    ebpf: Ebpf,
    pub(super) pins: Pins,
    attach: Attach,
    /// While new maps are being filled: what [`Programs::commit`] shall attach.
    staged: Option<BTreeSet<(Role, IfIndex)>>,
}

impl Programs {
    /// Loads the programs into the kernel.
    pub(super) fn load(ebpf: Ebpf, pins: Pins, attach: Attach, staged: bool) -> Result<Self, EbpfError> {
        let mut programs = Self { ebpf, pins, attach, staged: staged.then(BTreeSet::new) };
        for role in Role::ALL {
            programs.load_one(role)?;
        }
        Ok(programs)
    }

    /// The verifier gives up with EAGAIN when a signal is pending: of a timer, a child, a SIGHUP to the agent.
    fn load_one(&mut self, role: Role) -> Result<(), EbpfError> {
        let program = self.program(role)?;
        for _ in 1..LOAD_ATTEMPTS {
            match program.load() {
                Err(error) if program_errno(&error) == Some(libc::EAGAIN) => {}
                result => return result.map_err(EbpfError::program(role.program())),
            }
        }
        program.load().map_err(EbpfError::program(role.program()))
    }

    pub(super) fn program(&mut self, role: Role) -> Result<&mut SchedClassifier, EbpfError> {
        let name = role.program();
        let program = self.ebpf.program_mut(name).ok_or(EbpfError::Missing(name))?;
        program.try_into().map_err(EbpfError::program(name))
    }

    /// The kernel's id of our program.
    pub(super) fn id(&self, role: Role) -> Result<u32, EbpfError> {
        let name = role.program();
        let program = self.ebpf.program(name).ok_or(EbpfError::Missing(name))?;
        Ok(program.info().map_err(EbpfError::program(name))?.id())
    }

    /// Attaches, or replaces the program of what is attached. Idempotent.
    pub(super) fn attach(&mut self, role: Role, interface: IfIndex) -> Result<(), EbpfError> {
        match &mut self.staged {
            Some(staged) => drop(staged.insert((role, interface))),
            None => self.attach_now(role, interface)?,
        }
        Ok(())
    }

    pub(super) fn detach(&mut self, role: Role, interface: IfIndex) -> Result<(), EbpfError> {
        if let Some(staged) = &mut self.staged {
            staged.remove(&(role, interface));
            return Ok(());
        }
        while let Some(attachment) = self.pins.find(role, interface) {
            self.detach_now(attachment)?;
        }
        Ok(())
    }

    /// The interfaces of a side on which packets meet (or, staged, shall meet) the program.
    pub(super) fn attached(&self, role: Role) -> Result<BTreeSet<IfIndex>, EbpfError> {
        if let Some(staged) = &self.staged {
            return Ok(staged
                .iter()
                .filter(|(of, _)| *of == role)
                .map(|(_, interface)| *interface)
                .collect());
        }
        let attachments = self.pins.attachments()?;
        let live =
            attachments.iter().filter(|attachment| attachment.role == role && self.is_live(**attachment));
        Ok(live.map(|attachment| attachment.interface).collect())
    }

    /// Whether nothing is attached before [`Programs::commit`].
    pub(super) fn is_staged(&self) -> bool {
        self.staged.is_some()
    }

    /// Attaches what was staged, replacing the programs of another generation in place; all else is detached.
    pub(super) fn commit(&mut self) -> Result<(), EbpfError> {
        let Some(staged) = self.staged.clone() else { return Ok(()) };
        for (role, interface) in &staged {
            self.attach_now(*role, *interface)?;
        }
        for attachment in self.pins.attachments()? {
            if !staged.contains(&(attachment.role, attachment.interface)) {
                self.detach_now(attachment)?;
            }
        }
        self.staged = None;
        Ok(())
    }

    /// Replaces the programs of all that is attached; forgets, and returns, what went with its interface.
    pub(super) fn replace_all(&mut self) -> Result<Vec<Attachment>, EbpfError> {
        let mut vanished = Vec::new();
        for attachment in self.pins.attachments()? {
            if !self.replace(attachment)? {
                self.pins.forget(attachment)?;
                vanished.push(attachment);
            }
        }
        Ok(vanished)
    }

    /// Detaches everything and removes every pin.
    pub(super) fn dismantle(self) -> Result<usize, EbpfError> {
        let attachments = self.pins.attachments()?;
        for attachment in &attachments {
            self.detach_now(*attachment)?;
        }
        self.pins.dismantle()?;
        let interfaces: BTreeSet<IfIndex> =
            attachments.iter().map(|attachment| attachment.interface).collect();
        Ok(interfaces.len())
    }

    fn attach_now(&mut self, role: Role, interface: IfIndex) -> Result<(), EbpfError> {
        if let Some(found) = self.pins.find(role, interface) {
            if self.replace(found)? {
                return Ok(());
            }
            // The interface that bore this index has vanished.
            self.pins.forget(found)?;
        }
        let name = interface_name(interface)?;
        match self.attach {
            Attach::Only(Mechanism::Clsact) => self.attach_clsact(role, interface, &name),
            Attach::Only(Mechanism::Tcx) => self.attach_tcx(role, interface, &name).map_err(failed(role)),
            Attach::Auto => match self.attach_tcx(role, interface, &name) {
                Err(error) if lacks_tcx(&error) => self.attach_clsact(role, interface, &name),
                result => result.map_err(failed(role)),
            },
        }
    }
}

/// The name of an interface of this thread's network namespace.
pub(super) fn interface_name(interface: IfIndex) -> Result<String, EbpfError> {
    // nix 0.31 answers with an empty name where there is no such interface.
    match nix::net::if_::if_indextoname(interface.0) {
        Ok(name) if !name.is_empty() => Ok(name.to_string_lossy().into_owned()),
        _ => Err(EbpfError::NoInterface(interface.0)),
    }
}
