//! The benchmark, built for the backend that it shall measure.

use anyhow::Result;

use crate::cargo::Cargo;

/// Builds and runs it with its own arguments.
pub fn run(arguments: &[String]) -> Result<()> {
    Cargo::new("run")
        .args(["--release", "--quiet", "-p", "burn-relax-bench"])
        .args(["--features", device(arguments)])
        .args(["--"])
        .args(arguments.iter().map(String::as_str))
        .run()
}

/// The backend that the arguments name, which is also the cargo feature.
fn device(arguments: &[String]) -> &str {
    let given = arguments.iter().enumerate().find_map(|(i, argument)| {
        let inline = argument.strip_prefix("--device=");
        let next = || arguments.get(i + 1).map(String::as_str);
        inline.or_else(|| (argument == "--device").then(next).flatten())
    });
    match given {
        // The benchmark itself refuses other names.
        Some(name @ ("ndarray" | "wgpu")) => name,
        _ => "flex",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feature_is_the_device() {
        let feature = |line: &str| {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            device(&arguments).to_owned()
        };
        assert_eq!(feature("--quick --device ndarray"), "ndarray");
        assert_eq!(feature("steps --device=wgpu --task b"), "wgpu");
        assert_eq!(feature("--quick"), "flex");
        assert_eq!(feature("--device"), "flex");
    }
}
