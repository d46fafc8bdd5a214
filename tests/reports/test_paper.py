"""The printed tables as package data: every row, the rounding of every number, damaged files."""

import pytest

from reports.paper import Printed, read_table
from verify.errors import InputError


def test_a_printed_number_knows_its_last_digit():
    assert [Printed(t).half for t in ("0.204", "-90.4", "12")] == pytest.approx([0.0005, 0.05, 0.5])
    assert Printed("0.2040").rounds_like(Printed("0.204")) and Printed("8.78").rounds_like(Printed("8.8"))
    assert not Printed("8.74").rounds_like(Printed("8.8"))


def test_a_damaged_table_is_refused_with_its_line():
    header = "dataset,preprocessing,noise,init_sigma2,final_sigma2,elbo,elbo_err,tuned_elbo,tuned_elbo_err,tuned_sigma2"
    header += ",collapse_percent,kl,kl_err\n"
    good = "mnist,logit,fixed,10.0,,-1.0,0.1,-1.0,0.1,1.0,0.00,1.0,0.1\n"
    assert len(read_table(2, header + good)) == 1
    for bad in (
        good.replace("-1.0", "x", 1),
        good.replace("mnist", "omniglot"),
        good.replace("fixed", "learned"),
        good.replace(",10.0", ","),
        "mnist,logit\n",
    ):
        with pytest.raises(InputError, match="table 2, line 3"):
            read_table(2, header + good + bad)
