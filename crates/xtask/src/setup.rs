//! What the tests need beside Rust: a Vulkan driver for wgpu, any installed one, else Mesa's software driver; and Chromium, in
//! which a report is opened.

use std::{
    env, fs,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

/// Something that the tests need.
struct Need {
    what: &'static str,
    /// Packages of Debian and Ubuntu.
    packages: &'static str,
    by_hand: &'static str,
    is_there: fn() -> bool,
}

const VULKAN: Need = Need {
    what: "Mesa's software Vulkan driver, on which the wgpu tests run",
    packages: "libvulkan1 mesa-vulkan-drivers",
    by_hand: "`libvulkan1 mesa-vulkan-drivers` on Debian and Ubuntu, `mesa-vulkan-drivers` on Fedora, `vulkan-swrast` on Arch; \
              or the driver of your GPU",
    is_there: has_driver,
};

const BROWSER: Need = Need {
    what: "Chromium, in which one test opens a report",
    packages: "chromium",
    by_hand: "`chromium` on Debian, Fedora and Arch, `chromium-browser` on Ubuntu",
    is_there: has_browser,
};

impl Need {
    /// Elsewhere than on Linux the system brings a driver, and the browser is up to the user.
    fn is_met(&self) -> bool {
        !cfg!(target_os = "linux") || (self.is_there)()
    }
}

/// Installs what is missing, after it has said what that is and by which commands; asks nothing.
///
/// What could not be installed is an error that says how to install it by hand.
pub fn run() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        println!("Nothing to install: a Vulkan driver and a browser are there.");
        return Ok(());
    }
    println!("Missing:");
    for need in &missing {
        println!("  {}", need.what);
    }
    if in_path("apt-get") {
        let commands = commands(&missing, is_root());
        println!("It is installed by\n  $ {}", commands.join("\n  $ "));
        commands.iter().for_each(|command| execute(command));
    }
    let left: Vec<&str> = self::missing().iter().map(|need| need.by_hand).collect();
    if !left.is_empty() {
        bail!("not installed; please do it by hand: {}", left.join("; "));
    }
    Ok(())
}

/// An error that says what to run, where there is no Vulkan driver.
pub fn require_vulkan() -> Result<()> {
    if !VULKAN.is_met() {
        bail!(
            "the wgpu tests need a Vulkan driver, and none was found. `cargo xtask setup` installs Mesa's software driver; \
             `cargo xtask test --setup` does so and then runs the tests. Without a driver: `cargo xtask test --only flex`"
        );
    }
    Ok(())
}

/// Says which test will not run, where there is no browser.
pub fn mention_browser() {
    if !BROWSER.is_met() {
        let what = "the test that opens a report will say NOT RUN";
        println!("No Chromium found: {what}. `cargo xtask setup` installs it.");
    }
}

fn missing() -> Vec<Need> {
    let needs = [VULKAN, BROWSER].into_iter();
    needs.filter(|need| !need.is_met()).collect()
}

/// The commands for Debian and Ubuntu. One for each need, so that one that fails does not keep the other away.
fn commands(needs: &[Need], root: bool) -> Vec<String> {
    // A `sudo` that would ask for a password fails instead.
    let prefix = if root { "" } else { "sudo --non-interactive " };
    let install = needs.iter().map(|need| {
        let packages = need.packages;
        format!("{prefix}apt-get install --yes --no-install-recommends {packages}")
    });
    let update = format!("{prefix}apt-get update");
    std::iter::once(update).chain(install).collect()
}

/// What fails shows in what is still missing afterwards.
fn execute(command: &str) {
    println!("$ {command}");
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null());
    match shell.env("DEBIAN_FRONTEND", "noninteractive").status() {
        Ok(status) if status.success() => {}
        Ok(status) => println!("failed ({status})"),
        Err(error) => println!("failed ({error})"),
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn has_browser() -> bool {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.into_iter().any(in_path)
}

fn in_path(name: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(name).is_file())
}

/// Whether the environment names a driver, or a folder in which Vulkan loaders on Linux look has one.
fn has_driver() -> bool {
    let variables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
    let folders = ["/usr/share", "/etc", "/usr/local/share"];
    let has_entry = |folder| {
        let entries = fs::read_dir(format!("{folder}/vulkan/icd.d"));
        entries.is_ok_and(|mut entries| entries.next().is_some())
    };
    variables
        .into_iter()
        .any(|name| env::var_os(name).is_some())
        || folders.into_iter().any(has_entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_need_has_a_command_that_asks_nothing() {
        let install = "apt-get install --yes --no-install-recommends";
        let expected = [
            "apt-get update",
            &format!("{install} libvulkan1 mesa-vulkan-drivers"),
            &format!("{install} chromium"),
        ];
        assert_eq!(commands(&[VULKAN, BROWSER], true), expected);
        let expected = [0, 2].map(|i| format!("sudo --non-interactive {}", expected[i]));
        assert_eq!(commands(&[BROWSER], false), expected);
    }
}
