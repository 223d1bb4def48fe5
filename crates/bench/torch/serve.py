"""Times PyTorch when the benchmark says so: `python serve.py THREADS`.

One JSON object a line comes in, one goes out:

    {"prepare": {"op", "pass", "shape", "dtype", "compile", "unit", "beside", "learns"}}  ->  {"id": 0}, or {} if there is no such
        operator, or {"error": "..."}
    {"prepare": {"strategy", "features", "classes", "fused_adam"}}                       ->  the same
    {"run": 0, "repeats": 3}                                                              ->  {"seconds": 0.1}
    {"clear": true}                                                                       ->  {}

A job stays prepared until it is cleared, so that the caller can let PyTorch and other sides take turns.
"""

import json
import platform
import sys
import time

import torch

import network
import operators

DTYPES = {"f32": torch.float32, "f64": torch.float64, "f16": torch.float16}


def operator(job):
    """A function that runs an operator once; None where PyTorch has none."""
    function = getattr(operators, job["op"], None)
    if function is None:
        return None
    rows, n = job["shape"]
    dtype = DTYPES[job["dtype"]]
    torch.manual_seed(1)
    first = torch.rand(rows, n) if job["unit"] else torch.randn(rows, n)
    second = torch.rand(rows, max(job["beside"], 1)) if job["beside"] else torch.rand(1, 1)
    inputs = [first.to(dtype), second.to(dtype)]
    if job["compile"]:
        torch._dynamo.reset()
        function = torch.compile(function, dynamic=False)
    if job["pass"] == "forward":

        def forward():
            with torch.no_grad():
                function(*inputs)

        return forward
    inputs = [x.requires_grad_(learns) for x, learns in zip(inputs, job["learns"])]
    leaves = [x for x in inputs if x.requires_grad]
    upstream = torch.ones_like(function(*inputs))

    def forward_backward():
        torch.autograd.grad(function(*inputs), leaves, upstream)

    return forward_backward


def serve():
    torch.set_num_threads(int(sys.argv[1]))
    # What a compiler prints must not come between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr

    def answer(content):
        print(json.dumps(content), file=answers, flush=True)

    version = f"PyTorch {torch.__version__}, Python {platform.python_version()}"
    answer({"version": version})
    jobs = []
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            answer(prepare(request["prepare"], jobs))
        elif "run" in request:
            run = jobs[request["run"]]
            start = time.perf_counter()
            for _ in range(request["repeats"]):
                run()
            answer({"seconds": time.perf_counter() - start})
        else:
            jobs.clear()
            answer({})


def prepare(job, jobs):
    try:
        run = network.trainer(job) if "strategy" in job else operator(job)
        if run is None:
            return {}
        run()
    except Exception as error:  # what PyTorch cannot run is a result, not the end
        return {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
    jobs.append(run)
    return {"id": len(jobs) - 1}


if __name__ == "__main__":
    serve()
