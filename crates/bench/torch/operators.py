"""The operators of the benchmark in PyTorch, as its users write them.

Each function has the name of the Rust entry and takes what that takes: the logits (or values) `[rows, n]`, and what
stands beside them: one number per class (or a block of features), one per row, or nothing.
"""

import torch
import torch.nn.functional as F

TEMPERATURE = 0.5
POWER = 2.5
ENERGY_TEMPERATURE = 0.1
BUDGET = 8.0


def softmax(x, _):
    return torch.softmax(x / TEMPERATURE, -1)


def log_softmax(x, _):
    return torch.log_softmax(x, -1)


def gradual_argmax(v, _):
    won = 1 - (1 - v) ** POWER
    return torch.where(v == v.amax(-1, keepdim=True), won, v**POWER)


def normalised_gradual_argmax(v, _):
    gates = gradual_argmax(v, _)
    return gates / gates.sum(-1, keepdim=True)


def power_softmax(v, _):
    powers = v**POWER
    return powers / powers.sum(-1, keepdim=True)


def soft_argmax(x, _):
    index = torch.arange(x.shape[-1], dtype=x.dtype)
    return (torch.softmax(x, -1) * index).sum(-1, keepdim=True)


def soft_argmax_gather(x, v):
    return (torch.softmax(x, -1) * v).sum(-1, keepdim=True)


def soft_argmax_gather_hard(x, v):
    return (_straight_through(x, torch.softmax(x, -1)) * v).sum(-1, keepdim=True)


def blended_gather(x, v):
    soft = (torch.softmax(x, -1) * v).sum(-1, keepdim=True)
    hard = v.gather(-1, x.argmax(-1, keepdim=True))
    return hard.detach() + (soft - soft.detach())


def soft_argmax_gather_features(x, v):
    values = v.view(x.shape[0], x.shape[1], -1)
    return (torch.softmax(x, -1).unsqueeze(-1) * values).sum(1)


def argmax_gather(x, v):
    return v.gather(-1, x.argmax(-1, keepdim=True))


def argmax(x, _):
    return x.argmax(-1, keepdim=True)


def _straight_through(scores, soft):
    hard = torch.zeros_like(soft).scatter_(-1, scores.argmax(-1, keepdim=True), 1.0)
    return hard - soft.detach() + soft


def straight_through_argmax(x, _):
    return _straight_through(x, torch.softmax(x, -1))


def gumbel_softmax(x, _):
    return F.gumbel_softmax(x, tau=TEMPERATURE)


def gumbel_softmax_hard(x, _):
    return F.gumbel_softmax(x, tau=TEMPERATURE, hard=True)


def gumbel_softmax_with_noise(x, noise):
    return torch.softmax((x + noise) / TEMPERATURE, -1)


def gumbel_softmax_hard_with_noise(x, noise):
    scores = x + noise
    return _straight_through(scores, torch.softmax(scores / TEMPERATURE, -1))


def sample_log_prob_cost(x, cost):
    choice = torch.distributions.Categorical(logits=x, validate_args=False)
    return choice.log_prob(choice.sample()).unsqueeze(-1) * cost


def categorical_log_prob(x, _):
    given = torch.full((x.shape[0], 1), x.shape[1] // 2)
    return torch.log_softmax(x, -1).gather(-1, given)


def free_energy_loss(x, cost):
    joint = torch.log_softmax(x, -1) - cost / ENERGY_TEMPERATURE
    return -ENERGY_TEMPERATURE * torch.logsumexp(joint, -1, keepdim=True)


def _entmax():
    # The package is needed for these operators alone.
    import entmax

    return entmax


# Lengths of the partial sort, chosen without a search for the quickest.
SORTED_FOR_SPARSEMAX = 32
SORTED_FOR_ENTMAX15 = 64


def sparsemax(x, _):
    return _entmax().sparsemax(x, dim=-1)


def sparsemax_partial_sort(x, _):
    return _entmax().sparsemax(x, dim=-1, k=SORTED_FOR_SPARSEMAX)


def entmax15(x, _):
    return _entmax().entmax15(x, dim=-1)


def entmax15_partial_sort(x, _):
    return _entmax().entmax15(x, dim=-1, k=SORTED_FOR_ENTMAX15)


def entmax(x, _):
    return _entmax().entmax_bisect(x, alpha=1.25, dim=-1)


def budget(x, _):
    # Halves the bracket of the threshold as entmax_bisect does; the gradient is that of the last step.
    low = x.amin(-1, keepdim=True) - 1
    high = x.amax(-1, keepdim=True)
    with torch.no_grad():
        for _ in range(50):
            middle = (low + high) / 2
            more = (x - middle).clamp(0, 1).sum(-1, keepdim=True) > BUDGET
            low, high = torch.where(more, middle, low), torch.where(more, high, middle)
    inside = ((x > low) & (x < low + 1)).to(x.dtype)
    # The threshold moves with the mean of what lies between 0 and 1.
    mean = (x * inside).sum(-1, keepdim=True) / inside.sum(-1, keepdim=True).clamp(min=1)
    return (x - low - (mean - mean.detach())).clamp(0, 1)
