//! Whether this build of the crate has the operations for a device.

use burn_core::{backend::DispatchDevice, tensor::Device};

/// A device whose backend this crate is compiled for: Burn may be compiled with more.
#[track_caller]
pub(super) fn supported(op: &str, argument: &str, device: &Device) {
    let missing = missing(device.as_dispatch());
    assert!(
        missing.is_none(),
        "{op}: {argument} must be on a backend that burn-relax is compiled for, got {device:?}: turn on the feature {} of \
         the crate burn-relax",
        missing.unwrap_or_default()
    );
}

/// The features, one of which is missing, of a device that the operations do not know.
#[allow(
    unreachable_code,
    unreachable_patterns,
    clippy::match_single_binding,
    reason = "a build has the arms of its features"
)]
fn missing(device: &DispatchDevice) -> Option<&'static str> {
    match device {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => None,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => None,
        #[cfg(feature = "cubecl-backend")]
        DispatchDevice::Cube(_) => None,
        #[cfg(feature = "tch")]
        DispatchDevice::LibTorch(_) => None,
        #[cfg(feature = "remote")]
        DispatchDevice::Remote(_) => None,
        #[cfg(feature = "capture")]
        DispatchDevice::Capture(_) => None,
        #[cfg(feature = "autodiff")]
        DispatchDevice::Autodiff(inner) => missing(inner),
        device => Some(features(&format!("{device:?}"))),
    }
}

/// The features that bring a backend, by the name that its device begins with.
fn features(device: &str) -> &'static str {
    let name = device.split(|c: char| !c.is_alphanumeric()).next();
    match name {
        Some("Flex") => "`flex`",
        Some("NdArray") => "`ndarray`",
        Some("Cube") => "`wgpu`, `vulkan`, `metal`, `webgpu`, `cuda` or `rocm`",
        Some("LibTorch") => "`tch`",
        Some("Remote") => "`remote`",
        Some("Capture") => "`capture`",
        Some("Autodiff") => "`autodiff`",
        _ => "of its backend",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiled_backend_is_supported_and_another_is_named() {
        supported("softmax", "logits", &Device::flex());
        assert_eq!(features("NdArray(Cpu)"), "`ndarray`");
        assert_eq!(
            features("Autodiff { device: Flex(FlexDevice) }"),
            "`autodiff`"
        );
        assert_eq!(features("Vulkan"), "of its backend");
    }
}
