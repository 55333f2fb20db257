"""The action of action.yml, run by act as GitHub's runner would run it: `nox -s action-tests`."""
