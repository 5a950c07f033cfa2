"""What the real client makes of hundreds of stack files, and what ours does."""

from __future__ import annotations

from swarmsim.analysis.clientrecord import Asked, Typed, is_true_to, judge, read_exceptions, report
from swarmsim.analysis.stackrecord import deploy_all, in_one_order, read_files


def test_every_recorded_stack_file_is_the_same(records):
    folder = records / "stacks"
    judged, reasons = deploy_all(folder), read_exceptions(folder)
    assert len([name for name in read_files(folder / "files.txt") if name.endswith(".yml")]) >= 120
    assert is_true_to(judged, reasons), report(judged, reasons)


def test_only_the_order_of_what_is_made_is_free():
    networks = [Asked("POST", "/networks/create", body={"Name": name}) for name in ("a", "b")]
    recorded = Typed("stack deploy s", "", out="Creating network a\nCreating network b\n", asked=networks)
    turned = Typed("stack deploy s", "", out="Creating network b\nCreating network a\n", asked=networks[::-1])
    other = Typed("stack deploy s", "", out=recorded.out, asked=networks[:1] * 2)
    assert not judge(in_one_order(recorded), in_one_order(turned)).difference
    assert judge(in_one_order(recorded), in_one_order(other)).difference
