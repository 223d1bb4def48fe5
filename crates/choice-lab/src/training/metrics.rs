//! The metrics of a run: training cost, mean squared error of the hard choice, classes used.

use crate::data::choices::classes_used;
use burn::tensor::{Int, Tensor, TensorReadError};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use std::marker::PhantomData;
use std::sync::Arc;

/// Something that a step reports and that can be read as one number.
pub trait Reading: 'static {
    /// Name of the metric.
    const NAME: &'static str;
    /// Whether more is better.
    const HIGHER_IS_BETTER: bool;

    /// The number; waits for the device.
    fn read(&self) -> Result<f64, TensorReadError>;
}

/// The strategy's mean cost over a minibatch.
pub struct Cost(pub Tensor<1>);

impl Reading for Cost {
    const NAME: &'static str = "Cost";
    const HIGHER_IS_BETTER: bool = false;

    fn read(&self) -> Result<f64, TensorReadError> {
        self.0.clone().try_into_scalar()
    }
}

/// Mean squared error of the chosen values, in the units of the data.
pub struct HardError {
    /// The same in the network's units.
    pub rescaled: Tensor<1>,
    /// Squared size of one of them in the units of the data, which 32 bits may not hold.
    pub unit: f64,
}

impl Reading for HardError {
    const NAME: &'static str = "Hard-choice MSE";
    const HIGHER_IS_BETTER: bool = false;

    fn read(&self) -> Result<f64, TensorReadError> {
        let rescaled: f64 = self.rescaled.clone().try_into_scalar()?;
        Ok(rescaled * self.unit)
    }
}

/// Number of classes chosen in more than 2 % of the rows.
pub struct ClassesUsed {
    /// The chosen classes.
    pub chosen: Tensor<2, Int>,
    /// How many there are to choose from.
    pub classes: usize,
}

impl Reading for ClassesUsed {
    const NAME: &'static str = "Classes used";
    const HIGHER_IS_BETTER: bool = true;

    fn read(&self) -> Result<f64, TensorReadError> {
        let chosen = self.chosen.clone().try_into_data()?;
        let chosen = chosen.iter::<i64>().map(|class| class as usize);
        Ok(classes_used(chosen, self.classes) as f64)
    }
}

/// The metric of a [`Reading`].
pub struct ReadingMetric<R> {
    state: NumericMetricState,
    reading: PhantomData<fn(R)>,
}

impl<R: Reading> ReadingMetric<R> {
    /// A metric that has seen nothing yet.
    pub fn new() -> Self {
        Self {
            state: NumericMetricState::new(),
            reading: PhantomData,
        }
    }

    fn format(&self) -> FormatOptions {
        FormatOptions::new(self.name()).precision(4)
    }
}

impl<R: Reading> Default for ReadingMetric<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> Clone for ReadingMetric<R> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            reading: PhantomData,
        }
    }
}

impl<R: Reading> Metric for ReadingMetric<R> {
    type Input = R;

    fn name(&self) -> MetricName {
        Arc::new(R::NAME.to_owned())
    }

    fn attributes(&self) -> MetricAttributes {
        let higher_is_better = R::HIGHER_IS_BETTER;
        NumericAttributes {
            unit: None,
            higher_is_better,
        }
        .into()
    }

    fn update(
        &mut self,
        reading: &R,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.state.update(reading.read()?, 1);
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }
}

impl<R: Reading> Numeric for ReadingMetric<R> {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}
