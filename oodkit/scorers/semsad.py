"""Semantic similarity of an image and its nearest neighbour (Rafiee et al., 2020), on embeddings."""

from dataclasses import fields

import torch
from torch import Tensor

from oodkit.checkpoints import checkpoints_of
from oodkit.clustering.own_neighbours import nearest_others
from oodkit.errors import TooFewSamples
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_flag, check_integer, check_number, check_positive, check_seed
from oodkit.scorers.discriminator import Discriminator, Pairs, train_discriminator
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.principal_space import PrincipalSpace
from oodkit.scorers.rows import floating
from oodkit.scorers.unit_rows import unit_rows

LEAST_ROWS = 8
NEAR = 2, 16  # near negatives are the 2 n-th to the 16 n-th nearest others, where n are neighbours
HELD_OUT = 0.1  # of the fit rows, whose pairs say when to stop
_ANCHORS = 4096  # rows that the scores are standardised on, at most


class SemSAD(Scorer):
    """Log-odds that an image and its nearest fit row are two views of one thing; any number.

    A discriminator learns to tell pairs of an image and a mild view of it, or a near neighbour, from pairs of an image
    and a strong view of another, or an image that is near but no near neighbour:

        x_nn = fit row of largest cosine with x
        score(x) = z(x_nn, x),   z(u, v) = log p(u, v | positive pair) - log p(u, v | negative pair)

    With k above 1, it is the mean over the k nearest fit rows. The discriminator works on unit rows in the principal
    space of the fit rows, through phi(u, v) = [u, v, |u - v|, u v] and two hidden layers. A tenth of the fit rows is
    held out of its training: where the loss of their pairs stops falling, so does training. No class labels and no
    images of other sets are used.

    Parameters
    ----------
    k : int, default 4
        Neighbours that the score is a mean over; 1 in the paper.
    neighbours : int, default 4
        A positive pair of neighbours is a fit row and one of so many nearest others.
    neighbour_share : float, default 0.5
        Share of the positive pairs that are neighbours, the others are an image and a mild view; 0.03125 in the paper.
    near_share : float, default 0.5
        Share of the negative pairs that are near: a fit row and one of its nearest others, from 2 to 16 times as
        far down the list as `neighbours`; the rest are an image and a strong view of any other one. 0 in the paper.
    add_cosine : bool, default True
        Add the mean cosine of the neighbours; both are divided by their standard deviation over fit rows, each judged
        by the others. False in the paper.
    components : int, default 128
        Principal directions that the discriminator sees, at most as many as there are.
    whiten : bool, default False
        Divide each direction by its standard deviation; else all by one number.
    mild_views : int, default 1
        Draws of the mild view that pairs are made of; each costs an embedding of every fit image.
    strong_views : int, default 1
        The same of the strong view.
    hidden : int, default 128
        Units of each hidden layer.
    epochs : int, default 20
        Passes over the fit rows, at most.
    patience : int, default 5
        Epochs to wait for a lower loss of held-out pairs.
    batch_size : int, default 512
        Positive pairs of a step; as many negative ones.
    learning_rate : float, default 1e-3
        Of AdamW: the peak of a warm-up and half a cosine.
    weight_decay : float, default 1e-2
        Of AdamW, for weights alone.
    transductive : bool, default False
        Normalise hidden units by mean and variance over all rows that are scored in one call, as the published code
        does over a whole test set, so that a score depends on the rows beside it. Such figures say whether sets differ,
        not whether an image does: compare them with nothing else.
    seed : int, default 0
        Of initial weights, held-out rows and all draws.

    Attributes
    ----------
    bank_ : (N, D) tensor
        Fit rows of length 1.
    bank_space_ : (N, d) tensor
        The same in the principal space.
    centre_, basis_ : (D,) and (D, d) tensors
        From unit rows to that space.
    weight1_, gain1_, shift1_, weight2_, gain2_, shift2_, weight3_, bias3_ : tensors
        The discriminator.
    units_ : (2,) tensor
        Standard deviations of log-odds and cosines over fit rows.
    losses_ : list of float
        Loss of held-out pairs after each epoch.

    Raises
    ------
    TooFewSamples
        Fewer than 8 fit rows, or no more than k or `neighbours`.
    InvalidInput
        Parameters out of range, or a loss that is no finite number.

    Notes
    -----
    The paper trains an encoder for the neighbour search and a discriminator on pixels, from scratch, on the
    in-distribution images. Here both see embeddings of a frozen backbone, so the discriminator learns which of the
    backbone's differences matter and can see nothing that the backbone does not. One output stands for the paper's 64
    copies, whose mean it is. The paper's discriminator normalises by batch statistics at test time, in batches of
    either in-distribution or OOD images: figures in the paper are therefore no measure of this scorer, which has
    layer normalisation unless `transductive` is set.

    References
    ----------
    N. Rafiee, R. Gholamipoor, M. Kollmann: Unsupervised Anomaly Detection From Semantic Similarity Scores. 2020,
    arXiv 2012.00461.
    """

    needs = frozenset({Need.VIEWS})

    bank_: Tensor
    bank_space_: Tensor
    centre_: Tensor
    basis_: Tensor
    units_: Tensor
    losses_: list[float]

    def __init__(
        self,
        k: int = 4,
        neighbours: int = 4,
        neighbour_share: float = 0.5,
        near_share: float = 0.5,
        add_cosine: bool = True,
        components: int = 128,
        whiten: bool = False,
        mild_views: int = 1,
        strong_views: int = 1,
        hidden: int = 128,
        epochs: int = 20,
        patience: int = 5,
        batch_size: int = 512,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        transductive: bool = False,
        seed: int = 0,
    ) -> None:
        self.k = k
        self.neighbours = neighbours
        self.neighbour_share = neighbour_share
        self.near_share = near_share
        self.add_cosine = add_cosine
        self.components = components
        self.whiten = whiten
        self.mild_views = mild_views
        self.strong_views = strong_views
        self.hidden = hidden
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.transductive = transductive
        self.seed = seed

    @property
    def inductive(self) -> bool:  # type: ignore[override]
        """Whether a score depends on its own row only."""
        return not self.transductive

    def view_names(self) -> tuple[str, ...]:
        """Mild views, then strong ones."""
        kinds = {"mild": self.mild_views, "strong": self.strong_views}
        counts = {kind: check_integer(f"{kind}_views", count, 1) for kind, count in kinds.items()}
        return tuple(f"{kind}{i}" for kind, count in counts.items() for i in range(1, count + 1))

    def _fit(self, train: Train) -> None:
        self._check_parameters(len(train.features))
        assert train.views is not None
        generator = torch.Generator().manual_seed(int(self.seed))
        self.bank_ = Bank.of(floating(train.features)).rows
        space = PrincipalSpace.of(self.bank_, int(self.components), bool(self.whiten))
        self.centre_, self.basis_ = space.centre, space.basis
        self.bank_space_ = self._in_space(self.bank_)
        seen = torch.stack([self._in_space(unit_rows(floating(view)).to(self.bank_)) for view in train.views])
        last = min(NEAR[1] * int(self.neighbours), len(self.bank_) - 1)
        near = nearest_others(self.bank_, max(last, int(self.k)))
        pairs = _Pairs(
            self.bank_space_,
            seen[: self.mild_views],
            seen[self.mild_views :],
            near[:, : self.neighbours],
            near[:, min(NEAR[0] * int(self.neighbours), last - 1) : last],
            float(self.neighbour_share),
            float(self.near_share),
        )
        order = torch.randperm(len(self.bank_), generator=generator)
        held = max(2, round(HELD_OUT * len(order)))
        out, rest = order[:held], order[held:]
        discriminator = Discriminator.drawn(self.bank_space_.shape[1], int(self.hidden), generator)
        size = min(int(self.batch_size), len(rest))
        self.losses_ = train_discriminator(
            discriminator,
            lambda generator: pairs.draw(rest[torch.randint(len(rest), (size,), generator=generator)], rest, generator),
            pairs.draw(out.repeat(4), out, generator),
            epochs=int(self.epochs),
            steps=-(-len(rest) // size),
            patience=int(self.patience),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            generator=generator,
            checkpoints=checkpoints_of("semsad", self.get_params(), train.features, train.views),
            batch_statistics=bool(self.transductive),
        )
        for part in fields(Discriminator):
            setattr(self, f"{part.name}_", getattr(discriminator, part.name))
        self.units_ = torch.ones(2)
        if self.add_cosine:
            self._fit_units(order[:_ANCHORS], near)
        if self.transductive:
            self.notes_.append(
                "transductive: a score depends on the rows that are scored with it, so these figures tell whole sets "
                "apart, not images, and are not comparable with others"
            )

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        rows = unit_rows(x)
        cosines, places = Bank(self.bank_).nearest(rows, int(self.k))
        z = self._log_odds(places, self._in_space(rows))
        if not self.add_cosine:
            return z
        log_odds_unit, cosine_unit = self.units_.to(x.dtype)
        scores: Tensor = z / log_odds_unit + cosines.mean(dim=1) / cosine_unit
        return scores

    def _log_odds(self, places: Tensor, rows: Tensor) -> Tensor:
        """Mean log-odds (B,) of rows (B, d) of the space and their neighbours (B, k) in the bank."""
        discriminator = Discriminator(*(getattr(self, f"{part.name}_") for part in fields(Discriminator)))
        first = self.bank_space_.to(rows.dtype)[places.flatten()]
        second = rows[:, None].expand(-1, places.shape[1], -1).flatten(0, 1)
        z = discriminator.log_odds(first, second, bool(self.transductive))
        return z.view(places.shape).mean(dim=1)

    def _in_space(self, rows: Tensor) -> Tensor:
        return PrincipalSpace(self.centre_, self.basis_).of_rows(rows)

    def _fit_units(self, rows: Tensor, near: Tensor) -> None:
        """Standard deviations of both parts of the score over fit rows, each judged by the others."""
        places = near[rows, : self.k]
        z = self._log_odds(places, self.bank_space_[rows])
        cosines = (self.bank_[places] @ self.bank_[rows][:, :, None])[..., 0].mean(dim=1)
        units = torch.stack([z.std(), cosines.std()])
        self.units_ = torch.where(units > 0, units, torch.ones_like(units))

    def _check_parameters(self, count: int) -> None:
        for name in ("k", "neighbours", "components", "hidden", "epochs", "patience"):
            check_integer(name, getattr(self, name), 1)
        check_integer("batch_size", self.batch_size, 2)
        for name in ("neighbour_share", "near_share"):
            check_number(name, getattr(self, name), "a share from 0 to 1", lambda share: 0 <= share <= 1)
        check_positive("learning_rate", self.learning_rate)
        check_number("weight_decay", self.weight_decay, "a number of at least 0", lambda number: number >= 0)
        for name in ("add_cosine", "whiten", "transductive"):
            check_flag(name, getattr(self, name))
        check_seed(self.seed)
        least = max(LEAST_ROWS, int(self.k) + 1, int(self.neighbours) + 1)
        if count < least:
            raise TooFewSamples(
                f"k={self.k} and neighbours={self.neighbours} need at least {least} fit samples, got {count}"
            )


class _Pairs:
    """Positive and negative pairs of the fit rows.

    Args:
        bank: (N, d) the images.
        mild, strong: (V, N, d) their views.
        nearest: (N, n) places of their nearest others.
        near: (N, m) places of others that are near and not among these.
        nearest_share: of the positive pairs that are neighbours.
        near_share: of the negative pairs that are near.
    """

    def __init__(
        self,
        bank: Tensor,
        mild: Tensor,
        strong: Tensor,
        nearest: Tensor,
        near: Tensor,
        nearest_share: float,
        near_share: float,
    ) -> None:
        self.bank, self.mild, self.strong = bank, mild, strong
        self.nearest, self.near, self.nearest_share, self.near_share = nearest, near, nearest_share, near_share

    def draw(self, anchors: Tensor, pool: Tensor, generator: torch.Generator) -> tuple[Pairs, Pairs]:
        """A positive and a negative pair for each anchor.

        Args:
            anchors: (B,) places in the bank, all of the pool.
            pool: (P,) places that negatives are of, P >= 2.
            generator: to draw from.
        """
        count = len(anchors)

        def below(high: int) -> Tensor:
            return torch.randint(high, (count,), generator=generator)

        def either(share: float, one: Tensor, other: Tensor) -> Tensor:
            return torch.where((torch.rand(count, generator=generator) < share)[:, None], one, other)

        neighbour = self.bank[self.nearest[anchors, below(self.nearest.shape[1])]]
        second = either(self.nearest_share, neighbour, self.mild[below(len(self.mild)), anchors])
        place = torch.empty(len(self.bank), dtype=torch.int64).index_put((pool,), torch.arange(len(pool)))
        other = pool[(place[anchors] + 1 + below(len(pool) - 1)) % len(pool)]  # never the anchor itself
        near = self.bank[self.near[anchors, below(self.near.shape[1])]]
        negative = either(self.near_share, near, self.strong[below(len(self.strong)), other])
        first = self.bank[anchors]
        return (first, second), (first, negative)
