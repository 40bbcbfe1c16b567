//! Whether what is pinned forwards as the maps say. BGP claims "forwarding state preserved" (RFC 4724 section 3)
//! only when nothing is found here.

use std::{collections::BTreeSet, fmt};

use super::{
    EbpfDataplane,
    error::EbpfError,
    open::misfit,
    pins::{Attachment, Mechanism, Role},
};
use crate::model::{DataplaneError, IfIndex};

/// Something that does not forward as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// New maps wait for [`EbpfDataplane::commit`]; the old ones forward.
    Staged,
    /// The pinned maps are not those of the layout, or not in force.
    Maps(String),
    /// The program is not on an interface where it should be.
    NotAttached(Role, IfIndex),
    /// Another program than ours runs there.
    ForeignProgram(Attachment),
    /// A route or SID cannot work, for its VRF or interface is not there.
    Dangling(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staged => f.write_str("maps of a new layout wait to be put in force"),
            Self::Maps(reason) => f.write_str(reason),
            Self::NotAttached(role, interface) => {
                write!(f, "the {} program is not on interface {}", role.word(), interface.0)
            }
            Self::ForeignProgram(Attachment { role, interface, .. }) => {
                write!(f, "another program than ours runs on {} interface {}", role.word(), interface.0)
            }
            Self::Dangling(what) => f.write_str(what),
        }
    }
}

impl EbpfDataplane {
    /// Everything that is wrong. `core` are the interfaces that should be core.
    ///
    /// A filter of clsact cannot be read back, so it is put in place once more, in one step, where it still is.
    pub fn verify(&mut self, core: &BTreeSet<IfIndex>) -> Result<Vec<Fault>, DataplaneError> {
        self.faults(core).map_err(|source| DataplaneError {
            what: "verifying the pinned state".into(),
            source: Box::new(source),
        })
    }

    fn faults(&mut self, core: &BTreeSet<IfIndex>) -> Result<Vec<Fault>, EbpfError> {
        let mut faults = Vec::new();
        if self.programs.is_staged() {
            faults.push(Fault::Staged);
        }
        self.map_faults(&mut faults)?;
        self.attachment_faults(core, &mut faults)?;
        if !self.programs.is_staged() {
            self.program_faults(&mut faults)?;
        }
        let vrfs = self.vrfs()?;
        for (sid, local) in self.sids()? {
            if !vrfs.contains_key(&local.vrf) {
                faults.push(Fault::Dangling(format!(
                    "SID {sid} names VRF {}, which does not exist",
                    local.vrf
                )));
            }
        }
        Ok(faults)
    }

    fn map_faults(&self, faults: &mut Vec<Fault>) -> Result<(), EbpfError> {
        let pins = &self.programs.pins;
        if !self.programs.is_staged() && pins.current()?.as_deref() != Some(&self.generation) {
            faults.push(Fault::Maps("the maps in force are not those of this process".into()));
        }
        faults.extend(misfit(pins, &self.generation, &self.sizes)?.map(Fault::Maps));
        Ok(())
    }

    fn attachment_faults(&self, core: &BTreeSet<IfIndex>, faults: &mut Vec<Fault>) -> Result<(), EbpfError> {
        let mut circuits = BTreeSet::new();
        for interface in self.maps.circuits.keys() {
            circuits.insert(IfIndex(interface.map_err(self.maps.error("CIRCUITS"))?));
        }
        for (role, wanted) in
            [(Role::Circuit, &circuits), (Role::CircuitEgress, &circuits), (Role::Core, core)]
        {
            let attached = self.programs.attached(role)?;
            faults.extend(wanted.difference(&attached).map(|interface| Fault::NotAttached(role, *interface)));
        }
        Ok(())
    }

    fn program_faults(&mut self, faults: &mut Vec<Fault>) -> Result<(), EbpfError> {
        for attachment in self.programs.pins.attachments()? {
            let Attachment { role, interface, mechanism } = attachment;
            let not_attached = Fault::NotAttached(role, interface);
            if faults.contains(&not_attached) {
                continue;
            }
            if mechanism == Mechanism::Clsact && !self.programs.replace(attachment)? {
                faults.push(not_attached);
            } else if self.programs.running(attachment) != Some(self.programs.id(role)?) {
                faults.push(Fault::ForeignProgram(attachment));
            }
        }
        Ok(())
    }
}
