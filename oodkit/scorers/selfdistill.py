"""Self-distillation with shifted negatives (Rafiee et al., ICANN 2022), on embeddings."""

from dataclasses import fields
from typing import Literal

import torch
from torch import Tensor

from oodkit.checkpoints import checkpoints_of
from oodkit.clustering.own_neighbours import nearest_others
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import (
    check_choice,
    check_flag,
    check_integer,
    check_number,
    check_positive,
    check_seed,
)
from oodkit.scorers.distillation import Settings, distil
from oodkit.scorers.distillation_crops import Crops, Images
from oodkit.scorers.distillation_head import DistillationHead
from oodkit.scorers.distilled_scores import bank_score, uniformity
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.principal_space import PrincipalSpace
from oodkit.scorers.rows import floating
from oodkit.scorers.shifts import shift_names, shift_views
from oodkit.scorers.train import HOW_TO_GIVE
from oodkit.scorers.unit_rows import unit_rows

Negatives = Literal["auto", "own", "aux", "both"]
Score = Literal["bank", "uniformity", "sum"]

LEAST_ROWS = 8
HELD_OUT = 0.1  # of the fit rows, whose crops say when to stop
ROWS_PER_OUTPUT = 20  # fit rows that an output of the head should have at least
REPEATS = 2  # times that each held-out row is drawn crops of


class SelfDistill(Scorer):
    """How familiar an image is to a head that was distilled from itself, with shifted images as negatives.

    A student head learns to answer on one view of an image what its moving average, the teacher, answers on another,
    and to give all outputs the same probability on negatives: shifted views of the fit images, whose parts are those of
    the images and whose whole is not, or images of an auxiliary set.

        loss = cross-entropy(teacher, student) on positive views + weight cross-entropy(uniform, student) on negatives
        bank = T log mean_i exp(cos(f(x), f_i) / T),  f = the teacher's code of length 1, T = temperature
        uniformity = log K - entropy(q(x)),            q = the teacher's probabilities of its K outputs

    The bank score lies in [-1, 1], the uniformity score in [0, log K]. Where scores are added, each is standardised on
    fit rows that were held out of the training. The head works on unit rows in the principal space of the fit rows. A
    tenth of the fit rows is held out: where the loss of their views stops falling, so does training. No class labels
    are used, and no images of other sets but the auxiliary one.

    Parameters
    ----------
    score : "bank", "uniformity" or "sum", default "bank"
        What of the head is scored.
    add_cosine : bool, default True
        Add the largest cosine with a fit row, before the head, to the score; both are then standardised on held-out
        rows. False in the paper.
    shift : str, default "rotate90"
        Transformation of negatives: rotate (by 90, 180 and 270 degrees), rotate90, rotate180, rotate270, rotate_any,
        patches2, patches4 (patches of a 2 x 2 or 4 x 4 grid in another order), pixels; several as "rotate90+patches2".
    shift_draws : int, default 1
        Draws of each transformation that is random; each costs an embedding of every fit image.
    negatives : "auto", "own", "aux" or "both", default "auto"
        Of the fit images, of the auxiliary set, or an equal share of each; "auto" is both where there is an auxiliary
        set, else own.
    shift_aux : bool, default True
        Take shifted views of the auxiliary images too; else these images as they are.
    weak_views : int, default 1
        Mild views of each fit image that are positives, besides the image as it is.
    local_views : int, default 0
        Small crops of each fit image that the student alone sees.
    neighbours : int, default 4
        A positive pair of neighbours is a fit row and one of so many nearest others.
    neighbour_share : float, default 0.5
        Share of the positive pairs that are neighbours, the others are views of one image; 0 in the paper.
    weight : float, default 1.0
        Of the negatives.
    temperature : float, default 0.04
        T of the bank score.
    k : int or None, default None
        Nearest fit rows that the mean of the bank score is over; None for all.
    components : int, default 128
        Principal directions that the head sees, at most as many as there are.
    whiten : bool, default False
        Divide each direction by its standard deviation; else all by one number.
    outputs : int, default 512
        K; lowered to a twentieth of the number of fit rows where that is less.
    hidden : int, default 512
        Units of the hidden layer.
    code : int, default 256
        Length of the code.
    teacher_temperature : float, default 0.04
        Of the teacher's probabilities at the first step; the student's is 0.1.
    last_teacher_temperature : float, default 0.02
        The same at the last step; it changes evenly.
    momentum : float, default 0.996
        Of the teacher at the first step; it rises to 1.
    epochs : int, default 12
        Passes over the fit rows, at most.
    patience : int, default 5
        Epochs to wait for a lower loss of held-out views.
    batch_size : int, default 512
        Images of a step.
    learning_rate : float, default 1e-3
        Of AdamW, at the peak of a warm-up and half a cosine.
    weight_decay : float, default 0.04
        Of AdamW, on the layers' weights.
    seed : int, default 0
        Of initial weights, held-out rows and all draws.

    Attributes
    ----------
    codes_ : (N, c) tensor
        The teacher's codes of the fit rows.
    bank_ : (N, D) tensor
        Fit rows of length 1, where the cosine is added.
    centre_, basis_ : (D,) and (D, d) tensors
        From unit rows to the principal space.
    weight1_, bias1_, weight2_, bias2_, weight3_, gain3_ : tensors
        The teacher.
    logit_centre_ : (K,) tensor
        What is taken from the teacher's logits.
    means_, units_ : (3,) tensors
        Mean and standard deviation of bank score, uniformity score and cosine over held-out rows.
    losses_ : list of float
        Loss of held-out views after each epoch.

    Raises
    ------
    TooFewSamples
        Fewer than 8 fit rows, or fewer than k.
    InvalidInput
        Parameters out of range, an auxiliary set that is asked for and missing, or a loss that is no finite number.

    Notes
    -----
    The paper trains a vision transformer with its head from scratch and scores the transformer's own features. Here the
    backbone is frozen and its features would not know what was learned, so the head is scored: a small transformation
    of what the backbone sees, and blind to what it does not. Each step draws one pair of views per image, where the
    paper's has 2 large and 8 small crops. The centre is the mean of all positive crops of a step; the released code
    averages the first two rows alone. Neighbours as positives, the principal space and the two further scores are not
    in the paper. On the bundled backbone's embeddings of CIFAR-100 the head raises the AUROC of the cosine against
    CIFAR-10, whose classes are near, and lowers it against sets that look unlike: compare with `knn` before it is used.
    `oodkit sensitivity` ranks transformations without OOD images.

    References
    ----------
    N. Rafiee, R. Gholamipoor, N. Adaloglou, S. Jaxy, J. Ramakers, M. Kollmann: Self-Supervised Anomaly Detection by
    Self-Distillation and Negative Sampling. ICANN 2022, arXiv 2201.06378.
    """

    needs = frozenset({Need.VIEWS})
    optional = frozenset({Need.AUX})

    codes_: Tensor
    bank_: Tensor
    centre_: Tensor
    basis_: Tensor
    logit_centre_: Tensor
    means_: Tensor
    units_: Tensor
    losses_: list[float]

    def __init__(
        self,
        score: Score = "bank",
        add_cosine: bool = True,
        shift: str = "rotate90",
        shift_draws: int = 1,
        negatives: Negatives = "auto",
        shift_aux: bool = True,
        weak_views: int = 1,
        local_views: int = 0,
        neighbours: int = 4,
        neighbour_share: float = 0.5,
        weight: float = 1.0,
        temperature: float = 0.04,
        k: int | None = None,
        components: int = 128,
        whiten: bool = False,
        outputs: int = 512,
        hidden: int = 512,
        code: int = 256,
        teacher_temperature: float = 0.04,
        last_teacher_temperature: float = 0.02,
        momentum: float = 0.996,
        epochs: int = 12,
        patience: int = 5,
        batch_size: int = 512,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.04,
        seed: int = 0,
    ) -> None:
        self.score = score
        self.add_cosine = add_cosine
        self.shift = shift
        self.shift_draws = shift_draws
        self.negatives = negatives
        self.shift_aux = shift_aux
        self.weak_views = weak_views
        self.local_views = local_views
        self.neighbours = neighbours
        self.neighbour_share = neighbour_share
        self.weight = weight
        self.temperature = temperature
        self.k = k
        self.components = components
        self.whiten = whiten
        self.outputs = outputs
        self.hidden = hidden
        self.code = code
        self.teacher_temperature = teacher_temperature
        self.last_teacher_temperature = last_teacher_temperature
        self.momentum = momentum
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.seed = seed

    def view_names(self) -> tuple[str, ...]:
        """Mild views, local crops, then shifted views."""
        self._check_views()
        mild = [f"mild{draw}" for draw in range(1, int(self.weak_views) + 1)]
        local = [f"local{draw}" for draw in range(1, int(self.local_views) + 1)]
        return (*mild, *local, *(() if self.negatives == "aux" else self._shifted()))

    @property
    def wants_aux(self) -> bool:
        """Where negatives are taken from one."""
        return self.negatives in ("aux", "both")

    def aux_view_names(self) -> tuple[str, ...]:
        """Shifted views of the auxiliary images, if these are used."""
        self._check_views()
        return self._shifted() if self.shift_aux and self.negatives != "own" else ()

    def _fit(self, train: Train) -> None:
        self._check_parameters(len(train.features))
        assert train.views is not None
        generator = torch.Generator().manual_seed(int(self.seed))
        bank = Bank.of(floating(train.features)).rows
        space = PrincipalSpace.of(bank, int(self.components), bool(self.whiten))
        self.centre_, self.basis_ = space.centre, space.basis
        clean = space.of_rows(bank)
        seen = torch.stack([space.of_rows(unit_rows(view).to(clean)) for view in train.views])
        aux = self._aux_crops(train, space)
        order = torch.randperm(len(bank), generator=generator)
        held = max(2, round(HELD_OUT * len(order)))
        out, rest = order[:held], order[held:]
        of_rest, of_out = (self._images(bank, clean, seen, aux, rows) for rows in (rest, out))
        outputs = min(int(self.outputs), max(2, len(bank) // ROWS_PER_OUTPUT))
        student = DistillationHead.drawn(clean.shape[1], int(self.hidden), int(self.code), outputs, generator)
        size = min(int(self.batch_size), len(rest))
        held_out = of_out.draw(torch.arange(held).repeat(REPEATS), generator)
        settings = Settings(
            epochs=int(self.epochs),
            steps=-(-len(rest) // size),
            patience=int(self.patience),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            teacher_temperatures=(self.teacher_temperature, self.last_teacher_temperature),
            momentum=self.momentum,
            weight=self.weight,
        )

        def draw(generator: torch.Generator) -> Crops:
            return of_rest.draw(torch.randint(len(rest), (size,), generator=generator), generator)

        checkpoints = checkpoints_of("selfdistill", self.get_params(), train.features, train.views, train.aux)
        found = distil(student, draw, held_out, settings, generator, checkpoints)
        for name, part in found.teacher.tensors().items():
            setattr(self, f"{name}_", part)
        self.logit_centre_, self.losses_ = found.centre, found.losses
        self._standardise(bank, rest, out)
        self.codes_ = self._head().codes(clean)
        if self.add_cosine:
            self.bank_ = bank

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        rows = unit_rows(x)
        space = PrincipalSpace(self.centre_, self.basis_)
        parts = self._parts(space.of_rows(rows), self.codes_)
        if self.score != "sum" and not self.add_cosine:
            return parts["bank" if self.score == "bank" else "uniformity"]
        if self.add_cosine:
            parts["cosine"] = Bank(self.bank_).nearest(rows, 1)[0][:, 0]
        means, units = self.means_.to(x.dtype), self.units_.to(x.dtype)
        places = {"bank": 0, "uniformity": 1, "cosine": 2}
        return sum(
            ((part - means[places[name]]) / units[places[name]] for name, part in parts.items()), rows.new_zeros(len(x))
        )

    def _parts(self, rows: Tensor, codes: Tensor) -> dict[str, Tensor]:
        """Bank and uniformity score of rows (B, d) of the space, as far as they are asked for."""
        head = self._head()
        queries = head.codes(rows)
        parts = {}
        if self.score in ("bank", "sum"):
            parts["bank"] = bank_score(Bank(codes), queries, self.temperature, self.k)
        if self.score in ("uniformity", "sum"):
            parts["uniformity"] = uniformity(
                head.outputs(queries), self.logit_centre_.to(rows.dtype), self.last_teacher_temperature
            )
        return parts

    def _standardise(self, bank: Tensor, rest: Tensor, out: Tensor) -> None:
        """Mean and standard deviation of each part of the score over held-out rows, judged by the others."""
        self.means_, self.units_ = torch.zeros(3), torch.ones(3)
        space = PrincipalSpace(self.centre_, self.basis_)
        parts = self._parts(space.of_rows(bank[out]), self._head().codes(space.of_rows(bank[rest])))
        parts["cosine"] = Bank(bank[rest]).nearest(bank[out], 1)[0][:, 0]
        for place, name in enumerate(("bank", "uniformity", "cosine")):
            if name in parts:
                self.means_[place] = parts[name].mean()
                spread = float(parts[name].std())
                self.units_[place] = spread if spread > 0 else 1.0

    def _images(self, bank: Tensor, clean: Tensor, seen: Tensor, aux: Tensor | None, rows: Tensor) -> Images:
        mild, local = int(self.weak_views), int(self.local_views)
        sets = [] if self._mode(aux is not None) == "aux" else [seen[mild + local :, rows]]
        near = None
        if self.neighbour_share > 0 and len(rows) > 1:
            near = nearest_others(bank[rows], min(int(self.neighbours), len(rows) - 1))
        positives = torch.cat([clean[None, rows], seen[:mild, rows]])
        return Images(positives, seen[mild : mild + local, rows], sets, aux, near, float(self.neighbour_share))

    def _aux_crops(self, train: Train, space: PrincipalSpace) -> Tensor | None:
        mode = self._mode(train.aux is not None)
        if mode == "own":
            self.notes_.append(f"negatives: {self.shift} of the fit images")
            return None
        if train.aux is None:
            raise InvalidInput(f"negatives={self.negatives} of SelfDistill needs {HOW_TO_GIVE[Need.AUX]}, or --aux D")
        how = self.shift if self.shift_aux else "as they are"
        own = f"{self.shift} of the fit images, and " if mode == "both" else ""
        self.notes_.append(f"negatives: {own}images of the auxiliary set ({how})")
        views = train.aux[1:] if self.shift_aux else train.aux
        return torch.stack([space.of_rows(unit_rows(view).to(space.basis)) for view in views])

    def _mode(self, has_aux: bool) -> str:
        return ("both" if has_aux else "own") if self.negatives == "auto" else self.negatives

    def _shifted(self) -> tuple[str, ...]:
        return shift_views(self.shift, int(self.shift_draws))

    def _head(self) -> DistillationHead:
        return DistillationHead(*(getattr(self, f"{part.name}_") for part in fields(DistillationHead)))

    def _check_views(self) -> None:
        for name, least in (("weak_views", 1), ("local_views", 0), ("shift_draws", 1)):
            check_integer(name, getattr(self, name), least)
        check_choice("negatives", self.negatives, Negatives)
        check_flag("shift_aux", self.shift_aux)
        shift_names(self.shift)

    def _check_parameters(self, count: int) -> None:
        self._check_views()
        check_choice("score", self.score, Score)
        for name in ("neighbours", "components", "hidden", "code", "epochs", "patience"):
            check_integer(name, getattr(self, name), 1)
        for name in ("outputs", "batch_size"):
            check_integer(name, getattr(self, name), 2)
        check_number("neighbour_share", self.neighbour_share, "a share from 0 to 1", lambda share: 0 <= share <= 1)
        check_number("momentum", self.momentum, "a number from 0 to 1", lambda number: 0 <= number <= 1)
        for name in ("weight", "weight_decay"):
            check_number(name, getattr(self, name), "a number of at least 0", lambda number: number >= 0)
        for name in ("temperature", "teacher_temperature", "last_teacher_temperature", "learning_rate"):
            check_positive(name, getattr(self, name))
        for name in ("add_cosine", "whiten"):
            check_flag(name, getattr(self, name))
        check_seed(self.seed)
        if count < LEAST_ROWS:
            raise TooFewSamples(f"SelfDistill needs at least {LEAST_ROWS} fit samples, got {count}")
        if self.k is not None:
            check_integer("k", self.k, 1, count - max(2, round(HELD_OUT * count)), "the fit rows that are trained on")
