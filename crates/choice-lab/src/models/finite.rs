//! Whether a network holds numbers.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use combined_network::network::CombinedNetwork;

/// The first parameter that holds a NaN or an infinity, such as `hidden.weight`.
pub fn not_finite(network: &CombinedNetwork) -> Option<String> {
    let mut search = Search::default();
    network.visit(&mut search);
    search.found
}

#[derive(Default)]
struct Search {
    path: Vec<String>,
    found: Option<String>,
}

impl ModuleVisitor for Search {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let data = param.val().into_data();
        if self.found.is_none() && data.iter::<f64>().any(|number| !number.is_finite()) {
            self.found = Some(self.path.join("."));
        }
    }
}
