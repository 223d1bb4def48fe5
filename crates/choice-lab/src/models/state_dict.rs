//! A state dict as PyTorch programs save it: bare, wrapped with other things, with prefixes before its names.

use anyhow::{Context, Result, anyhow, bail};
use burn::store::burn_pack::Tensor as Stored;
use burn::store::{ModuleStore, PytorchStore, SafetensorsStore};
use std::collections::BTreeMap;
use std::path::Path;

/// Tensors by their names.
pub(crate) type Tensors = BTreeMap<String, Stored>;

/// What a checkpoint calls the state dict in it.
const WRAPPERS: [&str; 3] = ["state_dict", "model_state_dict", "model"];
/// What wrapping modules and saving programs put before the names.
const PREFIXES: [&str; 5] = [
    "module.",
    "_orig_mod.",
    "model.",
    "state_dict.",
    "model_state_dict.",
];

/// What the zip reader says of some sound archives, and what helps.
const ZIP_BUG: &str = "Invalid Central Directory header";
const ZIP_HELP: &str = "if PyTorch reads it, this is a bug of the zip reader, which fails where torch.save was given a name of 21 \
                        characters before the ending: save it with torch.save under a shorter or longer name (to rename the file \
                        is not enough), or as .safetensors";

/// Reads the tensors of a file under the names that they have in the network's own state dict.
pub(crate) fn read(path: &Path) -> Result<Tensors> {
    let file = path.display();
    std::fs::File::open(path).with_context(|| format!("cannot read {file}"))?;
    let foreign = |error: String| {
        let help = match error.contains(ZIP_BUG) {
            true => format!("; {ZIP_HELP}"),
            false => String::new(),
        };
        anyhow!("{file} holds no PyTorch weights: {error}{help}")
    };
    let extension = path.extension().and_then(|extension| extension.to_str());
    let tensors = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("safetensors") => {
            let mut store = SafetensorsStore::from_file(path);
            let tensors = store.get_all_tensors().cloned();
            tensors.map_err(|error| foreign(error.to_string()))?
        }
        Some("pt" | "pth") => {
            let whole = pickled(path, None).map_err(foreign)?;
            unwrapped(path, whole)?
        }
        _ => bail!("{file}: the name must end in .safetensors, .pt or .pth"),
    };
    without_prefixes(tensors).with_context(|| format!("{file} does not fit"))
}

/// The tensors of a file of `torch.save`, or of what stands under a key of it.
fn pickled(path: &Path, key: Option<&str>) -> Result<Tensors, String> {
    let mut store = PytorchStore::from_file(path).map_indices_contiguous(false);
    if let Some(key) = key {
        store = store.with_top_level_key(key);
    }
    let tensors = store.get_all_tensors().cloned();
    tensors.map_err(|error| error.to_string())
}

/// The state dict in a checkpoint, which may hold an optimiser and other things beside it.
fn unwrapped(path: &Path, whole: Tensors) -> Result<Tensors> {
    let mut found = Vec::new();
    for wrapper in WRAPPERS {
        let prefix = format!("{wrapper}.");
        if whole.keys().any(|name| name.starts_with(&prefix))
            && let Ok(tensors) = pickled(path, Some(wrapper))
        {
            found.push((wrapper, tensors));
        }
    }
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|(wrapper, _)| *wrapper).collect();
        bail!(
            "{} holds several state dicts, {}: save one of them alone",
            path.display(),
            names.join(" and ")
        );
    }
    Ok(found.pop().map_or(whole, |(_, tensors)| tensors))
}

fn without_prefixes(tensors: Tensors) -> Result<Tensors> {
    let mut renamed = Tensors::new();
    for (name, mut tensor) in tensors {
        let mut short = name.as_str();
        while let Some(rest) = PREFIXES
            .iter()
            .find_map(|prefix| short.strip_prefix(prefix))
        {
            short = rest;
        }
        tensor.name = short.to_owned();
        if renamed.insert(short.to_owned(), tensor).is_some() {
            bail!("it holds several tensors '{short}', one of them as '{name}'");
        }
    }
    Ok(renamed)
}
