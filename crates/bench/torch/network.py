"""The combined network of the example in PyTorch: the same sizes, batches, optimiser and training costs."""

import torch
import torch.nn.functional as F
from torch import nn

ROWS = 4096
BATCH = 128
HIDDEN = 32
RATE = 0.01
ENERGY_TEMPERATURE = 0.1


class CombinedNetwork(nn.Module):
    """A classifier that picks, a regression layer that is picked from."""

    def __init__(self, features, classes):
        super().__init__()
        self.classifier = nn.Sequential(nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, classes))
        self.regression = nn.Linear(features, classes)

    def forward(self, x):
        return self.classifier(x), self.regression(x)


def at(x, index):
    return x.gather(-1, index)


def picked(gate, values, targets):
    return ((gate * values).sum(-1, keepdim=True) - targets).square()


def sampled(logits, count=1):
    """Classes drawn by the Gumbel-max trick, `[rows, count]`."""
    noise = -torch.empty(logits.shape[0], count, logits.shape[1]).exponential_().log()
    return (logits.detach().unsqueeze(1) + noise).argmax(-1)


def surrogate(logits, values, targets, index, baseline):
    """The cost of drawn classes, with the score function's gradient."""
    cost = (at(values, index) - targets).square()
    log_prob = at(torch.log_softmax(logits, -1), index)
    advantage = (cost - baseline(cost)).detach()
    return cost + (log_prob - log_prob.detach()) * advantage


def soft_argmax_gather(logits, values, targets, state):
    return picked(torch.softmax(logits, -1), values, targets)


def straight_through(logits, values, targets, state):
    soft = torch.softmax(logits, -1)
    hard = torch.zeros_like(soft).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    return picked(hard - soft.detach() + soft, values, targets)


def gradual(logits, values, targets, state):
    v = torch.softmax(logits, -1)
    won = 1 - (1 - v) ** 2.5
    gate = torch.where(v == v.amax(-1, keepdim=True), won, v**2.5)
    return picked(gate / gate.sum(-1, keepdim=True), values, targets)


def score_function(logits, values, targets, state):
    return surrogate(logits, values, targets, sampled(logits), torch.zeros_like)


def score_function_moving(logits, values, targets, state):
    def baseline(cost):
        mean = cost.detach().mean()
        old = state.get("mean", torch.zeros(()))
        state["mean"] = 0.99 * old + 0.01 * mean if "mean" in state else mean
        return old

    return surrogate(logits, values, targets, sampled(logits), baseline)


def score_function_leave_one_out(logits, values, targets, state):
    def baseline(cost):
        return (cost.sum(-1, keepdim=True) - cost) / (cost.shape[-1] - 1)

    return surrogate(logits, values, targets, sampled(logits, 4), baseline)


def score_function_greedy_baseline(logits, values, targets, state):
    def baseline(cost):
        return (at(values, logits.argmax(-1, keepdim=True)) - targets).square()

    return surrogate(logits, values, targets, sampled(logits), baseline)


def expected_cost(logits, values, targets, state):
    return (torch.softmax(logits, -1) * (values - targets).square()).sum(-1, keepdim=True)


def free_energy(logits, values, targets, state):
    joint = torch.log_softmax(logits, -1) - (values - targets).square() / ENERGY_TEMPERATURE
    return -ENERGY_TEMPERATURE * torch.logsumexp(joint, -1, keepdim=True)


def hard_argmax_gather(logits, values, targets, state):
    soft = (torch.softmax(logits, -1) * values).sum(-1, keepdim=True)
    hard = at(values, logits.argmax(-1, keepdim=True))
    return (hard.detach() + (soft - soft.detach()) - targets).square()


def straight_through_sample(logits, values, targets, state):
    soft = torch.softmax(logits, -1)
    hard = torch.zeros_like(soft).scatter_(-1, sampled(logits), 1.0)
    return picked(hard - soft.detach() + soft, values, targets)


def gumbel(temperature, hard):
    def cost(logits, values, targets, state):
        return picked(F.gumbel_softmax(logits, tau=temperature, hard=hard), values, targets)

    return cost


def reinmax(temperature):
    """Forward a sample; backward twice the gradient of the mean of sample and softmax, less half the softmax's."""

    def cost(logits, values, targets, state):
        index = sampled(logits)
        sample = torch.zeros_like(logits).scatter_(-1, index, 1.0)
        mixed = (sample + torch.softmax(logits / temperature, -1)) / 2
        second = torch.softmax((mixed.log() - logits).detach() + logits, -1)
        surrogate = 2 * second - torch.softmax(logits, -1) / 2
        return picked(sample - surrogate.detach() + surrogate, values, targets)

    return cost


def soft_index(logits, values, targets, state):
    index = torch.arange(logits.shape[-1], dtype=logits.dtype)
    place = (torch.softmax(logits, -1) * index).sum(-1, keepdim=True)
    low = place.detach().floor().long().clamp(max=logits.shape[-1] - 2)
    share = place - low
    return (at(values, low) * (1 - share) + at(values, low + 1) * share - targets).square()


def score_function_batch(logits, values, targets, state):
    def baseline(cost):
        return (cost.sum(0, keepdim=True) - cost) / (cost.shape[0] - 1)

    return surrogate(logits, values, targets, sampled(logits), baseline)


def winner_takes_all(logits, values, targets, state):
    cost, index = (values - targets).square().min(-1, keepdim=True)
    return cost - at(torch.log_softmax(logits, -1), index)


def with_entropy(cost):
    def both(logits, values, targets, state):
        log_probs = torch.log_softmax(logits, -1)
        return cost(logits, values, targets, state) + 0.1 * (log_probs.exp() * log_probs).sum(-1, keepdim=True)

    return both


STRATEGIES = {
    "auto": free_energy,
    "soft-argmax-gather": soft_argmax_gather,
    "soft-argmax-gather-annealed": soft_argmax_gather,
    "hard-argmax-gather": hard_argmax_gather,
    "straight-through": straight_through,
    "straight-through-sample": straight_through_sample,
    "gumbel-hard": gumbel(1.0, True),
    "gumbel-hard-cold": gumbel(0.5, True),
    "gumbel-hard-warm": gumbel(2.0, True),
    "gumbel-hard-entropy": with_entropy(gumbel(1.0, True)),
    "gumbel-soft": gumbel(0.5, False),
    "reinmax": reinmax(1.0),
    "reinmax-warm": reinmax(1.3),
    "reinmax-hot": reinmax(2.0),
    "reinmax-entropy": with_entropy(reinmax(1.3)),
    "gradual": gradual,
    "soft-index": soft_index,
    "soft-index-cold": soft_index,
    "score-function": score_function,
    "score-function-moving": score_function_moving,
    "score-function-batch": score_function_batch,
    "score-function-batch-entropy": with_entropy(score_function_batch),
    "score-function-leave-one-out": score_function_leave_one_out,
    "score-function-leave-one-out-entropy": with_entropy(score_function_leave_one_out),
    "score-function-greedy-baseline": score_function_greedy_baseline,
    "expected-cost": expected_cost,
    "expected-cost-entropy": with_entropy(expected_cost),
    "free-energy": free_energy,
    "winner-takes-all": winner_takes_all,
}


def trainer(job):
    """A function that runs one training step, minibatch included; None for a strategy that is not here."""
    cost = STRATEGIES.get(job["strategy"])
    if cost is None:
        return None
    torch.manual_seed(1)
    inputs, targets = torch.randn(ROWS, job["features"]), torch.randn(ROWS, 1)
    model = CombinedNetwork(job["features"], job["classes"])
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE, fused=job["fused_adam"])
    state = {}

    def step():
        rows = torch.randint(ROWS, (BATCH,))
        logits, values = model(inputs[rows])
        loss = cost(logits, values, targets[rows], state).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step
