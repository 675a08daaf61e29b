//! What the file does not allow to be done.

use super::Engine;
use crate::config::Action;

impl Engine {
    /// That something is not allowed which a command of an operator comes to.
    pub(super) fn not_allowed(&self, actions: &[Action]) -> Result<(), String> {
        match self.cluster.allowed.lacks(actions) {
            None => Ok(()),
            Some(action) => Err(format!("the file does not allow {} (allowed_actions)", action.name())),
        }
    }
}
