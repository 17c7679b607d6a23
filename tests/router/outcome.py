"""How a stage ends, other than well."""


class Refused(RuntimeError):
    """The test cannot go on with this router; the text is for a person."""


class Failed(RuntimeError):
    """A stage showed that something is wrong; the text is for the report."""


class Skipped(RuntimeError):
    """A stage was left out; the reason."""
