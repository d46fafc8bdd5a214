"""The paper's thirteen figures, made again, each beside what the paper shows: one file a figure.

A figure is a module `figure_N.py`. Nothing else has to be told of it. It has

    TITLE                       what it shows, as a heading
    SOURCE                      where the paper has it
    PAPER                       what the paper prints or says of it, in our words
    DATASET                     "mnist" or "celeba64": on which of the paper's data it is
    dataset(setting)            the same, where it depends on what the user named; else left out
    experiments(setting)        what has to be trained: [Experiment]; figures may share some
    measure(setting, bench)     -> Measured; it performs its experiments on the bench, and adds no others; or it raises
                                LeftOut, with a sentence why nothing can be made of these data or models
    draw(entry, arrays)         -> a matplotlib Figure, from the entry of figures.json and the arrays of figure-N.npz;
                                left out where `lines.draw` serves
    label(figure, entry)        puts in text that has to find room, once the frame is laid out
                                (verify/pictures/placing.py); left out where there is none
    numbers(entry, arrays)      -> heading and lines of figure-N.csv; left out where `lines.numbers` serves

Findings are computed from what was measured; one that the paper does not make says that it is ours, and so does a limit
that the paper does not give. What is unfinished or within chance speaks neither for nor against. A figure that shows
something else than the paper says so.
"""
