use burn_router::{BackendRouter, RouterChannel};

use crate::RelaxOps;

/// Remote devices and captured graphs run the default bodies, one request for each Burn operation in them.
impl<C: RouterChannel> RelaxOps for BackendRouter<C> {}
