"""Trainings of deep and linear VAEs: their document, their words, their page."""
