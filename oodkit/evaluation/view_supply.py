"""Views of the fit images, and an auxiliary set with its views: each embedded once, when a scorer asks."""

from collections.abc import Callable, Sequence

from oodkit.data.image_set import ImageSet
from oodkit.embedding import Embeddings
from oodkit.errors import InvalidInput
from oodkit.scorers.base import Need, Scorer
from oodkit.views import IDENTITY, views

EmbedView = Callable[[ImageSet, str], Embeddings]


class ViewSupply:
    """Embeddings of images through views.

    Args:
        embed_view: embeds a set through a view of this name.
        images: the train images of the in-set.
        aux: the auxiliary images; None for none.
    """

    def __init__(self, embed_view: EmbedView, images: ImageSet, aux: ImageSet | None) -> None:
        self._embed_view, self._images, self._aux = embed_view, images, aux
        self._made: dict[tuple[bool, str], Embeddings] = {}

    def lacks(self, model: Scorer) -> str | None:
        """Why a scorer cannot be given its views, as the rest of a sentence; None where it can."""
        if Need.VIEWS in model.needs:
            if not model.view_names():
                return "it needs views and names none; its class must define view_names"
            for name in model.view_names():
                _ = views[name]
        if model.wants_aux and self._aux is None:
            return "it needs an auxiliary set that is not in-distribution; give --aux D"
        return None

    def views(self, model: Scorer, fit: Embeddings) -> list[Embeddings]:
        """Views of the fit images in the order of the scorer's `view_names`.

        Args:
            model: a scorer that lacks nothing.
            fit: the images as they are, to compare with.
        """
        made = [self._through(name, False) for name in model.view_names()]
        return [of_same(fit, part) for part in made]

    def aux(self, model: Scorer) -> list[Embeddings]:
        """The auxiliary images, then their views in the order of the scorer's `aux_view_names`."""
        clean, *rest = [self._through(name, True) for name in (IDENTITY, *model.aux_view_names())]
        return [clean, *(of_same(clean, part) for part in rest)]

    @property
    def has_aux(self) -> bool:
        """Whether there is an auxiliary set."""
        return self._aux is not None

    @property
    def parts(self) -> Sequence[Embeddings]:
        """What was embedded so far."""
        return tuple(self._made.values())

    @property
    def names(self) -> list[str]:
        """Names of the views of the fit images that were embedded so far."""
        return [name for is_aux, name in self._made if not is_aux]

    def _through(self, name: str, is_aux: bool) -> Embeddings:
        if (is_aux, name) not in self._made:
            images = self._aux if is_aux else self._images
            assert images is not None, "lacks() was not asked"
            self._made[is_aux, name] = self._embed_view(images, name)
        return self._made[is_aux, name]


def of_same(images: Embeddings, view: Embeddings) -> Embeddings:
    """The view itself; raises InvalidInput where it is not of the same images."""
    if images.ids != view.ids:
        raise InvalidInput(
            f"the view {view.view} of {images.dataset}:{images.split} has {len(view)} images and not the same "
            f"{len(images)}: an image could be read only once; run again"
        )
    return view
