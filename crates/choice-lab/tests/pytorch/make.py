"""Writes the weight files of this folder, and what PyTorch answers with them.

    pip install torch safetensors numpy
    python make.py

`network.safetensors` and `network.pt` hold the same state dict, and so does `combined_network_best.pt`, whose name has the
length that a zip reader fails on; `checkpoint.pt` has it beside an optimiser's state, with prefixes; `inputs.csv` holds the
inputs, `expected.csv` the class, its probability and its value for each of them.
"""

import csv
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

FEATURES, HIDDEN, CLASSES, ROWS = 4, 16, 3, 64
HERE = Path(__file__).parent


class CombinedNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.classifier_fc1 = nn.Linear(FEATURES, HIDDEN)
        self.classifier_fc2 = nn.Linear(HIDDEN, CLASSES)
        self.regression_fc = nn.Linear(FEATURES, CLASSES)

    def forward(self, x):
        logits = self.classifier_fc2(torch.relu(self.classifier_fc1(x)))
        probability, chosen = logits.softmax(dim=1).max(dim=1)
        value = self.regression_fc(x).gather(1, chosen.unsqueeze(1)).squeeze(1)
        return chosen, probability, value


def write(name, header, rows):
    with open(HERE / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


torch.manual_seed(0)
network = CombinedNetwork()
with torch.no_grad():
    # Weights as large as training makes them, so that every class is chosen and a transposed matrix would show.
    for parameter in network.parameters():
        parameter.mul_(3)
    inputs = torch.randn(ROWS, FEATURES)
    chosen, probability, value = network(inputs)
assert len(chosen.unique()) == CLASSES

state = {name: tensor.detach().contiguous() for name, tensor in network.state_dict().items()}
save_file(state, HERE / "network.safetensors")
torch.save(state, HERE / "network.pt")
torch.save(state, HERE / "combined_network_best.pt")
wrapped = {f"module.{name}": tensor for name, tensor in state.items()}
optimizer = {"exp_avg": {f"x.{name}": tensor for name, tensor in state.items()}}
torch.save({"epoch": 3, "model_state_dict": wrapped, "optimizer": optimizer}, HERE / "checkpoint.pt")
write("inputs.csv", [f"x{i + 1}" for i in range(FEATURES)], inputs.tolist())
columns = (chosen.tolist(), probability.tolist(), value.tolist())
write("expected.csv", ["class", "probability", "value"], zip(*columns))
