"""What is registered: one entry per scorer, as text that imports nothing."""

from oodkit.registry import Entry

ENTRIES = {
    # Features alone
    "knn": Entry(
        "oodkit.scorers.knn:KNN",
        summary="mean cosine similarity to the k nearest fit rows, exact",
        source="Sun et al., ICML 2022; Adaloglou et al., 2023",
        cost="none: the fit rows are the bank",
    ),
    "knn_kth": Entry(
        "oodkit.scorers.knn_kth:KNNKth",
        summary="cosine similarity to the k-th nearest fit row, exact",
        source="Sun et al., ICML 2022",
        cost="none: the fit rows are the bank",
    ),
    "kernel": Entry(
        "oodkit.scorers.kernel:Kernel",
        summary="mean of exp(cosine / temperature) to all fit rows, as a cosine; exact",
        source="Rafiee et al., ICANN 2022",
        cost="none: the fit rows are the bank",
    ),
    "ssd": Entry(
        "oodkit.scorers.ssd:SSD",
        summary="minus the squared Mahalanobis distance of standardised directions; k-means clusters or one Gaussian",
        source="Sehwag et al., ICLR 2021",
        cost="four passes, one factorisation per cluster; k-means with clusters above 1",
    ),
    "neco": Entry(
        "oodkit.scorers.neco:NECO",
        summary="share of the standardised row's length that lies in the principal space",
        needs="head (optional; for factor=max_logit)",
        source="Ben Ammar et al., ICLR 2024",
        cost="two passes, one eigendecomposition",
    ),
    "pca": Entry(
        "oodkit.scorers.pca:PCA",
        summary="minus the reconstruction error of principal component analysis (CoP)",
        source="Fang et al., NeurIPS 2024",
        cost="two passes, one eigendecomposition",
    ),
    "kpca": Entry(
        "oodkit.scorers.kpca:KernelPCA",
        summary="minus the reconstruction error of kernel PCA on random Fourier features (CoRP)",
        source="Fang et al., NeurIPS 2024",
        cost="two passes over random features, one eigendecomposition",
    ),
    # Features with classes
    "mahalanobis": Entry(
        "oodkit.scorers.mahalanobis:Mahalanobis",
        summary="minus the squared Mahalanobis distance to the nearest class or cluster; one class without either",
        needs="labels (optional)",
        source="Lee et al., NeurIPS 2018; normalize=true: Mueller & Hein, ICML 2025",
        cost="two passes, one factorisation; k-means with clusters, one factorisation per class if per_class",
    ),
    "relative_mahalanobis": Entry(
        "oodkit.scorers.relative_mahalanobis:RelativeMahalanobis",
        summary="squared Mahalanobis distance to all data minus that to the nearest class or cluster",
        needs="labels",
        source="Ren et al., 2021; normalize=true: Mueller & Hein, ICML 2025",
        cost="two passes, two factorisations; k-means with clusters, one factorisation per class if per_class",
    ),
    "prototypes": Entry(
        "oodkit.scorers.prototypes:Prototypes",
        summary="cosine to the nearest class prototype, or minus the Euclidean distance",
        needs="labels",
        source="class means as in Snell et al., NeurIPS 2017; trained ones: Ming et al., ICLR 2023",
        cost="one pass",
    ),
    "gmm": Entry(
        "oodkit.scorers.gmm:GMM",
        summary="log-density of a Gaussian mixture: one component per class, or by expectation-maximisation",
        needs="labels (optional)",
        source="Lee et al., NeurIPS 2018 (class-conditional Gaussians)",
        cost="two passes, one factorisation; iterations over all rows with components above 1",
    ),
    # Features under a linear head
    "residual": Entry(
        "oodkit.scorers.residual:Residual",
        summary="minus the distance to the principal space around the origin of the head",
        needs="head (optional)",
        source="Wang et al., CVPR 2022",
        cost="two passes, one eigendecomposition",
    ),
    "vim": Entry(
        "oodkit.scorers.vim:ViM",
        summary="energy of the logits minus the scaled distance to the principal space",
        needs="head",
        source="Wang et al., CVPR 2022",
        cost="four passes, one eigendecomposition",
    ),
    "nnguide": Entry(
        "oodkit.scorers.nnguide:NNGuide",
        summary="energy of the logits times the energy-weighted cosine to the k nearest fit rows, exact",
        needs="head",
        source="Park et al., ICCV 2023",
        cost="one pass; the fit rows are the bank",
    ),
    "fdbd": Entry(
        "oodkit.scorers.fdbd:FDBD",
        summary="mean distance to the decision boundaries over the distance to the mean",
        needs="head",
        source="Liu & Qin, ICML 2024",
        cost="one pass, distances between all classes",
    ),
    "she": Entry(
        "oodkit.scorers.she:SHE",
        summary="similarity to the mean of the correctly predicted fit rows of the predicted class",
        needs="labels, head",
        source="Zhang et al., ICLR 2023",
        cost="two passes",
    ),
    "nci": Entry(
        "oodkit.scorers.nci:NCI",
        summary="projection of the predicted class's weight on the centred row, plus a share of its L1 length",
        needs="head",
        source="Liu & Qin, CVPR 2025",
        cost="one pass",
    ),
    "react": Entry(
        "oodkit.scorers.react:ReAct",
        summary="energy of the logits of activations that are clipped from above",
        needs="head",
        source="Sun et al., NeurIPS 2021",
        cost="two passes",
    ),
    "dice": Entry(
        "oodkit.scorers.dice:DICE",
        summary="energy of the logits of a head that keeps only the weights that contribute most",
        needs="head",
        source="Sun & Li, ECCV 2022",
        cost="one pass",
    ),
    "ash": Entry(
        "oodkit.scorers.ash:ASH",
        summary="energy of the logits of activations of which only the largest are kept, and sharpened",
        needs="head",
        source="Djurisic et al., ICLR 2023",
        cost="none",
    ),
    "scale": Entry(
        "oodkit.scorers.scale:SCALE",
        summary="energy of the logits of activations that are scaled row by row",
        needs="head",
        source="Xu et al., ICLR 2024",
        cost="none",
    ),
    "vra": Entry(
        "oodkit.scorers.vra:VRA",
        summary="energy of the logits of activations that are suppressed where unusually low or high",
        needs="head",
        source="Xu et al., NeurIPS 2023",
        cost="two passes",
    ),
    "gradnorm": Entry(
        "oodkit.scorers.gradnorm:GradNorm",
        summary="L1 norm of the gradient of the loss against uniform labels, in closed form",
        needs="head",
        source="Huang et al., NeurIPS 2021",
        cost="none",
    ),
    # Logits
    "msp": Entry(
        "oodkit.scorers.msp:MSP",
        summary="logarithm of the maximum softmax probability",
        needs="logits",
        source="Hendrycks & Gimpel, ICLR 2017",
        cost="none: nothing is learned",
    ),
    "max_logit": Entry(
        "oodkit.scorers.max_logit:MaxLogit",
        summary="largest logit",
        needs="logits",
        source="Hendrycks et al., ICML 2022",
        cost="none: nothing is learned",
    ),
    "energy": Entry(
        "oodkit.scorers.energy:Energy",
        summary="log-sum-exp of the logits, at a temperature",
        needs="logits",
        source="Liu et al., NeurIPS 2020",
        cost="none: nothing is learned",
    ),
    "entropy": Entry(
        "oodkit.scorers.entropy:Entropy",
        summary="negative entropy of the softmax",
        needs="logits",
        source="Chan et al., ICCV 2021",
        cost="none: nothing is learned",
    ),
    "gen": Entry(
        "oodkit.scorers.gen:GEN",
        summary="negative generalised entropy of the largest softmax probabilities",
        needs="logits",
        source="Liu et al., CVPR 2023",
        cost="none: nothing is learned",
    ),
    "l1": Entry(
        "oodkit.scorers.l1:L1",
        summary="sum of the logits above their minimum",
        needs="logits",
        source="Adaloglou et al., TMLR 2024",
        cost="none: nothing is learned",
    ),
    "odin": Entry(
        "oodkit.scorers.odin:ODIN",
        summary="maximum softmax probability at a high temperature; without the step on the image",
        needs="logits",
        source="Liang et al., ICLR 2018",
        cost="none: nothing is learned",
    ),
    "kl_matching": Entry(
        "oodkit.scorers.kl_matching:KLMatching",
        summary="minus the KL divergence to the nearest class's mean softmax; fit it on held-out rows",
        needs="logits",
        source="Hendrycks et al., ICML 2022",
        cost="one pass",
    ),
    "openmax": Entry(
        "oodkit.scorers.openmax:OpenMax",
        summary="log-odds of the known classes against OpenMax's unknown one",
        needs="logits, labels",
        source="Bendale & Boult, CVPR 2016",
        cost="three passes, one Weibull fit per class",
    ),
    "temp_scaling": Entry(
        "oodkit.scorers.temp_scaling:TemperatureScaling",
        summary="maximum softmax probability at the temperature that fits labels best; fit it on held-out rows",
        needs="logits, labels",
        source="Guo et al., ICML 2017",
        cost="about ten passes",
    ),
    # Joint image-text space
    # Other scorers in one
    "ensemble": Entry(
        "oodkit.scorers.ensemble:Ensemble",
        summary="several scorers by rank, z-score or Fisher's sum, on the scale of held-out fit rows",
        needs="what its members need",
        source="Fisher, 1932",
        cost="the fits of its members, on a part of the rows",
    ),
}

# Names that other packages fill; each target is a function of NAME.
FAMILIES = {
    "sklearn:NAME": Entry(
        "oodkit.scorers.third_party:sklearn_detector",
        summary="any outlier or density estimator of scikit-learn by its class, such as sklearn:LocalOutlierFactor",
        source="Pedregosa et al., JMLR 2011",
        cost="the estimator's own",
    ),
    "pyod:NAME": Entry(
        "oodkit.scorers.third_party:pyod_detector",
        summary="any unsupervised detector of PyOD by its class, such as pyod:ECOD",
        needs="the package pyod",
        source="Zhao et al., JMLR 2019",
        cost="the detector's own",
    ),
}
