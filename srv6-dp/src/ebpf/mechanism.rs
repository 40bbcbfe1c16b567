//! The two ways onto an interface, TCX and clsact, one attachment at a time.

use std::os::fd::AsFd;

use aya::programs::{
    LinkOrder, ProgramError,
    links::{FdLink, Link, PinnedLink},
    tc::{NlOptions, SchedClassifierLink, TcAttachOptions, TcHandle, qdisc_add_clsact},
};

use super::{
    attach::{Programs, interface_name},
    error::{EbpfError, program_errno},
    pins::{Attachment, Mechanism, Role},
    sys,
};
use crate::model::IfIndex;

/// Priority of our filters among others of the qdisc; with the handle it finds them again.
const PRIORITY: u16 = 0x5e;

const fn handle(role: Role) -> TcHandle {
    match role {
        Role::Circuit => TcHandle::new(0, 1),
        Role::Core => TcHandle::new(0, 2),
        Role::CircuitEgress => TcHandle::new(0, 3),
    }
}

impl Programs {
    /// First in the order of programs: a tenant's packet belongs to nobody else on this node.
    pub(super) fn attach_tcx(&mut self, role: Role, interface: IfIndex, name: &str) -> Result<(), Failure> {
        let program = self.program(role)?;
        let options = TcAttachOptions::TcxOrder(LinkOrder::first());
        let id = program.attach_with_options(name, role.direction(), options)?;
        let link: FdLink = program.take_link(id)?.try_into().map_err(EbpfError::program(role.program()))?;
        let path = self.pins.attachment(Attachment { role, interface, mechanism: Mechanism::Tcx });
        link.pin(&path).map_err(EbpfError::program(role.program()))?;
        Ok(())
    }

    pub(super) fn attach_clsact(
        &mut self,
        role: Role,
        interface: IfIndex,
        name: &str,
    ) -> Result<(), EbpfError> {
        if let Err(error) = qdisc_add_clsact(name) {
            let error = ProgramError::from(error);
            if program_errno(&error) != Some(libc::EEXIST) {
                return Err(EbpfError::program(role.program())(error));
            }
        }
        let attachment = Attachment { role, interface, mechanism: Mechanism::Clsact };
        // Ours from before, whose record was lost.
        if self.replace_filter(attachment, name)? {
            return Ok(());
        }
        let options = NlOptions { priority: PRIORITY, handle: handle(role), classid: None };
        let program = self.program(role)?;
        let id = program
            .attach_with_options(name, role.direction(), TcAttachOptions::Netlink(options))
            .map_err(EbpfError::program(role.program()))?;
        // The filter shall outlive the handle.
        std::mem::forget(program.take_link(id).map_err(EbpfError::program(role.program()))?);
        self.record_filter(attachment)
    }

    /// Swaps the program; `false` when the attachment went with its interface.
    pub(super) fn replace(&mut self, attachment: Attachment) -> Result<bool, EbpfError> {
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
        let link = filter(attachment.role, interface).map_err(EbpfError::program(name))?;
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

    pub(super) fn detach_now(&self, attachment: Attachment) -> Result<(), EbpfError> {
        match attachment.mechanism {
            Mechanism::Tcx => {
                let path = self.pins.attachment(attachment);
                sys::detach_link(&path).map_err(EbpfError::pin(path))?;
            }
            Mechanism::Clsact => detach_filter(attachment)?,
        }
        self.pins.forget(attachment)
    }

    pub(super) fn is_live(&self, attachment: Attachment) -> bool {
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
pub(super) enum Failure {
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

pub(super) fn failed(role: Role) -> impl Fn(Failure) -> EbpfError {
    move |failure| match failure {
        Failure::Kernel(error) => EbpfError::program(role.program())(error),
        Failure::Other(error) => error,
    }
}

pub(super) fn lacks_tcx(failure: &Failure) -> bool {
    match failure {
        Failure::Kernel(error) => matches!(program_errno(error), Some(libc::EINVAL | libc::EOPNOTSUPP | 524)),
        Failure::Other(_) => false,
    }
}

/// No such filter, qdisc or interface.
fn is_gone(error: &ProgramError) -> bool {
    matches!(program_errno(error), Some(libc::ENOENT | libc::EINVAL | libc::ENODEV))
}

fn detach_filter(Attachment { role, interface, .. }: Attachment) -> Result<(), EbpfError> {
    // A filter goes with its interface.
    let Ok(name) = interface_name(interface) else { return Ok(()) };
    let link = filter(role, &name).map_err(EbpfError::program(role.program()))?;
    match link.detach() {
        Err(error) if !is_gone(&error) => Err(EbpfError::program(role.program())(error)),
        _ => Ok(()),
    }
}

fn filter(role: Role, interface: &str) -> std::io::Result<SchedClassifierLink> {
    SchedClassifierLink::attached(interface, role.direction(), PRIORITY, handle(role), None)
}
