//! PyTorch as another side: a Python process that prepares runs and times them when told to.
//!
//! One JSON object a line goes in, one comes back: see `torch/serve.py`.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{pages::Pages, timing::Side};

/// OpenMP's threads spin for about ten milliseconds after their work; the next side waits until they sleep.
const REST: Duration = Duration::from_millis(15);

/// A Python process with a fixed number of threads.
pub struct Torch {
    process: Arc<Mutex<Process>>,
    /// Versions of PyTorch and Python.
    pub version: String,
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Torch {
    /// Starts it; an error says how to install what is missing.
    pub fn start(python: &str, threads: usize, pages: Pages) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("torch/serve.py");
        let install = format!(
            "PyTorch is needed for --torch and `{python}` does not have it: run `{python} -m pip install torch` \
             (measured with torch 2.15 and Python 3.11; torch.compile also needs a C++ compiler), \
             or name another interpreter with --python"
        );
        let mut child = Command::new(python)
            .arg(script)
            .arg(threads.to_string())
            .env("OMP_NUM_THREADS", threads.to_string())
            .env("OMP_PROC_BIND", "true")
            .envs(pages.environment().iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| install.clone())?;
        let input = child.stdin.take().context("the child's input")?;
        let output = BufReader::new(child.stdout.take().context("the child's output")?);
        let mut process = Process {
            child,
            input,
            output,
        };
        let hello = process.read().with_context(|| install)?;
        let version = hello["version"].as_str().unwrap_or_default().to_owned();
        let process = Arc::new(Mutex::new(process));
        Ok(Self { process, version })
    }

    /// A side that runs what `job` describes; none where PyTorch has no such function, or refuses, which is printed.
    pub fn side(&self, job: &Value) -> Result<Option<Side<'static>>> {
        let answer = self.ask(&json!({ "prepare": job }))?;
        if let Some(error) = answer["error"].as_str() {
            eprintln!("PyTorch: {job}: {error}");
        }
        let Some(id) = answer["id"].as_u64() else {
            return Ok(None);
        };
        let process = Arc::clone(&self.process);
        Ok(Some(Box::new(move |repeats| {
            let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = process.ask(&json!({ "run": id, "repeats": repeats }))?;
            sleep(REST);
            answer["seconds"]
                .as_f64()
                .with_context(|| format!("PyTorch's run failed: {answer}"))
        })))
    }

    /// Forgets all that was prepared.
    pub fn clear(&self) -> Result<()> {
        self.ask(&json!({ "clear": true })).map(|_| ())
    }

    fn ask(&self, question: &Value) -> Result<Value> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.ask(question)
    }
}

impl Process {
    fn ask(&mut self, question: &Value) -> Result<Value> {
        writeln!(self.input, "{question}")?;
        self.input.flush()?;
        self.read()
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("the Python process ended");
        }
        serde_json::from_str(&line).with_context(|| format!("PyTorch's side said {line:?}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its loop ends with its input; a process that does not notice is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
