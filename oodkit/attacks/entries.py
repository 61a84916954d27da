"""The attacks that come with the package, as text: listing them imports no method."""

from oodkit.registry import Entry

ENTRIES = {
    "fgsm": Entry(
        "oodkit.attacks.fgsm:FGSM",
        "one step along the gradient",
        needs="gradients",
        source="Goodfellow et al., ICLR 2015",
        cost="1 gradient",
    ),
    "pgd": Entry(
        "oodkit.attacks.pgd:PGD",
        "projected gradient ascent, with restarts",
        needs="gradients",
        source="Madry et al., ICLR 2018",
        cost="50 gradients",
    ),
    "momentum_pgd": Entry(
        "oodkit.attacks.momentum_pgd:MomentumPGD",
        "steps along a decaying sum of gradients",
        needs="gradients",
        source="Dong et al., CVPR 2018",
        cost="50 gradients",
    ),
    "apgd": Entry(
        "oodkit.attacks.apgd:APGD",
        "gradient ascent that finds its step size image by image",
        needs="gradients",
        source="Croce & Hein, ICML 2020",
        cost="100 gradients",
    ),
    "square": Entry(
        "oodkit.attacks.square:Square",
        "random squares, kept where the score rises; works for any score",
        source="Andriushchenko et al., ECCV 2020",
        cost="1,000 evaluations",
    ),
    "feature_matching": Entry(
        "oodkit.attacks.feature_matching:FeatureMatching",
        "moves an image's features to those of an in-distribution image",
        needs="gradients of the backbone",
        source="Adaloglou et al., 2023",
        cost="250 gradients",
    ),
}
