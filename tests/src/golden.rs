use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::array::Array;

/// One case of `fixtures/goldens.json`, whose `conventions` say how it is to be read.
#[derive(Clone, Debug, Deserialize)]
pub struct Golden {
    /// Operator and number.
    pub id: String,
    /// Operator.
    pub op: String,
    /// Dimension, temperature and the like.
    pub params: BTreeMap<String, Value>,
    /// Tensors.
    pub inputs: BTreeMap<String, Array>,
    /// Results.
    pub outputs: BTreeMap<String, Array>,
    /// What the outputs are multiplied with before they are summed and differentiated.
    pub cotangents: BTreeMap<String, Array>,
    /// Gradients of that sum.
    pub grads: BTreeMap<String, Array>,
}

impl Golden {
    /// A parameter that is a number.
    pub fn number(&self, name: &str) -> f64 {
        self.params[name]
            .as_f64()
            .unwrap_or_else(|| panic!("{}: {name} is not a number", self.id))
    }

    /// The axis, the last one where the case names none.
    pub fn dim(&self) -> usize {
        match self.params.get("dim") {
            Some(dim) => dim.as_u64().expect("a dimension is a whole number") as usize,
            None => self.inputs["logits"].shape.len() - 1,
        }
    }
}

/// Every case of the file.
pub fn goldens() -> Vec<Golden> {
    #[derive(Deserialize)]
    struct File {
        format: u32,
        cases: Vec<Golden>,
    }
    let file: File = serde_json::from_str(include_str!("../fixtures/goldens.json"))
        .expect("goldens.json has the form of its conventions");
    assert_eq!(file.format, 1);
    file.cases
}
