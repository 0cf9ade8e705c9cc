"""Practice tenants that outlive the bench that opened them, for tests that are not about how a tenant starts or ends.

A process costs half a second. A tenant that is asked for once more with the same options is the same process, set back
to how it started by the control interface, as a learner's `bench.practice.reset()` does.
"""

from workbook.practice import PracticeTenant


class LentTenant(PracticeTenant):
    """A practice tenant that goes on when its bench closes it."""

    def close(self) -> None:
        """Does nothing: the next bench gets the same tenant, set back."""

    def end(self) -> None:
        """Ends it, and waits until it is gone."""
        super().close()


class Lender:
    """Stands in the place of `workbook.bench.PracticeTenant`, and is called like it.

    Attributes:
        lent: the tenants that are running, by their options.
    """

    def __init__(self) -> None:
        self.lent: dict[tuple[str, ...], LentTenant] = {}

    def __call__(self, options: list[str]) -> LentTenant:
        """A tenant with these options, as it is right after its start."""
        tenant = self.lent.get(tuple(options)) or LentTenant(options)
        self.lent[tuple(options)] = tenant
        tenant.reset()
        return tenant

    def end(self) -> None:
        """Ends all of them."""
        while self.lent:
            self.lent.popitem()[1].end()
