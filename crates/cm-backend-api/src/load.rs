//! x
/// x
pub fn load(){}
