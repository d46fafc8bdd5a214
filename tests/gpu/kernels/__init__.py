"""One file for each gpu/kernels/NAME.cu: tests/gpu/kernels/NAME.py with `exercise(module)`.

`exercise` launches every kernel of the file at small sizes (a few blocks of at most 64 threads), ragged ones included;
tests/emulator/test_sanitizers.py runs it under the thread and address sanitizers and sees that no kernel is left out.
"""
