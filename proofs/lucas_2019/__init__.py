"""Lucas, Tucker, Grosse & Norouzi 2019, "Don't Blame the ELBO!": its claims, one file each, by section."""
