//! The `import` command: a network trained with PyTorch, as a model folder for `predict`.

use crate::data::table;
use crate::models::folder;
use crate::models::pytorch::{ImportConfig, read};
use crate::place::backend::Backend;
use crate::store::draft::{Draft, inspect, may_replace};
use crate::store::lock::Lock;
use anyhow::Result;
use combined_network::network::CombinedNetworkConfig;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

/// Take over the weights of a network trained with PyTorch, for `predict`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: choice-lab import --weights network.safetensors --out runs/from-pytorch"
)]
pub struct Args {
    /// State dict with classifier_fc1, classifier_fc2 and regression_fc
    #[arg(long, value_name = "FILE.safetensors|.pt|.pth")]
    weights: PathBuf,
    /// Folder to save the model in [default: runs/FILE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace an earlier run in that folder without asking
    #[arg(long)]
    force: bool,
}

impl Args {
    /// Reads the weights and writes the folder.
    pub fn run(&self) -> Result<()> {
        let stem = self.weights.file_stem().unwrap_or_default();
        let out = self.out.clone();
        let out = out.unwrap_or_else(|| Path::new("runs").join(stem));
        inspect(&out)?;
        let (config, network) = read(&self.weights, &Backend::any().device()?)?;
        let draft = Draft::create(&out)?;
        let _lock = Lock::take(&out)?;
        may_replace(&out, self.force)?;
        folder::save(
            &draft,
            network,
            &ImportConfig {
                format: ImportConfig::FORMAT.to_owned(),
                weights: self.weights.clone(),
                network: config,
            },
        )?;
        draft.commit()?;
        let CombinedNetworkConfig {
            features,
            hidden,
            classes,
        } = config;
        let out = out.display();
        writeln!(
            stdout(),
            "{features} features, {hidden} hidden units, {classes} classes; saved in {out}\n\
             next: predict --model {out} --input FILE.csv, with the columns {}",
            table::numbered(features).join(",")
        )?;
        Ok(())
    }
}
