use burn_core::tensor::Device;

/// A compiled-in device, without autodiff.
#[derive(Clone, Debug)]
pub struct NamedDevice {
    /// For reports.
    pub name: &'static str,
    /// The device.
    pub device: Device,
    /// Whether it computes in f64.
    pub has_f64: bool,
}

impl NamedDevice {
    /// Whether its memory is that of another process, or counts as such.
    pub fn is_remote(&self) -> bool {
        self.name.starts_with("remote")
    }
}

/// Every device this build has a backend for.
///
/// # Panics
///
/// If the wgpu backend is compiled in and the machine has no adapter: a test that does not run must not pass.
pub fn devices() -> Vec<NamedDevice> {
    let devices = Vec::from([
        #[cfg(feature = "flex")]
        NamedDevice {
            name: "flex",
            device: Device::flex(),
            has_f64: true,
        },
        #[cfg(feature = "ndarray")]
        NamedDevice {
            name: "ndarray",
            device: Device::ndarray(),
            has_f64: true,
        },
        #[cfg(feature = "wgpu")]
        NamedDevice {
            name: "wgpu",
            device: wgpu(),
            has_f64: false,
        },
        #[cfg(all(feature = "remote", feature = "flex"))]
        NamedDevice {
            name: "remote flex",
            device: remote(),
            has_f64: true,
        },
    ]);
    assert!(!devices.is_empty(), "no backend is compiled in");
    devices
}

/// The devices that compute in f64.
pub fn cpu_devices() -> Vec<NamedDevice> {
    let mut devices = devices();
    devices.retain(|device| device.has_f64);
    devices
}

/// A Flex device behind a server on this machine, which ends with the process.
#[cfg(all(feature = "remote", feature = "flex"))]
fn remote() -> Device {
    use burn_core::backend::Flex;
    use burn_core::tensor::remote::RemoteHost;
    use burn_core::tensor::server::{CustomOpRegistry, RemoteServer, WebSocketTransport};
    use std::{net::TcpListener, sync::OnceLock, thread};

    static DEVICE: OnceLock<Device> = OnceLock::new();
    let device = DEVICE.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let mut registry = CustomOpRegistry::<Flex>::new();
        burn_relax::remote::register_relax_ops(&mut registry);
        thread::spawn(move || {
            let server = RemoteServer::new([Device::flex()]).with_custom_ops(registry);
            server
                .serve(WebSocketTransport::from_listener(listener))
                .expect("it serves")
        });
        let host = RemoteHost::websocket(&format!("ws://{address}"));
        Device::remote_options(&host).init().expect("it answers")
    });
    device.clone()
}

#[cfg(feature = "wgpu")]
fn wgpu() -> Device {
    use burn_core::tensor::{DeviceKind, Tensor};
    use std::{panic::catch_unwind, sync::OnceLock};

    static DEVICE: OnceLock<Result<Device, ()>> = OnceLock::new();
    let device = DEVICE.get_or_init(|| {
        catch_unwind(|| {
            let device = Device::wgpu(DeviceKind::DefaultDevice);
            Tensor::<1>::zeros([1], &device).into_data();
            device
        })
        .map_err(|_| ())
    });
    device.clone().unwrap_or_else(|()| {
        panic!(
            "wgpu found no adapter on this machine; on one without a GPU, install mesa-vulkan-drivers \
             (a software Vulkan driver)"
        )
    })
}
