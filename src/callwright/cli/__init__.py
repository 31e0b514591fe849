"""The command `callwright`."""


def main() -> None:
    """Run the command. Its code is imported only now, so that `import callwright.cli` stays cheap."""
    from callwright.cli.app import main as run

    run()
