"""Deep Gaussian VAEs, a whole table of them trained as one: every array has a leading axis of models.

Notation   E models, B data of a batch, n data and k latent dimensions; sigma2 the observation noise; nats per datum.

    architecture    layers and where their parameters lie in one flat buffer (E, P)
    layers          dense layers, forward and backward          convolution   4 x 4, stride 2, and its transpose
    products        batched matrix products                     elementwise   everything between two of them
    loss            the ELBO between encoder and decoder        adam          the optimiser
    account         the numbers of a step, one a model          philox        the twin of a device's random numbers
    on_device       elementwise, loss, account, adam, noise there
    model           the ensemble: ELBO and gradient             noise         random streams, one a model
    training        epochs, annealing, groups, resumption       checkpoint    files to resume from
    evaluation      what the tables report                      comparisons   a device beside the host

Reference  Lucas et al. 2019, Secs. 5-6, App. E; theory 5.
"""
