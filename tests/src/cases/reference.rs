/// One row of a case's inputs as plain numbers.
pub struct Row {
    floats: Vec<(&'static str, Vec<f64>)>,
    /// The classes of an input of indices.
    pub indices: Vec<usize>,
    /// The temperature, power, alpha or budget of the row.
    pub coefficient: f64,
    /// The noise of the row's draws, the first draw first.
    pub noise: Vec<f64>,
}

impl Row {
    /// No numbers yet.
    pub(super) fn new(coefficient: f64) -> Self {
        Self {
            floats: Vec::new(),
            indices: Vec::new(),
            coefficient,
            noise: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, name: &'static str, numbers: Vec<f64>) {
        self.floats.push((name, numbers));
    }

    /// The numbers of an input: of each class, its features side by side, or of each class' coordinate.
    pub fn get(&self, name: &str) -> &[f64] {
        let found = self.floats.iter().find(|(own, _)| *own == name);
        &found
            .unwrap_or_else(|| panic!("no input is named {name}"))
            .1
    }

    /// The logits.
    pub fn logits(&self) -> &[f64] {
        self.get("logits")
    }

    /// The values or costs beside them.
    pub fn values(&self) -> &[f64] {
        self.get("values")
    }
}
