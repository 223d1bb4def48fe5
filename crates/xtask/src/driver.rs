//! What the tests need beside Rust: a Vulkan driver for wgpu, any installed one, else Mesa's software driver; and Chromium, in
//! which the example's report is opened.

use std::{
    path::Path,
    process::{Command, Stdio},
};

const PACKAGES: [&str; 2] = ["libvulkan1", "mesa-vulkan-drivers"];

/// Where Vulkan loaders on Linux look for drivers.
const DRIVER_FOLDERS: [&str; 3] = [
    "/usr/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
];

/// Installs the software driver where a driver is missing and that is possible, else says what to install.
///
/// Never fails itself: without an adapter the wgpu tests do, each with a message of its own.
pub fn ensure_vulkan() {
    if !cfg!(target_os = "linux") || has_driver() {
        return;
    }
    println!("No Vulkan driver found; the wgpu tests need one.");
    if install(&PACKAGES) && has_driver() {
        println!("Installed {}.", PACKAGES.join(" and "));
        return;
    }
    println!(
        "Install one and run this again: `{}` on Debian and Ubuntu, `mesa-vulkan-drivers` on Fedora, \
         `vulkan-swrast` on Arch; or the driver of your GPU.",
        PACKAGES.join(" ")
    );
}

/// Installs Chromium where it is missing and that is possible, else says what to install.
///
/// Never fails: without it the test of the report says that it has not run.
pub fn ensure_browser() {
    if !cfg!(target_os = "linux") || has_browser() {
        return;
    }
    println!("No Chromium found; the test of the example's report needs one.");
    if install(&["chromium"]) && has_browser() {
        println!("Installed chromium.");
        return;
    }
    println!(
        "Install one and run this again: `chromium` on Debian, Fedora and Arch, `chromium-browser` on Ubuntu."
    );
}

fn has_browser() -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| {
        ["chromium", "chromium-browser", "google-chrome"]
            .iter()
            .any(|name| folder.join(name).is_file())
    })
}

fn has_driver() -> bool {
    std::env::var_os("VK_DRIVER_FILES").is_some()
        || std::env::var_os("VK_ICD_FILENAMES").is_some()
        || DRIVER_FOLDERS.iter().any(|folder| {
            Path::new(folder)
                .read_dir()
                .is_ok_and(|mut entries| entries.next().is_some())
        })
}

/// As root, or by a `sudo` that asks no password.
fn install(packages: &[&str]) -> bool {
    let run = |prefix: &[&str]| {
        let apt = |args: &[&str]| {
            let words: Vec<&str> = prefix
                .iter()
                .copied()
                .chain(["apt-get"])
                .chain(args.iter().copied())
                .collect();
            Command::new(words[0])
                .args(&words[1..])
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdin(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        let mut args = vec!["install", "--yes", "--no-install-recommends"];
        args.extend(packages);
        apt(&["update"]) && apt(&args)
    };
    run(&[]) || run(&["sudo", "--non-interactive"])
}
