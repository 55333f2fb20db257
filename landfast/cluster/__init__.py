"""Where clusters come from: `kind` makes one for a run, `existing` uses one that is there."""
