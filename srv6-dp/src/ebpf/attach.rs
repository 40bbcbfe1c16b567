//! Puts the programs onto interfaces, so that they stay when this process ends, and replaces them without a gap.
//!
//! TCX (kernel 6.6) is tried first: a pinned link whose program is swapped in one step. Where the kernel has none,
//! a filter of the clsact qdisc with a priority and handle of our own, which the kernel swaps in one step as well;
//! a filter cannot be pinned, so its program is, as the record of where we are attached.

use std::{collections::BTreeSet, os::fd::AsFd};

use aya::{
    Ebpf,
    programs::{
        LinkOrder, ProgramError, SchedClassifier, TcAttachType,
        links::{FdLink, PinnedLink},
        tc::{NlOptions, SchedClassifierLink, TcAttachOptions, TcHandle, qdisc_add_clsact},
    },
};

use super::{
    error::{EbpfError, program_errno},
    pins::{Attachment, Mechanism, Pins, Role},
    sys,
};
use crate::model::IfIndex;

/// Identify our filter among others of the qdisc: found again by these alone.
const PRIORITY: u16 = 0x5e;
const HANDLE: TcHandle = TcHandle::new(0, 1);

/// Which mechanism new attachments take; those there keep theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attach {
    /// TCX, and clsact where the kernel has no TCX.
    #[default]
    Auto,
    /// This one only.
    Only(Mechanism),
}

pub(super) struct Programs {
    ebpf: Ebpf,
    pub(super) pins: Pins,
    attach: Attach,
    /// While new maps are being filled: what [`Programs::commit`] shall attach.
    staged: Option<BTreeSet<(Role, IfIndex)>>,
}

impl Programs {
    /// Loads both programs into the kernel.
    pub(super) fn load(ebpf: Ebpf, pins: Pins, attach: Attach, staged: bool) -> Result<Self, EbpfError> {
        let mut programs = Self { ebpf, pins, attach, staged: staged.then(BTreeSet::new) };
        for role in [Role::Circuit, Role::Core] {
            programs.program(role)?.load().map_err(EbpfError::program(role.program()))?;
        }
        Ok(programs)
    }

    fn program(&mut self, role: Role) -> Result<&mut SchedClassifier, EbpfError> {
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

    /// First in the order of programs: a tenant's packet belongs to nobody else on this node.
    fn attach_tcx(&mut self, role: Role, interface: IfIndex, name: &str) -> Result<(), Failure> {
        let program = self.program(role)?;
        let options = TcAttachOptions::TcxOrder(LinkOrder::first());
        let id = program.attach_with_options(name, TcAttachType::Ingress, options)?;
        let link: FdLink = program.take_link(id)?.try_into().map_err(EbpfError::program(role.program()))?;
        let path = self.pins.attachment(Attachment { role, interface, mechanism: Mechanism::Tcx });
        link.pin(&path).map_err(EbpfError::program(role.program()))?;
        Ok(())
    }

    fn attach_clsact(&mut self, role: Role, interface: IfIndex, name: &str) -> Result<(), EbpfError> {
        let failed = EbpfError::program(role.program());
        if let Err(error) = qdisc_add_clsact(name) {
            let error = ProgramError::from(error);
            if program_errno(&error) != Some(libc::EEXIST) {
                return Err(failed(error));
            }
        }
        let attachment = Attachment { role, interface, mechanism: Mechanism::Clsact };
        // Ours from before, whose record was lost.
        if self.replace_filter(attachment, name)? {
            return Ok(());
        }
        let options = NlOptions { priority: PRIORITY, handle: HANDLE, classid: None };
        let program = self.program(role)?;
        let id = program
            .attach_with_options(name, TcAttachType::Ingress, TcAttachOptions::Netlink(options))
            .map_err(EbpfError::program(role.program()))?;
        // The filter shall outlive the handle.
        std::mem::forget(program.take_link(id).map_err(EbpfError::program(role.program()))?);
        self.record_filter(attachment)
    }

    /// Swaps the program; `false` when the attachment went with its interface.
    fn replace(&mut self, attachment: Attachment) -> Result<bool, EbpfError> {
        match attachment.mechanism {
            Mechanism::Tcx => self.replace_link(attachment),
            Mechanism::Clsact => match interface_name(attachment.interface) {
                Ok(name) => self.replace_filter(attachment, &name),
                Err(_) => Ok(false),
            },
        }
    }

    fn replace_link(&mut self, attachment: Attachment) -> Result<bool, EbpfError> {
        let path = self.pins.attachment(attachment);
        let link = sys::tcx_link(&path).map_err(EbpfError::pin(&path))?;
        if link.interface != attachment.interface.0 {
            return Ok(false);
        }
        if link.program == self.id(attachment.role)? {
            return Ok(true);
        }
        let name = attachment.role.program();
        let pinned = PinnedLink::from_pin(&path).map_err(EbpfError::program(name))?;
        let link = SchedClassifierLink::try_from(FdLink::from(pinned)).map_err(EbpfError::program(name))?;
        let program = self.program(attachment.role)?;
        let id = program.attach_to_link(link).map_err(EbpfError::program(name))?;
        // Closes the descriptor; the pin keeps the link.
        drop(program.take_link(id).map_err(EbpfError::program(name))?);
        Ok(true)
    }

    fn replace_filter(&mut self, attachment: Attachment, interface: &str) -> Result<bool, EbpfError> {
        let name = attachment.role.program();
        let link = filter(interface).map_err(EbpfError::program(name))?;
        let program = self.program(attachment.role)?;
        match program.attach_to_link(link) {
            Ok(id) => std::mem::forget(program.take_link(id).map_err(EbpfError::program(name))?),
            Err(error) if is_gone(&error) => return Ok(false),
            Err(error) => return Err(EbpfError::program(name)(error)),
        }
        self.record_filter(attachment)?;
        Ok(true)
    }

    fn record_filter(&mut self, attachment: Attachment) -> Result<(), EbpfError> {
        self.pins.forget(attachment)?;
        let path = self.pins.attachment(attachment);
        let program = self.program(attachment.role)?;
        let fd = program.fd().map_err(EbpfError::program(attachment.role.program()))?;
        sys::pin(fd.as_fd(), &path).map_err(EbpfError::pin(path))
    }

    fn detach_now(&self, attachment: Attachment) -> Result<(), EbpfError> {
        if attachment.mechanism == Mechanism::Clsact
            && let Ok(name) = interface_name(attachment.interface)
        {
            let program = attachment.role.program();
            let link = filter(&name).map_err(EbpfError::program(program))?;
            match aya::programs::links::Link::detach(link) {
                Err(error) if !is_gone(&error) => return Err(EbpfError::program(program)(error)),
                _ => {}
            }
        }
        // A TCX link goes with its pin.
        self.pins.forget(attachment)
    }

    fn is_live(&self, attachment: Attachment) -> bool {
        match attachment.mechanism {
            Mechanism::Tcx => sys::tcx_link(&self.pins.attachment(attachment))
                .is_ok_and(|link| link.interface == attachment.interface.0),
            Mechanism::Clsact => interface_name(attachment.interface).is_ok(),
        }
    }

    /// The kernel's id of the program that runs at an attachment.
    pub(super) fn running(&self, attachment: Attachment) -> Option<u32> {
        let path = self.pins.attachment(attachment);
        match attachment.mechanism {
            Mechanism::Tcx => Some(sys::tcx_link(&path).ok()?.program),
            Mechanism::Clsact => aya::programs::ProgramInfo::from_pin(path).ok().map(|info| info.id()),
        }
    }
}

/// An attachment that failed, with the errno still at hand.
enum Failure {
    Kernel(ProgramError),
    Other(EbpfError),
}

impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        Self::Kernel(error)
    }
}

impl From<EbpfError> for Failure {
    fn from(error: EbpfError) -> Self {
        Self::Other(error)
    }
}

fn failed(role: Role) -> impl Fn(Failure) -> EbpfError {
    move |failure| match failure {
        Failure::Kernel(error) => EbpfError::program(role.program())(error),
        Failure::Other(error) => error,
    }
}

fn lacks_tcx(failure: &Failure) -> bool {
    match failure {
        Failure::Kernel(error) => matches!(program_errno(error), Some(libc::EINVAL | libc::EOPNOTSUPP | 524)),
        Failure::Other(_) => false,
    }
}

/// No such filter, qdisc or interface.
fn is_gone(error: &ProgramError) -> bool {
    matches!(program_errno(error), Some(libc::ENOENT | libc::EINVAL | libc::ENODEV))
}

fn filter(interface: &str) -> std::io::Result<SchedClassifierLink> {
    SchedClassifierLink::attached(interface, TcAttachType::Ingress, PRIORITY, HANDLE, None)
}

/// The name of an interface of this thread's network namespace.
pub(super) fn interface_name(interface: IfIndex) -> Result<String, EbpfError> {
    // nix 0.31 answers with an empty name where there is no such interface.
    match nix::net::if_::if_indextoname(interface.0) {
        Ok(name) if !name.is_empty() => Ok(name.to_string_lossy().into_owned()),
        _ => Err(EbpfError::NoInterface(interface.0)),
    }
}
