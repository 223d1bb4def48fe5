use core::fmt;

use burn_core::{
    module::{Flag, Param},
    tensor::Device,
};

/// Whether a module behaves as in training on a device, and if not, why; it displays itself in those words.
///
/// # Example
///
/// ```
/// use burn_core::{module::Module, tensor::Device};
/// use burn_relax::nn::{Mode, SelectorConfig};
///
/// let device = Device::flex();
/// let selector = SelectorConfig::new().init(&device);
/// assert_eq!(selector.mode(&device.clone().autodiff()), Mode::Training);
/// assert_eq!(selector.mode(&device).to_string(), "inference: device without autodiff");
/// assert_eq!(selector.freeze().mode(&device.autodiff()).to_string(), "inference: frozen");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// It draws, its schedules go on, and its gradient is that of its strategy.
    Training,
    /// A backward pass is possible, but this module does not take part.
    Frozen,
    /// No backward pass is possible.
    WithoutAutodiff,
}

impl Mode {
    /// As in Burn's dropout: the device says that a backward pass is possible, the flag that the module takes part.
    pub(super) fn new(training: &Param<Flag>, device: &Device) -> Self {
        match (device.is_autodiff(), training.is_enabled()) {
            (false, _) => Self::WithoutAutodiff,
            (true, false) => Self::Frozen,
            (true, true) => Self::Training,
        }
    }

    /// Whether it is that of training.
    pub(super) fn trains(self) -> bool {
        self == Self::Training
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Training => "training",
            Self::Frozen => "inference: frozen",
            Self::WithoutAutodiff => "inference: device without autodiff",
        })
    }
}
