# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Five rules that move a weight
#
# Backpropagation tells the gradient of the loss for every weight; an optimizer decides what to do
# with it. Here you write one step of five optimizers. Each function takes the weights `w` and their
# gradients `dw` (arrays of the same shape, or single numbers) and what the rule remembers, and
# returns the new weights together with the new memory. The old ones stay as they are: your functions
# make new arrays.
#
# The grader calls each function several times in a row and hands its results back to it, the way a
# training loop does.

# %%
import numpy as np

# %% [markdown]
# ## 1. Gradient descent
#
# Against the gradient, as far as the learning rate says: $w - \eta \, dw$.

# %%
def sgd(w, dw, learning_rate=0.01):
    ### BEGIN SOLUTION
    return w - learning_rate * dw
    ### END SOLUTION

# %% [markdown]
# ## 2. Momentum
#
# The weight is a ball that rolls: its velocity $v$ keeps the share $\mu$ of what it was and is
# pushed downhill, $v' = \mu v - \eta \, dw$. Then the weight moves by the new velocity. Return both,
# the weights first.

# %%
def momentum(w, dw, v, learning_rate=0.01, mu=0.9):
    ### BEGIN SOLUTION
    v = mu * v - learning_rate * dw
    return w + v, v
    ### END SOLUTION

# %% [markdown]
# ## 3. Nesterov momentum
#
# The velocity changes as before, but the weight moves by $-\mu v + (1 + \mu) v'$, where $v$ is the
# velocity before the step and $v'$ the one after it.

# %%
def nesterov(w, dw, v, learning_rate=0.01, mu=0.9):
    ### BEGIN SOLUTION
    before = v
    v = mu * v - learning_rate * dw
    return w - mu * before + (1 + mu) * v, v
    ### END SOLUTION

# %% [markdown]
# ## 4. Adagrad
#
# Each weight has a learning rate of its own: the sum of its squared gradients so far is its
# `memory`, and its step is divided by the root of that sum, plus $10^{-7}$ so that nothing is ever
# divided by zero. The gradient of this step counts already. Return weights and memory.

# %%
def adagrad(w, dw, memory, learning_rate=0.01):
    ### BEGIN SOLUTION
    memory = memory + dw**2
    return w - learning_rate * dw / (np.sqrt(memory) + 1e-7), memory
    ### END SOLUTION

# %% [markdown]
# ## 5. RMSProp
#
# Adagrad's memory only grows, so its steps only shrink. RMSProp forgets: of the memory, the share
# `decay` stays, and the rest is the squared gradient of this step. All else is as before.

# %%
def rmsprop(w, dw, memory, learning_rate=0.01, decay=0.9):
    ### BEGIN SOLUTION
    memory = decay * memory + (1 - decay) * dw**2
    return w - learning_rate * dw / (np.sqrt(memory) + 1e-7), memory
    ### END SOLUTION

# %% [markdown]
# ## 6. Try them
#
# The loss $w^2$ has the gradient $2w$ and its minimum at zero. Start each rule at $w = 1$ and look
# at where ten steps lead.

# %%
w, v = 1.0, 0.0
for step in range(10):
    w, v = momentum(w, 2 * w, v, learning_rate=0.1)
    print(f"step {step + 1}: {w:.4f}")
