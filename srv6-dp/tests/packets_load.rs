//! The verifier takes both programs.

use aya::{EbpfLoader, programs::SchedClassifier};

#[test]
fn both_programs_load() {
    let mut object = EbpfLoader::new().load(srv6_dp::object::OBJECT).unwrap();
    for name in ["circuit_ingress", "core_ingress"] {
        let program: &mut SchedClassifier = object.program_mut(name).unwrap().try_into().unwrap();
        if let Err(why) = program.load() {
            panic!("{name}: {why:#?}");
        }
        println!("{name}: {:?} instructions verified", program.info().unwrap().verified_instruction_count());
    }
}
