"""Ten directions of a layer by a factorisation of its activations on photographs, as vectors for [directions.NAME].

    python directions/factors.py --photos ~/photographs --layer mixed4d --output directions/mixed4d_factors.npy

Non-negative matrix factorisation of activations, a row for each sampled position (Olah et al., "The Building Blocks of
Interpretability", Distill 2018). Rows of the result are directions, the one that explains most first.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import torch
from sklearn.decomposition import NMF

from generator.api import load_checkpoint
from generator.core.progress import progress
from generator.photos.photographs import find_photographs, read_batches


@click.command()
@click.option(
    "--photos", type=Path, multiple=True, required=True, help="A folder of photographs; several times for several."
)
@click.option("--layer", default="mixed4d", show_default=True)
@click.option("--checkpoint", default="bvlc_googlenet", show_default=True)
@click.option("--count", default=10, show_default=True, help="How many directions.")
@click.option("--positions", default=8, show_default=True, help="Positions of each photograph, drawn at random.")
@click.option("--output", type=Path, required=True, help="The .npy file to write.")
def main(photos: tuple[Path, ...], layer: str, checkpoint: str, count: int, positions: int, output: Path) -> None:
    """Write COUNT directions of LAYER, as rows over its channels."""
    net, draws = load_checkpoint(checkpoint), np.random.default_rng(0)
    found = find_photographs(photos).photographs
    rows = []
    with progress(layer, "photographs", len(found)) as bar, torch.no_grad():
        for indices, pixels in read_batches(
            found, 16, lambda photograph, why: print(f"left out: {photograph.path}: {why}")
        ):
            seen = net(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255, layer).flatten(2).mT.numpy()
            rows += [each[draws.choice(len(each), positions, replace=False)] for each in seen]
            bar.advance(len(indices))
    samples = np.concatenate(rows)
    deviation = samples.std(0) + 1e-6
    model = NMF(count, init="nndsvd", max_iter=400, random_state=0)
    weights = model.fit_transform(samples / deviation)  # so that no channel counts for its scale alone
    vectors = model.components_ * deviation  # what a factor adds to the activations
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    explained = np.square(weights).sum(0) * np.square(model.components_).sum(1)
    np.save(output, vectors[np.argsort(-explained)].astype(np.float32))
    click.echo(f"{output}: {count} directions from {len(samples)} positions of {len(found)} photographs")


if __name__ == "__main__":
    main()
